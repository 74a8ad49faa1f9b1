with source as (

    select * from {{ source("budget", "project") }}

),

renamed as (

    select
        {{ row_id() }} as project_row_id,
        _load_id as load_id,
        _row as source_row_number,

        maduan as project_code,
        tenduan as project_name,
        machudautu as owner_agency_code,
        capquanly as managing_level_code,
        nhom as project_group_code,

        {{ local_moment("capnhatluc") }} as updated_at
    from source

)

select * from renamed
