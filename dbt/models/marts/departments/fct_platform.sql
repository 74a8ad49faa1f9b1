with loads as (

    select * from {{ ref("int_workbook_load") }}
    where source = 'chinh_quyen_so' and dataset = 'nen_tang' and is_current

),

items as (

    select * from {{ ref("workbook_item") }}
    where source = 'chinh_quyen_so' and dataset = 'nen_tang'

),

entries as (

    select
        *,
        {{ folded_text("item_value") }} as state
    from {{ ref("stg_chinh_quyen_so__nen_tang") }}

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
        sheets_with_rows.period_id || ':' || items.item_code as platform_id,
        sheets_with_rows.period_id,
        items.item_code,
        items.label_vi as item_label,
        entries.item_value as item_text,
        case
            when state = 'chua' and items.item_code in ('sharing_platform', 'e_government_architecture') then 0
            when state = 'dang lam' and items.item_code = 'sharing_platform' then 1
            -- the form counts the architecture to 1, the sharing platform to 2
            when state = 'hoan thanh' and items.item_code = 'sharing_platform' then 2
            when state = 'hoan thanh' and items.item_code = 'e_government_architecture' then 1
            else {{ text_number("entries.item_value") }}
        end as item_value,
        sheets_with_rows.as_of_on,
        sheets_with_rows.load_id,
        entries.source_row_number
    from sheets_with_rows
    cross join items
    left join entries on sheets_with_rows.load_id = entries.load_id and items.label_vi = entries.item_label

)

select * from joined
