with items as (

    select * from {{ ref("int_budget_item") }}

)

select
    budget_item_id,
    budget_side_code,
    item_code,
    item_name,
    item_group_code,
    budget_year,
    estimate_vnd,
    cumulative_vnd,
    measured_to_on,
    load_id
from items
