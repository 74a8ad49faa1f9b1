with versions as (

    select * from {{ ref("stg_budget__work_volume") }}

),

loads as (

    select
        load_id,
        arrival_rank
    from {{ ref("int_load") }}
    where source = 'budget' and dataset = 'work_volume'

),

-- a version comes again with every pull that asks from its moment on; one that differs then is the newer pull's
distinct_versions as (

    select distinct on (
        versions.project_code, versions.capital_source_code, versions.measured_to_on, versions.updated_at
    ) versions.*
    from versions
    inner join loads on versions.load_id = loads.load_id
    order by
        versions.project_code asc,
        versions.capital_source_code asc,
        versions.measured_to_on asc,
        versions.updated_at asc,
        loads.arrival_rank desc,
        versions.source_row_number desc

),

dated as (

    select
        {{ change_id(
            "project_code || ':' || capital_source_code || ':' || to_char(measured_to_on, 'YYYYMMDD')", "updated_at"
        ) }} as work_volume_version_id,
        project_code,
        capital_source_code,
        cumulative_value_vnd,
        measured_to_on,
        load_id,
        updated_at,
        lead(updated_at) over (
            partition by project_code, capital_source_code, measured_to_on
            order by updated_at
        ) as superseded_at
    from distinct_versions

)

select * from dated
