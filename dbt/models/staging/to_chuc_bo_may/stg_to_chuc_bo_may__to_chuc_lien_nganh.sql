with source as (

    select * from {{ source("to_chuc_bo_may", "to_chuc_lien_nganh") }}

),

renamed as (

    select
        {{ row_id() }} as inter_agency_body_row_id,
        _load_id as load_id,
        _row as source_row_number,

        name as body_name,
        kind as body_kind,
        established_by,

        established_on
    from source

)

select * from renamed
