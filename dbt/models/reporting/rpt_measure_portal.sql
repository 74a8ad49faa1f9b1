with periods as (

    select * from {{ ref("dim_reporting_period") }}
    where is_requested

),

procedures as (

    select * from {{ ref("dim_procedure") }}

),

services as (

    select * from {{ ref("dim_service") }}

),

decisions as (

    select * from {{ ref("fct_procedure_decision") }}

),

feedback as (

    select * from {{ ref("fct_feedback") }}
    where feedback_kind_code = 'QDHC'

),

-- a procedure counts once, by its newest version, even where two versions overlap
procedures_in_force as (

    select distinct on (periods.period_id, procedures.procedure_code)
        periods.period_id,
        procedures.*
    from periods
    inner join procedures
        on {{ holds_on("periods.cut_off_on", "procedures.in_force_from_on", "procedures.in_force_to_on") }}
    order by periods.period_id asc, procedures.procedure_code asc, procedures.in_force_from_on desc

),

-- services of procedures not in force do not count
services_in_force as (

    select distinct on (periods.period_id, services.service_code)
        periods.period_id,
        services.*
    from periods
    inner join services
        on {{ holds_on("periods.cut_off_on", "services.in_force_from_on", "services.in_force_to_on") }}
    inner join procedures_in_force
        on
            periods.period_id = procedures_in_force.period_id
            and services.procedure_code = procedures_in_force.procedure_code
    order by periods.period_id asc, services.service_code asc, services.in_force_from_on desc

),

payable as (

    select distinct
        period_id,
        procedure_code
    from services_in_force
    where is_payable_online

),

procedure_totals as (

    select
        procedures_in_force.period_id,
        count(*) filter (where procedures_in_force.procedure_level_code = 1) as in_force_province,
        count(*) filter (where procedures_in_force.procedure_level_code = 2) as in_force_district,
        count(*) filter (where procedures_in_force.procedure_level_code = 3) as in_force_commune,
        count(*) filter (where procedures_in_force.is_joined_up_same_level) as joined_up_same_level,
        count(*) filter (where procedures_in_force.is_joined_up_across_levels) as joined_up_across_levels,
        count(*) filter (where procedures_in_force.is_boundary_free) as boundary_free,
        count(*) filter (where procedures_in_force.vertical_sector_code = 'CONGAN') as of_police,
        count(*) filter (where procedures_in_force.vertical_sector_code = 'BHXH') as of_social_insurance,
        count(*) filter (where procedures_in_force.vertical_sector_code = 'DIENLUC') as of_electricity,
        count(*) filter (where procedures_in_force.has_fee) as with_fee,
        count(*) filter (
            where procedures_in_force.has_fee and payable.procedure_code is not null
        ) as with_fee_payable_online,
        array_agg(distinct procedures_in_force.load_id order by procedures_in_force.load_id) as load_ids
    from procedures_in_force
    left join payable
        on
            procedures_in_force.period_id = payable.period_id
            and procedures_in_force.procedure_code = payable.procedure_code
    group by procedures_in_force.period_id

),

group_totals as (

    select
        procedures_in_force.period_id,
        count(distinct joined_up_group.code) as joined_up_groups
    from procedures_in_force
    cross join lateral unnest(procedures_in_force.joined_up_group_codes) as joined_up_group (code)
    group by procedures_in_force.period_id

),

service_totals as (

    select
        period_id,
        count(*) filter (where is_fully_online_eligible) as eligible,
        count(*) filter (where is_fully_online_eligible and service_level_code = 4) as fully_online,
        count(*) filter (where service_level_code = 4) as in_force_full,
        count(*) filter (where service_level_code = 3) as in_force_partial,
        -- what is only information is not carried out on any portal
        count(*) filter (where service_level_code in (3, 4) and is_on_national_portal) as on_national_portal,
        array_agg(distinct load_id order by load_id) as load_ids
    from services_in_force
    group by period_id

),

decision_totals as (

    select
        periods.period_id,
        count(distinct decisions.procedure_code) filter (where decisions.change_kind_code = 1) as published_new,
        count(distinct decisions.procedure_code) filter (where decisions.change_kind_code = 3) as abolished,
        count(distinct decisions.procedure_code) filter (where decisions.change_kind_code = 2) as amended,
        count(distinct decisions.decision_code) as decided,
        array_agg(distinct decisions.load_id order by decisions.load_id) as load_ids
    from periods
    inner join decisions on decisions.decided_on between periods.from_on and periods.cut_off_on
    group by periods.period_id

),

