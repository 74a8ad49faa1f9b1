with periods as (

    select
        period_id,
        as_of_at,
        cut_off_on,
        extract(year from cut_off_on)::integer as budget_year
    from {{ ref("dim_reporting_period") }}
    where is_requested

),

progress as (

    select * from {{ ref("fct_investment_progress") }}

),

items as (

    select * from {{ ref("fct_budget_execution") }}

),

investment as (

    select
        period_id,
        max(disbursed_to_on) as disbursed_to_on,
        sum(plan_vnd) as plan,
        sum(allocated_vnd) as allocated,
        sum(disbursed_vnd) as disbursed,
        sum(plan_vnd) filter (where managing_level_code = 'TINH') as province_plan,
        sum(works_done_vnd) filter (where managing_level_code = 'TINH') as province_works_done,
        sum(disbursed_vnd) filter (where managing_level_code = 'TINH') as province_disbursed,
        sum(plan_vnd) filter (where managing_level_code in ('HUYEN', 'XA')) as district_commune_plan,
        sum(works_done_vnd) filter (where managing_level_code in ('HUYEN', 'XA')) as district_commune_works_done,
        sum(disbursed_vnd) filter (where managing_level_code in ('HUYEN', 'XA')) as district_commune_disbursed,
        sum(plan_vnd) filter (where capital_source_code = 'NSTW') as central_plan,
        sum(disbursed_vnd) filter (where capital_source_code = 'NSTW') as central_disbursed,
        sum(plan_vnd) filter (where capital_source_code = 'CDNSDP') as local_plan,
        sum(disbursed_vnd) filter (where capital_source_code = 'CDNSDP') as local_disbursed
    from progress
    group by period_id

),

plan_loads as (

    select
        progress.period_id,
        array_agg(distinct load.load_id order by load.load_id) as load_ids
    from progress
    cross join lateral unnest(progress.plan_load_ids) as load (load_id)
    group by progress.period_id

),

disbursement_loads as (

    select
        progress.period_id,
        array_agg(distinct load.load_id order by load.load_id) as load_ids
    from progress
    cross join lateral unnest(progress.disbursement_load_ids) as load (load_id)
    group by progress.period_id

),

work_volume_loads as (

    select
        progress.period_id,
        array_agg(distinct load.load_id order by load.load_id) as load_ids
    from progress
    cross join lateral unnest(progress.work_volume_load_ids) as load (load_id)
    group by progress.period_id

),

-- cumulated since 1 January: of each item the newest day up to the cut-off
newest_items as (

    select distinct on (periods.period_id, items.budget_side_code, items.item_code)
        periods.period_id,
        items.*
    from periods
    inner join items
        on periods.budget_year = items.budget_year and periods.cut_off_on >= items.measured_to_on
    order by
        periods.period_id asc,
        items.budget_side_code asc,
        items.item_code asc,
        items.measured_to_on desc

),

sided as (

    select
        *,
        budget_side_code = 'revenue' as is_revenue,
        budget_side_code = 'expenditure' as is_expenditure,
        -- land and lottery are part of domestic revenue
        budget_side_code = 'revenue' and item_group_code in ('NOI_DIA', 'DAT_XO_SO') as is_domestic,
        budget_side_code = 'revenue' and item_group_code = 'NOI_DIA' as is_domestic_without_land,
        budget_side_code = 'expenditure' and item_group_code = 'DTPT' as is_development,
        budget_side_code = 'expenditure' and item_group_code = 'TX' as is_recurrent
    from newest_items

),

execution as (

    select
        period_id,
        max(measured_to_on) filter (where is_revenue) as revenue_to_on,
        max(measured_to_on) filter (where is_expenditure) as expenditure_to_on,
        sum(cumulative_vnd) filter (where is_revenue) as revenue_cumulative,
        sum(estimate_vnd) filter (where is_revenue) as revenue_estimate,
        sum(cumulative_vnd) filter (where is_domestic) as domestic_cumulative,
        sum(estimate_vnd) filter (where is_domestic) as domestic_estimate,
        sum(cumulative_vnd) filter (where is_domestic_without_land) as domestic_without_land_cumulative,
        sum(estimate_vnd) filter (where is_domestic_without_land) as domestic_without_land_estimate,
        sum(estimate_vnd) filter (where is_expenditure) as expenditure_estimate,
        sum(cumulative_vnd) filter (where is_development) as development_cumulative,
        sum(estimate_vnd) filter (where is_development) as development_estimate,
        sum(cumulative_vnd) filter (where is_recurrent) as recurrent_cumulative,
        sum(estimate_vnd) filter (where is_recurrent) as recurrent_estimate,
        array_agg(distinct load_id order by load_id) filter (where is_revenue) as revenue_load_ids,
        array_agg(distinct load_id order by load_id) filter (where is_expenditure) as expenditure_load_ids
    from sided
    group by period_id

),

