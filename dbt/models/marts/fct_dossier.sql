{{ config(indexes=[{"columns": ["dossier_code"], "unique": true}]) }}

with states as (

    select * from {{ ref("int_dossier_state") }}

)

select
    dossier_code,
    dossier_version_id,
    version_number as version_count,
    agency_id,
    procedure_id,
    service_id,
    field_code,
    agency_code,
    procedure_code,
    applicant_key,
    applicant_type_code,
    status_code,
    channel_code,
    service_level_code,
    filing_place_code,
    online_payment_code,
    payment_channel_code,
    supplement_count,
    fee_vnd,
    outcome,
    is_counted,
    is_paused,
    is_deleted,
    is_digitised,
    has_electronic_result,
    received_on,
    due_on,
    closed_on,
    submitted_at,
    received_at,
    due_at,
    supplement_requested_at,
    finished_at,
    handed_over_at,
    valid_from_at as updated_at,
    load_id,
    source_row_number
from states
where valid_to_at is null
