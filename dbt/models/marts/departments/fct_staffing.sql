with loads as (

    select * from {{ ref("int_workbook_load") }}
    where source = 'bien_che' and dataset in ('cong_chuc', 'vien_chuc') and is_current

),

civil_servants as (

    select * from {{ ref("stg_bien_che__cong_chuc") }}

),

public_employees as (

    select * from {{ ref("stg_bien_che__vien_chuc") }}

),

agencies as (

    select * from {{ ref("int_agency_timeline") }}

),

unioned as (

    select
        load_id,
        source_row_number,
        agency_code,
        'civil_servant' as staff_category,
        null as field_name,
        assigned_count,
        present_count,
        cut_this_year_count
    from civil_servants

    union all

    select
        load_id,
        source_row_number,
        agency_code,
        'contract' as staff_category,
        null as field_name,
        contract_assigned_count as assigned_count,
        contract_present_count as present_count,
        0 as cut_this_year_count
    from civil_servants

    union all

    select
        load_id,
        source_row_number,
        agency_code,
        'public_employee' as staff_category,
        field_name,
        assigned_count,
        present_count,
        cut_this_year_count
    from public_employees

),

joined as (

    select
        loads.period_id
        || ':' || unioned.staff_category
        || ':' || loads.load_id
        || ':' || unioned.source_row_number as staffing_id,
        loads.period_id,
        coalesce(agencies.agency_id, 'unknown') as agency_id,
        unioned.agency_code,
        unioned.staff_category,
        unioned.field_name,
        unioned.assigned_count,
        unioned.present_count,
        unioned.cut_this_year_count,
        loads.as_of_on,
        loads.load_id,
        unioned.source_row_number
    from loads
    inner join unioned on loads.load_id = unioned.load_id
    left join agencies
        on
            unioned.agency_code = agencies.agency_code
            and {{ holds_on("loads.as_of_on", "agencies.from_on", "agencies.to_on") }}

)

select * from joined
