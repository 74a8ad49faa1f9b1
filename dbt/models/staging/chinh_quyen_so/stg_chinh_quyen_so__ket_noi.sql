with source as (

    select * from {{ source("chinh_quyen_so", "ket_noi") }}

),

renamed as (

    select
        {{ row_id() }} as connection_row_id,
        _load_id as load_id,
        _row as source_row_number,

        unit as agency_code,
        level as level_name,

        coalesce(docs_connected, false) as is_documents_connected,
        coalesce(one_stop_connected, false) as is_one_stop_connected,
        coalesce(video_connected, false) as is_video_connected
    from source

)

select * from renamed
