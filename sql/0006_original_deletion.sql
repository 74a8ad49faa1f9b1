-- Originals that were kept long enough are deleted; that they were there, and who deleted them when, stays.

create table ops.original_deletion (
    deletion_id bigint generated always as identity primary key,
    source text not null,
    digest text not null check (digest ~ '^[0-9a-f]{64}$'),
    landing_uri text not null,
    byte_count bigint not null,
    -- the newest of: the last day its data is about, the last time it arrived
    last_needed_at timestamptz not null,
    kept_years integer not null check (kept_years > 0),
    deleted_by text not null check (deleted_by <> ''),
    deleted_at timestamptz not null default clock_timestamp()
);
create index original_deletion_of on ops.original_deletion (landing_uri);
alter table ops.original_deletion owner to owner;
comment on table ops.original_deletion is 'Bản gốc đã xóa khỏi kho lưu vì hết thời hạn: tệp nào, ai xóa, lúc nào; không sửa, không xóa';
comment on column ops.original_deletion.last_needed_at is 'Mốc tính thời hạn: ngày cuối của số liệu hoặc lần cuối tệp đến, lấy mốc muộn hơn';
comment on column ops.original_deletion.kept_years is 'Thời hạn lưu đang áp dụng, tính bằng năm';
comment on column ops.original_deletion.deleted_by is 'Tài khoản và máy đã chạy việc xóa';
comment on column ops.original_deletion.deleted_at is 'Lúc quyết định xóa; tệp bị xóa ngay sau đó';

grant select, insert on ops.original_deletion to loader;
grant usage on sequence ops.original_deletion_deletion_id_seq to loader;
grant select on ops.original_deletion to transformer;
-- what must not be deleted: the files that a signed report rests on
grant select on ops.submission, ops.submitted_figure, ops.publication to loader;
