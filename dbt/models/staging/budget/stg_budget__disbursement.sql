with source as (

    select * from {{ source("budget", "disbursement") }}

),

renamed as (

    select
        {{ row_id() }} as disbursement_row_id,
        _load_id as load_id,
        _row as source_row_number,

        sochungtu as voucher_number,
        maduan as project_code,
        nguonvon as capital_source_code,
        loai as disbursement_kind_code,

        dong as line_number,
        nam as budget_year,
        sotien as amount_vnd,

        ngaychungtu as voucher_on,
        ngayhachtoan as accounted_on,
        {{ local_moment("capnhatluc") }} as updated_at
    from source

)

select * from renamed
