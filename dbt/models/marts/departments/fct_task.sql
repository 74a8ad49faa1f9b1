with loads as (

    select * from {{ ref("int_workbook_load") }}
    where
        is_current
        and (
            (source = 'chi_dao_dieu_hanh' and dataset = 'ke_hoach_cchc')
            or (source = 'nhiem_vu_chinh_phu' and dataset = 'nhiem_vu')
        )

),

plan_tasks as (

    select * from {{ ref("stg_chi_dao_dieu_hanh__ke_hoach_cchc") }}

),

government_tasks as (

    select * from {{ ref("stg_nhiem_vu_chinh_phu__nhiem_vu") }}

),

agencies as (

    select * from {{ ref("int_agency_timeline") }}

),

unioned as (

    select
        reform_plan_task_row_id as task_row_id,
        load_id,
        source_row_number,
        'reform_plan' as task_source,
        task_number,
        task_name,
        null as assigned_by_document,
        agency_code,
        null::date as assigned_on,
        due_on,
        done_on
    from plan_tasks

    union all

    select
        government_task_row_id as task_row_id,
        load_id,
        source_row_number,
        'government' as task_source,
        task_number,
        null as task_name,
        assigned_by_document,
        agency_code,
        assigned_on,
        due_on,
        done_on
    from government_tasks

),

joined as (

    select
        loads.period_id || ':' || unioned.task_row_id as task_id,
        loads.period_id,
        -- a task without a leading agency is nobody's, not an unknown agency's
        case when unioned.agency_code is not null then coalesce(agencies.agency_id, 'unknown') end as agency_id,
        unioned.task_source,
        unioned.task_number,
        unioned.task_name,
        unioned.assigned_by_document,
        unioned.agency_code,
        -- done without a due date is on time, open without one is not overdue
        case
            when unioned.done_on <= loads.cut_off_on and unioned.done_on > unioned.due_on then 'done_late'
            when unioned.done_on <= loads.cut_off_on then 'done_on_time'
            when unioned.due_on < loads.cut_off_on then 'open_overdue'
            else 'open_in_time'
        end as outcome,
        unioned.task_source = 'reform_plan'
        or (
            unioned.assigned_on <= loads.cut_off_on
            and (
                unioned.assigned_on >= loads.from_on
                or unioned.done_on is null
                or unioned.done_on >= loads.from_on
            )
        ) as is_work_of_period,
        unioned.assigned_on,
        unioned.due_on,
        unioned.done_on,
        loads.as_of_on,
        loads.load_id,
        unioned.source_row_number
    from loads
    inner join unioned on loads.load_id = unioned.load_id
    left join agencies
        on
            unioned.agency_code = agencies.agency_code
            and {{ holds_on("loads.as_of_on", "agencies.from_on", "agencies.to_on") }}

)

select * from joined
