with source as (

    select * from {{ source("portal", "procedure_list") }}

),

renamed as (

    select
        {{ row_id() }} as procedure_list_row_id,
        _load_id as load_id,
        _row as source_row_number,

        {{ procedure_code("matthc") }} as procedure_code,
        tentthc as procedure_name,
        trangthai as procedure_status_code,

        ngaycapnhat as updated_on
    from source

)

select * from renamed
