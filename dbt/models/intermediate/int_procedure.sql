with procedures as (

    select * from {{ ref("stg_portal__procedure") }}

),

loads as (

    select
        load_id,
        arrival_rank
    from {{ ref("int_load") }}
    where source = 'portal' and dataset = 'procedure'

),

ranked as (

    select
        procedures.*,
        max(loads.arrival_rank) over (partition by procedures.procedure_code) = loads.arrival_rank as is_newest,
        row_number() over (
            partition by procedures.procedure_code, procedures.valid_from_on
            order by loads.arrival_rank desc, procedures.source_row_number desc
        ) as preference
    from procedures
    inner join loads on procedures.load_id = loads.load_id

),

current_rows as (

    select
        *,
        {{ version_id("procedure_code", "valid_from_on") }} as procedure_id
    from ranked
    where is_newest and preference = 1

),

described as (

    select
        current_rows.procedure_id,
        current_rows.load_id,
        current_rows.procedure_code,
        current_rows.procedure_name,
        current_rows.publishing_agency_code,
        current_rows.procedure_status_code,
        current_rows.vertical_sector_code,
        current_rows.fields #>> '{0,MALINHVUC}' as field_code,
        -- province 1, district 2, commune 3: the highest level is the smallest number
        (
            select min((level.item ->> 'CAPTHUCHIEN')::smallint)
            from jsonb_array_elements(current_rows.levels) as level (item)
        ) as procedure_level_code,
        coalesce(
            current_rows.channels @? '$[*].THOIGIAN[*].PHILEPHI[*].SOTIEN ? (@ > 0)', false
        ) as has_fee,
        coalesce(current_rows.joined_up_groups @? '$[*].LOAI ? (@ == "CUNGCAP")', false) as is_joined_up_same_level,
        coalesce(current_rows.joined_up_groups @? '$[*].LOAI ? (@ == "CACCAP")', false) as is_joined_up_across_levels,
        array(
            select distinct joined_up_group.item ->> 'MANHOM'
            from jsonb_array_elements(current_rows.joined_up_groups) as joined_up_group (item)
            where joined_up_group.item ->> 'MANHOM' is not null
            order by 1
        ) as joined_up_group_codes,
        current_rows.is_boundary_free,
        current_rows.valid_from_on,
        current_rows.valid_to_on,
        coalesce(current_rows.valid_from_on, {{ first_day() }}) as in_force_from_on,
        -- not in force by its status and without an end date: never in force, an empty interval
        coalesce(
            current_rows.valid_to_on,
            case when current_rows.procedure_status_code = '1' then {{ last_day() }} else {{ first_day() }} end
        ) as in_force_to_on
    from current_rows

)

select * from described
