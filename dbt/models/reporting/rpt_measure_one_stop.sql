with periods as (

    select * from {{ ref("dim_reporting_period") }}
    where is_requested

),

processing as (

    select * from {{ ref("fct_procedure_processing") }}

),

agencies as (

    select * from {{ ref("dim_agency") }}

),

usage as (

    select * from {{ ref("fct_service_usage") }}

),

processing_totals as (

    select
        processing.period_id,
        sum(processing.settled_count) filter (where agencies.agency_level_code = 1) as settled_province,
        sum(processing.settled_on_time_count) filter (where agencies.agency_level_code = 1) as on_time_province,
        sum(processing.settled_count) filter (where agencies.agency_level_code = 2) as settled_district,
        sum(processing.settled_on_time_count) filter (where agencies.agency_level_code = 2) as on_time_district,
        sum(processing.settled_count) filter (where agencies.agency_level_code = 3) as settled_commune,
        sum(processing.settled_on_time_count) filter (where agencies.agency_level_code = 3) as on_time_commune,
        sum(processing.received_full_count) as received_full,
        sum(processing.received_full_online_count) as received_full_online,
        sum(processing.received_partial_count) as received_partial,
        sum(processing.received_partial_online_count) as received_partial_online,
        sum(processing.received_count) as received,
        sum(processing.received_digitised_count) as received_digitised,
        sum(processing.received_fee_due_count) as received_fee_due,
        sum(processing.received_paid_online_count) as received_paid_online,
        sum(processing.received_paid_national_portal_count) as received_paid_national_portal,
        sum(processing.received_count) filter (where agencies.agency_level_code = 1) as received_department,
        sum(processing.received_digitised_count) filter (where agencies.agency_level_code = 1) as received_digitised_department,
        sum(processing.received_full_count + processing.received_partial_count) filter (
            where agencies.agency_level_code = 1
        ) as received_by_service_department,
        sum(processing.received_full_online_count + processing.received_partial_online_count) filter (
            where agencies.agency_level_code = 1
        ) as received_online_by_service_department,
        sum(processing.received_count) filter (where agencies.agency_level_code in (2, 3)) as received_local,
        sum(processing.received_digitised_count) filter (where agencies.agency_level_code in (2, 3)) as received_digitised_local,
        sum(processing.received_full_count + processing.received_partial_count) filter (
            where agencies.agency_level_code in (2, 3)
        ) as received_by_service_local,
        sum(processing.received_full_online_count + processing.received_partial_online_count) filter (
            where agencies.agency_level_code in (2, 3)
        ) as received_online_by_service_local
    from processing
    inner join agencies on processing.agency_id = agencies.agency_id
    group by processing.period_id

),

processing_loads as (

    select
        processing.period_id,
        array_agg(distinct load.load_id order by load.load_id) as load_ids
    from processing
    cross join lateral unnest(processing.load_ids) as load (load_id)
    group by processing.period_id

),

-- full and partial services; one that was replaced during the period counts as itself
usage_totals as (

    select
        period_id,
        count(distinct service_code) as services_used,
        count(distinct service_code) filter (where received_online_count > 0) as services_used_online
    from usage
    where service_level_code in (3, 4)
    group by period_id

),

usage_loads as (

    select
        usage.period_id,
        array_agg(distinct load.load_id order by load.load_id) as load_ids
    from usage
    cross join lateral unnest(usage.load_ids) as load (load_id)
    where usage.service_level_code in (3, 4)
    group by usage.period_id

),

