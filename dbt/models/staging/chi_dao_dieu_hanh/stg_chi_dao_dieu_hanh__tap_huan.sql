with source as (

    select * from {{ source("chi_dao_dieu_hanh", "tap_huan") }}

),

renamed as (

    select
        {{ row_id() }} as training_row_id,
        _load_id as load_id,
        _row as source_row_number,

        subject,

        persons as person_count,

        held_on
    from source

)

select * from renamed
