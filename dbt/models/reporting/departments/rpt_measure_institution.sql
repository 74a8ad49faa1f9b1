with organisation_totals as (

    select
        period_id,
        count(*) filter (
            where block_name = 'Sở, ban, ngành' and is_in_rearrangement_scope
        ) as departments_in_rearrangement_scope,
        count(*) filter (where block_name = 'Sở, ban, ngành' and is_rearranged) as departments_rearranged,
        count(*) filter (
            where block_name = 'UBND cấp huyện' and is_in_rearrangement_scope
        ) as districts_in_rearrangement_scope,
        count(*) filter (where block_name = 'UBND cấp huyện' and is_rearranged) as districts_rearranged,
        sum(divisions_cut_count) as divisions_cut,
        count(*) filter (where has_job_positions) as agencies_with_job_positions,
        count(*) filter (
            where block_name = 'Sở, ban, ngành' and has_job_positions
        ) as departments_with_job_positions,
        count(*) filter (
            where block_name = 'UBND cấp huyện' and has_job_positions
        ) as districts_with_job_positions,
        count(*) filter (where has_job_position_violation) as agencies_in_job_position_violation
    from {{ ref("fct_organisation") }}
    group by period_id

),

organisation_measures as (

    select
        organisation_totals.period_id,
        measure.measure_code,
        coalesce(measure.measure_value, 0)::numeric as measure_value,
        'fct_organisation' as model_name
    from organisation_totals
    cross join lateral (
        values
        ('departments_in_rearrangement_scope', departments_in_rearrangement_scope),
        ('departments_rearranged', departments_rearranged),
        ('districts_in_rearrangement_scope', districts_in_rearrangement_scope),
        ('districts_rearranged', districts_rearranged),
        ('divisions_cut', divisions_cut),
        ('agencies_with_job_positions', agencies_with_job_positions),
        ('departments_with_job_positions', departments_with_job_positions),
        ('districts_with_job_positions', districts_with_job_positions),
        ('agencies_in_job_position_violation', agencies_in_job_position_violation)
    ) as measure (measure_code, measure_value)

),

provincial_body_totals as (

    select
        period_id,
        count(*) filter (where body_category = 'management_board') as management_boards,
        count(*) filter (where body_category = 'inter_agency_body') as inter_agency_bodies
    from {{ ref("fct_provincial_body") }}
    group by period_id

),

provincial_body_measures as (

    select
        provincial_body_totals.period_id,
        measure.measure_code,
        coalesce(measure.measure_value, 0)::numeric as measure_value,
        'fct_provincial_body' as model_name
    from provincial_body_totals
    cross join lateral (
        values
        ('management_boards', management_boards),
        ('inter_agency_bodies', inter_agency_bodies)
    ) as measure (measure_code, measure_value)

),

public_service_unit_totals as (

    select
        period_id,
        count(*) filter (where managing_level_name = 'UBND tỉnh') as service_units_province,
        count(*) filter (where managing_level_name = 'Sở, ngành') as service_units_department,
        count(*) filter (where managing_level_name = 'UBND cấp huyện') as service_units_district,
        count(*) filter (where has_job_positions) as service_units_with_job_positions,
        count(*) filter (where has_job_position_violation) as service_units_in_job_position_violation,
        count(*) filter (where autonomy_band = 'group_1') as autonomous_units_group_1,
        count(*) filter (where autonomy_band = 'group_2') as autonomous_units_group_2,
        count(*) filter (where autonomy_band = 'group_3_from_70') as autonomous_units_group_3_from_70,
        count(*) filter (where autonomy_band = 'group_3_from_30') as autonomous_units_group_3_from_30,
        count(*) filter (where autonomy_band = 'group_3_from_10') as autonomous_units_group_3_from_10,
        count(*) filter (where autonomy_band = 'group_4') as autonomous_units_group_4,
        count(*) filter (where autonomy_band = 'converted') as units_converted_to_companies
    from {{ ref("fct_public_service_unit") }}
    group by period_id

),

public_service_unit_measures as (

    select
        public_service_unit_totals.period_id,
        measure.measure_code,
        coalesce(measure.measure_value, 0)::numeric as measure_value,
        'fct_public_service_unit' as model_name
    from public_service_unit_totals
    cross join lateral (
        values
        ('service_units_province', service_units_province),
        ('service_units_department', service_units_department),
        ('service_units_district', service_units_district),
        ('service_units_with_job_positions', service_units_with_job_positions),
        ('service_units_in_job_position_violation', service_units_in_job_position_violation),
        ('autonomous_units_group_1', autonomous_units_group_1),
        ('autonomous_units_group_2', autonomous_units_group_2),
        ('autonomous_units_group_3_from_70', autonomous_units_group_3_from_70),
        ('autonomous_units_group_3_from_30', autonomous_units_group_3_from_30),
        ('autonomous_units_group_3_from_10', autonomous_units_group_3_from_10),
        ('autonomous_units_group_4', autonomous_units_group_4),
        ('units_converted_to_companies', units_converted_to_companies)
    ) as measure (measure_code, measure_value)

),

