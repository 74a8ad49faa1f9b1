with source as (

    select * from {{ source("portal", "procedure") }}

),

renamed as (

    select
        {{ row_id() }} as procedure_row_id,
        _load_id as load_id,
        _row as source_row_number,

        {{ procedure_code("matthc") }} as procedure_code,
        tentthc as procedure_name,
        macoquancongbo as publishing_agency_code,
        trangthai as procedure_status_code,
        nullif(nganhdoc, '') as vertical_sector_code,
        linhvucthuchien as fields,
        capthuchien as levels,
        cachthucthuchien as channels,
        tthclienthong as joined_up_groups,

        coalesce(phidiagioi, false) as is_boundary_free,

        ngayhieuluc as valid_from_on,
        ngayhethieuluc as valid_to_on
    from source

)

select * from renamed
