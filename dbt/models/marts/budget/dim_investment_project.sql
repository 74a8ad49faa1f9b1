with projects as (

    select * from {{ ref("int_investment_project_version") }}
    where superseded_at is null

),

agencies as (

    select * from {{ ref("int_agency_timeline") }}

),

known as (

    select
        projects.project_code as project_id,
        projects.project_code,
        projects.project_name,
        projects.managing_level_code,
        projects.project_group_code,
        coalesce(agencies.agency_id, 'unknown') as owner_agency_id,
        projects.owner_agency_code,
        false as is_unknown,
        projects.updated_at,
        projects.load_id
    from projects
    left join agencies
        on
            projects.owner_agency_code = agencies.agency_code
            and {{ holds_on(local_day("projects.updated_at"), "agencies.from_on", "agencies.to_on") }}

),

-- money of a project that the list does not have stays in the totals; money that no project has yet is planned all the same
others as (

    select
        member.project_id,
        null as project_code,
        member.project_name,
        null as managing_level_code,
        null as project_group_code,
        'unknown' as owner_agency_id,
        null as owner_agency_code,
        true as is_unknown,
        null::timestamptz as updated_at,
        null::bigint as load_id
    from (
        values ('unknown', 'Không xác định'), ('unallocated', 'Chưa phân bổ cho dự án')
    ) as member (project_id, project_name)

),

unioned as (

    select * from known
    union all
    select * from others

)

select * from unioned
