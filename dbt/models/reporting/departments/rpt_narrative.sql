-- a further source needs no change here: its measures come through rpt_measure, its figures are rows of the seed
with figures as (

    select * from {{ ref("report_narrative") }}

),

measures as (

    select * from {{ ref("rpt_measure") }}

),

periods as (

    select * from {{ ref("dim_reporting_period") }}
    where is_requested

),

terms as (

    select
        figures.narrative_key,
        sides.side,
        term.measure_code
    from figures
    cross join
        lateral (
            values ('numerator', figures.numerator), ('denominator', figures.denominator)
        ) as sides (side, expression)
    cross join lateral regexp_split_to_table(btrim(sides.expression), '\s+') as term (measure_code)
    where btrim(sides.expression) <> ''

),

totals as (

    select
        periods.period_id,
        terms.narrative_key,
        sum(measures.measure_value) filter (where terms.side = 'numerator') as numerator,
        sum(measures.measure_value) filter (where terms.side = 'denominator') as denominator,
        bool_or(terms.side = 'denominator') as is_ratio,
        -- a measure that no source has yet is missing like one whose source never came
        bool_or(coalesce(measures.status, 'missing') = 'missing') as is_missing,
        bool_or(measures.status = 'stale') as is_stale,
        -- as old as the oldest of its parts
        min(coalesce(measures.measured_to_on, periods.cut_off_on)) as as_of_on
    from periods
    cross join terms
    left join measures
        on periods.period_id = measures.period_id and terms.measure_code = measures.measure_code
    group by periods.period_id, terms.narrative_key

),

valued as (

    select
        totals.period_id,
        totals.as_of_on,
        figures.*,
        case
            when totals.is_missing then 'missing'
            when totals.is_stale then 'stale'
            else 'ok'
        end as status,
        case
            when totals.is_missing then null
            when not totals.is_ratio then totals.numerator * figures.scale
            when totals.denominator <> 0
                -- as in the forms: exact long after what is shown of it
                then round(totals.numerator * figures.scale, 20) / totals.denominator
        end as value
    from totals
    inner join figures on totals.narrative_key = figures.narrative_key

)

select
    period_id || ':' || narrative_key as narrative_id,
    period_id,
    section,
    sort_order,
    narrative_key as key,
    label_vi as label,
    trim_scale(value) as value,
    {{ vietnamese_number("value") }} as display,
    unit_vi as unit,
    status,
    as_of_on as as_of
from valued
