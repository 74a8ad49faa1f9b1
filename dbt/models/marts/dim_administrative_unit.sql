with units as (

    select * from {{ ref("administrative_unit") }}

),

successions as (

    select * from {{ ref("administrative_unit_succession") }}

),

-- a renamed unit keeps its code: its old version ends where the new one begins
with_successors as (

    select
        units.administrative_unit_id,
        array_agg(distinct successions.new_code order by successions.new_code)
        filter (where successions.new_code is not null) as successor_unit_codes
    from units
    left join successions
        on units.code = successions.old_code and units.valid_to_on = successions.effective_on
    group by units.administrative_unit_id

),

described as (

    select
        units.administrative_unit_id,
        units.code as administrative_unit_code,
        units.name_vi as administrative_unit_name,
        units.level as administrative_level_code,
        units.parent_code as parent_unit_code,
        with_successors.successor_unit_codes,
        units.valid_from_on as in_force_from_on,
        coalesce(units.valid_to_on, {{ last_day() }}) as in_force_to_on
    from units
    inner join with_successors on units.administrative_unit_id = with_successors.administrative_unit_id

)

select * from described
