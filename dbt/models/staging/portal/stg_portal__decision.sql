with source as (

    select * from {{ source("portal", "decision") }}

),

renamed as (

    select
        {{ row_id() }} as decision_row_id,
        _load_id as load_id,
        _row as source_row_number,

        idqdcb as decision_code,
        soquyetdinh as decision_number,
        tthc as procedures,

        ngayquyetdinh as decided_on
    from source

)

select * from renamed
