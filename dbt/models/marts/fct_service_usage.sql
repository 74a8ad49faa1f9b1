with dossiers as (

    select * from {{ ref("int_dossier_period") }}

),

-- services of procedures not in force do not count
per_load as (

    select
        period_id,
        service_id,
        service_code,
        portal_service_level_code as service_level_code,
        load_id,
        count(*) as received_count,
        count(*) filter (where is_online) as received_online_count
    from dossiers
    where intake = 'received' and service_id is not null and is_procedure_in_force
    group by period_id, service_id, service_code, portal_service_level_code, load_id

),

summed as (

    select
        period_id || ':' || service_id as service_usage_id,
        period_id,
        service_id,
        service_code,
        service_level_code,
        sum(received_count)::bigint as received_count,
        sum(received_online_count)::bigint as received_online_count,
        array_agg(load_id order by load_id) as load_ids
    from per_load
    group by period_id, service_id, service_code, service_level_code

)

select * from summed
