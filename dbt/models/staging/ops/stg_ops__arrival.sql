with source as (

    select * from {{ source("ops", "arrival") }}

),

renamed as (

    select
        arrival_id,
        load_id,

        source,
        dataset,
        name as file_name,
        outcome,
        message,

        arrived_at
    from source

)

select * from renamed
