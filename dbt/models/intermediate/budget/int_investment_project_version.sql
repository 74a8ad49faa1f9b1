with versions as (

    select * from {{ ref("stg_budget__project") }}

),

loads as (

    select
        load_id,
        arrival_rank
    from {{ ref("int_load") }}
    where source = 'budget' and dataset = 'project'

),

-- a version comes again with every pull that asks from its moment on; one that differs then is the newer pull's
distinct_versions as (

    select distinct on (versions.project_code, versions.updated_at) versions.*
    from versions
    inner join loads on versions.load_id = loads.load_id
    order by
        versions.project_code asc,
        versions.updated_at asc,
        loads.arrival_rank desc,
        versions.source_row_number desc

),

dated as (

    select
        {{ change_id("project_code", "updated_at") }} as project_version_id,
        project_code,
        project_name,
        owner_agency_code,
        managing_level_code,
        project_group_code,
        load_id,
        updated_at,
        lead(updated_at) over (
            partition by project_code
            order by updated_at
        ) as superseded_at
    from distinct_versions

)

select * from dated
