{#- the tables joined here are small and fresh, without statistics: a merge join would sort every version for each -#}
{{ config(sql_header="set local jit = off; set local enable_mergejoin = off;") }}

with versions as (

    select * from {{ ref("stg_one_stop__dossier_version") }}

),

loads as (

    select
        load_id,
        file_rank
    from {{ ref("int_load") }}
    where source = 'one_stop' and dataset = 'dossier'

),

agencies as (

    select * from {{ ref("int_agency_timeline") }}

),

procedures as (

    select * from {{ ref("int_procedure_timeline") }}

),

fields as (

    select * from {{ ref("int_field") }}

),

keyed as (

    select
        versions.*,
        versions.dossier_code collate "C" as dossier_key,
        loads.file_rank
    from versions
    inner join loads on versions.load_id = loads.load_id

),

-- rows of one moment stand side by side, the one that counts last
ordered as (

    select
        *,
        lead(updated_at) over (
            partition by dossier_key order by updated_at, file_rank, source_row_number
        ) as next_updated_at
    from keyed

),

chosen as (

    select *
    from ordered
    where next_updated_at is distinct from updated_at

),

numbered as (

    select
        *,
        row_number() over (
            partition by dossier_key order by updated_at, file_rank, source_row_number
        ) as version_number,
        lag(status_code) over (
            partition by dossier_key order by updated_at, file_rank, source_row_number
        ) as previous_status_code
    from chosen

),

-- withdrawn, resumed, withdrawn again: the first version of the last run of status 7
runs as (

    select
        *,
        max(case when status_code = 7 and coalesce(previous_status_code, 0) <> 7 then updated_at end) over (
            partition by dossier_key order by updated_at, file_rank, source_row_number
            rows between unbounded preceding and current row
        ) as withdrawn_since_at
    from numbered

),

-- the agency, procedure, service and field as they were on the day of reception
resolved as (

    select
        runs.*,
        -- an agency or procedure that the portal does not know must not vanish from a total
        coalesce(agencies.agency_id, 'unknown') as agency_id,
        coalesce(procedures.procedure_id, 'unknown') as procedure_id,
        procedures.service_id,
        procedures.service_code,
        procedures.service_level_code as portal_service_level_code,
        coalesce(procedures.is_procedure_in_force, false) as is_procedure_in_force,
        coalesce(fields.field_code, procedures.field_code, 'unknown') as resolved_field_code
    from runs
    left join agencies
        on
            runs.agency_code = agencies.agency_code
            and {{ holds_on("runs.received_on", "agencies.from_on", "agencies.to_on") }}
    left join procedures
        on
            runs.procedure_code = procedures.procedure_code
            and {{ holds_on("runs.received_on", "procedures.from_on", "procedures.to_on") }}
    left join fields on runs.field_code = fields.field_code

),

stated as (

    select
        dossier_version_id,
        load_id,
        source_row_number,
        dossier_code,
        version_number::integer as version_number,
        agency_id,
        procedure_id,
        service_id,
        service_code,
        resolved_field_code as field_code,
        agency_code,
        procedure_code,
        applicant_key,
        payment_channel_code,
        channel_code,
        status_code,
        -- the level the dossier was received at, else that of its service on the day of reception
        coalesce(service_level_code, portal_service_level_code) as service_level_code,
        portal_service_level_code,
        service_level_code as dossier_service_level_code,
        applicant_type_code,
        filing_place_code,
        online_payment_code,
        supplement_count,
        fee_vnd,
        case
            when status_code in (9, 10) then 'settled'
            when status_code = 7 then 'withdrawn'
            else 'open'
        end as outcome,
        status_code not in (1, 3) and not is_deleted as is_counted,
        status_code in (5, 6, 8) as is_paused,
        is_deleted,
        is_digitised,
        has_electronic_result,
        is_procedure_in_force,
        received_on,
        due_on,
        -- the day on which the dossier left the office; a finish date means nothing with any other status.
        -- never before the reception, so that what leaves has come in
        case
            when status_code in (9, 10) then finished_on
            when status_code = 7
                then greatest(coalesce(finished_on, {{ local_day("withdrawn_since_at") }}), received_on)
        end as closed_on,
        submitted_at,
        received_at,
        due_at,
        finished_at,
        handed_over_at,
        supplement_requested_at,
        updated_at as valid_from_at,
        next_updated_at as valid_to_at
    from resolved

)

select * from stated