measured as (

    select
        periods.period_id,
        periods.as_of_at,
        measure.measure_code,
        -- a period without a dossier is a real zero; whether the source came at all is judged elsewhere
        coalesce(measure.measure_value, 0)::numeric as measure_value,
        measure.model_name,
        coalesce(measure.load_ids, '{}'::bigint[]) as load_ids
    from periods
    left join processing_totals on periods.period_id = processing_totals.period_id
    left join processing_loads on periods.period_id = processing_loads.period_id
    left join usage_totals on periods.period_id = usage_totals.period_id
    left join usage_loads on periods.period_id = usage_loads.period_id
    cross join lateral (
        values
        (
            'dossiers_settled_province',
            processing_totals.settled_province,
            'fct_procedure_processing',
            processing_loads.load_ids
        ),
        (
            'dossiers_on_time_province',
            processing_totals.on_time_province,
            'fct_procedure_processing',
            processing_loads.load_ids
        ),
        (
            'dossiers_settled_district',
            processing_totals.settled_district,
            'fct_procedure_processing',
            processing_loads.load_ids
        ),
        (
            'dossiers_on_time_district',
            processing_totals.on_time_district,
            'fct_procedure_processing',
            processing_loads.load_ids
        ),
        (
            'dossiers_settled_commune',
            processing_totals.settled_commune,
            'fct_procedure_processing',
            processing_loads.load_ids
        ),
        (
            'dossiers_on_time_commune',
            processing_totals.on_time_commune,
            'fct_procedure_processing',
            processing_loads.load_ids
        ),
        (
            'dossiers_received_full',
            processing_totals.received_full,
            'fct_procedure_processing',
            processing_loads.load_ids
        ),
        (
            'dossiers_received_full_online',
            processing_totals.received_full_online,
            'fct_procedure_processing',
            processing_loads.load_ids
        ),
        (
            'dossiers_received_partial',
            processing_totals.received_partial,
            'fct_procedure_processing',
            processing_loads.load_ids
        ),
        (
            'dossiers_received_partial_online',
            processing_totals.received_partial_online,
            'fct_procedure_processing',
            processing_loads.load_ids
        ),
        (
            'dossiers_received',
            processing_totals.received,
            'fct_procedure_processing',
            processing_loads.load_ids
        ),
        (
            'dossiers_received_digitised',
            processing_totals.received_digitised,
            'fct_procedure_processing',
            processing_loads.load_ids
        ),
        (
            'dossiers_received_fee_due',
            processing_totals.received_fee_due,
            'fct_procedure_processing',
            processing_loads.load_ids
        ),
        (
            'dossiers_received_paid_online',
            processing_totals.received_paid_online,
            'fct_procedure_processing',
            processing_loads.load_ids
        ),
        (
            'dossiers_received_paid_national_portal',
            processing_totals.received_paid_national_portal,
            'fct_procedure_processing',
            processing_loads.load_ids
        ),
        (
            'dossiers_received_department',
            processing_totals.received_department,
            'fct_procedure_processing',
            processing_loads.load_ids
        ),
        (
            'dossiers_received_digitised_department',
            processing_totals.received_digitised_department,
            'fct_procedure_processing',
            processing_loads.load_ids
        ),
        (
            'dossiers_received_by_service_department',
            processing_totals.received_by_service_department,
            'fct_procedure_processing',
            processing_loads.load_ids
        ),
        (
            'dossiers_received_online_by_service_department',
            processing_totals.received_online_by_service_department,
            'fct_procedure_processing',
            processing_loads.load_ids
        ),
        (
            'dossiers_received_local',
            processing_totals.received_local,
            'fct_procedure_processing',
            processing_loads.load_ids
        ),
        (
            'dossiers_received_digitised_local',
            processing_totals.received_digitised_local,
            'fct_procedure_processing',
            processing_loads.load_ids
        ),
        (
            'dossiers_received_by_service_local',
            processing_totals.received_by_service_local,
            'fct_procedure_processing',
            processing_loads.load_ids
        ),
        (
            'dossiers_received_online_by_service_local',
            processing_totals.received_online_by_service_local,
            'fct_procedure_processing',
            processing_loads.load_ids
        ),
        (
            'services_used',
            usage_totals.services_used,
            'fct_service_usage',
            usage_loads.load_ids
        ),
        (
            'services_used_online',
            usage_totals.services_used_online,
            'fct_service_usage',
            usage_loads.load_ids
        )
    ) as measure (measure_code, measure_value, model_name, load_ids)

)

select
    period_id || ':' || measure_code as measure_id,
    period_id,
    measure_code,
    measure_value,
    'one_stop' as source,
    model_name,
    load_ids,
    as_of_at
from measured
