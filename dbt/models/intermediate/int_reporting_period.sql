with rules as (

    select * from {{ ref("report_period_rule") }}

),

requests as (

    select * from {{ ref("stg_ops__report_request") }}

),

loads as (

    select * from {{ ref("stg_ops__load") }}
    where status = 'loaded' and loaded_row_count > 0

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

-- the text compares with the same period a year before, cut a year earlier, where there is data of it
compared as (

    select
        periods.period_id,
        requests.as_of_at - interval '1 year' as as_of_at
    from requests
    inner join periods
        on (left(requests.period_id, 4)::integer - 1) || substr(requests.period_id, 5) = periods.period_id
    where
        exists (
            select 1
            from loads
            where periods.to_on >= loads.covers_from_on and periods.from_on <= loads.covers_to_on
        )

),

requested as (

    select
        periods.*,
        coalesce(requests.period_id, compared.period_id) is not null as is_requested,
        -- what was asked for that period stays as it was asked
        coalesce(requests.as_of_at, compared.as_of_at) as as_of_at
    from periods
    left join requests on periods.period_id = requests.period_id
    left join compared on periods.period_id = compared.period_id

),

cut_off as (

    select
        *,
        -- a report asked for before the period is over cannot know what is in force later
        least(to_on, {{ local_day("as_of_at") }}) as cut_off_on
    from requested

)

select * from cut_off
