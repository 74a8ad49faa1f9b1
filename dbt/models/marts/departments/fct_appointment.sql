with loads as (

    select * from {{ ref("int_workbook_load") }}
    where source = 'cong_vu' and dataset = 'bo_nhiem'

),

entries as (

    select * from {{ ref("stg_cong_vu__bo_nhiem") }}

),

joined as (

    select
        loads.period_id || ':' || entries.appointment_row_id as appointment_id,
        loads.period_id,
        entries.decision_number,
        entries.authority_name,
        entries.subject,
        entries.person_count,
        entries.is_by_competition,
        {{ folded_text('entries.subject') }} ~ 'giao vien|chuc danh nghe nghiep' as is_reclassification,
        entries.decided_on between loads.from_on and loads.cut_off_on as is_in_period,
        entries.decided_on between loads.year_from_on and loads.cut_off_on as is_in_year_to_date,
        entries.decided_on,
        row_number() over (
            partition by loads.period_id, entries.decision_number
            order by loads.release_rank desc, entries.source_row_number
        ) as preference,
        loads.as_of_on,
        loads.load_id,
        entries.source_row_number
    from loads
    inner join entries on loads.load_id = entries.load_id
    -- a file of before the period speaks of before the period alone
    where loads.is_current or entries.decided_on < loads.from_on

),

newest as (

    select
        appointment_id,
        period_id,
        decision_number,
        authority_name,
        subject,
        person_count,
        is_by_competition,
        is_reclassification,
        is_in_period,
        is_in_year_to_date,
        decided_on,
        as_of_on,
        load_id,
        source_row_number
    from joined
    where preference = 1

)

select * from newest
