with procedures as (

    select * from {{ ref("int_procedure") }}

),

listed as (

    select * from {{ ref("stg_portal__procedure_list") }}

),

loads as (

    select
        load_id,
        arrival_rank
    from {{ ref("int_load") }}
    where source = 'portal' and dataset = 'procedure_list'

),

current_list as (

    select distinct on (listed.procedure_code)
        listed.procedure_code,
        listed.procedure_name,
        listed.procedure_status_code
    from listed
    inner join loads on listed.load_id = loads.load_id
    order by listed.procedure_code asc, loads.arrival_rank desc, listed.source_row_number desc

),

without_detail as (

    select
        'procedure_without_detail' as issue_code,
        current_list.procedure_code,
        current_list.procedure_name,
        {{ first_day() }} as in_force_from_on,
        {{ last_day() }} as in_force_to_on
    from current_list
    left join procedures on current_list.procedure_code = procedures.procedure_code
    where procedures.procedure_code is null and current_list.procedure_status_code = '1'

),

without_level as (

    select
        'procedure_without_level' as issue_code,
        procedure_code,
        procedure_name,
        in_force_from_on,
        in_force_to_on
    from procedures
    where procedure_level_code is null

),

unioned as (

    select * from without_detail
    union all
    select * from without_level

),

keyed as (

    select
        issue_code || ':' || {{ version_id("procedure_code", "in_force_from_on") }} as procedure_issue_id,
        *
    from unioned

)

select * from keyed
