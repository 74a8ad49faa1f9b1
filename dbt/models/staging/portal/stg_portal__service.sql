with source as (

    select * from {{ source("portal", "service") }}

),

renamed as (

    select
        {{ row_id() }} as service_row_id,
        _load_id as load_id,
        _row as source_row_number,

        madvc as service_code,
        {{ procedure_code("matthc") }} as procedure_code,

        mucdo as service_level_code,
        coalesce(dudieukientoantrinh, false) as is_fully_online_eligible,
        coalesce(tichhopdvcqg, false) as is_on_national_portal,
        coalesce(thanhtoantructuyen, false) as is_payable_online,

        ngayhieuluc as valid_from_on,
        ngayhethieuluc as valid_to_on
    from source

)

select * from renamed
