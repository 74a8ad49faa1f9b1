with loads as (

    select * from {{ ref("int_workbook_load") }}
    where source = 'chi_dao_dieu_hanh' and dataset = 'khao_sat' and is_current

),

entries as (

    select * from {{ ref("stg_chi_dao_dieu_hanh__khao_sat") }}

),

joined as (

    select
        loads.period_id || ':' || entries.survey_row_id as survey_id,
        loads.period_id,
        entries.mode_name,
        entries.subject,
        entries.ballot_count,
        entries.mode_name in ('Trực tuyến', 'Kết hợp') as is_online,
        entries.mode_name in ('Phát phiếu', 'Kết hợp') as is_on_paper,
        entries.held_on between loads.from_on and loads.cut_off_on as is_in_period,
        entries.held_on,
        loads.as_of_on,
        loads.load_id,
        entries.source_row_number
    from loads
    inner join entries on loads.load_id = entries.load_id

)

select * from joined
