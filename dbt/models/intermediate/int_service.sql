with services as (

    select * from {{ ref("stg_portal__service") }}

),

loads as (

    select
        load_id,
        arrival_rank
    from {{ ref("int_load") }}
    where source = 'portal' and dataset = 'service'

),

ranked as (

    select
        services.*,
        max(loads.arrival_rank) over (partition by services.service_code) = loads.arrival_rank as is_newest,
        row_number() over (
            partition by services.service_code, services.valid_from_on
            order by loads.arrival_rank desc, services.source_row_number desc
        ) as preference
    from services
    inner join loads on services.load_id = loads.load_id

),

current_rows as (

    select
        {{ version_id("service_code", "valid_from_on") }} as service_id,
        load_id,
        service_code,
        procedure_code,
        service_level_code,
        is_fully_online_eligible,
        is_on_national_portal,
        is_payable_online,
        valid_from_on,
        valid_to_on,
        coalesce(valid_from_on, {{ first_day() }}) as in_force_from_on,
        coalesce(valid_to_on, {{ last_day() }}) as in_force_to_on
    from ranked
    where is_newest and preference = 1

)

select * from current_rows
