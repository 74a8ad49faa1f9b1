with rules as (

    select * from {{ ref("report_period_rule") }}

),

requests as (

    select * from {{ ref("stg_ops__report_request") }}

),

periods as (

    select
        years.year || '-' || rules.suffix as period_id,
        rules.period_kind,
        rules.name_vi || ' ' || years.year as period_name,
        years.year::integer as reporting_year,
        -- Decree 09/2019: from the 15th of the month before to the 14th of the last month
        (make_date(years.year, rules.first_month, 15) - interval '1 month')::date as from_on,
        make_date(years.year, rules.last_month, 14) as to_on,
        make_date(years.year - 1, 12, 15) as year_from_on
    from rules
    cross join lateral generate_series(rules.first_year, rules.last_year) as years (year)

),

requested as (

    select
        periods.*,
        requests.period_id is not null as is_requested,
        requests.as_of_at,
        -- a report asked for before the period is over cannot know what is in force later
        least(periods.to_on, {{ local_day("requests.as_of_at") }}) as cut_off_on
    from periods
    left join requests on periods.period_id = requests.period_id

)

select * from requested
