with source as (

    select * from {{ source("portal", "agency") }}

),

renamed as (

    select
        {{ row_id() }} as agency_row_id,
        _load_id as load_id,
        _row as source_row_number,

        madonvi as agency_code,
        tendonvi as agency_name,
        nullif(madonvicha, '') as parent_agency_code,
        nullif(madiaban, '') as administrative_unit_code,
        string_to_array(nullif(replace(madonvikethua, ' ', ''), ''), ',') as successor_agency_codes,

        capdonvi as agency_level_code,

        ngayhieuluc as valid_from_on,
        ngayhethieuluc as valid_to_on
    from source

)

select * from renamed
