with directive_totals as (

    select
        period_id,
        count(*) filter (where is_counted_kind and is_in_period) as directives_issued
    from {{ ref("fct_directive") }}
    group by period_id

),

directive_measures as (

    select
        directive_totals.period_id,
        measure.measure_code,
        coalesce(measure.measure_value, 0)::numeric as measure_value,
        'fct_directive' as model_name
    from directive_totals
    cross join lateral (
        values
        ('directives_issued', directives_issued)
    ) as measure (measure_code, measure_value)

),

task_totals as (

    select
        period_id,
        count(*) filter (where task_source = 'reform_plan') as reform_plan_tasks,
        count(*) filter (
            where task_source = 'reform_plan' and outcome in ('done_on_time', 'done_late')
        ) as reform_plan_tasks_done,
        count(*) filter (where task_source = 'government' and is_work_of_period) as government_tasks_assigned,
        count(*) filter (
            where task_source = 'government' and is_work_of_period and outcome = 'done_on_time'
        ) as government_tasks_done_on_time,
        count(*) filter (
            where task_source = 'government' and is_work_of_period and outcome = 'done_late'
        ) as government_tasks_done_late,
        count(*) filter (
            where task_source = 'government' and is_work_of_period and outcome = 'open_in_time'
        ) as government_tasks_in_time,
        count(*) filter (
            where task_source = 'government' and is_work_of_period and outcome = 'open_overdue'
        ) as government_tasks_overdue
    from {{ ref("fct_task") }}
    group by period_id

),

task_measures as (

    select
        task_totals.period_id,
        measure.measure_code,
        coalesce(measure.measure_value, 0)::numeric as measure_value,
        'fct_task' as model_name
    from task_totals
    cross join lateral (
        values
        ('reform_plan_tasks', reform_plan_tasks),
        ('reform_plan_tasks_done', reform_plan_tasks_done),
        ('government_tasks_assigned', government_tasks_assigned),
        ('government_tasks_done_on_time', government_tasks_done_on_time),
        ('government_tasks_done_late', government_tasks_done_late),
        ('government_tasks_in_time', government_tasks_in_time),
        ('government_tasks_overdue', government_tasks_overdue)
    ) as measure (measure_code, measure_value)

),

inspection_totals as (

    select
        period_id,
        count(distinct agency_code) filter (
            where is_inspected_in_period and agency_level_code = 1
        ) as departments_inspected,
        count(distinct agency_code) filter (
            where is_inspected_in_period and agency_level_code = 2
        ) as districts_inspected,
        sum(finding_count) filter (where is_notified) as inspection_findings,
        sum(remedied_count) filter (where is_notified) as inspection_findings_remedied
    from {{ ref("fct_inspection") }}
    group by period_id

),

inspection_measures as (

    select
        inspection_totals.period_id,
        measure.measure_code,
        coalesce(measure.measure_value, 0)::numeric as measure_value,
        'fct_inspection' as model_name
    from inspection_totals
    cross join lateral (
        values
        ('departments_inspected', departments_inspected),
        ('districts_inspected', districts_inspected),
        ('inspection_findings', inspection_findings),
        ('inspection_findings_remedied', inspection_findings_remedied)
    ) as measure (measure_code, measure_value)

),

examination_totals as (

    select
        period_id,
        count(distinct agency_code) filter (where is_planned) as units_in_examination_plan,
        count(distinct agency_code) filter (where is_planned and is_examined) as units_examined,
        count(distinct agency_code) filter (
            where is_planned and is_carried_out
        ) as examination_conclusions_carried_out
    from {{ ref("fct_examination") }}
    group by period_id

),

examination_measures as (

    select
        examination_totals.period_id,
        measure.measure_code,
        coalesce(measure.measure_value, 0)::numeric as measure_value,
        'fct_examination' as model_name
    from examination_totals
    cross join lateral (
        values
        ('units_in_examination_plan', units_in_examination_plan),
        ('units_examined', units_examined),
        ('examination_conclusions_carried_out', examination_conclusions_carried_out)
    ) as measure (measure_code, measure_value)

),

survey_totals as (

    select
        period_id,
        max(is_in_period::integer) as survey_held,
        sum(ballot_count) filter (where is_in_period) as survey_ballots,
        -- 0 online, 1 on paper, 2 both; without a survey the row of the form is blank
        case
            when bool_or(is_in_period and is_online) and bool_or(is_in_period and is_on_paper) then 2
            when bool_or(is_in_period and is_on_paper) then 1
            else 0
        end as survey_mode
    from {{ ref("fct_survey") }}
    group by period_id

),

survey_measures as (

    select
        survey_totals.period_id,
        measure.measure_code,
        coalesce(measure.measure_value, 0)::numeric as measure_value,
        'fct_survey' as model_name
    from survey_totals
    cross join lateral (
        values
        ('survey_held', survey_held),
        ('survey_ballots', survey_ballots),
        ('survey_mode', survey_mode)
    ) as measure (measure_code, measure_value)

),

dialogue_totals as (

    select
        period_id,
        max(is_in_period::integer) as dialogue_held
    from {{ ref("fct_dialogue") }}
    group by period_id

),

dialogue_measures as (

    select
        dialogue_totals.period_id,
        measure.measure_code,
        coalesce(measure.measure_value, 0)::numeric as measure_value,
        'fct_dialogue' as model_name
    from dialogue_totals
    cross join lateral (
        values
        ('dialogue_held', dialogue_held)
    ) as measure (measure_code, measure_value)

),

unioned as (

    select * from directive_measures
    union all
    select * from task_measures
    union all
    select * from inspection_measures
    union all
    select * from examination_measures
    union all
    select * from survey_measures
    union all
    select * from dialogue_measures

)

select
    period_id || ':' || measure_code as measure_id,
    period_id,
    measure_code,
    measure_value,
    model_name
from unioned
