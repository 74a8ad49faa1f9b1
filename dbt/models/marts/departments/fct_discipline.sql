with loads as (

    select * from {{ ref("int_workbook_load") }}
    where source = 'cong_vu' and dataset = 'ky_luat' and is_current

),

entries as (

    select * from {{ ref("stg_cong_vu__ky_luat") }}

),

joined as (

    select
        loads.period_id || ':' || entries.discipline_row_id as discipline_id,
        loads.period_id,
        entries.decision_number,
        entries.target_name,
        entries.discipline_form,
        entries.person_count,
        entries.decided_on between loads.from_on and loads.cut_off_on as is_in_period,
        entries.decided_on,
        loads.as_of_on,
        loads.load_id,
        entries.source_row_number
    from loads
    inner join entries on loads.load_id = entries.load_id

)

select * from joined
