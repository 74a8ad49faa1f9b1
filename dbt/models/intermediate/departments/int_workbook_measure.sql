with measure_datasets as (

    select * from {{ ref("report_measure_dataset") }}

),

loads as (

    select * from {{ ref("int_workbook_load") }}
    where is_current

),

joined as (

    select
        loads.period_id || ':' || measure_datasets.measure_code as workbook_measure_id,
        loads.period_id,
        measure_datasets.measure_code,
        min(loads.source) as source,
        array_agg(loads.load_id order by loads.load_id) as load_ids,
        -- of several sheets a figure is as old as the oldest
        min(loads.as_of_on) as measured_to_on,
        max(loads.as_of_at) as as_of_at
    from loads
    inner join measure_datasets on loads.source = measure_datasets.source and loads.dataset = measure_datasets.dataset
    group by loads.period_id, measure_datasets.measure_code

)

select * from joined
