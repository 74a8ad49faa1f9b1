with decisions as (

    select * from {{ ref("stg_portal__decision") }}

),

loads as (

    select
        load_id,
        arrival_rank
    from {{ ref("int_load") }}
    where source = 'portal' and dataset = 'decision'

),

current_rows as (

    select distinct on (decisions.decision_code) decisions.*
    from decisions
    inner join loads on decisions.load_id = loads.load_id
    order by decisions.decision_code asc, loads.arrival_rank desc, decisions.source_row_number desc

),

items as (

    select distinct
        current_rows.decision_code,
        current_rows.load_id,
        current_rows.decision_number,
        {{ procedure_code("btrim(item.content ->> 'MATTHC')") }} as procedure_code,
        (item.content ->> 'HINHTHUC')::smallint as change_kind_code,
        current_rows.decided_on
    from current_rows
    cross join lateral jsonb_array_elements(current_rows.procedures) as item (content)

),

keyed as (

    select
        decision_code || ':' || procedure_code || ':' || change_kind_code as decision_item_id,
        *
    from items
    where procedure_code is not null and change_kind_code is not null

)

select * from keyed
