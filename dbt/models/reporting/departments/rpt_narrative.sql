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

source_statuses as (

    select * from {{ ref("int_source_status") }}

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

-- whom to ask: of the datasets of what is not ok, those that lack
lacking as (

    select
        measures.period_id,
        terms.narrative_key,
        array_agg(distinct dataset.name order by dataset.name) as lacking_datasets
    from terms
    inner join measures on terms.measure_code = measures.measure_code
    cross join lateral unnest(measures.datasets) as dataset (name)
    left join source_statuses
        on
            measures.period_id = source_statuses.period_id
            and dataset.name = source_statuses.source || '.' || source_statuses.dataset
    where measures.status <> 'ok' and source_statuses.status is distinct from 'ok'
    group by measures.period_id, terms.narrative_key

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
        coalesce(lacking.lacking_datasets, '{}'::text[]) as lacking_datasets,
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
    left join lacking
        on totals.period_id = lacking.period_id and totals.narrative_key = lacking.narrative_key

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
    lacking_datasets,
    as_of_on as as_of
from valued
