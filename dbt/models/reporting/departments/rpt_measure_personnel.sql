with staffing_totals as (

    select
        period_id,
        sum(assigned_count) filter (where staff_category = 'civil_servant') as civil_servant_posts_assigned,
        sum(present_count) filter (where staff_category = 'civil_servant') as civil_servants_present,
        sum(cut_this_year_count) filter (
            where staff_category = 'civil_servant'
        ) as civil_servant_posts_cut_this_year,
        sum(assigned_count) filter (where staff_category = 'contract') as contracts_assigned,
        sum(present_count) filter (where staff_category = 'contract') as contract_staff_present,
        sum(assigned_count) filter (
            where staff_category = 'public_employee'
        ) as public_employee_posts_assigned,
        sum(present_count) filter (where staff_category = 'public_employee') as public_employees_present,
        sum(cut_this_year_count) filter (
            where staff_category = 'public_employee'
        ) as public_employee_posts_cut_this_year
    from {{ ref("fct_staffing") }}
    group by period_id

),

staffing_measures as (

    select
        staffing_totals.period_id,
        measure.measure_code,
        coalesce(measure.measure_value, 0)::numeric as measure_value,
        'fct_staffing' as model_name
    from staffing_totals
    cross join lateral (
        values
        ('civil_servant_posts_assigned', civil_servant_posts_assigned),
        ('civil_servants_present', civil_servants_present),
        ('civil_servant_posts_cut_this_year', civil_servant_posts_cut_this_year),
        ('contracts_assigned', contracts_assigned),
        ('contract_staff_present', contract_staff_present),
        ('public_employee_posts_assigned', public_employee_posts_assigned),
        ('public_employees_present', public_employees_present),
        ('public_employee_posts_cut_this_year', public_employee_posts_cut_this_year)
    ) as measure (measure_code, measure_value)

),

staffing_baseline as (

    select
        period_id,
        item_code as measure_code,
        item_value::numeric as measure_value,
        'fct_staffing_baseline' as model_name
    from {{ ref("fct_staffing_baseline") }}

),

recruitment_totals as (

    select
        period_id,
        sum(person_count) filter (
            where is_in_period and recruitment_category = 'civil_servant'
        ) as civil_servants_recruited,
        sum(person_count) filter (
            where is_in_period and recruitment_category = 'civil_servant_special'
        ) as civil_servants_recruited_specially,
        sum(person_count) filter (
            where is_in_period and recruitment_category = 'moved_up'
        ) as commune_officials_moved_up,
        sum(person_count) filter (
            where is_in_period and recruitment_category = 'public_employee'
        ) as public_employees_recruited,
        sum(person_count) filter (
            where is_in_period and recruitment_category = 'public_employee_special'
        ) as public_employees_recruited_specially,
        sum(person_count) filter (
            where is_in_period and target_name = 'Công chức cấp xã'
        ) as commune_civil_servants_recruited
    from {{ ref("fct_recruitment") }}
    group by period_id

),

recruitment_measures as (

    select
        recruitment_totals.period_id,
        measure.measure_code,
        coalesce(measure.measure_value, 0)::numeric as measure_value,
        'fct_recruitment' as model_name
    from recruitment_totals
    cross join lateral (
        values
        ('civil_servants_recruited', civil_servants_recruited),
        ('civil_servants_recruited_specially', civil_servants_recruited_specially),
        ('commune_officials_moved_up', commune_officials_moved_up),
        ('public_employees_recruited', public_employees_recruited),
        ('public_employees_recruited_specially', public_employees_recruited_specially),
        ('commune_civil_servants_recruited', commune_civil_servants_recruited)
    ) as measure (measure_code, measure_value)

),

