with source as (

    select * from {{ source("chi_dao_dieu_hanh", "khao_sat") }}

),

renamed as (

    select
        {{ row_id() }} as survey_row_id,
        _load_id as load_id,
        _row as source_row_number,

        mode as mode_name,
        subject,

        ballots as ballot_count,

        held_on
    from source

)

select * from renamed
