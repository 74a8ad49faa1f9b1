with source as (

    select * from {{ source("tu_chu_tai_chinh", "tu_chu") }}

),

renamed as (

    select
        {{ row_id() }} as autonomy_row_id,
        _load_id as load_id,
        _row as source_row_number,

        unit_code,
        unit_name,
        "group" as autonomy_group_name,

        recurrent_share as recurrent_share_percent,

        converted_on
    from source

)

select * from renamed
