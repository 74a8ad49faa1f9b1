with source as (

    select * from {{ source("chi_dao_dieu_hanh", "thanh_tra") }}

),

renamed as (

    select
        {{ row_id() }} as examination_row_id,
        _load_id as load_id,
        _row as source_row_number,

        agency as agency_code,

        coalesce(in_plan, false) as is_planned,

        examined_on,
        conclusion_on as concluded_on,
        carried_out_on
    from source

)

select * from renamed
