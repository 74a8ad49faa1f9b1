with source as (

    select * from {{ source("nhiem_vu_chinh_phu", "nhiem_vu") }}

),

renamed as (

    select
        {{ row_id() }} as government_task_row_id,
        _load_id as load_id,
        _row as source_row_number,

        task_no as task_number,
        assigned_by_doc as assigned_by_document,
        lead as agency_code,

        assigned_on,
        due_on,
        done_on
    from source

)

select * from renamed
