with loads as (

    select * from {{ ref("int_workbook_load") }}
    where source = 'thu_hut_dau_tu' and dataset = 'du_an' and is_current

),

entries as (

    select * from {{ ref("stg_thu_hut_dau_tu__du_an") }}

),

joined as (

    select
        loads.period_id || ':' || entries.investment_project_row_id as private_investment_project_id,
        loads.period_id,
        entries.certificate_number,
        entries.project_name,
        entries.origin_name,
        entries.currency_name,
        entries.registered_capital,
        entries.capital_increase,
        entries.certified_on between make_date(loads.reporting_year, 1, 1) and loads.as_of_on as is_new,
        coalesce(
            entries.capital_increase > 0
            and entries.adjusted_on between make_date(loads.reporting_year, 1, 1) and loads.as_of_on,
            false
        ) as is_increased,
        entries.certified_on <= loads.as_of_on and coalesce(entries.ended_on > loads.as_of_on, true) as is_in_force,
        entries.certified_on,
        entries.adjusted_on,
        entries.ended_on,
        loads.as_of_on,
        loads.load_id,
        entries.source_row_number
    from loads
    inner join entries on loads.load_id = entries.load_id

)

select * from joined
