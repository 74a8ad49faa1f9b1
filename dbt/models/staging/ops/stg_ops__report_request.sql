with source as (

    select * from {{ source("ops", "report_request") }}

),

renamed as (

    select
        period_id,

        as_of_at,
        requested_at
    from source

)

select * from renamed
