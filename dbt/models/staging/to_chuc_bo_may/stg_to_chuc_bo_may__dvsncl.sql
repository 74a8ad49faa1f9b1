with source as (

    select * from {{ source("to_chuc_bo_may", "dvsncl") }}

),

renamed as (

    select
        {{ row_id() }} as service_unit_row_id,
        _load_id as load_id,
        _row as source_row_number,

        unit_code,
        unit_name,
        governing_agency as agency_code,
        managing_level as managing_level_name,
        field as field_name,

        coalesce(job_positions_approved, false) as has_job_positions,
        coalesce(job_position_violation, false) as has_job_position_violation
    from source

)

select * from renamed
