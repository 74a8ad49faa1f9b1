{{ config(indexes=[{"columns": ["dossier_code"]}]) }}

with states as (

    select * from {{ ref("int_dossier_state") }}

)

select
    dossier_version_id,
    dossier_code,
    version_number,
    agency_id,
    procedure_id,
    service_id,
    field_code,
    status_code,
    channel_code,
    service_level_code,
    outcome,
    is_counted,
    is_paused,
    is_deleted,
    received_on,
    due_on,
    closed_on,
    valid_from_at,
    valid_to_at,
    load_id,
    source_row_number
from states
