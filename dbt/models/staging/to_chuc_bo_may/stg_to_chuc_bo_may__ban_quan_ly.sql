with source as (

    select * from {{ source("to_chuc_bo_may", "ban_quan_ly") }}

),

renamed as (

    select
        {{ row_id() }} as management_board_row_id,
        _load_id as load_id,
        _row as source_row_number,

        name as body_name,
        established_by
    from source

)

select * from renamed
