with periods as (

    select * from {{ ref("int_reporting_period") }}

)

select
    period_id,
    period_kind,
    period_name,
    reporting_year,
    from_on,
    to_on,
    year_from_on,
    cut_off_on,
    is_requested,
    as_of_at
from periods
