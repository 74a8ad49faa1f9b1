set local role owner;

-- Who has sent what for a cut-off. Written anew, period by period, from the ledger and the contracts.
create table ops.delivery (
    period_id text not null,
    source text not null,
    dataset text not null,
    department text not null,
    source_name text not null,
    dataset_name text not null,
    expected text not null,
    due_on date not null,
    status text not null check (
        status in ('accepted', 'accepted_with_rejects', 'partial', 'refused', 'failed', 'not_received')
    ),
    file_name text,
    file_version integer,
    as_of_on date,
    received_at timestamptz,
    counted_file_name text,
    rejected_row_count bigint not null default 0,
    reason text,
    is_late boolean,
    contact text,
    checked_at timestamptz not null,
    primary key (period_id, source, dataset)
);
comment on table ops.delivery is 'Tình hình gửi số liệu cho từng hạn chốt: mỗi bộ dữ liệu của mỗi đơn vị một dòng';
comment on column ops.delivery.period_id is 'Kỳ báo cáo';
comment on column ops.delivery.source is 'Nguồn';
comment on column ops.delivery.dataset is 'Bộ dữ liệu của nguồn';
comment on column ops.delivery.department is 'Đơn vị chịu trách nhiệm, theo quy ước dữ liệu';
comment on column ops.delivery.source_name is 'Tên nguồn';
comment on column ops.delivery.dataset_name is 'Tên bộ dữ liệu';
comment on column ops.delivery.expected is 'Phải gửi gì, vào đâu';
comment on column ops.delivery.due_on is 'Ngày cuối phải gửi: ngày chốt số liệu của kỳ';
comment on column ops.delivery.status is
'accepted: đã nhận; accepted_with_rejects: đã nhận, có dòng bị loại; partial: mới nhận một phần; refused: bị từ chối; failed: chưa đọc được, lỗi phía kho; not_received: chưa nhận';
comment on column ops.delivery.file_name is 'Tệp hay lần lấy mới nhất cho hạn này';
comment on column ops.delivery.file_version is 'Phiên bản của tệp';
comment on column ops.delivery.as_of_on is 'Số liệu đến ngày';
comment on column ops.delivery.received_at is 'Nhận lúc, lần đầu với đúng nội dung đó';
comment on column ops.delivery.counted_file_name is 'Tệp mà báo cáo đang tính';
comment on column ops.delivery.rejected_row_count is 'Số dòng bị loại';
comment on column ops.delivery.reason is 'Lý do từ chối, hoặc còn thiếu gì';
comment on column ops.delivery.is_late is 'Chậm so với hạn; để trống khi kho chưa vận hành lúc đến hạn';
comment on column ops.delivery.contact is 'Người cần gọi: tên, điện thoại, thư điện tử, theo danh bạ của tỉnh';
comment on column ops.delivery.checked_at is 'Kiểm tra lúc';

-- Letters that went out. A row is claimed before its letter is sent, so nobody gets one twice.
create table ops.mail (
    mail_id bigint generated always as identity primary key,
    kind text not null check (kind in ('reminder', 'alert')),
    topic text not null,
    period_id text,
    department text,
    days_before integer,
    subject text not null,
    message_id text not null,
    state text not null check (state in ('sending', 'sent', 'failed', 'unknown', 'not_needed')),
    attempt_count integer not null default 1,
    error text,
    claimed_at timestamptz not null default clock_timestamp(),
    sent_at timestamptz,
    closed_at timestamptz,
    check ((state = 'sent') = (sent_at is not null))
);
create unique index mail_once on ops.mail (kind, topic) where closed_at is null;
comment on table ops.mail is 'Thư nhắc và thư báo lỗi: mỗi thư một dòng, ghi trước khi gửi nên không gửi hai lần';
comment on column ops.mail.kind is 'reminder: thư nhắc đơn vị; alert: thư báo cho người phụ trách';
comment on column ops.mail.topic is 'Việc mà thư nói đến; cùng việc chưa khép lại thì không gửi lần nữa';
comment on column ops.mail.period_id is 'Kỳ báo cáo';
comment on column ops.mail.department is 'Đơn vị nhận thư nhắc';
comment on column ops.mail.days_before is 'Lần nhắc: trước hạn mấy ngày';
comment on column ops.mail.subject is 'Tiêu đề thư';
comment on column ops.mail.message_id is 'Mã thư (Message-ID), giữ nguyên khi gửi lại';
comment on column ops.mail.state is
'sending: đang gửi (nếu còn lâu sau đó thì không rõ đã đi chưa); sent: máy chủ đã nhận; failed: chưa đi, sẽ gửi lại; unknown: đứt kết nối giữa chừng, không gửi lại; not_needed: đơn vị đã gửi đủ, không cần nhắc';
comment on column ops.mail.attempt_count is 'Số lần thử gửi';
comment on column ops.mail.error is 'Lỗi của lần gửi gần nhất';
comment on column ops.mail.claimed_at is 'Bắt đầu gửi lúc';
comment on column ops.mail.sent_at is 'Máy chủ thư nhận lúc';
comment on column ops.mail.closed_at is 'Việc đã xong lúc; xảy ra lại sau đó thì báo lại';

alter table ops.publication add column dbt_run_id text;
comment on column ops.publication.dbt_run_id is 'Lần chạy dbt đã dựng bản này: kết quả từng kiểm tra ở ops.dbt_result';

grant select, insert, delete on ops.delivery to transformer;
grant select, insert, update on ops.mail to transformer;
grant usage on sequence ops.mail_mail_id_seq to transformer;
reset role;
