with revenue as (

    select * from {{ ref("stg_budget__revenue") }}

),

expenditure as (

    select * from {{ ref("stg_budget__expenditure") }}

),

loads as (

    select
        load_id,
        arrival_rank,
        rejected_row_count
    from {{ ref("int_load") }}
    where source = 'budget'

),

unioned as (

    select
        'revenue' as budget_side_code,
        load_id,
        source_row_number,
        item_code,
        item_name,
        item_group_code,
        budget_year,
        estimate_vnd,
        cumulative_vnd,
        measured_to_on
    from revenue
    union all
    select
        'expenditure' as budget_side_code,
        load_id,
        source_row_number,
        item_code,
        item_name,
        item_group_code,
        budget_year,
        estimate_vnd,
        cumulative_vnd,
        measured_to_on
    from expenditure

),

-- a day comes whole with every pull that has it: what the newest one no longer names is gone, unless that pull had
-- rows that could not be read. A day that no newer pull has at all stays, so that a past report can be computed again
ranked as (

    select
        unioned.*,
        loads.arrival_rank >= coalesce(
            max(loads.arrival_rank) filter (where loads.rejected_row_count = 0) over (
                partition by unioned.budget_side_code, unioned.budget_year, unioned.measured_to_on
            ),
            0
        ) as is_named,
        row_number() over (
            partition by
                unioned.budget_side_code, unioned.item_code, unioned.budget_year, unioned.measured_to_on
            order by loads.arrival_rank desc, unioned.source_row_number desc
        ) as preference
    from unioned
    inner join loads on unioned.load_id = loads.load_id

),

current_rows as (

    select
        budget_side_code || ':' || item_code || ':' || budget_year || ':' || to_char(measured_to_on, 'YYYYMMDD')
            as budget_item_id,
        budget_side_code,
        item_code,
        item_name,
        item_group_code,
        budget_year,
        estimate_vnd,
        cumulative_vnd,
        measured_to_on,
        load_id
    from ranked
    where is_named and preference = 1

)

select * from current_rows
