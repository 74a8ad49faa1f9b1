with connection_totals as (

    select
        period_id,
        -- 2 when every district and commune has video, 1 when every district has; nobody connected is no level
        case
            when bool_and(is_video_connected) filter (where unit_level_name = 'Huyện') is not true then 0
            when bool_and(is_video_connected) filter (where unit_level_name = 'Xã') then 2
            else 1
        end as video_conference_levels,
        count(*) filter (where unit_level_name = 'Sở, ngành') as departments_registered,
        count(*) filter (
            where unit_level_name = 'Sở, ngành' and is_documents_connected
        ) as departments_connected_documents,
        count(*) filter (
            where unit_level_name = 'Sở, ngành' and is_one_stop_connected
        ) as departments_connected_one_stop,
        count(*) filter (where unit_level_name = 'Huyện') as districts_registered,
        count(*) filter (
            where unit_level_name = 'Huyện' and is_documents_connected
        ) as districts_connected_documents,
        count(*) filter (
            where unit_level_name = 'Huyện' and is_one_stop_connected
        ) as districts_connected_one_stop,
        count(*) filter (where unit_level_name = 'Xã') as communes_registered,
        count(*) filter (
            where unit_level_name = 'Xã' and is_documents_connected
        ) as communes_connected_documents,
        count(*) filter (
            where unit_level_name = 'Xã' and is_one_stop_connected
        ) as communes_connected_one_stop
    from {{ ref("fct_connection") }}
    group by period_id

),

connection_measures as (

    select
        connection_totals.period_id,
        measure.measure_code,
        coalesce(measure.measure_value, 0)::numeric as measure_value,
        'fct_connection' as model_name
    from connection_totals
    cross join lateral (
        values
        ('video_conference_levels', video_conference_levels),
        ('departments_registered', departments_registered),
        ('departments_connected_documents', departments_connected_documents),
        ('departments_connected_one_stop', departments_connected_one_stop),
        ('districts_registered', districts_registered),
        ('districts_connected_documents', districts_connected_documents),
        ('districts_connected_one_stop', districts_connected_one_stop),
        ('communes_registered', communes_registered),
        ('communes_connected_documents', communes_connected_documents),
        ('communes_connected_one_stop', communes_connected_one_stop)
    ) as measure (measure_code, measure_value)

),

document_exchange_totals as (

    select
        period_id,
        sum(sent_fully_electronic_count) filter (
            where unit_level_name = 'Sở, ngành'
        ) as electronic_documents_department,
        sum(sent_fully_electronic_count) filter (
            where unit_level_name = 'Huyện'
        ) as electronic_documents_district,
        sum(sent_fully_electronic_count) filter (where unit_level_name = 'Xã') as electronic_documents_commune,
        sum(sent_count) filter (where unit_level_name = 'Sở, ngành') as documents_sent_department,
        sum(sent_count) filter (where unit_level_name = 'Huyện') as documents_sent_district,
        sum(sent_count) filter (where unit_level_name = 'Xã') as documents_sent_commune,
        sum(sent_signed_count) as documents_sent_signed,
        sum(received_count) as documents_received,
        sum(received_signed_count) as documents_received_signed
    from {{ ref("fct_document_exchange") }}
    group by period_id

),

document_exchange_measures as (

    select
        document_exchange_totals.period_id,
        measure.measure_code,
        coalesce(measure.measure_value, 0)::numeric as measure_value,
        'fct_document_exchange' as model_name
    from document_exchange_totals
    cross join lateral (
        values
        ('electronic_documents_department', electronic_documents_department),
        ('electronic_documents_district', electronic_documents_district),
        ('electronic_documents_commune', electronic_documents_commune),
        ('documents_sent_department', documents_sent_department),
        ('documents_sent_district', documents_sent_district),
        ('documents_sent_commune', documents_sent_commune),
        ('documents_sent_signed', documents_sent_signed),
        ('documents_received', documents_received),
        ('documents_received_signed', documents_received_signed)
    ) as measure (measure_code, measure_value)

),

