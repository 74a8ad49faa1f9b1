with source as (

    select * from {{ source("van_ban_qppl", "kiem_tra") }}

),

renamed as (

    select
        {{ row_id() }} as checked_document_row_id,
        _load_id as load_id,
        _row as source_row_number,

        doc_no as document_number,
        scope as scope_name,

        coalesce(needs_handling, false) as needs_handling,

        checked_on,
        handled_on
    from source

)

select * from renamed
