with loads as (

    select * from {{ ref("int_workbook_load") }}
    where source = 'chi_dao_dieu_hanh' and dataset = 'thanh_tra' and is_current

),

entries as (

    select * from {{ ref("stg_chi_dao_dieu_hanh__thanh_tra") }}

),

agencies as (

    select * from {{ ref("int_agency_timeline") }}

),

joined as (

    select
        loads.period_id || ':' || entries.examination_row_id as examination_id,
        loads.period_id,
        coalesce(agencies.agency_id, 'unknown') as agency_id,
        entries.agency_code,
        entries.is_planned,
        coalesce(entries.examined_on <= loads.cut_off_on, false) as is_examined,
        coalesce(entries.carried_out_on <= loads.cut_off_on, false) as is_carried_out,
        entries.examined_on,
        entries.concluded_on,
        entries.carried_out_on,
        loads.as_of_on,
        loads.load_id,
        entries.source_row_number
    from loads
    inner join entries on loads.load_id = entries.load_id
    left join agencies
        on
            entries.agency_code = agencies.agency_code
            and {{ holds_on("loads.as_of_on", "agencies.from_on", "agencies.to_on") }}

)

select * from joined
