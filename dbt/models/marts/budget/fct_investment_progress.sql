with periods as (

    select
        period_id,
        as_of_at,
        cut_off_on,
        -- a budget year is a calendar year, whatever the reporting year
        extract(year from cut_off_on)::integer as budget_year,
        date_trunc('year', cut_off_on)::date as budget_year_from_on
    from {{ ref("int_reporting_period") }}
    where is_requested

),

projects as (

    select
        periods.period_id,
        versions.project_code,
        versions.managing_level_code
    from periods
    inner join {{ ref("int_investment_project_version") }} as versions
        on {{ known_at("periods.as_of_at", "versions") }}

),

plan_lines as (

    select
        periods.period_id,
        coalesce(projects.managing_level_code, versions.managing_level_code) as managing_level_code,
        versions.capital_source_code,
        case when versions.plan_kind_code in ('GIAO', 'DIEU_CHINH') then versions.amount_vnd end as plan_vnd,
        case when versions.plan_kind_code = 'PHAN_BO' then versions.amount_vnd end as allocated_vnd,
        versions.load_id
    from periods
    inner join {{ ref("int_investment_plan_version") }} as versions
        on
            periods.budget_year = versions.budget_year
            and periods.cut_off_on >= versions.decided_on
            and {{ known_at("periods.as_of_at", "versions") }}
    left join projects
        on periods.period_id = projects.period_id and versions.project_code = projects.project_code

),

vouchers as (

    select
        periods.period_id,
        coalesce(projects.managing_level_code, 'unknown') as managing_level_code,
        versions.capital_source_code,
        versions.amount_vnd,
        versions.accounted_on,
        versions.load_id
    from periods
    inner join {{ ref("int_disbursement_version") }} as versions
        on
            versions.accounted_on between periods.budget_year_from_on and periods.cut_off_on
            and {{ known_at("periods.as_of_at", "versions") }}
    left join projects
        on periods.period_id = projects.period_id and versions.project_code = projects.project_code

),

-- cumulated since 1 January, so the newest value of each project and source is all of it
works as (

    select distinct on (periods.period_id, versions.project_code, versions.capital_source_code)
        periods.period_id,
        coalesce(projects.managing_level_code, 'unknown') as managing_level_code,
        versions.capital_source_code,
        versions.cumulative_value_vnd,
        versions.load_id
    from periods
    inner join {{ ref("int_work_volume_version") }} as versions
        on
            versions.measured_to_on between periods.budget_year_from_on and periods.cut_off_on
            and {{ known_at("periods.as_of_at", "versions") }}
    left join projects
        on periods.period_id = projects.period_id and versions.project_code = projects.project_code
    order by
        periods.period_id asc,
        versions.project_code asc,
        versions.capital_source_code asc,
        versions.measured_to_on desc

),

amounts as (

    select
        period_id,
        managing_level_code,
        capital_source_code,
        'plan' as dataset,
        plan_vnd,
        allocated_vnd,
        null::numeric as disbursed_vnd,
        null::numeric as works_done_vnd,
        null::date as accounted_on,
        load_id
    from plan_lines
    union all
    select
        period_id,
        managing_level_code,
        capital_source_code,
        'disbursement' as dataset,
        null as plan_vnd,
        null as allocated_vnd,
        amount_vnd as disbursed_vnd,
        null as works_done_vnd,
        accounted_on,
        load_id
    from vouchers
    union all
    select
        period_id,
        managing_level_code,
        capital_source_code,
        'work_volume' as dataset,
        null as plan_vnd,
        null as allocated_vnd,
        null as disbursed_vnd,
        cumulative_value_vnd as works_done_vnd,
        null as accounted_on,
        load_id
    from works

),

totals as (

    select
        period_id,
        managing_level_code,
        capital_source_code,
        coalesce(sum(plan_vnd), 0) as plan_vnd,
        coalesce(sum(allocated_vnd), 0) as allocated_vnd,
        coalesce(sum(disbursed_vnd), 0) as disbursed_vnd,
        coalesce(sum(works_done_vnd), 0) as works_done_vnd,
        count(*) filter (where dataset = 'disbursement') as voucher_line_count,
        max(accounted_on) as accounted_to_on,
        coalesce(array_agg(distinct load_id order by load_id) filter (where dataset = 'plan'), '{}') as plan_load_ids,
        coalesce(
            array_agg(distinct load_id order by load_id) filter (where dataset = 'disbursement'), '{}'
        ) as disbursement_load_ids,
        coalesce(
            array_agg(distinct load_id order by load_id) filter (where dataset = 'work_volume'), '{}'
        ) as work_volume_load_ids
    from amounts
    group by period_id, managing_level_code, capital_source_code

)

select
    period_id || ':' || managing_level_code || ':' || capital_source_code as investment_progress_id,
    period_id,
    managing_level_code,
    capital_source_code,
    plan_vnd,
    allocated_vnd,
    disbursed_vnd,
    works_done_vnd,
    voucher_line_count,
    -- the newest day that was booked, of the whole period: the day that every disbursed figure of it is shown with
    max(accounted_to_on) over (partition by period_id) as disbursed_to_on,
    plan_load_ids,
    disbursement_load_ids,
    work_volume_load_ids
from totals
