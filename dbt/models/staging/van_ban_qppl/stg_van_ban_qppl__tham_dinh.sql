with source as (

    select * from {{ source("van_ban_qppl", "tham_dinh") }}

),

renamed as (

    select
        {{ row_id() }} as appraised_draft_row_id,
        _load_id as load_id,
        _row as source_row_number,

        draft as draft_name,
        kind as document_kind,
        step as step_name,

        done_on
    from source

)

select * from renamed
