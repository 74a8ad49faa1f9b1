with source as (

    select * from {{ source("chi_dao_dieu_hanh", "kiem_tra") }}

),

renamed as (

    select
        {{ row_id() }} as inspection_row_id,
        _load_id as load_id,
        _row as source_row_number,

        agency as agency_code,
        notice_no as notice_number,

        findings as finding_count,
        remedied as remedied_count,

        inspected_on,
        notice_on,
        remedy_due_on
    from source

)

select * from renamed
