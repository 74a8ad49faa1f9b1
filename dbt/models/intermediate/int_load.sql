with loads as (

    select * from {{ ref("stg_ops__load") }}
    where status = 'loaded'

),

arrivals as (

    select * from {{ ref("stg_ops__arrival") }}
    where load_id is not null

),

named as (

    select
        load_id,
        file_name,
        -- yyyyMMdd sorts as text like the day it names, and a wrong day in a name cannot break the build
        coalesce(substring(file_name from '_([0-9]{8})[.]csv'), '') as file_end,
        arrived_at,
        outcome
    from arrivals

),

best_name as (

    select distinct on (load_id)
        load_id,
        file_name,
        file_end
    from named
    order by load_id asc, file_end collate "C" desc, file_name collate "C" desc

),

newest_arrival as (

    select
        load_id,
        max(arrived_at) as newest_arrived_at
    from named
    where outcome in ('new', 'repeat')
    group by load_id

),

joined as (

    select
        loads.load_id,
        loads.source,
        loads.dataset,
        loads.digest,
        loads.rejected_row_count,
        loads.covers_from_on,
        loads.covers_to_on,
        best_name.file_name,
        coalesce(nullif(best_name.file_end, ''), to_char(loads.covers_to_on, 'YYYYMMDD'), '') as file_end,
        coalesce(newest_arrival.newest_arrived_at, loads.finished_at) as newest_arrived_at
    from loads
    left join best_name on loads.load_id = best_name.load_id
    left join newest_arrival on loads.load_id = newest_arrival.load_id

),

ranked as (

    select
        *,
        -- between two files: the later end date, then the greater name, then the digest; never the order of arrival
        row_number() over (
            partition by source, dataset
            order by file_end collate "C", coalesce(file_name, '') collate "C", digest collate "C", load_id
        ) as file_rank,
        -- between two pulls: the one seen last
        row_number() over (
            partition by source, dataset
            order by newest_arrived_at nulls first, load_id
        ) as arrival_rank
    from joined

)

select * from ranked