-- what was open when the period began is work of the period
feedback_totals as (

    select
        periods.period_id,
        count(*) as received,
        count(*) filter (where feedback.settled_on <= periods.cut_off_on) as settled,
        array_agg(distinct feedback.load_id order by feedback.load_id) as load_ids
    from periods
    inner join feedback
        on
            periods.cut_off_on >= feedback.received_on
            and (feedback.settled_on is null or periods.from_on <= feedback.settled_on)
    group by periods.period_id

),

measured as (

    select
        periods.period_id,
        periods.as_of_at,
        measure.measure_code,
        coalesce(measure.measure_value, 0)::numeric as measure_value,
        measure.model_name,
        coalesce(measure.load_ids, '{}'::bigint[]) as load_ids
    from periods
    left join procedure_totals on periods.period_id = procedure_totals.period_id
    left join group_totals on periods.period_id = group_totals.period_id
    left join service_totals on periods.period_id = service_totals.period_id
    left join decision_totals on periods.period_id = decision_totals.period_id
    left join feedback_totals on periods.period_id = feedback_totals.period_id
    cross join lateral (
        values
        (
            'procedures_in_force_province',
            procedure_totals.in_force_province,
            'dim_procedure',
            procedure_totals.load_ids
        ),
        (
            'procedures_in_force_district',
            procedure_totals.in_force_district,
            'dim_procedure',
            procedure_totals.load_ids
        ),
        (
            'procedures_in_force_commune',
            procedure_totals.in_force_commune,
            'dim_procedure',
            procedure_totals.load_ids
        ),
        (
            'procedures_joined_up_same_level',
            procedure_totals.joined_up_same_level,
            'dim_procedure',
            procedure_totals.load_ids
        ),
        (
            'procedures_joined_up_across_levels',
            procedure_totals.joined_up_across_levels,
            'dim_procedure',
            procedure_totals.load_ids
        ),
        (
            'procedures_boundary_free',
            procedure_totals.boundary_free,
            'dim_procedure',
            procedure_totals.load_ids
        ),
        (
            'procedures_with_fee',
            procedure_totals.with_fee,
            'dim_procedure',
            procedure_totals.load_ids
        ),
        (
            'procedures_with_fee_payable_online',
            procedure_totals.with_fee_payable_online,
            'dim_service',
            procedure_totals.load_ids || service_totals.load_ids
        ),
        (
            'services_fully_online_eligible',
            service_totals.eligible,
            'dim_service',
            service_totals.load_ids
        ),
        (
            'services_fully_online',
            service_totals.fully_online,
            'dim_service',
            service_totals.load_ids
        ),
        (
            'procedures_published_new',
            decision_totals.published_new,
            'fct_procedure_decision',
            decision_totals.load_ids
        ),
        (
            'procedures_abolished',
            decision_totals.abolished,
            'fct_procedure_decision',
            decision_totals.load_ids
        ),
        (
            'vertical_procedures_police',
            procedure_totals.of_police,
            'dim_procedure',
            procedure_totals.load_ids
        ),
        (
            'vertical_procedures_social_insurance',
            procedure_totals.of_social_insurance,
            'dim_procedure',
            procedure_totals.load_ids
        ),
        (
            'vertical_procedures_electricity',
            procedure_totals.of_electricity,
            'dim_procedure',
            procedure_totals.load_ids
        ),
        (
            'joined_up_groups',
            group_totals.joined_up_groups,
            'dim_procedure',
            procedure_totals.load_ids
        ),
        (
            'online_services_full',
            service_totals.in_force_full,
            'dim_service',
            service_totals.load_ids
        ),
        (
            'online_services_partial',
            service_totals.in_force_partial,
            'dim_service',
            service_totals.load_ids
        ),
        (
            'services_on_national_portal',
            service_totals.on_national_portal,
            'dim_service',
            service_totals.load_ids
        ),
        (
            'procedures_amended',
            decision_totals.amended,
            'fct_procedure_decision',
            decision_totals.load_ids
        ),
        (
            'publication_decisions',
            decision_totals.decided,
            'fct_procedure_decision',
            decision_totals.load_ids
        ),
        (
            'feedback_received',
            feedback_totals.received,
            'fct_feedback',
            feedback_totals.load_ids
        ),
        (
            'feedback_settled',
            feedback_totals.settled,
            'fct_feedback',
            feedback_totals.load_ids
        )
    ) as measure (measure_code, measure_value, model_name, load_ids)

)

select
    period_id || ':' || measure_code as measure_id,
    period_id,
    measure_code,
    measure_value,
    'portal' as source,
    model_name,
    load_ids,
    as_of_at
from measured
