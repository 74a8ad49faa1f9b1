with source as (

    select * from {{ source("van_ban_qppl", "ra_soat") }}

),

renamed as (

    select
        {{ row_id() }} as reviewed_document_row_id,
        _load_id as load_id,
        _row as source_row_number,

        doc_no as document_number,

        coalesce(needs_handling, false) as needs_handling,

        reviewed_on,
        handled_on
    from source

)

select * from renamed