platform as (

    select
        period_id,
        item_code as measure_code,
        item_value::numeric as measure_value,
        'fct_platform' as model_name
    from {{ ref("fct_platform") }}

),

private_investment_project_totals as (

    select
        period_id,
        count(*) filter (where is_new and origin_name = 'Trong nước') as new_investment_projects_domestic,
        count(*) filter (where is_new and origin_name = 'Nước ngoài') as new_investment_projects_foreign,
        sum(registered_capital) filter (
            where is_new and origin_name = 'Trong nước' and currency_name = 'tỷ đồng'
        ) as new_investment_capital_domestic,
        sum(registered_capital) filter (
            where is_new and origin_name = 'Nước ngoài' and currency_name = 'triệu USD'
        ) as new_investment_capital_foreign,
        count(*) filter (where is_increased and origin_name = 'Trong nước') as projects_increased_domestic,
        count(*) filter (where is_increased and origin_name = 'Nước ngoài') as projects_increased_foreign,
        sum(capital_increase) filter (
            where is_increased and origin_name = 'Trong nước' and currency_name = 'tỷ đồng'
        ) as capital_increase_domestic,
        sum(capital_increase) filter (
            where is_increased and origin_name = 'Nước ngoài' and currency_name = 'triệu USD'
        ) as capital_increase_foreign,
        count(*) filter (where is_in_force and origin_name = 'Trong nước') as projects_in_force_domestic,
        count(*) filter (where is_in_force and origin_name = 'Nước ngoài') as projects_in_force_foreign,
        sum(registered_capital) filter (
            where is_in_force and origin_name = 'Trong nước' and currency_name = 'tỷ đồng'
        ) as registered_capital_domestic,
        sum(registered_capital) filter (
            where is_in_force and origin_name = 'Nước ngoài' and currency_name = 'triệu USD'
        ) as registered_capital_foreign
    from {{ ref("fct_private_investment_project") }}
    group by period_id

),

private_investment_project_measures as (

    select
        private_investment_project_totals.period_id,
        measure.measure_code,
        coalesce(measure.measure_value, 0)::numeric as measure_value,
        'fct_private_investment_project' as model_name
    from private_investment_project_totals
    cross join lateral (
        values
        ('new_investment_projects_domestic', new_investment_projects_domestic),
        ('new_investment_projects_foreign', new_investment_projects_foreign),
        ('new_investment_capital_domestic', new_investment_capital_domestic),
        ('new_investment_capital_foreign', new_investment_capital_foreign),
        ('projects_increased_domestic', projects_increased_domestic),
        ('projects_increased_foreign', projects_increased_foreign),
        ('capital_increase_domestic', capital_increase_domestic),
        ('capital_increase_foreign', capital_increase_foreign),
        ('projects_in_force_domestic', projects_in_force_domestic),
        ('projects_in_force_foreign', projects_in_force_foreign),
        ('registered_capital_domestic', registered_capital_domestic),
        ('registered_capital_foreign', registered_capital_foreign)
    ) as measure (measure_code, measure_value)

),

audit_recommendation_totals as (

    select
        period_id,
        sum(recommended_vnd) as audit_recommendations_total_vnd,
        sum(done_vnd) as audit_recommendations_done_vnd
    from {{ ref("fct_audit_recommendation") }}
    group by period_id

),

audit_recommendation_measures as (

    select
        audit_recommendation_totals.period_id,
        measure.measure_code,
        coalesce(measure.measure_value, 0)::numeric as measure_value,
        'fct_audit_recommendation' as model_name
    from audit_recommendation_totals
    cross join lateral (
        values
        ('audit_recommendations_total_vnd', audit_recommendations_total_vnd),
        ('audit_recommendations_done_vnd', audit_recommendations_done_vnd)
    ) as measure (measure_code, measure_value)

),

unioned as (

    select * from connection_measures
    union all
    select * from document_exchange_measures
    union all
    select * from platform
    union all
    select * from private_investment_project_measures
    union all
    select * from audit_recommendation_measures

)

select
    period_id || ':' || measure_code as measure_id,
    period_id,
    measure_code,
    measure_value,
    model_name
from unioned
