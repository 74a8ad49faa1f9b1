with source as (

    select * from {{ source("bien_che", "cong_chuc") }}

),

renamed as (

    select
        {{ row_id() }} as civil_servant_row_id,
        _load_id as load_id,
        _row as source_row_number,

        agency as agency_code,

        posts_assigned as assigned_count,
        present as present_count,
        coalesce(contracts_assigned, 0) as contract_assigned_count,
        coalesce(contracts_present, 0) as contract_present_count,
        coalesce(posts_cut_this_year, 0) as cut_this_year_count
    from source

)

select * from renamed
