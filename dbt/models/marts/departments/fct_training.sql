with loads as (

    select * from {{ ref("int_workbook_load") }}
    where source = 'chi_dao_dieu_hanh' and dataset = 'tap_huan' and is_current

),

entries as (

    select * from {{ ref("stg_chi_dao_dieu_hanh__tap_huan") }}

),

joined as (

    select
        loads.period_id || ':' || entries.training_row_id as training_id,
        loads.period_id,
        entries.subject,
        entries.person_count,
        {{ folded_text('entries.subject') }} ~ 'hai long' as is_on_satisfaction_survey,
        {{ folded_text('entries.subject') }} ~ 'van hoa' as is_on_public_service_culture,
        entries.held_on between loads.from_on and loads.cut_off_on as is_in_period,
        entries.held_on,
        loads.as_of_on,
        loads.load_id,
        entries.source_row_number
    from loads
    inner join entries on loads.load_id = entries.load_id

)

select * from joined
