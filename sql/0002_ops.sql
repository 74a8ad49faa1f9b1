set local role owner;

create table ops.load (
    load_id bigint primary key,
    source text not null,
    dataset text not null,
    digest text not null check (digest ~ '^[0-9a-f]{64}$'),
    contract_version text not null,
    status text not null check (status in ('loaded', 'refused')),
    refused_reason text check ((status = 'refused') = (refused_reason is not null)),
    covers_from_on date,
    covers_to_on date,
    rows_read bigint not null,
    rows_loaded bigint not null,
    rows_rejected bigint not null,
    rows_duplicate bigint not null,
    rows_held bigint not null default 0,
    byte_count bigint not null,
    landing_uri text not null,
    code_version text not null,
    started_at timestamptz not null,
    finished_at timestamptz not null,
    -- nothing vanishes: every row read is in exactly one of these
    check (rows_read = rows_loaded + rows_rejected + rows_duplicate + rows_held),
    check (status = 'refused' or rows_held = 0)
);
create unique index load_once on ops.load (source, dataset, digest) where status = 'loaded';
comment on table ops.load is 'Sổ nạp: một dòng cho mỗi tệp hoặc lần lấy dữ liệu đã được chấp nhận hay từ chối';
comment on column ops.load.load_id is 'Suy ra từ nội dung, nên không phụ thuộc thứ tự đến';
comment on column ops.load.digest is 'SHA-256 của nội dung nguyên gốc trong kho lưu';
comment on column ops.load.rows_held is 'Dòng tự nó đúng nhưng không nạp vì cả tệp bị từ chối';

create table ops.arrival (
    arrival_id bigint generated always as identity primary key,
    source text not null,
    dataset text not null,
    name text not null,
    digest text check (digest ~ '^[0-9a-f]{64}$'),
    load_id bigint references ops.load,
    outcome text not null check (outcome in ('new', 'repeat', 'refused', 'failed', 'skipped')),
    message text,
    arrived_at timestamptz not null default clock_timestamp()
);
create index arrival_load on ops.arrival (load_id);
comment on table ops.arrival is 'Mỗi lần một tệp hoặc một lần lấy dữ liệu đến: mới, lặp lại, bị từ chối, lỗi hay không đổi';

create table ops.rejected_row (
    load_id bigint not null references ops.load,
    row_number bigint not null,
    sheet text not null default '',
    cell text,
    column_name text,
    value text,
    reason_code text not null,
    reason text not null,
    faults jsonb not null,
    primary key (load_id, sheet, row_number)
);
comment on table ops.rejected_row is 'Dòng bị loại: tệp, trang, ô, giá trị và lý do; lỗi đầu tiên ở các cột, mọi lỗi trong faults';

create table ops.load_warning (
    load_id bigint not null references ops.load,
    code text not null,
    column_name text not null default '',
    row_count bigint not null,
    first_row bigint,
    message text not null,
    primary key (load_id, code, column_name)
);
comment on table ops.load_warning is 'Cảnh báo của một lần nạp; các dòng liên quan vẫn được nạp';

create table ops.report_request (
    period_id text primary key,
    as_of_at timestamptz not null,
    requested_at timestamptz not null default clock_timestamp()
);
comment on table ops.report_request is 'Các kỳ báo cáo được tính và thời điểm chốt số liệu của từng kỳ';

create table ops.publication (
    publication_id bigint generated always as identity primary key,
    code_version text not null,
    load_ids bigint[] not null,
    report_requests jsonb not null,
    test_count integer not null,
    warning_count integer not null,
    published_at timestamptz not null default clock_timestamp()
);
comment on table ops.publication is 'Mỗi lần các bảng báo cáo được thay bằng bản mới';

create table ops.dbt_result (
    run_id text not null,
    node_id text not null,
    status text not null,
    seconds numeric not null,
    failure_count bigint,
    message text,
    finished_at timestamptz not null default clock_timestamp(),
    primary key (run_id, node_id)
);
comment on table ops.dbt_result is 'Kết quả từng mô hình và kiểm tra của mỗi lần chạy dbt';

grant select, insert on ops.load, ops.arrival, ops.rejected_row, ops.load_warning to loader;
grant usage on all sequences in schema ops to loader;
grant select on all tables in schema ops to transformer;
grant insert, update on ops.report_request to transformer;
grant insert on ops.publication, ops.dbt_result to transformer;
reset role;

-- Raw is append-only: the loader has no DELETE. While a load is under way (not yet in the ledger) it may drop rows of its own
-- that the same file repeats; of rows with one key the last line stays.
create function ops.drop_repeated_rows(
    table_name text, in_load_id bigint, key_columns text [],
    out dropped_count bigint, out conflict_count bigint, out first_conflict_row bigint
)
language plpgsql security definer set search_path = pg_catalog, pg_temp
-- no statistics know of a load that is under way: the planner takes it for one row, and a nested loop would never end
set enable_nestloop = off as $$
declare
    key_list text := (select string_agg(quote_ident(k), ', ') from unnest(key_columns) as k);
begin
    if exists (select from ops.load where load_id = in_load_id) then
        raise exception 'load % is in the ledger: raw is append-only', in_load_id;
    end if;
    if cardinality(key_columns) = 0 then
        select 0, 0, null into dropped_count, conflict_count, first_conflict_row;
        return;
    end if;
    execute format(
        $query$
        with repeated as materialized (
            select %2$s from raw.%1$I where _load_id = $1 group by %2$s having count(*) > 1
        ),
        ranked as (
            select
                r._row,
                row_number() over (partition by %2$s order by r._row desc) as place,
                to_jsonb(r) - '_row' as content,
                first_value(to_jsonb(r) - '_row') over (partition by %2$s order by r._row desc) as last_content
            from raw.%1$I as r inner join repeated using (%2$s)
            where r._load_id = $1
        ),
        dropped as (
            delete from raw.%1$I as r using ranked
            where r._load_id = $1 and r._row = ranked._row and ranked.place > 1
            returning ranked._row, ranked.content <> ranked.last_content as is_conflict
        )
        select count(*), count(*) filter (where is_conflict), min(_row) filter (where is_conflict) from dropped
        $query$, table_name, key_list
    ) into dropped_count, conflict_count, first_conflict_row using in_load_id;
end
$$;
alter function ops.drop_repeated_rows owner to owner;
revoke all on function ops.drop_repeated_rows from public;
grant execute on function ops.drop_repeated_rows to loader;
