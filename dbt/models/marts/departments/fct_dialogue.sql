with loads as (

    select * from {{ ref("int_workbook_load") }}
    where source = 'chi_dao_dieu_hanh' and dataset = 'doi_thoai' and is_current

),

entries as (

    select * from {{ ref("stg_chi_dao_dieu_hanh__doi_thoai") }}

),

joined as (

    select
        loads.period_id || ':' || entries.dialogue_row_id as dialogue_id,
        loads.period_id,
        entries.chair_title,
        entries.audience,
        entries.held_on between loads.from_on and loads.cut_off_on as is_in_period,
        entries.held_on,
        loads.as_of_on,
        loads.load_id,
        entries.source_row_number
    from loads
    inner join entries on loads.load_id = entries.load_id

)

select * from joined
