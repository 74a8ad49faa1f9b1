with source as (

    select * from {{ source("budget", "revenue") }}

),

renamed as (

    select
        {{ row_id() }} as revenue_row_id,
        _load_id as load_id,
        _row as source_row_number,

        mamuc as item_code,
        tenmuc as item_name,
        nhom as item_group_code,

        nam as budget_year,
        dutoan as estimate_vnd,
        luyke as cumulative_vnd,

        denngay as measured_to_on
    from source

)

select * from renamed
