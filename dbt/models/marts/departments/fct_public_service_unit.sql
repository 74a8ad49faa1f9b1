with loads as (

    select * from {{ ref("int_workbook_load") }}
    where is_current

),

register_rows as (

    select * from {{ ref("stg_to_chuc_bo_may__dvsncl") }}

),

autonomy_rows as (

    select * from {{ ref("stg_tu_chu_tai_chinh__tu_chu") }}

),

agencies as (

    select * from {{ ref("int_agency_timeline") }}

),

registered as (

    select
        loads.period_id,
        loads.as_of_on,
        register_rows.*
    from loads
    inner join register_rows on loads.load_id = register_rows.load_id

),

-- a unit converted by the as-of date is in no group
autonomous as (

    select
        loads.period_id,
        loads.as_of_on,
        autonomy_rows.*,
        case
            when autonomy_rows.converted_on <= loads.as_of_on then 'converted'
            when autonomy_rows.autonomy_group_name = 'Nhóm 1' then 'group_1'
            when autonomy_rows.autonomy_group_name = 'Nhóm 2' then 'group_2'
            when autonomy_rows.autonomy_group_name = 'Nhóm 4' then 'group_4'
            when autonomy_rows.recurrent_share_percent >= 70 then 'group_3_from_70'
            when autonomy_rows.recurrent_share_percent >= 30 then 'group_3_from_30'
            when autonomy_rows.recurrent_share_percent >= 10 then 'group_3_from_10'
        end as autonomy_band
    from loads
    inner join autonomy_rows on loads.load_id = autonomy_rows.load_id

),

joined as (

    select
        coalesce(registered.period_id, autonomous.period_id)
        || ':' || coalesce(registered.service_unit_row_id::text, '-')
        || ':' || coalesce(autonomous.autonomy_row_id::text, '-') as public_service_unit_id,
        coalesce(registered.period_id, autonomous.period_id) as period_id,
        case when registered.unit_code is not null then coalesce(agencies.agency_id, 'unknown') end as agency_id,
        coalesce(registered.unit_code, autonomous.unit_code) as unit_code,
        coalesce(registered.unit_name, autonomous.unit_name) as unit_name,
        registered.agency_code,
        registered.managing_level_name,
        registered.field_name,
        autonomous.autonomy_group_name,
        autonomous.autonomy_band,
        autonomous.recurrent_share_percent,
        registered.unit_code is not null as is_in_register,
        autonomous.unit_code is not null as is_in_autonomy_list,
        coalesce(registered.has_job_positions, false) as has_job_positions,
        coalesce(registered.has_job_position_violation, false) as has_job_position_violation,
        autonomous.converted_on,
        registered.as_of_on as register_as_of_on,
        autonomous.as_of_on as autonomy_as_of_on,
        registered.load_id as register_load_id,
        autonomous.load_id as autonomy_load_id
    from registered
    full join autonomous
        on registered.period_id = autonomous.period_id and registered.unit_code = autonomous.unit_code
    left join agencies
        on
            registered.agency_code = agencies.agency_code
            and {{ holds_on("registered.as_of_on", "agencies.from_on", "agencies.to_on") }}

)

select * from joined
