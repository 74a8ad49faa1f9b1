with sources as (

    select * from {{ ref("capital_source") }}

)

select
    code as capital_source_code,
    name_vi as capital_source_name
from sources
