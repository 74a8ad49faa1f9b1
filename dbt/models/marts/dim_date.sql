with periods as (

    select * from {{ ref("dim_reporting_period") }}

),

days as (

    select
        periods.period_id as month_period_id,
        periods.reporting_year,
        day.moment::date as date_on
    from periods
    cross join lateral generate_series(periods.from_on, periods.to_on, interval '1 day') as day (moment)
    where periods.period_kind = 'month'

),

quarters as (

    select * from periods
    where period_kind = 'quarter'

),

described as (

    select
        days.date_on,
        days.month_period_id,
        quarters.period_id as quarter_period_id,
        days.reporting_year,
        extract(year from days.date_on)::integer as calendar_year,
        extract(quarter from days.date_on)::integer as calendar_quarter,
        extract(month from days.date_on)::integer as calendar_month,
        extract(day from days.date_on)::integer as day_of_month,
        extract(isodow from days.date_on)::integer as iso_weekday,
        extract(isodow from days.date_on) >= 6 as is_weekend
    from days
    inner join quarters on days.date_on between quarters.from_on and quarters.to_on

)

select * from described
