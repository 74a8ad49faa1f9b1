with loads as (

    select * from {{ ref("int_workbook_load") }}
    where source = 'van_ban_qppl' and is_current

),

issued as (

    select * from {{ ref("stg_van_ban_qppl__ban_hanh") }}

),

appraised as (

    select * from {{ ref("stg_van_ban_qppl__tham_dinh") }}

),

checked as (

    select * from {{ ref("stg_van_ban_qppl__kiem_tra") }}

),

reviewed as (

    select * from {{ ref("stg_van_ban_qppl__ra_soat") }}

),

unioned as (

    select
        issued_document_row_id as activity_row_id,
        load_id,
        source_row_number,
        'issued' as activity,
        document_number as document_name,
        document_kind,
        level_name,
        issuer_name,
        false as needs_handling,
        issued_on as done_on,
        null::date as handled_on,
        uploaded_on
    from issued

    union all

    select
        appraised_draft_row_id as activity_row_id,
        load_id,
        source_row_number,
        case step_name when 'Thẩm định' then 'appraised' else 'commented' end as activity,
        draft_name as document_name,
        document_kind,
        null as level_name,
        null as issuer_name,
        false as needs_handling,
        done_on,
        null::date as handled_on,
        null::date as uploaded_on
    from appraised

    union all

    select
        checked_document_row_id as activity_row_id,
        load_id,
        source_row_number,
        case scope_name when 'Theo thẩm quyền' then 'checked' else 'self_checked' end as activity,
        document_number as document_name,
        null as document_kind,
        null as level_name,
        null as issuer_name,
        needs_handling,
        checked_on as done_on,
        handled_on,
        null::date as uploaded_on
    from checked

    union all

    select
        reviewed_document_row_id as activity_row_id,
        load_id,
        source_row_number,
        'reviewed' as activity,
        document_number as document_name,
        null as document_kind,
        null as level_name,
        null as issuer_name,
        needs_handling,
        reviewed_on as done_on,
        handled_on,
        null::date as uploaded_on
    from reviewed

),

joined as (

    select
        loads.period_id || ':' || unioned.activity_row_id as legal_document_id,
        loads.period_id,
        unioned.activity,
        unioned.document_name,
        unioned.document_kind,
        unioned.level_name,
        unioned.issuer_name,
        unioned.needs_handling,
        unioned.needs_handling and coalesce(unioned.handled_on <= loads.cut_off_on, false) as is_handled,
        unioned.done_on between loads.from_on and loads.cut_off_on as is_in_period,
        unioned.done_on,
        unioned.handled_on,
        unioned.uploaded_on,
        loads.as_of_on,
        loads.load_id,
        unioned.source_row_number
    from loads
    inner join unioned on loads.load_id = unioned.load_id

)

select * from joined
