"""Reminders: ten, three and one day before a cut-off, a letter to each department that still owes something."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from sqlalchemy import Connection, Engine, text

from cchc.periods import LOCAL_ZONE, ReportingPeriod
from cchc.progress import vietnamese
from cchc.reporting_calendar import current_periods, reminder_due
from cchc.settings import Settings
from publish import completeness, feedback, mail, output
from publish.completeness import FAILED, NOT_RECEIVED, PARTIAL, REFUSED, WITH_REJECTS, Delivery
from publish.contacts import read_contacts
from publish.feedback_ledger import departments, slugs
from publish.figures import DataWarning
from publish.sheet_style import day

_log = logging.getLogger(__name__)
_MOST_REASON = 400
_WARNINGS = text("select code, message, row_count from reporting.rpt_data_warning where period_id = :period_id")
_SYNTHETIC = "Thư này thuộc bản chạy thử với số liệu minh họa; không phải yêu cầu thật."


def remind(engine: Engine, settings: Settings, now: datetime) -> Counter[str]:
    """Bring ops.delivery up to date and send the reminders due at `now` (with a zone).

    Returns how many letters were sent, known (they went out earlier), failed or unknown, and how many departments need
    none (not_needed) or have no address (no_address). Raises ContactsUnreadable.
    """
    contacts = read_contacts(settings.contacts, slugs())
    with engine.begin() as connection:
        for period in current_periods(now):
            completeness.keep(connection, completeness.deliveries(connection, period, now), contacts, now)
    counts: Counter[str] = Counter()
    due = reminder_due(now)
    if due is None:
        return counts
    server = mail.server_of(settings)
    if server is None:
        _log.info("Chưa cấu hình CCHC_SMTP_HOST: không gửi thư nhắc")
        return counts
    period, days_before = due
    with engine.connect() as connection:
        owed = completeness.by_department(completeness.deliveries(connection, period, now))
        found = departments(connection, period.from_on, period.to_on, _warnings(connection, period))
    wrong = {department.name: department for department in found if department.is_wrong}
    for name, own in owed.items():
        asked = [delivery for delivery in own if _is_theirs(delivery)]
        letter = mail.Letter(
            kind=mail.REMINDER,
            topic=f"{period.id}/{slugs()[name]}/{days_before}",
            to=tuple(contact.address for contact in contacts.get(name, ()) if contact.address),
            subject=_subject(period, now),
            body=_body(name, asked, period, now, settings, has_slip=False),
            period_id=period.id,
            department=name,
            days_before=days_before,
        )
        if not asked and name not in wrong:
            mail.note_not_needed(engine, letter)
            counts["not_needed"] += 1
        elif not letter.to:
            _log.warning("%s: danh bạ chưa có địa chỉ thư, không nhắc được", name)
            counts["no_address"] += 1
        else:
            slip = _slip(settings, period, slugs()[name]) if name in wrong else ()
            body = _body(name, asked, period, now, settings, has_slip=bool(slip))
            sent = mail.Letter(**{**letter.__dict__, "body": body, "attachments": slip})
            counts[mail.send_once(engine, server, sent)] += 1
    return counts


def _is_theirs(delivery: Delivery) -> bool:
    """The department can do something about it: a feed that we could not fetch is ours to see to."""
    if delivery.is_fetched:
        return delivery.status in (REFUSED, WITH_REJECTS)
    return delivery.status not in (completeness.ACCEPTED, FAILED)


def _warnings(connection: Connection, period: ReportingPeriod) -> list[DataWarning]:
    """Those of the published report; none before the first one is published."""
    if connection.execute(text("select to_regclass('reporting.rpt_data_warning')")).scalar_one() is None:
        return []
    return [DataWarning(**row) for row in connection.execute(_WARNINGS, {"period_id": period.id}).mappings()]


def _slip(settings: Settings, period: ReportingPeriod, slug: str) -> tuple[tuple[str, bytes], ...]:
    content = output.read_if_there(output.join(settings.out, period.id, feedback.FOLDER, f"{slug}.xlsx"))
    return ((f"phieu-phan-hoi-{slug}-{period.id}.xlsx", content),) if content is not None else ()


def _left(period: ReportingPeriod, now: datetime) -> str:
    left = (period.to_on - now.astimezone(LOCAL_ZONE).date()).days
    return f"còn {left} ngày" if left else "hôm nay là ngày cuối"


def _title(period: ReportingPeriod) -> str:
    return period.title_vi[:1].lower() + period.title_vi[1:]


def _subject(period: ReportingPeriod, now: datetime) -> str:
    return f"Nhắc gửi số liệu báo cáo CCHC {_title(period)}: hạn {day(period.to_on)} ({_left(period, now)})"


def _body(
    department: str,
    asked: Sequence[Delivery],
    period: ReportingPeriod,
    now: datetime,
    settings: Settings,
    *,
    has_slip: bool,
) -> str:
    lines = [f"Kính gửi: {department}", ""]
    if settings.synthetic:
        lines += [_SYNTHETIC, ""]
    lines += [
        f"Báo cáo cải cách hành chính {_title(period)} chốt số liệu khi hết ngày {day(period.to_on)} "
        f"({_left(period, now)}). Kho dữ liệu {settings.province_name} kính đề nghị quý cơ quan giúp các việc sau:"
    ]
    for heading, statuses in (
        ("Chưa nhận được, đề nghị gửi:", (NOT_RECEIVED, PARTIAL)),
        ("Đã gửi nhưng chưa nhận được vào kho, đề nghị sửa rồi gửi lại:", (REFUSED,)),
        ("Đã nhận, còn dòng bị loại, đề nghị sửa rồi gửi lại:", (WITH_REJECTS,)),
    ):
        own = sorted((d for d in asked if d.status in statuses), key=_alike)
        if own:
            lines += ["", heading]
        for _, group in groupby(own, key=_alike):
            lines += _item(list(group))
    if not asked:
        lines += ["", "Số liệu đã đến đủ, nhưng có điểm cần xem lại."]
    lines.append("")
    if has_slip:
        lines.append(
            "Phiếu phản hồi kèm theo thư này chỉ rõ từng ô cần sửa và cách sửa. "
            "Xin sửa trên tệp gốc, không sửa trên phiếu."
        )
    files = [delivery for delivery in asked if not delivery.is_fetched]
    if files:
        folders = ", ".join(dict.fromkeys(delivery.folder for delivery in files))
        lines.append(
            f"Cách gửi: lưu tệp vào thư mục {folders} của hộp nhận số liệu; kho tự đọc trong vòng một giờ. Sổ Excel "
            "gửi lại thì thêm _v2, _v3 vào cuối tên; tệp xuất từ phần mềm gửi lại thì giữ nguyên tên."
        )
    if any(delivery.is_fetched for delivery in asked):
        lines.append("Số liệu chia sẻ qua dịch vụ: xin sửa ở phần mềm nguồn, kho tự lấy lại trong đêm.")
    lines += [
        "",
        "Nếu quý cơ quan vừa gửi xong, xin bỏ qua thư này. Xin cảm ơn.",
        "",
        "Thư gửi tự động, xin không trả lời.",
    ]
    return "\n".join(lines) + "\n"


def _alike(delivery: Delivery) -> tuple[str, ...]:
    by_file = delivery.file_name if delivery.status not in (NOT_RECEIVED, PARTIAL) else ""
    return delivery.source, delivery.status, by_file or "", _reason(delivery)


def _item(own: Sequence[Delivery]) -> list[str]:
    first = own[0]
    names = ", ".join(delivery.dataset_name for delivery in own)
    if first.status in (NOT_RECEIVED, PARTIAL):
        where = first.expected if len(own) == 1 else _whole_file(first.expected, len(own))
        return [f"- {names}.", f"  {where}.", f"  {_sentence(_reason(first))}"]
    if first.status == WITH_REJECTS:
        rows = vietnamese(sum(delivery.rejected_row_count for delivery in own))
        return [f"- {names} ({first.file_name}): {rows} dòng bị loại."]
    return [f"- {names} ({first.file_name}): {_sentence(_reason(first))}"]


def _whole_file(expected: str, sheets: int) -> str:
    """`Tệp x.xlsx, trang «A», vào thư mục y` → `Tệp x.xlsx (3 trang), vào thư mục y`"""
    before, _, rest = expected.partition(", trang «")
    return f"{before} ({sheets} trang){rest.partition('»')[2]}"


def _reason(delivery: Delivery) -> str:
    # of rejected rows the count is enough here; the slip has the rest
    if delivery.status == WITH_REJECTS:
        return ""
    return (delivery.reason or "")[:_MOST_REASON]


def _sentence(said: str) -> str:
    return said.rstrip(" .") + "."