measured as (

    select
        periods.period_id,
        periods.as_of_at,
        measure.measure_code,
        coalesce(measure.measure_value, 0)::numeric as measure_value,
        measure.model_name,
        coalesce(measure.load_ids, '{}'::bigint[]) as load_ids,
        measure.measured_to_on
    from periods
    left join investment on periods.period_id = investment.period_id
    left join plan_loads on periods.period_id = plan_loads.period_id
    left join disbursement_loads on periods.period_id = disbursement_loads.period_id
    left join work_volume_loads on periods.period_id = work_volume_loads.period_id
    left join execution on periods.period_id = execution.period_id
    cross join lateral (
        values
        (
            'investment_plan',
            investment.plan,
            'fct_investment_progress',
            plan_loads.load_ids,
            periods.cut_off_on
        ),
        (
            'investment_plan_allocated',
            investment.allocated,
            'fct_investment_progress',
            plan_loads.load_ids,
            periods.cut_off_on
        ),
        (
            'investment_disbursed',
            investment.disbursed,
            'fct_investment_progress',
            disbursement_loads.load_ids,
            investment.disbursed_to_on
        ),
        (
            'province_managed_plan',
            investment.province_plan,
            'fct_investment_progress',
            plan_loads.load_ids,
            periods.cut_off_on
        ),
        (
            'province_managed_works_done',
            investment.province_works_done,
            'fct_investment_progress',
            work_volume_loads.load_ids,
            periods.cut_off_on
        ),
        (
            'province_managed_disbursed',
            investment.province_disbursed,
            'fct_investment_progress',
            disbursement_loads.load_ids,
            investment.disbursed_to_on
        ),
        (
            'district_commune_plan',
            investment.district_commune_plan,
            'fct_investment_progress',
            plan_loads.load_ids,
            periods.cut_off_on
        ),
        (
            'district_commune_works_done',
            investment.district_commune_works_done,
            'fct_investment_progress',
            work_volume_loads.load_ids,
            periods.cut_off_on
        ),
        (
            'district_commune_disbursed',
            investment.district_commune_disbursed,
            'fct_investment_progress',
            disbursement_loads.load_ids,
            investment.disbursed_to_on
        ),
        (
            'central_budget_plan',
            investment.central_plan,
            'fct_investment_progress',
            plan_loads.load_ids,
            periods.cut_off_on
        ),
        (
            'central_budget_disbursed',
            investment.central_disbursed,
            'fct_investment_progress',
            disbursement_loads.load_ids,
            investment.disbursed_to_on
        ),
        (
            'local_balance_plan',
            investment.local_plan,
            'fct_investment_progress',
            plan_loads.load_ids,
            periods.cut_off_on
        ),
        (
            'local_balance_disbursed',
            investment.local_disbursed,
            'fct_investment_progress',
            disbursement_loads.load_ids,
            investment.disbursed_to_on
        ),
        (
            'state_revenue',
            execution.revenue_cumulative,
            'fct_budget_execution',
            execution.revenue_load_ids,
            execution.revenue_to_on
        ),
        (
            'state_revenue_estimate',
            execution.revenue_estimate,
            'fct_budget_execution',
            execution.revenue_load_ids,
            execution.revenue_to_on
        ),
        (
            'domestic_revenue',
            execution.domestic_cumulative,
            'fct_budget_execution',
            execution.revenue_load_ids,
            execution.revenue_to_on
        ),
        (
            'domestic_revenue_estimate',
            execution.domestic_estimate,
            'fct_budget_execution',
            execution.revenue_load_ids,
            execution.revenue_to_on
        ),
        (
            'domestic_revenue_without_land_and_lottery',
            execution.domestic_without_land_cumulative,
            'fct_budget_execution',
            execution.revenue_load_ids,
            execution.revenue_to_on
        ),
        (
            'domestic_revenue_without_land_and_lottery_estimate',
            execution.domestic_without_land_estimate,
            'fct_budget_execution',
            execution.revenue_load_ids,
            execution.revenue_to_on
        ),
        (
            'expenditure_estimate',
            execution.expenditure_estimate,
            'fct_budget_execution',
            execution.expenditure_load_ids,
            execution.expenditure_to_on
        ),
        (
            'development_expenditure_estimate',
            execution.development_estimate,
            'fct_budget_execution',
            execution.expenditure_load_ids,
            execution.expenditure_to_on
        ),
        (
            'development_expenditure',
            execution.development_cumulative,
            'fct_budget_execution',
            execution.expenditure_load_ids,
            execution.expenditure_to_on
        ),
        (
            'recurrent_expenditure',
            execution.recurrent_cumulative,
            'fct_budget_execution',
            execution.expenditure_load_ids,
            execution.expenditure_to_on
        ),
        (
            'recurrent_expenditure_estimate',
            execution.recurrent_estimate,
            'fct_budget_execution',
            execution.expenditure_load_ids,
            execution.expenditure_to_on
        )
    ) as measure (measure_code, measure_value, model_name, load_ids, measured_to_on)

)

select
    period_id || ':' || measure_code as measure_id,
    period_id,
    measure_code,
    measure_value,
    'budget' as source,
    model_name,
    load_ids,
    as_of_at,
    measured_to_on
from measured
