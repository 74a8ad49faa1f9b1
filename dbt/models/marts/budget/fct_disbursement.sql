with vouchers as (

    select * from {{ ref("int_disbursement_version") }}
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
        vouchers.voucher_number || ':' || vouchers.line_number as disbursement_id,
        vouchers.voucher_number,
        vouchers.line_number,
        coalesce(projects.project_id, 'unknown') as project_id,
        vouchers.project_code,
        projects.managing_level_code,
        vouchers.capital_source_code,
        vouchers.disbursement_kind_code,
        vouchers.budget_year,
        vouchers.amount_vnd,
        vouchers.voucher_on,
        vouchers.accounted_on,
        vouchers.updated_at,
        vouchers.load_id
    from vouchers
    left join projects on vouchers.project_code = projects.project_code

)

select * from joined
