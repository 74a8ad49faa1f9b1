with loads as (

    select * from {{ ref("int_workbook_load") }}
    where source = 'chi_dao_dieu_hanh' and dataset = 'kiem_tra'

),

entries as (

    select * from {{ ref("stg_chi_dao_dieu_hanh__kiem_tra") }}

),

agencies as (

    select * from {{ ref("int_agency_timeline") }}

),

joined as (

    select
        loads.period_id || ':' || entries.inspection_row_id as inspection_id,
        loads.period_id,
        coalesce(agencies.agency_id, 'unknown') as agency_id,
        entries.agency_code,
        agencies.agency_level_code,
        entries.notice_number,
        coalesce(entries.finding_count, 0) as finding_count,
        coalesce(entries.remedied_count, 0) as remedied_count,
        entries.inspected_on between loads.from_on and loads.cut_off_on as is_inspected_in_period,
        coalesce(entries.notice_on between loads.year_from_on and loads.cut_off_on, false) as is_notified,
        entries.inspected_on,
        entries.notice_on,
        entries.remedy_due_on,
        row_number() over (
            partition by loads.period_id, entries.agency_code, entries.inspected_on
            order by loads.release_rank desc, entries.source_row_number
        ) as preference,
        loads.as_of_on,
        loads.load_id,
        entries.source_row_number
    from loads
    inner join entries on loads.load_id = entries.load_id
    left join agencies
        on
            entries.agency_code = agencies.agency_code
            and {{ holds_on("entries.inspected_on", "agencies.from_on", "agencies.to_on") }}
    -- a file of before the period speaks of before the period alone
    where loads.is_current or entries.inspected_on < loads.from_on

),

newest as (

    select
        inspection_id,
        period_id,
        agency_id,
        agency_code,
        agency_level_code,
        notice_number,
        finding_count,
        remedied_count,
        is_inspected_in_period,
        is_notified,
        inspected_on,
        notice_on,
        remedy_due_on,
        as_of_on,
        load_id,
        source_row_number
    from joined
    where preference = 1

)

select * from newest
