with periods as (

    select period_id
    from {{ ref("dim_reporting_period") }}
    where is_requested

),

datasets as (

    select * from {{ ref("source_dataset") }}

),

statuses as (

    select * from {{ ref("int_source_status") }}

),

joined as (

    select
        periods.period_id || ':' || datasets.source_dataset_id as source_status_id,
        periods.period_id,
        datasets.source_dataset_id,
        datasets.source,
        datasets.dataset,
        datasets.source_name_vi as source_name,
        datasets.dataset_name_vi as dataset_name,
        datasets.owner_vi as owner_name,
        -- what never came has no row there
        coalesce(statuses.status, 'missing') as status,
        coalesce(statuses.rejected_row_count, 0) as rejected_row_count,
        statuses.uncovered_days
    from periods
    cross join datasets
    left join statuses
        on
            periods.period_id = statuses.period_id
            and datasets.source = statuses.source
            and datasets.dataset = statuses.dataset

)

select * from joined
