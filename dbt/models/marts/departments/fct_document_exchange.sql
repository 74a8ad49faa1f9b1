with loads as (

    select * from {{ ref("int_workbook_load") }}
    where source = 'chinh_quyen_so' and dataset = 'van_ban_dien_tu' and is_current

),

entries as (

    select * from {{ ref("stg_chinh_quyen_so__van_ban_dien_tu") }}

),

agencies as (

    select * from {{ ref("int_agency_timeline") }}

),

joined as (

    select
        loads.period_id || ':' || entries.document_exchange_row_id as document_exchange_id,
        loads.period_id,
        coalesce(agencies.agency_id, 'unknown') as agency_id,
        entries.agency_code,
        entries.level_name as unit_level_name,
        entries.sent_count,
        entries.sent_fully_electronic_count,
        entries.sent_signed_count,
        entries.received_count,
        entries.received_signed_count,
        loads.as_of_on,
        loads.load_id,
        entries.source_row_number
    from loads
    inner join entries on loads.load_id = entries.load_id
    left join agencies
        on
            entries.agency_code = agencies.agency_code
            and {{ holds_on("loads.as_of_on", "agencies.from_on", "agencies.to_on") }}

)

select * from joined
