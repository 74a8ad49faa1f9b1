with source as (

    select * from {{ source("ops", "load") }}

),

renamed as (

    select
        load_id,

        source,
        dataset,
        digest,
        contract_version,
        status,

        rows_read as read_row_count,
        rows_loaded as loaded_row_count,
        rows_rejected as rejected_row_count,

        covers_from_on,
        covers_to_on,
        finished_at
    from source

)

select * from renamed
