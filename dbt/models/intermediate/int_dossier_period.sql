with states as (

    select * from {{ ref("int_dossier_state") }}

),

periods as (

    select * from {{ ref("int_reporting_period") }}
    where is_requested

),

-- what the warehouse knew of the dossier at the as-of moment
as_of as (

    select
        periods.period_id,
        periods.from_on,
        periods.to_on,
        states.*,
        -- what left the office after the last day is open in this period
        states.closed_on is not null and states.closed_on <= periods.to_on as is_closed
    from periods
    inner join states
        on
            periods.as_of_at >= states.valid_from_at
            and (states.valid_to_at is null or periods.as_of_at < states.valid_to_at)
            and states.is_counted
            and periods.to_on >= states.received_on
            and (states.closed_on is null or periods.from_on <= states.closed_on)

),

classified as (

    select
        period_id || ':' || dossier_code as dossier_period_id,
        period_id,
        dossier_version_id,
        load_id,
        dossier_code,
        agency_id,
        procedure_id,
        service_id,
        service_code,
        field_code,
        agency_code,
        procedure_code,
        channel_code,
        service_level_code,
        portal_service_level_code,
        case when received_on >= from_on then 'received' else 'carried_over' end as intake,
        case
            when is_closed and outcome = 'withdrawn' then 'withdrawn'
            when is_closed and (due_on is null or closed_on = due_on) then 'settled_on_day'
            when is_closed and closed_on < due_on then 'settled_early'
            when is_closed then 'settled_late'
            when is_paused then 'open_paused'
            when due_on < to_on then 'open_overdue'
            else 'open_in_time'
        end as outcome,
        channel_code = 2 as is_online,
        -- a finished dossier of an information-only service cannot have been filed online
        outcome = 'settled' and channel_code = 2 and dossier_service_level_code = 2 as is_level_contradictory,
        is_procedure_in_force,
        is_digitised,
        -- 0 no fee due, 1 paid online, 3 due and not paid online
        online_payment_code in (1, 3) as is_fee_due,
        online_payment_code = 1 as is_paid_online,
        online_payment_code = 1 and payment_channel_code = 'DVCQG' as is_paid_on_national_portal,
        received_on,
        due_on,
        closed_on
    from as_of

)

select * from classified
