with loads as (

    select * from {{ ref("int_workbook_load") }}
    where source = 'cong_vu' and dataset = 'tuyen_dung' and is_current

),

entries as (

    select * from {{ ref("stg_cong_vu__tuyen_dung") }}

),

joined as (

    select
        loads.period_id || ':' || entries.recruitment_row_id as recruitment_id,
        loads.period_id,
        -- a commune official who moves up was no candidate; of the others the special cases stand apart
        case
            when entries.target_name = 'Cán bộ cấp xã chuyển lên' then 'moved_up'
            when entries.target_name = 'Viên chức' and entries.method_name = 'Đặc biệt' then 'public_employee_special'
            when entries.target_name = 'Viên chức' then 'public_employee'
            when entries.method_name = 'Đặc biệt' then 'civil_servant_special'
            else 'civil_servant'
        end as recruitment_category,
        entries.decision_number,
        entries.target_name,
        entries.method_name,
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
