with source as (

    select * from {{ source("portal", "decision") }}

),

renamed as (

    select
        _load_id * 1000000000 + _row as decision_row_id,
        _load_id as load_id,
        _row as source_row_number,

        idqdcb as decision_code,
        soquyetdinh as decision_number,
        tthc as procedures,

        ngayquyetdinh as decided_on
    from source

)

select * from renamed
