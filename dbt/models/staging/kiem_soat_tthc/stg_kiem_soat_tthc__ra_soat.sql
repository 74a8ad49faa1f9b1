with source as (

    select * from {{ source("kiem_soat_tthc", "ra_soat") }}

),

renamed as (

    select
        {{ row_id() }} as procedure_review_row_id,
        _load_id as load_id,
        _row as source_row_number,

        {{ procedure_code("procedure_code") }} as procedure_code,
        lead_agency as agency_code,
        assessed_doc as assessment_document,

        plan_year,

        result_sent_on,
        plan_approved_on
    from source

)

select * from renamed
