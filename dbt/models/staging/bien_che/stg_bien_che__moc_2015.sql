with source as (

    select * from {{ source("bien_che", "moc_2015") }}

),

renamed as (

    select
        {{ row_id() }} as staffing_baseline_row_id,
        _load_id as load_id,
        _row as source_row_number,

        key as item_label,

        value as item_value
    from source

)

select * from renamed
