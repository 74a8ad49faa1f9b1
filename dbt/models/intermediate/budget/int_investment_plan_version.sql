with versions as (

    select * from {{ ref("stg_budget__plan") }}

),

loads as (

    select
        load_id,
        arrival_rank
    from {{ ref("int_load") }}
    where source = 'budget' and dataset = 'plan'

),

-- a version comes again with every pull that asks from its moment on; one that differs then is the newer pull's
distinct_versions as (

    select distinct on (versions.decision_number, versions.line_number, versions.updated_at) versions.*
    from versions
    inner join loads on versions.load_id = loads.load_id
    order by
        versions.decision_number asc,
        versions.line_number asc,
        versions.updated_at asc,
        loads.arrival_rank desc,
        versions.source_row_number desc

),

dated as (

    select
        {{ change_id("decision_number || ':' || line_number", "updated_at") }} as plan_version_id,
        decision_number,
        line_number,
        project_code,
        managing_level_code,
        capital_source_code,
        plan_kind_code,
        budget_year,
        amount_vnd,
        decided_on,
        load_id,
        updated_at,
        lead(updated_at) over (
            partition by decision_number, line_number
            order by updated_at
        ) as superseded_at
    from distinct_versions

)

select * from dated
