with procedures as (

    select * from {{ ref("int_procedure") }}

),

services as (

    select * from {{ ref("int_service") }}

),

things as (

    select
        procedure_code,
        in_force_from_on,
        in_force_to_on
    from procedures
    union all
    select
        procedure_code,
        in_force_from_on,
        in_force_to_on
    from services

),

turning_points as (

    select
        procedure_code,
        in_force_from_on as from_on
    from things
    union
    select
        procedure_code,
        in_force_to_on as from_on
    from things
    union
    select
        procedure_code,
        {{ first_day() }} as from_on
    from things

),

spans as (

    select
        procedure_code,
        from_on,
        lead(from_on, 1, {{ last_day() }}) over (partition by procedure_code order by from_on) as to_on
    from turning_points

),

procedure_candidates as (

    select
        spans.procedure_code,
        spans.from_on,
        procedures.procedure_id,
        procedures.field_code,
        {{ holds_on("spans.from_on", "procedures.in_force_from_on", "procedures.in_force_to_on") }} as is_in_force,
        row_number() over (
            partition by spans.procedure_code, spans.from_on
            order by
                {{ holds_on("spans.from_on", "procedures.in_force_from_on", "procedures.in_force_to_on") }} desc,
                procedures.in_force_from_on <= spans.from_on desc,
                case when procedures.in_force_from_on <= spans.from_on then procedures.in_force_from_on end desc,
                procedures.in_force_from_on
        ) as preference
    from spans
    inner join procedures on spans.procedure_code = procedures.procedure_code

),

service_candidates as (

    select
        spans.procedure_code,
        spans.from_on,
        services.service_id,
        services.service_code,
        services.service_level_code,
        row_number() over (
            partition by spans.procedure_code, spans.from_on
            order by services.in_force_from_on desc, services.service_code collate "C" desc
        ) as preference
    from spans
    inner join services
        on
            spans.procedure_code = services.procedure_code
            and {{ holds_on("spans.from_on", "services.in_force_from_on", "services.in_force_to_on") }}

),

chosen as (

    select
        spans.procedure_code || '@' || to_char(spans.from_on, 'YYYYMMDD') as procedure_span_id,
        spans.procedure_code,
        spans.from_on,
        spans.to_on,
        procedure_candidates.procedure_id,
        procedure_candidates.field_code,
        coalesce(procedure_candidates.is_in_force, false) as is_procedure_in_force,
        service_candidates.service_id,
        service_candidates.service_code,
        service_candidates.service_level_code
    from spans
    left join procedure_candidates
        on
            spans.procedure_code = procedure_candidates.procedure_code
            and spans.from_on = procedure_candidates.from_on
            and procedure_candidates.preference = 1
    left join service_candidates
        on
            spans.procedure_code = service_candidates.procedure_code
            and spans.from_on = service_candidates.from_on
            and service_candidates.preference = 1
    where spans.from_on < spans.to_on

)

select * from chosen
