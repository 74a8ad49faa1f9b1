with statuses as (

    select * from {{ ref("int_workbook_status") }}

),

service_units as (

    select * from {{ ref("fct_public_service_unit") }}

),

staffing as (

    select * from {{ ref("fct_staffing") }}

),

organisations as (

    select * from {{ ref("fct_organisation") }}

),

exchanges as (

    select * from {{ ref("fct_document_exchange") }}

),

agencies as (

    select * from {{ ref("dim_agency") }}

),

-- a list that did not come cannot lack anybody
arrived as (

    select
        period_id,
        max(as_of_on) filter (where source = 'to_chuc_bo_may' and dataset = 'co_quan') as organisations_on,
        max(as_of_on) filter (where source = 'to_chuc_bo_may' and dataset = 'dvsncl') as register_on,
        max(as_of_on) filter (where source = 'tu_chu_tai_chinh' and dataset = 'tu_chu') as autonomy_on,
        max(as_of_on) filter (where source = 'chinh_quyen_so' and dataset = 'van_ban_dien_tu') as exchange_on
    from statuses
    where status <> 'missing'
    group by period_id

),

only_in_register as (

    select
        service_units.period_id,
        'unit_without_autonomy' as code,
        service_units.unit_name || ' (' || service_units.unit_code || ')' as subject
    from service_units
    inner join arrived on service_units.period_id = arrived.period_id
    where arrived.autonomy_on is not null and not service_units.is_in_autonomy_list

),

-- a company is no public service unit any more
only_in_autonomy_list as (

    select
        service_units.period_id,
        'autonomy_without_unit' as code,
        service_units.unit_name || ' (' || service_units.unit_code || ')' as subject
    from service_units
    inner join arrived on service_units.period_id = arrived.period_id
    where
        arrived.register_on is not null
        and not service_units.is_in_register
        and service_units.autonomy_band is distinct from 'converted'

),

staffing_without_organisation as (

    select distinct
        staffing.period_id,
        'staffing_without_organisation' as code,
        coalesce(agencies.agency_name, 'mã') || ' (' || staffing.agency_code || ')' as subject
    from staffing
    inner join arrived on staffing.period_id = arrived.period_id
    left join agencies on staffing.agency_id = agencies.agency_id and not agencies.is_unknown
    left join organisations
        on staffing.period_id = organisations.period_id and staffing.agency_code = organisations.agency_code
    where
        arrived.organisations_on is not null
        and staffing.staff_category = 'civil_servant'
        and organisations.organisation_id is null

),

communes_without_exchange as (

    select
        arrived.period_id,
        'commune_without_document_count' as code,
        agencies.agency_name || ' (' || agencies.agency_code || ')' as subject
    from arrived
    inner join agencies
        on
            agencies.agency_level_code = 3
            and {{ holds_on("arrived.exchange_on", "agencies.in_force_from_on", "agencies.in_force_to_on") }}
    left join exchanges
        on arrived.period_id = exchanges.period_id and agencies.agency_code = exchanges.agency_code
    where exchanges.document_exchange_id is null

),

cross_checks as (

    select * from only_in_register
    union all
    select * from only_in_autonomy_list
    union all
    select * from staffing_without_organisation
    union all
    select * from communes_without_exchange

),

named as (

    select
        period_id,
        code,
        count(*) as row_count,
        array_to_string((array_agg(subject order by subject collate "C"))[:20], '; ')
        || case when count(*) > 20 then '; …' else '.' end as subjects
    from cross_checks
    group by period_id, code

),

cross_check_warnings as (

    select
        period_id,
        code,
        '' as subject,
        case code
            when 'unit_without_autonomy'
                then
                    'Có {n} đơn vị sự nghiệp có trong trang "DVSNCL" của tệp to-chuc-bo-may (Sở Nội vụ)'
                    || ' nhưng không có trong trang "Tu chu" của tệp tu-chu-tai-chinh (Sở Tài chính): '
            when 'autonomy_without_unit'
                then
                    'Có {n} đơn vị sự nghiệp có trong trang "Tu chu" của tệp tu-chu-tai-chinh (Sở Tài chính)'
                    || ' nhưng không có trong trang "DVSNCL" của tệp to-chuc-bo-may (Sở Nội vụ): '
            when 'staffing_without_organisation'
                then
                    'Có {n} cơ quan có biên chế trong trang "Cong chuc" của tệp bien-che (Sở Nội vụ)'
                    || ' nhưng không có trong trang "Co quan" của tệp to-chuc-bo-may (Sở Nội vụ): '
            else
                'Có {n} xã, phường, thị trấn trong danh mục cơ quan của Cổng dịch vụ công nhưng không có số liệu'
                || ' trong trang "Van ban dien tu" của tệp chinh-quyen-so (Sở Thông tin và Truyền thông): '
        end
        || subjects as message,
        row_count
    from named

),

refused as (

    select
        period_id,
        'refused_workbook' as code,
        refused_file_name || ':' || sheet_name as subject,
        'Tệp "' || refused_file_name || '", trang "' || sheet_name || '" (' || department_name || ') không nhận được: '
        || coalesce(rtrim(refused_message, '. '), 'không rõ lý do')
        || case
            when status = 'stale' then '. Báo cáo dùng bản "' || file_name || '".'
            else '. Chưa có bản nào khác trong kỳ.'
        end as message,
        1 as row_count
    from statuses
    where refused_file_name is not null

),

missing as (

    select
        period_id,
        'missing_workbook' as code,
        source as subject,
        'Chưa nhận được {n} trang của tệp ' || min(workbook_name) || ' (' || min(department_name) || ') trong kỳ: '
        || string_agg('"' || sheet_name || '"', ', ' order by sheet_name collate "C") || '.' as message,
        count(*) as row_count
    from statuses
    where status = 'missing' and refused_file_name is null
    group by period_id, source

),

unioned as (

    select * from cross_check_warnings
    union all
    select * from refused
    union all
    select * from missing

)

select
    period_id || ':' || code || ':' || subject as department_warning_id,
    period_id,
    code,
    subject,
    message,
    row_count::bigint as row_count
from unioned
