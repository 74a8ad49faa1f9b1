with channels as (

    select * from {{ ref("channel") }}

)

select
    code as channel_code,
    name_vi as channel_name,
    code = 2 as is_online
from channels
