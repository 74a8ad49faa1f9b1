with loads as (

    select * from {{ ref("int_workbook_load") }}
    where source = 'bien_che' and dataset = 'moc_2015' and is_current

),

items as (

    select * from {{ ref("workbook_item") }}
    where source = 'bien_che' and dataset = 'moc_2015'

),

entries as (

    select * from {{ ref("stg_bien_che__moc_2015") }}

),

-- an item that the sheet does not name stands without a value, which is no zero; a sheet without a row is all zeros
sheets_with_rows as (

    select
        period_id,
        load_id,
        as_of_on
    from loads
    where load_id in (select entries.load_id from entries)

),

joined as (

    select
        sheets_with_rows.period_id || ':' || items.item_code as staffing_baseline_id,
        sheets_with_rows.period_id,
        items.item_code,
        items.label_vi as item_label,
        entries.item_value,
        sheets_with_rows.as_of_on,
        sheets_with_rows.load_id,
        entries.source_row_number
    from sheets_with_rows
    cross join items
    left join entries on sheets_with_rows.load_id = entries.load_id and items.label_vi = entries.item_label

)

select * from joined
