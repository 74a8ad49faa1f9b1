with source as (

    select * from {{ source("tu_chu_tai_chinh", "kien_nghi_kiem_toan") }}

),

renamed as (

    select
        {{ row_id() }} as audit_recommendation_row_id,
        _load_id as load_id,
        _row as source_row_number,

        recommendation,

        amount as recommended_amount,
        done as done_amount
    from source

)

select * from renamed
