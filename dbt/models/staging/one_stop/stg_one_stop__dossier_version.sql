with source as (

    select * from {{ source("one_stop", "dossier") }}

),

renamed as (

    select
        -- a version's own number: the load it came with and its line in the file
        {{ row_id() }} as dossier_version_id,
        _load_id as load_id,
        _row as source_row_number,

        mahoso as dossier_code,
        {{ procedure_code("matthc") }} as procedure_code,
        nullif(malinhvuc, '') as field_code,
        madonvi as agency_code,
        applicant_key,
        kenhthanhtoan as payment_channel_code,

        kenhthuchien as channel_code,
        mucdo as service_level_code,
        loaidoituong as applicant_type_code,
        trangthaihoso as status_code,
        noinophoso as filing_place_code,
        duocthanhtoantructuyen as online_payment_code,
        coalesce(solanbosung, 0) as supplement_count,
        lephi as fee_vnd,
        coalesce(hosocothanhphansohoa, false) as is_digitised,
        coalesce(coketquadientu, false) as has_electronic_result,
        coalesce(daxoa, false) as is_deleted,

        -- days are cut from the wall clock of the province, so 00:00 stays on its day and 12:30 is half past noon
        ngaytiepnhan::date as received_on,
        ngayhentra::date as due_on,
        ngayketthucxuly::date as finished_on,
        {{ local_moment("ngaynophoso") }} as submitted_at,
        {{ local_moment("ngaytiepnhan") }} as received_at,
        {{ local_moment("ngayhentra") }} as due_at,
        {{ local_moment("ngayketthucxuly") }} as finished_at,
        {{ local_moment("ngaytra") }} as handed_over_at,
        {{ local_moment("ngayyeucaubosung") }} as supplement_requested_at,
        {{ local_moment("thoidiemcapnhat") }} as updated_at
    from source

)

select * from renamed
