with measure_datasets as (

    select * from {{ ref("report_measure_dataset") }}

),

source_statuses as (

    select * from {{ ref("int_source_status") }}

),

-- a further source adds its own long model here
measured as (

    select
        *,
        null::date as measured_to_on
    from {{ ref("rpt_measure_one_stop") }}
    union all
    select
        *,
        null::date as measured_to_on
    from {{ ref("rpt_measure_portal") }}
    union all
    select * from {{ ref("rpt_measure_department") }}
    union all
    select * from {{ ref("rpt_measure_budget") }}

),

-- every measured source says zero where it has nothing, so each requested period is here
periods as (

    select distinct
        period_id,
        as_of_at
    from measured

),

-- a lookup that never came leaves nothing to count by; one that is late still names what it named yesterday
judged as (

    select
        periods.period_id,
        periods.as_of_at,
        measure_datasets.measure_code,
        array_agg(
            measure_datasets.source || '.' || measure_datasets.dataset
            order by measure_datasets.source, measure_datasets.dataset
        ) as datasets,
        bool_or(source_statuses.status is null) as is_missing,
        bool_or(source_statuses.status = 'stale' and measure_datasets.role = 'data') as is_stale
    from periods
    cross join measure_datasets
    left join source_statuses
        on
            periods.period_id = source_statuses.period_id
            and measure_datasets.source = source_statuses.source
            and measure_datasets.dataset = source_statuses.dataset
    group by periods.period_id, periods.as_of_at, measure_datasets.measure_code

),

joined as (

    select
        judged.period_id || ':' || judged.measure_code as measure_id,
        judged.period_id,
        judged.measure_code,
        -- missing is never a zero
        case when not judged.is_missing then measured.measure_value end as measure_value,
        case
            when judged.is_missing or measured.measure_value is null then 'missing'
            when judged.is_stale then 'stale'
            else 'ok'
        end as status,
        judged.datasets,
        measured.model_name,
        measured.load_ids,
        judged.as_of_at,
        measured.measured_to_on
    from judged
    left join measured
        on judged.period_id = measured.period_id and judged.measure_code = measured.measure_code

)

select * from joined
