with dossiers as (

    select * from {{ ref("int_dossier_period") }}

),

periods as (

    select * from {{ ref("int_reporting_period") }}
    where is_requested

),

source_statuses as (

    select
        *,
        '"' || dataset_name || '"' as quoted_name,
        '(nguồn: ' || source_name || ', ' || owner_name || ')' as origin
    from {{ ref("rpt_source_status") }}

),

procedure_issues as (

    select * from {{ ref("int_procedure_issue") }}

),

department_warnings as (

    select * from {{ ref("rpt_department_warning") }}

),

investment as (

    select * from {{ ref("fct_investment_progress") }}

),

unknown_agencies as (

    select
        period_id,
        'unknown_agency' as code,
        agency_code as subject,
        'Cơ quan tiếp nhận có mã ' || agency_code
        || ' không có trong danh mục cơ quan của Cổng dịch vụ công; {n} hồ sơ được xếp vào mục "Không xác định",'
        || ' không thuộc cấp nào.' as message,
        count(*) as row_count
    from dossiers
    where agency_id = 'unknown'
    group by period_id, agency_code

),

-- when the portal was never read every procedure is unknown, so the codes share one sentence
procedure_codes as (

    select
        period_id,
        procedure_code,
        count(*) as dossier_count
    from dossiers
    where procedure_id = 'unknown'
    group by period_id, procedure_code

),

unknown_procedures as (

    select
        period_id,
        'unknown_procedure' as code,
        '' as subject,
        'Có {n} hồ sơ thuộc ' || {{ vietnamese_number("count(*)") }}
        || ' thủ tục hành chính không có trong dữ liệu của Cổng dịch vụ công; hồ sơ vẫn được tính,'
        || ' thủ tục ghi là "Không xác định". Mã thủ tục: '
        || array_to_string((array_agg(procedure_code order by dossier_count desc, procedure_code))[:20], ', ')
        || case when count(*) > 20 then ', …' else '.' end as message,
        sum(dossier_count) as row_count
    from procedure_codes
    group by period_id

),

due_before_reception as (

    select
        period_id,
        'due_before_received' as code,
        '' as subject,
        'Có {n} hồ sơ có ngày hẹn trả trước ngày tiếp nhận; đề nghị cơ quan tiếp nhận kiểm tra lại.' as message,
        count(*) as row_count
    from dossiers
    where due_on < received_on
    group by period_id

),

contradictory_levels as (

    select
        period_id,
        'online_without_online_service' as code,
        '' as subject,
        'Có {n} hồ sơ đã giải quyết ghi nộp trực tuyến trong khi mức độ dịch vụ chỉ là cung cấp thông tin.' as message,
        count(*) as row_count
    from dossiers
    where is_level_contradictory
    group by period_id

),

uncovered_days as (

    select
        source_statuses.period_id,
        'one_stop_gap' as code,
        to_char(lower(gap.days), 'YYYYMMDD') as subject,
        'Chưa nhận được dữ liệu hệ thống một cửa từ ngày ' || to_char(lower(gap.days), 'DD/MM/YYYY')
        || ' đến ngày ' || to_char(upper(gap.days) - 1, 'DD/MM/YYYY') || ' (thiếu {n} ngày).' as message,
        upper(gap.days) - lower(gap.days) as row_count
    from source_statuses
    cross join lateral unnest(source_statuses.uncovered_days) as gap (days)
    where source_statuses.status = 'stale'

),

failed_pulls as (

    select
        period_id,
        'stale_source' as code,
        source || '.' || dataset as subject,
        'Lần lấy dữ liệu ' || quoted_name || ' gần nhất ' || origin
        || ' không thành công; báo cáo dùng dữ liệu của lần thành công trước đó.' as message,
        1 as row_count
    from source_statuses
    where status = 'stale' and uncovered_days is null

),

rejected_rows as (

    select
        period_id,
        'rejected_rows' as code,
        source || '.' || dataset as subject,
        'Có {n} dòng của ' || quoted_name || ' ' || origin
        || ' bị loại vì không hợp lệ; xem danh sách dòng bị loại.' as message,
        rejected_row_count as row_count
    from source_statuses
    where rejected_row_count > 0

),

procedure_gaps as (

    select
        periods.period_id,
        procedure_issues.issue_code as code,
        '' as subject,
        case procedure_issues.issue_code
            when 'procedure_without_level'
                then 'Có {n} thủ tục hành chính đang có hiệu lực không ghi cấp thực hiện, không tính vào cấp nào: '
            else 'Có {n} thủ tục hành chính trong danh sách của Cổng dịch vụ công chưa lấy được chi tiết: '
        end
        || array_to_string((array_agg(procedure_issues.procedure_code order by procedure_issues.procedure_code))[:10], ', ')
        || '.' as message,
        count(*) as row_count
    from periods
    inner join procedure_issues
        on
            {{ holds_on(
                "periods.cut_off_on", "procedure_issues.in_force_from_on", "procedure_issues.in_force_to_on"
            ) }}
    group by periods.period_id, procedure_issues.issue_code

),

unknown_investment_projects as (

    select
        period_id,
        'unknown_investment_project' as code,
        '' as subject,
        'Có {n} dòng chứng từ giải ngân, tổng số tiền ' || {{ vietnamese_number("sum(disbursed_vnd)") }}
        || ' đồng, của dự án không có trong danh mục dự án; số tiền vẫn được tính vào tổng số,'
        || ' không thuộc cấp quản lý nào.' as message,
        sum(voucher_line_count) as row_count
    from investment
    where managing_level_code = 'unknown' and voucher_line_count > 0
    group by period_id

),

unioned as (

    select * from unknown_agencies
    union all
    select * from unknown_procedures
    union all
    select * from due_before_reception
    union all
    select * from contradictory_levels
    union all
    select * from uncovered_days
    union all
    select * from failed_pulls
    union all
    select * from rejected_rows
    union all
    select * from procedure_gaps
    union all
    select
        period_id,
        code,
        subject,
        message,
        row_count
    from department_warnings
    union all
    select * from unknown_investment_projects

)

select
    period_id || ':' || code || ':' || subject as data_warning_id,
    period_id,
    code,
    subject,
    replace(message, '{n}', {{ vietnamese_number("row_count") }}) as message,
    row_count::bigint as row_count
from unioned
