with loads as (

    select * from {{ ref("int_workbook_load") }}
    where source = 'tu_chu_tai_chinh' and dataset = 'kien_nghi_kiem_toan' and is_current

),

entries as (

    select * from {{ ref("stg_tu_chu_tai_chinh__kien_nghi_kiem_toan") }}

),

joined as (

    select
        loads.period_id || ':' || entries.audit_recommendation_row_id as audit_recommendation_id,
        loads.period_id,
        entries.recommendation,
        entries.recommended_amount as recommended_vnd,
        coalesce(entries.done_amount, 0) as done_vnd,
        loads.as_of_on,
        loads.load_id,
        entries.source_row_number
    from loads
    inner join entries on loads.load_id = entries.load_id

)

select * from joined
