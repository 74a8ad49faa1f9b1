with agencies as (

    select * from {{ ref("stg_portal__agency") }}

),

loads as (

    select
        load_id,
        arrival_rank
    from {{ ref("int_load") }}
    where source = 'portal' and dataset = 'agency'

),

ranked as (

    select
        agencies.*,
        -- every version of an agency comes from the newest list that names the agency
        max(loads.arrival_rank) over (partition by agencies.agency_code) = loads.arrival_rank as is_newest,
        row_number() over (
            partition by agencies.agency_code, agencies.valid_from_on
            order by loads.arrival_rank desc, agencies.source_row_number desc
        ) as preference
    from agencies
    inner join loads on agencies.load_id = loads.load_id

),

current_rows as (

    select
        {{ version_id("agency_code", "valid_from_on") }} as agency_id,
        load_id,
        agency_code,
        agency_name,
        agency_level_code,
        parent_agency_code,
        administrative_unit_code,
        successor_agency_codes,
        valid_from_on,
        valid_to_on,
        coalesce(valid_from_on, {{ first_day() }}) as in_force_from_on,
        coalesce(valid_to_on, {{ last_day() }}) as in_force_to_on
    from ranked
    where is_newest and preference = 1

)

select * from current_rows
