with agencies as (

    select * from {{ ref("int_agency") }}

),

known as (

    select
        agency_id,
        agency_code,
        agency_name,
        agency_level_code,
        parent_agency_code,
        administrative_unit_code,
        successor_agency_codes,
        false as is_unknown,
        in_force_from_on,
        in_force_to_on,
        load_id
    from agencies

),

-- dossiers of an agency that the portal does not name stay in the totals under this member
unknown as (

    select
        'unknown' as agency_id,
        'unknown' as agency_code,
        'Không xác định' as agency_name,
        null::smallint as agency_level_code,
        null as parent_agency_code,
        null as administrative_unit_code,
        null::text[] as successor_agency_codes,
        true as is_unknown,
        {{ first_day() }} as in_force_from_on,
        {{ last_day() }} as in_force_to_on,
        null::bigint as load_id

),

unioned as (

    select * from known
    union all
    select * from unknown

)

select * from unioned
