with source as (

    select * from {{ source("chinh_quyen_so", "van_ban_dien_tu") }}

),

renamed as (

    select
        {{ row_id() }} as document_exchange_row_id,
        _load_id as load_id,
        _row as source_row_number,

        unit as agency_code,
        level as level_name,

        sent as sent_count,
        sent_fully_electronic as sent_fully_electronic_count,
        coalesce(sent_signed, 0) as sent_signed_count,
        coalesce(received, 0) as received_count,
        coalesce(received_signed, 0) as received_signed_count
    from source

)

select * from renamed
