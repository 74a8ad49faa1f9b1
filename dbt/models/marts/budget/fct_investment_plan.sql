with plan_lines as (

    select * from {{ ref("int_investment_plan_version") }}
    where superseded_at is null

),

projects as (

    select
        project_id,
        project_code,
        managing_level_code
    from {{ ref("dim_investment_project") }}

),

joined as (

    select
        plan_lines.decision_number || ':' || plan_lines.line_number as plan_line_id,
        plan_lines.decision_number,
        plan_lines.line_number,
        case
            when plan_lines.project_code is null then 'unallocated'
            else coalesce(projects.project_id, 'unknown')
        end as project_id,
        plan_lines.project_code,
        coalesce(projects.managing_level_code, plan_lines.managing_level_code) as managing_level_code,
        plan_lines.capital_source_code,
        plan_lines.plan_kind_code,
        plan_lines.budget_year,
        plan_lines.amount_vnd,
        plan_lines.decided_on,
        plan_lines.updated_at,
        plan_lines.load_id
    from plan_lines
    left join projects on plan_lines.project_code = projects.project_code

)

select * from joined
