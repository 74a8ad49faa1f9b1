-- What was signed and sent to the ministry: each version as it stood, never overwritten.

create table ops.submission (
    submission_id bigint generated always as identity primary key,
    period_id text not null,
    version integer not null check (version > 0),
    submitted_by text not null check (submitted_by <> ''),
    note text,
    as_of_at timestamptz not null,
    publication_id bigint not null references ops.publication,
    -- file name → SHA-256, of the copies that are kept beside the report
    file_digests jsonb not null,
    submitted_at timestamptz not null default clock_timestamp(),
    unique (period_id, version)
);
comment on table ops.submission is 'Mỗi lần một báo cáo được chốt để ký gửi: kỳ, phiên bản, người chốt, lúc nào; không sửa, không xóa';
comment on column ops.submission.version is 'Phiên bản của báo cáo kỳ đó: 1 là lần gửi đầu, các số sau là bản đính chính';
comment on column ops.submission.submitted_by is 'Người chốt báo cáo';
comment on column ops.submission.note is 'Lý do đính chính hoặc ghi chú của người chốt';
comment on column ops.submission.as_of_at is 'Thời điểm chốt số liệu của báo cáo';
comment on column ops.submission.publication_id is 'Lần công bố mà số liệu được lấy ra';
comment on column ops.submission.file_digests is 'Mã SHA-256 của từng tệp báo cáo được giữ lại';

create table ops.submitted_figure (
    submission_id bigint not null references ops.submission,
    -- `3/3.1.1` for a row of a form, the key for a figure of the text
    figure_key text not null,
    label text not null,
    unit text,
    value numeric,
    display text,
    status text not null,
    load_ids bigint[] not null,
    primary key (submission_id, figure_key)
);
comment on table ops.submitted_figure is 'Từng con số của báo cáo đã chốt, như lúc gửi';
comment on column ops.submitted_figure.figure_key is 'Biểu/số thứ tự (3/3.1.1) hoặc khóa của số liệu lời văn';
comment on column ops.submitted_figure.load_ids is 'Các lần nạp mà con số được tính từ đó';

create function ops.refuse_change() returns trigger
language plpgsql
as $$
begin
    raise exception 'báo cáo đã chốt không được sửa hay xóa; hãy chốt một phiên bản mới'
        using errcode = 'restrict_violation';
end
$$;

create trigger submission_stays before update or delete or truncate on ops.submission
for each statement execute function ops.refuse_change();
create trigger submitted_figure_stays before update or delete or truncate on ops.submitted_figure
for each statement execute function ops.refuse_change();

grant select, insert on ops.submission, ops.submitted_figure to transformer;
grant usage on sequence ops.submission_submission_id_seq to transformer;
