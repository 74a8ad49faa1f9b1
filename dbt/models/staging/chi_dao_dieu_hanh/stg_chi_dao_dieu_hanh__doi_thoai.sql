with source as (

    select * from {{ source("chi_dao_dieu_hanh", "doi_thoai") }}

),

renamed as (

    select
        {{ row_id() }} as dialogue_row_id,
        _load_id as load_id,
        _row as source_row_number,

        chair as chair_title,
        audience,

        held_on
    from source

)

select * from renamed
