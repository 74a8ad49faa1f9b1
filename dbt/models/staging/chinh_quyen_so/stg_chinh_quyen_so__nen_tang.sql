with source as (

    select * from {{ source("chinh_quyen_so", "nen_tang") }}

),

renamed as (

    select
        {{ row_id() }} as platform_row_id,
        _load_id as load_id,
        _row as source_row_number,

        key as item_label,
        value as item_value
    from source

)

select * from renamed
