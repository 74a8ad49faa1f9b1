with source as (

    select * from {{ source("to_chuc_bo_may", "co_quan") }}

),

renamed as (

    select
        {{ row_id() }} as organisation_row_id,
        _load_id as load_id,
        _row as source_row_number,

        agency_code,
        agency_name,
        block as block_name,

        coalesce(divisions_cut, 0) as divisions_cut_count,
        coalesce(in_scope, false) as is_in_rearrangement_scope,
        coalesce(rearranged, false) as is_rearranged,
        coalesce(job_positions_approved, false) as has_job_positions,
        coalesce(job_position_violation, false) as has_job_position_violation
    from source

)

select * from renamed
