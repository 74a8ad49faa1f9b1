with source as (

    select * from {{ source("van_ban_qppl", "ban_hanh") }}

),

renamed as (

    select
        {{ row_id() }} as issued_document_row_id,
        _load_id as load_id,
        _row as source_row_number,

        doc_no as document_number,
        kind as document_kind,
        level as level_name,
        issuer as issuer_name,

        issued_on,
        uploaded_on
    from source

)

select * from renamed