appointment_totals as (

    select
        period_id,
        sum(person_count) filter (
            where is_in_year_to_date and is_by_competition
        ) as leaders_appointed_by_competition,
        sum(person_count) filter (where is_in_period and not is_reclassification) as appointments_handled,
        sum(person_count) filter (
            where is_in_period and not is_reclassification and authority_name = 'Ban Thường vụ Tỉnh ủy'
        ) as appointments_by_standing_committee,
        sum(person_count) filter (
            where is_in_period and not is_reclassification and authority_name = 'Ban cán sự đảng'
        ) as appointments_by_party_committee,
        sum(person_count) filter (
            where is_in_period and not is_reclassification and authority_name = 'Sở Nội vụ'
        ) as appointments_by_home_affairs,
        sum(person_count) filter (where is_in_period and is_reclassification) as teachers_reclassified
    from {{ ref("fct_appointment") }}
    group by period_id

),

appointment_measures as (

    select
        appointment_totals.period_id,
        measure.measure_code,
        coalesce(measure.measure_value, 0)::numeric as measure_value,
        'fct_appointment' as model_name
    from appointment_totals
    cross join lateral (
        values
        ('leaders_appointed_by_competition', leaders_appointed_by_competition),
        ('appointments_handled', appointments_handled),
        ('appointments_by_standing_committee', appointments_by_standing_committee),
        ('appointments_by_party_committee', appointments_by_party_committee),
        ('appointments_by_home_affairs', appointments_by_home_affairs),
        ('teachers_reclassified', teachers_reclassified)
    ) as measure (measure_code, measure_value)

),

discipline_totals as (

    select
        period_id,
        sum(person_count) filter (
            where is_in_period and target_name = 'Lãnh đạo cấp tỉnh'
        ) as provincial_leaders_disciplined,
        sum(person_count) filter (
            where is_in_period and target_name = 'Lãnh đạo sở, huyện'
        ) as department_leaders_disciplined,
        sum(person_count) filter (
            where is_in_period and target_name = 'Lãnh đạo phòng'
        ) as division_leaders_disciplined,
        sum(person_count) filter (
            where is_in_period and target_name = 'Viên chức'
        ) as service_unit_staff_disciplined
    from {{ ref("fct_discipline") }}
    group by period_id

),

discipline_measures as (

    select
        discipline_totals.period_id,
        measure.measure_code,
        coalesce(measure.measure_value, 0)::numeric as measure_value,
        'fct_discipline' as model_name
    from discipline_totals
    cross join lateral (
        values
        ('provincial_leaders_disciplined', provincial_leaders_disciplined),
        ('department_leaders_disciplined', department_leaders_disciplined),
        ('division_leaders_disciplined', division_leaders_disciplined),
        ('service_unit_staff_disciplined', service_unit_staff_disciplined)
    ) as measure (measure_code, measure_value)

),

training_totals as (

    select
        period_id,
        sum(person_count) filter (
            where is_in_period and is_on_satisfaction_survey
        ) as officials_trained_on_satisfaction_survey,
        sum(person_count) filter (
            where is_in_period and is_on_public_service_culture
        ) as officials_trained_on_public_service_culture,
        count(*) filter (
            where is_in_period and is_on_public_service_culture
        ) as public_service_culture_classes
    from {{ ref("fct_training") }}
    group by period_id

),

training_measures as (

    select
        training_totals.period_id,
        measure.measure_code,
        coalesce(measure.measure_value, 0)::numeric as measure_value,
        'fct_training' as model_name
    from training_totals
    cross join lateral (
        values
        ('officials_trained_on_satisfaction_survey', officials_trained_on_satisfaction_survey),
        ('officials_trained_on_public_service_culture', officials_trained_on_public_service_culture),
        ('public_service_culture_classes', public_service_culture_classes)
    ) as measure (measure_code, measure_value)

),

unioned as (

    select * from staffing_measures
    union all
    select * from staffing_baseline
    union all
    select * from recruitment_measures
    union all
    select * from appointment_measures
    union all
    select * from discipline_measures
    union all
    select * from training_measures

)

select
    period_id || ':' || measure_code as measure_id,
    period_id,
    measure_code,
    measure_value,
    model_name
from unioned
