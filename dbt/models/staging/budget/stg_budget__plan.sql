with source as (

    select * from {{ source("budget", "plan") }}

),

renamed as (

    select
        {{ row_id() }} as plan_row_id,
        _load_id as load_id,
        _row as source_row_number,

        soquyetdinh as decision_number,
        nullif(maduan, '') as project_code,
        capquanly as managing_level_code,
        nguonvon as capital_source_code,
        loai as plan_kind_code,

        dong as line_number,
        nam as budget_year,
        sotien as amount_vnd,

        ngayquyetdinh as decided_on,
        {{ local_moment("capnhatluc") }} as updated_at
    from source

)

select * from renamed
