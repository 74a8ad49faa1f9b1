with feedback as (

    select * from {{ ref("int_feedback") }}

),

agencies as (

    select * from {{ ref("int_agency_timeline") }}

),

joined as (

    select
        feedback.feedback_code,
        feedback.feedback_kind_code,
        coalesce(agencies.agency_id, 'unknown') as agency_id,
        feedback.agency_code,
        feedback.feedback_status_code,
        feedback.received_on,
        feedback.settled_on,
        feedback.load_id
    from feedback
    left join agencies
        on
            feedback.agency_code = agencies.agency_code
            and {{ holds_on("feedback.received_on", "agencies.from_on", "agencies.to_on") }}

)

select * from joined
