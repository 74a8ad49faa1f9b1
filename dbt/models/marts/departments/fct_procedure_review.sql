with loads as (

    select * from {{ ref("int_workbook_load") }}
    where source = 'kiem_soat_tthc' and dataset = 'ra_soat' and is_current

),

entries as (

    select * from {{ ref("stg_kiem_soat_tthc__ra_soat") }}

),

agencies as (

    select * from {{ ref("int_agency_timeline") }}

),

joined as (

    select
        loads.period_id || ':' || entries.procedure_review_row_id as procedure_review_id,
        loads.period_id,
        coalesce(agencies.agency_id, 'unknown') as agency_id,
        entries.procedure_code,
        entries.agency_code,
        entries.assessment_document,
        entries.plan_year,
        entries.plan_year = loads.reporting_year as is_in_year_plan,
        coalesce(entries.result_sent_on <= loads.cut_off_on, false) as is_result_sent,
        coalesce(entries.plan_approved_on between loads.from_on and loads.cut_off_on, false) as is_plan_approved_in_period,
        entries.result_sent_on,
        entries.plan_approved_on,
        loads.as_of_on,
        loads.load_id,
        entries.source_row_number
    from loads
    inner join entries on loads.load_id = entries.load_id
    left join agencies
        on
            entries.agency_code = agencies.agency_code
            and {{ holds_on("loads.as_of_on", "agencies.from_on", "agencies.to_on") }}

)

select * from joined
