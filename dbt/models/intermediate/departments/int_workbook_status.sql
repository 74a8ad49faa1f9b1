with periods as (

    select * from {{ ref("int_reporting_period") }}
    where is_requested

),

sheets as (

    select * from {{ ref("workbook_sheet") }}

),

loads as (

    select * from {{ ref("int_workbook_load") }}
    where is_current

),

releases as (

    select * from {{ ref("int_workbook_release") }}
    where outcome = 'refused'

),

-- a file refused as a whole names no sheet that we know, so it stands for each sheet
refusals as (

    select
        sheets.source,
        sheets.dataset,
        releases.as_of_on,
        releases.release_rank,
        releases.file_name,
        releases.message,
        releases.arrived_at
    from sheets
    inner join releases on sheets.source = releases.source
    left join sheets as named_sheets
        on releases.source = named_sheets.source and releases.dataset = named_sheets.dataset
    where releases.dataset = sheets.dataset or named_sheets.workbook_sheet_id is null

),

newest_refusals as (

    select distinct on (periods.period_id, refusals.source, refusals.dataset)
        periods.period_id,
        refusals.*
    from periods
    inner join refusals on refusals.as_of_on between periods.from_on and periods.cut_off_on
    order by periods.period_id asc, refusals.source asc, refusals.dataset asc, refusals.release_rank desc

),

judged as (

    select
        periods.period_id || ':' || sheets.workbook_sheet_id as workbook_status_id,
        periods.period_id,
        sheets.source,
        sheets.dataset,
        sheets.department_vi as department_name,
        sheets.workbook as workbook_name,
        sheets.sheet_name,
        sheets.name_vi as dataset_name,
        loads.load_id,
        loads.file_name,
        loads.as_of_on,
        coalesce(loads.rejected_row_count, 0) as rejected_row_count,
        newest_refusals.file_name as refused_file_name,
        newest_refusals.message as refused_message,
        newest_refusals.arrived_at as refused_at,
        case
            when loads.load_id is null then 'missing'
            when newest_refusals.file_name is not null then 'stale'
            else 'ok'
        end as status
    from periods
    cross join sheets
    left join loads
        on periods.period_id = loads.period_id and sheets.source = loads.source and sheets.dataset = loads.dataset
    left join newest_refusals
        on
            periods.period_id = newest_refusals.period_id
            and sheets.source = newest_refusals.source
            and sheets.dataset = newest_refusals.dataset
            -- an older version that was refused takes nothing from the one that counts
            and (loads.load_id is null or loads.release_rank < newest_refusals.release_rank)

)

select * from judged
