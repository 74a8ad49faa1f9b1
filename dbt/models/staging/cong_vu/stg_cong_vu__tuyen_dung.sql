with source as (

    select * from {{ source("cong_vu", "tuyen_dung") }}

),

renamed as (

    select
        {{ row_id() }} as recruitment_row_id,
        _load_id as load_id,
        _row as source_row_number,

        decision_no as decision_number,
        target as target_name,
        method as method_name,

        persons as person_count,

        decided_on
    from source

)

select * from renamed
