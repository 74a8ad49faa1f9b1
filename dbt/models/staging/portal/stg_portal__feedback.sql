with source as (

    select * from {{ source("portal", "feedback") }}

),

renamed as (

    select
        {{ row_id() }} as feedback_row_id,
        _load_id as load_id,
        _row as source_row_number,

        mapakn as feedback_code,
        phanloai as feedback_kind_code,
        madonvi as agency_code,
        trangthai as feedback_status_code,

        ngaytiepnhan as received_on,
        ngayxulyxong as settled_on
    from source

)

select * from renamed
