with procedures as (

    select * from {{ ref("int_procedure") }}

),

known as (

    select
        procedure_id,
        procedure_code,
        procedure_name,
        procedure_level_code,
        field_code,
        publishing_agency_code,
        vertical_sector_code,
        joined_up_group_codes,
        has_fee,
        is_joined_up_same_level,
        is_joined_up_across_levels,
        is_boundary_free,
        false as is_unknown,
        in_force_from_on,
        in_force_to_on,
        load_id
    from procedures

),

-- never in force, so that it counts in no number of procedures
unknown as (

    select
        'unknown' as procedure_id,
        'unknown' as procedure_code,
        'Không xác định' as procedure_name,
        null::smallint as procedure_level_code,
        null as field_code,
        null as publishing_agency_code,
        null as vertical_sector_code,
        '{}'::text[] as joined_up_group_codes,
        false as has_fee,
        false as is_joined_up_same_level,
        false as is_joined_up_across_levels,
        false as is_boundary_free,
        true as is_unknown,
        {{ first_day() }} as in_force_from_on,
        {{ first_day() }} as in_force_to_on,
        null::bigint as load_id

),

unioned as (

    select * from known
    union all
    select * from unknown

)

select * from unioned
