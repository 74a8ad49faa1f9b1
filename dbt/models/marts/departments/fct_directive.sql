with loads as (

    select * from {{ ref("int_workbook_load") }}
    where source = 'chi_dao_dieu_hanh' and dataset = 'van_ban' and is_current

),

entries as (

    select * from {{ ref("stg_chi_dao_dieu_hanh__van_ban") }}

),

joined as (

    select
        loads.period_id || ':' || entries.directive_row_id as directive_id,
        loads.period_id,
        entries.document_number,
        entries.document_kind,
        entries.subject,
        entries.issuer_name,
        entries.document_kind in ('Công văn', 'Chỉ thị', 'Kết luận') as is_counted_kind,
        entries.issued_on between loads.from_on and loads.cut_off_on as is_in_period,
        entries.issued_on,
        loads.as_of_on,
        loads.load_id,
        entries.source_row_number
    from loads
    inner join entries on loads.load_id = entries.load_id

)

select * from joined
