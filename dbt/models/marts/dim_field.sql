with fields as (

    select * from {{ ref("int_field") }}

),

unioned as (

    select
        field_code,
        field_name,
        sector_code,
        load_id
    from fields

    union all

    select
        'unknown' as field_code,
        'Không xác định' as field_name,
        null as sector_code,
        null::bigint as load_id

)

select * from unioned
