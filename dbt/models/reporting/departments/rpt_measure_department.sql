-- every measure of a sheet that came
with expected as (

    select * from {{ ref("int_workbook_measure") }}

),

measured as (

    select * from {{ ref("rpt_measure_steering") }}
    union all
    select * from {{ ref("rpt_measure_institution") }}
    union all
    select * from {{ ref("rpt_measure_personnel") }}
    union all
    select * from {{ ref("rpt_measure_digital_government") }}

),

-- a sheet that came without a row is a real zero; a row that is there without a value says nothing
joined as (

    select
        expected.period_id || ':' || expected.measure_code as measure_id,
        expected.period_id,
        expected.measure_code,
        case when measured.measure_id is null then 0 else measured.measure_value end as measure_value,
        expected.source,
        measured.model_name,
        expected.load_ids,
        expected.as_of_at,
        expected.measured_to_on
    from expected
    left join measured
        on expected.period_id = measured.period_id and expected.measure_code = measured.measure_code

)

select * from joined
where measure_value is not null
