"""tinh-hinh-gui.xlsx: who has sent what for a cut-off and whom to call, for the official who collects the report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from openpyxl.styles import PatternFill
from sqlalchemy import Connection

from cchc.periods import LOCAL_ZONE, ReportingPeriod
from cchc.progress import vietnamese
from publish import output
from publish.appendix import SYNTHETIC_LINE, Masthead
from publish.completeness import (
    ACCEPTED,
    FAILED,
    NOT_RECEIVED,
    PARTIAL,
    REFUSED,
    STATUS_NAMES,
    WITH_REJECTS,
    Delivery,
    by_department,
    deliveries,
    keep,
)
from publish.contacts import Contact
from publish.sheet_style import day, fixed, modified_moment, new_workbook
from publish.table_page import Column, TablePage

FILE_NAME = "tinh-hinh-gui.xlsx"
SHEET = "Tình hình gửi"

_GREEN, _YELLOW, _RED = (PatternFill("solid", fgColor=colour) for colour in ("E2EFDA", "FFE699", "F8CBAD"))
_FILLS = {
    ACCEPTED: _GREEN,
    WITH_REJECTS: _YELLOW,
    PARTIAL: _YELLOW,
    FAILED: _YELLOW,
    REFUSED: _RED,
    NOT_RECEIVED: _RED,
}
_COLUMNS = (
    Column("Số liệu", 290, is_centred=False),
    Column("Kết quả", 112),
    Column("Tệp mới nhất", 220, is_centred=False),
    Column("Số liệu đến", 92),
    Column("Nhận lúc", 100),
    Column("Đúng hạn", 84),
    Column("Còn thiếu gì, sai gì", 260, is_centred=False),
)


def refresh(
    connection: Connection,
    period: ReportingPeriod,
    contacts: Mapping[str, Sequence[Contact]],
    folder_url: str,
    masthead: Masthead,
) -> list[str]:
    """Bring ops.delivery and the period's page up to date, in the caller's transaction; returns where the page is.

    A page that would say the same keeps its moment, and so its bytes.
    """
    found = deliveries(connection, period, masthead.generated_at)
    keep(connection, found, contacts, masthead.generated_at)
    url = output.join(folder_url, FILE_NAME)
    earlier = output.read_if_there(url)
    first_moment = modified_moment(earlier) if earlier else None
    if first_moment is not None:
        unchanged = render(found, contacts, period, replace(masthead, generated_at=first_moment))
        if unchanged == earlier:
            return [output.write(url, unchanged)]
    return [output.write(url, render(found, contacts, period, masthead))]


def render(
    found: Sequence[Delivery], contacts: Mapping[str, Sequence[Contact]], period: ReportingPeriod, masthead: Masthead
) -> bytes:
    """The workbook's bytes; the same state gives the same bytes."""
    book = new_workbook()
    page = TablePage(book.create_sheet(SHEET), _COLUMNS)
    generated = masthead.generated_at.astimezone(LOCAL_ZONE)
    page.line(masthead.issuer_name.upper(), bold=True)
    page.line("TÌNH HÌNH GỬI SỐ LIỆU BÁO CÁO CẢI CÁCH HÀNH CHÍNH", size=14, bold=True)
    title = period.title_vi[:1].lower() + period.title_vi[1:]
    page.line(f"Kỳ báo cáo: {title}; hạn gửi: hết ngày {day(period.to_on)}", italic=True)
    page.line(f"Cập nhật lúc {generated:%H:%M} ngày {day(generated)}", italic=True)
    if masthead.synthetic:
        page.line(SYNTHETIC_LINE, bold=True, colour="C00000")
    page.line(_summary(found), bold=True)
    page.gap()
    page.header()
    for department, own in by_department(found).items():
        called = "; ".join(map(str, contacts.get(department, ()))) or "chưa có trong danh bạ"
        done = sum(delivery.is_complete for delivery in own)
        page.band(f"{department}: {done}/{len(own)} bộ số liệu đạt. Liên hệ: {called}")
        for alike in _alike(own):
            _row(page, alike)
    page.gap()
    page.small_heading("Chú thích:")
    for fill, meaning in (
        (_GREEN, "Đã nhận: được tính vào báo cáo"),
        (_YELLOW, "Nhận chưa trọn: có dòng bị loại, còn thiếu ngày, hoặc kho chưa đọc được"),
        (_RED, "Chưa có cho hạn này: chưa nhận hoặc bị từ chối; báo cáo tính bản trước, nếu có"),
    ):
        page.small(meaning, fill=fill)
    if any(delivery.is_late is None and not delivery.is_fetched for delivery in found):
        page.small("Cột Đúng hạn để trống ở những gì đến hạn trước khi kho này vận hành.")
    page.finish(f"Tình hình gửi số liệu, kỳ {period.id}", masthead.generated_at)
    book.properties.title = f"Tình hình gửi số liệu, {period.title_vi}"
    book.properties.creator = masthead.issuer_name
    return fixed(book, masthead.generated_at, masthead.generated_at)


def _summary(found: Sequence[Delivery]) -> str:
    own = by_department(found).values()
    done = sum(all(delivery.is_complete for delivery in each) for each in own)
    late = sum(any(delivery.is_late for delivery in each) for each in own)
    said = f"{done}/{len(own)} đơn vị đã gửi đủ và đúng"
    return f"{said}; {vietnamese(late)} đơn vị chậm." if late else f"{said}."


def _alike(own: Iterable[Delivery]) -> Iterable[list[Delivery]]:
    """Datasets of one source of which the same is to be said."""

    def told(delivery: Delivery) -> tuple:
        file = "" if delivery.is_fetched else delivery.file_name or ""
        reason = delivery.reason or ""
        if delivery.status == NOT_RECEIVED:
            file, reason = "", reason
        return delivery.source, list(STATUS_NAMES).index(delivery.status), file, reason, bool(delivery.is_late)

    return (list(group) for _, group in groupby(sorted(own, key=lambda d: (d.is_fetched, *told(d))), key=told))


def _row(page: TablePage, alike: Sequence[Delivery]) -> None:
    first = alike[0]
    received = min((d.received_at for d in alike if d.received_at), default=None)
    received = received.astimezone(LOCAL_ZONE) if received else None
    as_of = min((d.as_of_on for d in alike if d.as_of_on), default=None)
    late = {None: "", True: "Chậm", False: "Có" if received else ""}[first.is_late]
    reason = first.reason or ""
    if first.status in (REFUSED, FAILED, NOT_RECEIVED) and first.counted_file_name and not first.is_fetched:
        reason += f". Đang tính bản {first.counted_file_name}"
    page.row(
        (
            f"{', '.join(delivery.dataset_name for delivery in alike)}",
            STATUS_NAMES[first.status],
            "(kho tự lấy)" if first.is_fetched else first.file_name or "",
            day(as_of) if as_of else "",
            f"{received:%H:%M} {day(received)}" if received else "",
            late,
            reason,
        ),
        fills={1: _FILLS[first.status]} | ({5: _RED} if first.is_late else {}),
        bold=set(),
    )
