with dossiers as (

    select * from {{ ref("int_dossier_period") }}

),

-- by load first: the loads of a number are known without sorting its dossiers
per_load as (

    select
        period_id,
        agency_id,
        field_code,
        load_id,
        count(*) filter (where intake = 'received') as received_count,
        count(*) filter (where intake = 'received' and is_online) as received_online_count,
        count(*) filter (where intake = 'received' and service_level_code = 4) as received_full_count,
        count(*) filter (
            where intake = 'received' and service_level_code = 4 and is_online
        ) as received_full_online_count,
        count(*) filter (where intake = 'received' and service_level_code = 3) as received_partial_count,
        count(*) filter (
            where intake = 'received' and service_level_code = 3 and is_online
        ) as received_partial_online_count,
        count(*) filter (where intake = 'received' and is_digitised) as received_digitised_count,
        count(*) filter (where intake = 'received' and is_fee_due) as received_fee_due_count,
        count(*) filter (where intake = 'received' and is_paid_online) as received_paid_online_count,
        count(*) filter (where intake = 'received' and is_paid_on_national_portal) as received_paid_national_portal_count,
        count(*) filter (where intake = 'carried_over') as carried_over_count,
        count(*) filter (where outcome = 'settled_early') as settled_early_count,
        count(*) filter (where outcome = 'settled_on_day') as settled_on_day_count,
        count(*) filter (where outcome = 'settled_late') as settled_late_count,
        count(*) filter (where outcome = 'withdrawn') as withdrawn_count,
        count(*) filter (where outcome = 'open_paused') as open_paused_count,
        count(*) filter (where outcome = 'open_overdue') as open_overdue_count,
        count(*) filter (where outcome = 'open_in_time') as open_in_time_count
    from dossiers
    group by period_id, agency_id, field_code, load_id

),

summed as (

    select
        period_id || ':' || agency_id || ':' || field_code as procedure_processing_id,
        period_id,
        agency_id,
        field_code,
        sum(received_count)::bigint as received_count,
        sum(received_online_count)::bigint as received_online_count,
        sum(received_full_count)::bigint as received_full_count,
        sum(received_full_online_count)::bigint as received_full_online_count,
        sum(received_partial_count)::bigint as received_partial_count,
        sum(received_partial_online_count)::bigint as received_partial_online_count,
        sum(received_digitised_count)::bigint as received_digitised_count,
        sum(received_fee_due_count)::bigint as received_fee_due_count,
        sum(received_paid_online_count)::bigint as received_paid_online_count,
        sum(received_paid_national_portal_count)::bigint as received_paid_national_portal_count,
        sum(carried_over_count)::bigint as carried_over_count,
        sum(settled_early_count + settled_on_day_count + settled_late_count)::bigint as settled_count,
        sum(settled_early_count)::bigint as settled_early_count,
        sum(settled_on_day_count)::bigint as settled_on_day_count,
        sum(settled_late_count)::bigint as settled_late_count,
        sum(settled_early_count + settled_on_day_count)::bigint as settled_on_time_count,
        sum(withdrawn_count)::bigint as withdrawn_count,
        sum(open_paused_count)::bigint as open_paused_count,
        sum(open_overdue_count)::bigint as open_overdue_count,
        sum(open_in_time_count)::bigint as open_in_time_count,
        array_agg(load_id order by load_id) as load_ids
    from per_load
    group by period_id, agency_id, field_code

)

select * from summed
