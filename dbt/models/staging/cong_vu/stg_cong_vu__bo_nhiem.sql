with source as (

    select * from {{ source("cong_vu", "bo_nhiem") }}

),

renamed as (

    select
        {{ row_id() }} as appointment_row_id,
        _load_id as load_id,
        _row as source_row_number,

        decision_no as decision_number,
        authority as authority_name,
        kind as subject,

        persons as person_count,
        coalesce(by_competition, false) as is_by_competition,

        decided_on
    from source

)

select * from renamed
