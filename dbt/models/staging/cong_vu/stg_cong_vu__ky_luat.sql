with source as (

    select * from {{ source("cong_vu", "ky_luat") }}

),

renamed as (

    select
        {{ row_id() }} as discipline_row_id,
        _load_id as load_id,
        _row as source_row_number,

        decision_no as decision_number,
        target as target_name,
        form as discipline_form,

        persons as person_count,

        decided_on
    from source

)

select * from renamed
