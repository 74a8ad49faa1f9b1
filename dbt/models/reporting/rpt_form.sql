with indicators as (

    select * from {{ ref("rpt_indicator") }}

),

forms as (

    select * from {{ ref("report_form") }}

)

select
    indicators.indicator_id as form_row_id,
    indicators.period_id,
    indicators.form_no,
    forms.title_vi as form_title,
    indicators.sort_order,
    indicators.code,
    indicators.label,
    indicators.unit,
    indicators.kind,
    indicators.display,
    case indicators.status
        when 'missing' then 'Chưa có số liệu nguồn'
        when 'stale' then 'Số liệu chưa cập nhật đầy đủ đến thời điểm báo cáo'
    end as note,
    indicators.status,
    indicators.value
from indicators
inner join forms on indicators.form_no = forms.form_no
