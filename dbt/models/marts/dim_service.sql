with services as (

    select * from {{ ref("int_service") }}

)

select
    service_id,
    service_code,
    procedure_code,
    service_level_code,
    is_fully_online_eligible,
    is_on_national_portal,
    is_payable_online,
    in_force_from_on,
    in_force_to_on,
    load_id
from services
