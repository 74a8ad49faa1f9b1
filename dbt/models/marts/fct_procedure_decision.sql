with items as (

    select * from {{ ref("int_decision_item") }}

),

procedures as (

    select * from {{ ref("int_procedure_timeline") }}

),

joined as (

    select
        items.decision_item_id,
        items.decision_code,
        items.decision_number,
        items.procedure_code,
        coalesce(procedures.procedure_id, 'unknown') as procedure_id,
        items.change_kind_code,
        items.decided_on,
        items.load_id
    from items
    left join procedures
        on
            items.procedure_code = procedures.procedure_code
            and {{ holds_on("items.decided_on", "procedures.from_on", "procedures.to_on") }}

)

select * from joined
