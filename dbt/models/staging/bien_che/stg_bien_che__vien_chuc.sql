with source as (

    select * from {{ source("bien_che", "vien_chuc") }}

),

renamed as (

    select
        {{ row_id() }} as public_employee_row_id,
        _load_id as load_id,
        _row as source_row_number,

        agency as agency_code,
        field as field_name,

        posts_assigned as assigned_count,
        present as present_count,
        coalesce(posts_cut_this_year, 0) as cut_this_year_count
    from source

)

select * from renamed
