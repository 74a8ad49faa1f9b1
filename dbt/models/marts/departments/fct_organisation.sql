with loads as (

    select * from {{ ref("int_workbook_load") }}
    where source = 'to_chuc_bo_may' and dataset = 'co_quan' and is_current

),

entries as (

    select * from {{ ref("stg_to_chuc_bo_may__co_quan") }}

),

agencies as (

    select * from {{ ref("int_agency_timeline") }}

),

joined as (

    select
        loads.period_id || ':' || entries.organisation_row_id as organisation_id,
        loads.period_id,
        coalesce(agencies.agency_id, 'unknown') as agency_id,
        entries.agency_code,
        entries.agency_name,
        entries.block_name,
        entries.divisions_cut_count,
        entries.is_in_rearrangement_scope,
        entries.is_in_rearrangement_scope and entries.is_rearranged as is_rearranged,
        entries.has_job_positions,
        entries.has_job_position_violation,
        loads.as_of_on,
        loads.load_id,
        entries.source_row_number
    from loads
    inner join entries on loads.load_id = entries.load_id
    left join agencies
        on
            entries.agency_code = agencies.agency_code
            and {{ holds_on("loads.as_of_on", "agencies.from_on", "agencies.to_on") }}

)

select * from joined
