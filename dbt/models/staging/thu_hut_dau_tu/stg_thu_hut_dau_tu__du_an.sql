with source as (

    select * from {{ source("thu_hut_dau_tu", "du_an") }}

),

renamed as (

    select
        {{ row_id() }} as investment_project_row_id,
        _load_id as load_id,
        _row as source_row_number,

        certificate_no as certificate_number,
        project as project_name,
        origin as origin_name,
        currency as currency_name,

        registered_capital,
        coalesce(capital_increase, 0) as capital_increase,

        certified_on,
        adjusted_on,
        ended_on
    from source

)

select * from renamed
