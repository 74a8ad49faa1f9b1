with fields as (

    select * from {{ ref("stg_portal__field") }}

),

loads as (

    select
        load_id,
        arrival_rank
    from {{ ref("int_load") }}
    where source = 'portal' and dataset = 'field'

),

current_rows as (

    select distinct on (fields.field_code)
        fields.field_code,
        fields.load_id,
        fields.field_name,
        fields.sector_code
    from fields
    inner join loads on fields.load_id = loads.load_id
    order by fields.field_code asc, loads.arrival_rank desc, fields.source_row_number desc

)

select * from current_rows
