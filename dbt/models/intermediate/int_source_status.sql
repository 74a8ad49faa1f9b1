{%- set day = "[12][0-9]{3}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])" -%}
with periods as (

    select * from {{ ref("int_reporting_period") }}
    where is_requested

),

loads as (

    select * from {{ ref("int_load") }}

),

workbook_statuses as (

    select * from {{ ref("int_workbook_status") }}

),

arrivals as (

    select * from {{ ref("stg_ops__arrival") }}

),

-- one load may be several files: exports of two months without a dossier hold the same bytes, so their names tell the days
named_days as (

    select
        arrivals.load_id,
        regexp_match(arrivals.file_name, '_({{ day }})_({{ day }})[.]csv') as days
    from arrivals
    where arrivals.outcome in ('new', 'repeat')

),

covering as (

    select
        source,
        dataset,
        covers_from_on,
        covers_to_on
    from loads

    union all

    select
        loads.source,
        loads.dataset,
        {{ day_of_digits("named_days.days[1]") }} as covers_from_on,
        {{ day_of_digits("named_days.days[2]") }} as covers_to_on
    from loads
    inner join named_days on loads.load_id = named_days.load_id and named_days.days is not null

),

datasets as (

    select
        source,
        dataset,
        range_agg(daterange(covers_from_on, covers_to_on, '[]')) filter (
            where covers_from_on <= covers_to_on
        ) as covered
    from covering
    -- workbooks are judged by the period they speak of, see int_workbook_status
    where source not in (select workbook_statuses.source from workbook_statuses)
    group by source, dataset

),

-- a feed that was never asked for (skipped) says nothing about the data that is there
newest_arrivals as (

    select distinct on (source, dataset)
        source,
        dataset,
        outcome,
        message,
        arrived_at
    from arrivals
    where outcome <> 'skipped'
    order by source asc, dataset asc, arrived_at desc, arrival_id desc

),

rejects as (

    select
        periods.period_id,
        loads.source,
        loads.dataset,
        sum(loads.rejected_row_count) as rejected_row_count
    from periods
    inner join loads
        on
            loads.covers_from_on is null
            or (periods.cut_off_on >= loads.covers_from_on and periods.from_on <= loads.covers_to_on)
    group by periods.period_id, loads.source, loads.dataset

),

judged as (

    select
        periods.period_id || ':' || datasets.source || ':' || datasets.dataset as source_status_id,
        periods.period_id,
        datasets.source,
        datasets.dataset,
        case
            when datasets.source = 'one_stop'
                then
                    case
                        when datasets.covered @> daterange(periods.from_on, periods.cut_off_on, '[]') then 'ok'
                        else 'stale'
                    end
            when newest_arrivals.outcome in ('failed', 'refused') then 'stale'
            else 'ok'
        end as status,
        -- the days of the period that no accepted file covers
        case
            when datasets.source = 'one_stop' and periods.from_on <= periods.cut_off_on
                then
                    datemultirange(daterange(periods.from_on, periods.cut_off_on, '[]'))
                    - coalesce(datasets.covered, '{}'::datemultirange)
        end as uncovered_days,
        newest_arrivals.message as newest_message,
        newest_arrivals.arrived_at as newest_arrived_at,
        coalesce(rejects.rejected_row_count, 0)::bigint as rejected_row_count
    from periods
    cross join datasets
    left join newest_arrivals
        on datasets.source = newest_arrivals.source and datasets.dataset = newest_arrivals.dataset
    left join rejects
        on
            periods.period_id = rejects.period_id
            and datasets.source = rejects.source
            and datasets.dataset = rejects.dataset

),

workbooks as (

    select
        period_id || ':' || source || ':' || dataset as source_status_id,
        period_id,
        source,
        dataset,
        status,
        -- no day is asked of a workbook; one that was turned away has a warning of its own, with its sheet
        '{}'::datemultirange as uncovered_days,
        refused_message as newest_message,
        refused_at as newest_arrived_at,
        rejected_row_count
    from workbook_statuses
    -- what never came in the period has no status, like a feed that was never read
    where status <> 'missing'

),

unioned as (

    select * from judged
    union all
    select * from workbooks

)

select * from unioned
