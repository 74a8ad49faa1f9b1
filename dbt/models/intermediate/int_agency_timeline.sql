with agencies as (

    select * from {{ ref("int_agency") }}

),

turning_points as (

    select
        agency_code,
        in_force_from_on as from_on
    from agencies
    union
    select
        agency_code,
        in_force_to_on as from_on
    from agencies
    union
    select
        agency_code,
        {{ first_day() }} as from_on
    from agencies

),

spans as (

    select
        agency_code,
        from_on,
        lead(from_on, 1, {{ last_day() }}) over (partition by agency_code order by from_on) as to_on
    from turning_points

),

candidates as (

    select
        spans.*,
        agencies.agency_id,
        agencies.agency_level_code,
        row_number() over (
            partition by spans.agency_code, spans.from_on
            order by
                -- the version in force; else the nearest earlier; else the earliest
                {{ holds_on("spans.from_on", "agencies.in_force_from_on", "agencies.in_force_to_on") }} desc,
                agencies.in_force_from_on <= spans.from_on desc,
                case when agencies.in_force_from_on <= spans.from_on then agencies.in_force_from_on end desc,
                agencies.in_force_from_on
        ) as preference
    from spans
    inner join agencies on spans.agency_code = agencies.agency_code
    where spans.from_on < spans.to_on

),

chosen as (

    select
        agency_code || '@' || to_char(from_on, 'YYYYMMDD') as agency_span_id,
        agency_code,
        from_on,
        to_on,
        agency_id,
        agency_level_code
    from candidates
    where preference = 1

)

select * from chosen
