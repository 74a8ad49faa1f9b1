with recursive catalogue as (

    select * from {{ ref("report_form_catalogue") }}

),

-- a term is a code of the catalogue (3.3.1.2) or a measure (feedback_settled); a leading minus subtracts it
direct_terms as (

    select
        catalogue.catalogue_code,
        sides.side,
        ltrim(term.reference, '-') as reference,
        case when term.reference like '-%' then -1 else 1 end as sign
    from catalogue
    cross join
        lateral (
            values ('numerator', catalogue.numerator), ('denominator', catalogue.denominator)
        ) as sides (side, expression)
    cross join lateral regexp_split_to_table(btrim(sides.expression), '\s+') as term (reference)
    where btrim(sides.expression) <> ''

),

-- a sum of sums ends in measures
expanded as (

    select
        catalogue_code,
        side,
        reference as term_code,
        sign as term_sign,
        reference,
        sign,
        1 as depth
    from direct_terms

    union all

    select
        expanded.catalogue_code,
        expanded.side,
        expanded.term_code,
        expanded.term_sign,
        direct_terms.reference,
        expanded.sign * direct_terms.sign as sign,
        expanded.depth + 1 as depth
    from expanded
    inner join direct_terms
        on expanded.reference = direct_terms.catalogue_code and direct_terms.side = 'numerator'
    where expanded.depth < 10

),

leaves as (

    select
        expanded.catalogue_code,
        jsonb_agg(
            jsonb_build_object(
                'side', expanded.side,
                'term', expanded.term_code,
                'term_sign', expanded.term_sign,
                'sign', expanded.sign,
                'measure', expanded.reference
            )
            order by expanded.side desc, expanded.term_code, expanded.reference
        ) as terms
    from expanded
    left join catalogue on expanded.reference = catalogue.catalogue_code
    where catalogue.catalogue_code is null
    group by expanded.catalogue_code

),

-- "a -b" reads a − b, "a b" reads a + b
spelled as (

    select
        catalogue_code,
        replace(replace(replace(btrim(numerator), ' -', '~'), ' ', ' + '), '~', ' − ') as numerator,
        replace(replace(replace(btrim(denominator), ' -', '~'), ' ', ' + '), '~', ' − ') as denominator
    from catalogue

),

report_rows as (

    select
        catalogue.catalogue_code,
        catalogue.form_no,
        catalogue.code,
        catalogue.sort_order,
        catalogue.label_vi as label,
        catalogue.unit_vi as unit,
        catalogue.kind,
        catalogue.scale,
        catalogue.when_no_denominator,
        catalogue.when_zero_numerator,
        -- a sum and a ratio say how they are computed, a count says what it counts
        case
            when catalogue.kind = 'ratio'
                then '(' || spelled.numerator || ') / (' || spelled.denominator || ') × ' || catalogue.scale
            when spelled.numerator ~ ' ' then spelled.numerator
            else catalogue.definition
        end as formula,
        coalesce(leaves.terms, '[]'::jsonb) as terms
    from catalogue
    inner join spelled on catalogue.catalogue_code = spelled.catalogue_code
    left join leaves on catalogue.catalogue_code = leaves.catalogue_code

)

select * from report_rows
