with measures as (

    select * from {{ ref("rpt_measure") }}

),

report_rows as (

    select * from {{ ref("int_report_row") }}

),

periods as (

    select distinct
        period_id,
        as_of_at
    from measures

),

terms as (

    select
        report_rows.catalogue_code,
        measures.period_id,
        term.item ->> 'side' as side,
        term.item ->> 'term' as term_code,
        (term.item ->> 'term_sign')::integer as term_sign,
        (term.item ->> 'sign')::integer * measures.measure_value as signed_value,
        measures.status,
        measures.datasets,
        measures.model_name,
        measures.load_ids
    from report_rows
    cross join lateral jsonb_array_elements(report_rows.terms) as term (item)
    inner join measures on term.item ->> 'measure' = measures.measure_code

),

-- a term that is a row of the report is one number, however many measures it adds up
direct_terms as (

    select
        catalogue_code,
        period_id,
        side,
        term_code,
        sum(signed_value * term_sign) as term_value
    from terms
    group by catalogue_code, period_id, side, term_code

),

term_values as (

    select
        catalogue_code,
        period_id,
        jsonb_object_agg(term_code, term_value) as term_values
    from direct_terms
    group by catalogue_code, period_id

),

totals as (

    select
        catalogue_code,
        period_id,
        sum(signed_value) filter (where side = 'numerator') as numerator,
        sum(signed_value) filter (where side = 'denominator') as denominator,
        bool_or(status = 'missing') as is_missing,
        bool_or(status = 'stale') as is_stale,
        array_agg(distinct model_name order by model_name) filter (where model_name is not null) as models
    from terms
    group by catalogue_code, period_id

),

origins as (

    select
        terms.catalogue_code,
        terms.period_id,
        array_agg(distinct dataset.name order by dataset.name) as sources
    from terms
    cross join lateral unnest(terms.datasets) as dataset (name)
    group by terms.catalogue_code, terms.period_id

),

loads as (

    select
        terms.catalogue_code,
        terms.period_id,
        jsonb_agg(distinct load.load_id order by load.load_id) as load_ids
    from terms
    cross join lateral unnest(terms.load_ids) as load (load_id)
    group by terms.catalogue_code, terms.period_id

),

valued as (

    select
        periods.period_id,
        periods.as_of_at,
        report_rows.*,
        case
            when report_rows.kind = 'heading' then 'ok'
            when totals.is_missing is not false then 'missing'
            when totals.is_stale then 'stale'
            else 'ok'
        end as status,
        case
            when totals.is_missing is not false then null
            when totals.denominator is null then totals.numerator * report_rows.scale
            when report_rows.when_zero_numerator = 'blank' and totals.numerator = 0 then null
            when totals.denominator <> 0
                -- twenty decimals, so that a rate is exact long after what is shown of it
                then round(totals.numerator * report_rows.scale, 20) / totals.denominator
            when report_rows.when_no_denominator = 'zero' then 0
        end as value,
        coalesce(origins.sources, '{}'::text[]) as sources,
        jsonb_build_object(
            'terms', coalesce(term_values.term_values, '{}'::jsonb),
            'models', coalesce(to_jsonb(totals.models), '[]'::jsonb),
            'load_ids', coalesce(loads.load_ids, '[]'::jsonb)
        ) as inputs
    from periods
    cross join report_rows
    left join totals
        on periods.period_id = totals.period_id and report_rows.catalogue_code = totals.catalogue_code
    left join term_values
        on periods.period_id = term_values.period_id and report_rows.catalogue_code = term_values.catalogue_code
    left join origins
        on periods.period_id = origins.period_id and report_rows.catalogue_code = origins.catalogue_code
    left join loads
        on periods.period_id = loads.period_id and report_rows.catalogue_code = loads.catalogue_code

)

select
    period_id || ':' || catalogue_code as indicator_id,
    period_id,
    form_no::integer as form_no,
    code,
    sort_order::integer as sort_order,
    label,
    unit,
    kind,
    trim_scale(value) as value,
    {{ vietnamese_number("value") }} as display,
    status,
    formula,
    sources,
    inputs,
    as_of_at
from valued
