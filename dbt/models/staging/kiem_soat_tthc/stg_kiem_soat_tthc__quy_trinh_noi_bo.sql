with source as (

    select * from {{ source("kiem_soat_tthc", "quy_trinh_noi_bo") }}

),

renamed as (

    select
        {{ row_id() }} as internal_process_row_id,
        _load_id as load_id,
        _row as source_row_number,

        decision_no as decision_number,

        coalesce(new, 0) as new_count,
        coalesce(amended, 0) as amended_count,
        coalesce(abolished, 0) as abolished_count,

        decided_on
    from source

)

select * from renamed