legal_document_totals as (

    select
        period_id,
        count(*) filter (
            where is_in_period and activity = 'issued' and level_name = 'Tỉnh'
        ) as legal_documents_issued_province,
        count(*) filter (
            where is_in_period and activity = 'issued' and level_name = 'Huyện'
        ) as legal_documents_issued_district,
        count(*) filter (
            where is_in_period and activity = 'issued' and level_name = 'Xã'
        ) as legal_documents_issued_commune,
        count(*) filter (
            where is_in_period and activity = 'issued' and level_name = 'Tỉnh' and document_kind = 'Nghị quyết'
        ) as resolutions_issued,
        count(*) filter (
            where is_in_period and activity = 'issued' and level_name = 'Tỉnh' and document_kind = 'Quyết định'
        ) as decisions_issued,
        count(*) filter (
            where is_in_period and activity = 'appraised' and document_kind = 'Nghị quyết'
        ) as draft_resolutions_appraised,
        count(*) filter (
            where is_in_period and activity = 'appraised' and document_kind = 'Quyết định'
        ) as draft_decisions_appraised,
        count(*) filter (
            where is_in_period and activity = 'commented' and document_kind = 'Nghị quyết'
        ) as draft_resolutions_commented,
        count(*) filter (
            where is_in_period and activity = 'commented' and document_kind = 'Quyết định'
        ) as draft_decisions_commented,
        count(*) filter (where is_in_period and activity = 'self_checked') as legal_documents_self_checked,
        count(*) filter (where is_in_period and activity = 'checked') as legal_documents_checked,
        count(*) filter (
            where is_in_period and activity = 'checked' and needs_handling
        ) as checked_documents_to_handle,
        count(*) filter (
            where is_in_period and activity = 'checked' and is_handled
        ) as checked_documents_handled,
        count(*) filter (where is_in_period and activity = 'reviewed') as legal_documents_reviewed,
        count(*) filter (
            where is_in_period and activity = 'reviewed' and needs_handling
        ) as reviewed_documents_to_handle,
        count(*) filter (
            where is_in_period and activity = 'reviewed' and is_handled
        ) as reviewed_documents_handled
    from {{ ref("fct_legal_document") }}
    group by period_id

),

legal_document_measures as (

    select
        legal_document_totals.period_id,
        measure.measure_code,
        coalesce(measure.measure_value, 0)::numeric as measure_value,
        'fct_legal_document' as model_name
    from legal_document_totals
    cross join lateral (
        values
        ('legal_documents_issued_province', legal_documents_issued_province),
        ('legal_documents_issued_district', legal_documents_issued_district),
        ('legal_documents_issued_commune', legal_documents_issued_commune),
        ('resolutions_issued', resolutions_issued),
        ('decisions_issued', decisions_issued),
        ('draft_resolutions_appraised', draft_resolutions_appraised),
        ('draft_decisions_appraised', draft_decisions_appraised),
        ('draft_resolutions_commented', draft_resolutions_commented),
        ('draft_decisions_commented', draft_decisions_commented),
        ('legal_documents_self_checked', legal_documents_self_checked),
        ('legal_documents_checked', legal_documents_checked),
        ('checked_documents_to_handle', checked_documents_to_handle),
        ('checked_documents_handled', checked_documents_handled),
        ('legal_documents_reviewed', legal_documents_reviewed),
        ('reviewed_documents_to_handle', reviewed_documents_to_handle),
        ('reviewed_documents_handled', reviewed_documents_handled)
    ) as measure (measure_code, measure_value)

),

procedure_review_totals as (

    select
        period_id,
        count(distinct procedure_code) filter (
            where is_plan_approved_in_period
        ) as procedures_simplification_approved,
        count(distinct procedure_code) filter (where is_in_year_plan) as procedures_under_review,
        count(distinct agency_code) filter (where is_in_year_plan) as review_lead_agencies,
        count(distinct agency_code) filter (
            where is_in_year_plan and is_result_sent
        ) as review_agencies_with_result
    from {{ ref("fct_procedure_review") }}
    group by period_id

),

procedure_review_measures as (

    select
        procedure_review_totals.period_id,
        measure.measure_code,
        coalesce(measure.measure_value, 0)::numeric as measure_value,
        'fct_procedure_review' as model_name
    from procedure_review_totals
    cross join lateral (
        values
        ('procedures_simplification_approved', procedures_simplification_approved),
        ('procedures_under_review', procedures_under_review),
        ('review_lead_agencies', review_lead_agencies),
        ('review_agencies_with_result', review_agencies_with_result)
    ) as measure (measure_code, measure_value)

),

internal_process_totals as (

    select
        period_id,
        count(*) filter (where is_in_period) as internal_process_decisions,
        sum(new_count) filter (where is_in_period) as internal_processes_new,
        sum(amended_count) filter (where is_in_period) as internal_processes_amended,
        sum(abolished_count) filter (where is_in_period) as internal_processes_abolished
    from {{ ref("fct_internal_process") }}
    group by period_id

),

internal_process_measures as (

    select
        internal_process_totals.period_id,
        measure.measure_code,
        coalesce(measure.measure_value, 0)::numeric as measure_value,
        'fct_internal_process' as model_name
    from internal_process_totals
    cross join lateral (
        values
        ('internal_process_decisions', internal_process_decisions),
        ('internal_processes_new', internal_processes_new),
        ('internal_processes_amended', internal_processes_amended),
        ('internal_processes_abolished', internal_processes_abolished)
    ) as measure (measure_code, measure_value)

),

unioned as (

    select * from organisation_measures
    union all
    select * from provincial_body_measures
    union all
    select * from public_service_unit_measures
    union all
    select * from legal_document_measures
    union all
    select * from procedure_review_measures
    union all
    select * from internal_process_measures

)

select
    period_id || ':' || measure_code as measure_id,
    period_id,
    measure_code,
    measure_value,
    model_name
from unioned
