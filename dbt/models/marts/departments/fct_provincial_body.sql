with loads as (

    select * from {{ ref("int_workbook_load") }}
    where source = 'to_chuc_bo_may' and dataset in ('ban_quan_ly', 'to_chuc_lien_nganh') and is_current

),

boards as (

    select * from {{ ref("stg_to_chuc_bo_may__ban_quan_ly") }}

),

bodies as (

    select * from {{ ref("stg_to_chuc_bo_may__to_chuc_lien_nganh") }}

),

unioned as (

    select
        management_board_row_id as body_row_id,
        load_id,
        source_row_number,
        'management_board' as body_category,
        body_name,
        null as body_kind,
        established_by,
        null::date as established_on
    from boards

    union all

    select
        inter_agency_body_row_id as body_row_id,
        load_id,
        source_row_number,
        'inter_agency_body' as body_category,
        body_name,
        body_kind,
        established_by,
        established_on
    from bodies

),

joined as (

    select
        loads.period_id || ':' || unioned.body_row_id as provincial_body_id,
        loads.period_id,
        unioned.body_category,
        unioned.body_name,
        unioned.body_kind,
        unioned.established_by,
        unioned.established_on,
        loads.as_of_on,
        loads.load_id,
        unioned.source_row_number
    from loads
    inner join unioned on loads.load_id = unioned.load_id

)

select * from joined
