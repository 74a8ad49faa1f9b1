with arrivals as (

    select * from {{ ref("stg_ops__arrival") }}
    where outcome <> 'skipped'

),

loads as (

    select * from {{ ref("int_load") }}

),

-- only workbooks carry <as-of date>[_v<version>] before their ending; the day is read so that no name can break the build
named as (

    select
        *,
        substring(
            file_name from '_([12][0-9]{3}-(?:0[1-9]|1[0-2])-(?:[0-2][0-9]|3[01]))(?:_[vV][0-9]+)?[.][^.]+$'
        ) as as_of_text,
        coalesce(substring(file_name from '_[vV]([0-9]+)[.][^.]+$')::numeric, 1) as version_number
    from arrivals

),

dated as (

    select
        *,
        (left(as_of_text, 8) || '01')::date + (right(as_of_text, 2)::integer - 1) as as_of_on
    from named
    where as_of_text is not null

),

accepted as (

    select
        dated.source,
        dated.dataset,
        dated.file_name,
        dated.as_of_on,
        dated.version_number,
        dated.load_id,
        loads.digest,
        loads.rejected_row_count,
        'accepted' as outcome,
        null as message,
        dated.arrived_at
    from dated
    inner join loads on dated.load_id = loads.load_id
    where dated.outcome in ('new', 'repeat')

),

refused as (

    select
        source,
        dataset,
        file_name,
        as_of_on,
        version_number,
        null::bigint as load_id,
        null as digest,
        0::bigint as rejected_row_count,
        'refused' as outcome,
        message,
        arrived_at
    from dated
    where outcome in ('refused', 'failed')

),

unioned as (

    select * from accepted
    union all
    select * from refused

),

-- one name that came with other bytes again: what came last
newest as (

    select distinct on (source, dataset, file_name, outcome) *
    from unioned
    order by source, dataset, file_name, outcome, arrived_at desc, load_id

),

ranked as (

    select
        source || ':' || dataset || ':' || file_name || ':' || outcome as workbook_release_id,
        source,
        dataset,
        file_name,
        as_of_on,
        load_id,
        outcome,
        message,
        rejected_row_count,
        arrived_at,
        -- _v10 is higher than _v2; of one version in two formats the greater name. Over all sheets of the workbook, so
        -- that a file refused as a whole can be told to be newer than the file a sheet came with
        row_number() over (
            partition by source
            order by as_of_on, version_number, file_name collate "C", arrived_at, outcome, dataset
        ) as release_rank
    from newest

)

select * from ranked
