with source as (

    select * from {{ source("chi_dao_dieu_hanh", "ke_hoach_cchc") }}

),

renamed as (

    select
        {{ row_id() }} as reform_plan_task_row_id,
        _load_id as load_id,
        _row as source_row_number,

        task_no as task_number,
        task as task_name,
        lead as agency_code,

        due_on,
        done_on
    from source

)

select * from renamed
