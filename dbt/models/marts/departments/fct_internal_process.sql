with loads as (

    select * from {{ ref("int_workbook_load") }}
    where source = 'kiem_soat_tthc' and dataset = 'quy_trinh_noi_bo' and is_current

),

entries as (

    select * from {{ ref("stg_kiem_soat_tthc__quy_trinh_noi_bo") }}

),

joined as (

    select
        loads.period_id || ':' || entries.internal_process_row_id as internal_process_id,
        loads.period_id,
        entries.decision_number,
        entries.new_count,
        entries.amended_count,
        entries.abolished_count,
        entries.decided_on between loads.from_on and loads.cut_off_on as is_in_period,
        entries.decided_on,
        loads.as_of_on,
        loads.load_id,
        entries.source_row_number
    from loads
    inner join entries on loads.load_id = entries.load_id

)

select * from joined
