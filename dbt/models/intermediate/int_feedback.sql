with feedback as (

    select * from {{ ref("stg_portal__feedback") }}

),

loads as (

    select
        load_id,
        arrival_rank
    from {{ ref("int_load") }}
    where source = 'portal' and dataset = 'feedback'

),

current_rows as (

    select distinct on (feedback.feedback_code)
        feedback.feedback_code,
        feedback.load_id,
        feedback.feedback_kind_code,
        feedback.agency_code,
        feedback.feedback_status_code,
        feedback.received_on,
        feedback.settled_on
    from feedback
    inner join loads on feedback.load_id = loads.load_id
    order by feedback.feedback_code asc, loads.arrival_rank desc, feedback.source_row_number desc

)

select * from current_rows
