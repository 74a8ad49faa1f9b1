with source as (

    select * from {{ source("chi_dao_dieu_hanh", "van_ban") }}

),

renamed as (

    select
        {{ row_id() }} as directive_row_id,
        _load_id as load_id,
        _row as source_row_number,

        doc_no as document_number,
        kind as document_kind,
        subject,
        issuer as issuer_name,

        issued_on
    from source

)

select * from renamed
