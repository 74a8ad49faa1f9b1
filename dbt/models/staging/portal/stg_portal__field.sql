with source as (

    select * from {{ source("portal", "field") }}

),

renamed as (

    select
        {{ row_id() }} as field_row_id,
        _load_id as load_id,
        _row as source_row_number,

        malinhvuc as field_code,
        tenlinhvuc as field_name,
        manganh as sector_code
    from source

)

select * from renamed
