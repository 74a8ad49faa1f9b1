with source as (

    select * from {{ source("budget", "work_volume") }}

),

renamed as (

    select
        {{ row_id() }} as work_volume_row_id,
        _load_id as load_id,
        _row as source_row_number,

        maduan as project_code,
        nguonvon as capital_source_code,

        giatriluyke as cumulative_value_vnd,

        denngay as measured_to_on,
        {{ local_moment("capnhatluc") }} as updated_at
    from source

)

select * from renamed
