"""doi-chieu.xlsx: the check of a report, as it is printed and laid before the person who must correct it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from openpyxl.styles import PatternFill
from openpyxl.worksheet.worksheet import Worksheet

from cchc.periods import LOCAL_ZONE
from cchc.progress import vietnamese
from publish.check import Comparison, Finding, Level, Line
from publish.sheet_style import choices, day, fixed, new_workbook
from publish.table_page import Column, TablePage

FILE_NAME = "doi-chieu.xlsx"
FINDINGS_SHEET, ROWS_SHEET, FIGURES_SHEET = "Mâu thuẫn", "Đối chiếu phụ lục", "Đối chiếu lời văn"
SYNTHETIC_LINE = "Số liệu của kho là số minh họa: dữ liệu tổng hợp, hiệu chỉnh theo số tổng đã công bố"

_TITLE_SIZE = 14

_FILLS = {
    Level.MATCH: PatternFill("solid", fgColor="E2EFDA"),
    Level.OPEN: PatternFill("solid", fgColor="E7E6E6"),
    Level.REMARK: PatternFill("solid", fgColor="FFE699"),
    Level.WRONG: PatternFill("solid", fgColor="F8CBAD"),
}
_MEANINGS = {
    Level.WRONG: "Sai: mâu thuẫn phải sửa trước khi ký",
    Level.REMARK: "Lưu ý: cách ghi nên xem lại, hoặc số lệch theo một mâu thuẫn đã nêu",
    Level.MATCH: "Khớp: đúng với kho, hoặc với số liên quan trong báo cáo, đến chữ số thập phân đã ghi",
    Level.OPEN: "Chưa đối chiếu được: kho chưa có nguồn và báo cáo không có số liên quan",
}


_FINDING_COLUMNS = (
    Column("TT", 44),
    Column("Mức", 74),
    Column("Nơi ghi", 150, is_centred=False),
    Column("Số liệu", 264, is_centred=False),
    Column("Báo cáo ghi", 100),
    Column("Số đối chiếu", 100),
    Column("Lý do", 408, is_centred=False),
)
_ROW_COLUMNS = (
    Column("STT", 60),
    Column("Chỉ tiêu thống kê", 350, is_centred=False),
    Column("Đơn vị tính", 108),
    Column("Báo cáo ghi", 100),
    Column("Kho tính", 100),
    Column("Chênh lệch", 84),
    Column("Kết luận", 90),
    Column("Lý do", 300, is_centred=False),
)
_FIGURE_COLUMNS = (
    Column("Mục", 66),
    Column("Số liệu của lời văn", 330, is_centred=False),
    Column("Đơn vị tính", 84),
    Column("Lời văn ghi", 100),
    Column("Số đối chiếu", 100),
    Column("Chênh lệch", 84),
    Column("Kết luận", 90),
    Column("Lý do", 338, is_centred=False),
)


@dataclass(frozen=True)
class About:
    """What was checked, for whom and when."""

    province_name: str
    declared_names: tuple[str, ...]
    synthetic: bool
    generated_at: datetime


def render(comparison: Comparison, about: About) -> bytes:
    """The workbook's bytes; the same comparison gives the same bytes."""
    book = new_workbook()
    _findings_sheet(book.create_sheet(FINDINGS_SHEET), comparison, about)
    _rows_sheet(book.create_sheet(ROWS_SHEET), comparison, about)
    _figures_sheet(book.create_sheet(FIGURES_SHEET), comparison, about)
    book.properties.title = f"Đối chiếu báo cáo cải cách hành chính, {comparison.computed.period.title_vi}"
    book.properties.creator = about.province_name
    return fixed(book, about.generated_at.astimezone(LOCAL_ZONE), about.generated_at)


def _findings_sheet(sheet: Worksheet, comparison: Comparison, about: About) -> None:
    page = TablePage(sheet, _FINDING_COLUMNS)
    _heading(page, "KẾT QUẢ ĐỐI CHIẾU BÁO CÁO CẢI CÁCH HÀNH CHÍNH", comparison, about)
    page.line(_summary(comparison), bold=True)
    page.gap()
    page.header()
    if not comparison.findings:
        page.wide_row("Không có mâu thuẫn và không có lưu ý.")
    for number, finding in enumerate(comparison.findings, start=1):
        _finding(page, number, finding)
    _legend(page)
    _finish(page, comparison, about)


def _finding(page: TablePage, number: int, finding: Finding) -> None:
    page.row(
        (
            str(number),
            finding.level.title,
            finding.place,
            finding.label,
            finding.declared,
            finding.expected,
            finding.reason,
        ),
        fills={1: _FILLS[finding.level]},
        bold={4, 5} if finding.level == Level.WRONG else set(),
    )


def _rows_sheet(sheet: Worksheet, comparison: Comparison, about: About) -> None:
    page = TablePage(sheet, _ROW_COLUMNS)
    _heading(page, "ĐỐI CHIẾU PHỤ LỤC", comparison, about)
    page.gap()
    page.header()
    if not comparison.rows:
        page.wide_row("Không có phụ lục nào được đưa vào đối chiếu.")
    for (number, title), lines in groupby(comparison.rows, key=lambda line: (line.form_no, line.form_title)):
        page.band(f"Biểu {number}. {title}")
        for line in lines:
            _line(page, line.code, line, depth=line.code.count("."))
    _legend(page)
    _finish(page, comparison, about)


def _figures_sheet(sheet: Worksheet, comparison: Comparison, about: About) -> None:
    page = TablePage(sheet, _FIGURE_COLUMNS)
    _heading(page, "ĐỐI CHIẾU SỐ LIỆU CỦA LỜI VĂN", comparison, about)
    page.gap()
    page.header()
    if not comparison.figures:
        page.wide_row("Không có số liệu lời văn nào được đưa vào đối chiếu.")
    for line in comparison.figures:
        _line(page, line.section, line)
    _legend(page)
    page.small("Số đối chiếu là số kho tính; nếu kho chưa tính thì là số của phụ lục hoặc của phép tính liên quan.")
    _finish(page, comparison, about)


def _line(page: TablePage, first: str, line: Line, *, depth: int = 0) -> None:
    texts = (
        first,
        line.label,
        choices(line.unit),
        line.declared,
        line.computed,
        line.difference,
        "" if line.is_heading else line.level.title,
        line.explanation,
    )
    marked = {} if line.is_heading else {6: _FILLS[line.level]}
    if line.level == Level.WRONG:
        marked |= {3: _FILLS[line.level]}
    page.row(texts, fills=marked, bold={0, 1} if line.is_heading else set(), label_indent=depth)


def _heading(page: TablePage, title: str, comparison: Comparison, about: About) -> None:
    computed = comparison.computed
    page.line(about.province_name.upper(), bold=True)
    page.line(title, size=_TITLE_SIZE, bold=True)
    period = computed.period
    span = f"từ {day(period.from_on)} đến {day(period.to_on)}"
    page.line(f"Kỳ báo cáo: {period.title_vi[:1].lower()}{period.title_vi[1:]} ({span})", italic=True)
    page.line(f"Tệp được đối chiếu: {', '.join(about.declared_names)}", italic=True)
    page.line(f"Số của kho tính đến {computed.as_of_at.astimezone(LOCAL_ZONE):%H:%M ngày %d/%m/%Y}", italic=True)
    if about.synthetic:
        page.line(SYNTHETIC_LINE, bold=True, colour="C00000")


def _summary(comparison: Comparison) -> str:
    wrong, remarks = len(comparison.contradictions), len(comparison.remarks)
    counts = ", ".join(
        f"{vietnamese(comparison.count(level))} {level.title.lower()}"
        for level in (Level.MATCH, Level.WRONG, Level.REMARK, Level.OPEN)
    )
    found = f"Có {vietnamese(wrong)} mâu thuẫn phải sửa" if wrong else "Không có mâu thuẫn"
    return f"{found}, {vietnamese(remarks)} lưu ý. Số liệu đã xét: {counts}."


def _finish(page: TablePage, comparison: Comparison, about: About) -> None:
    page.finish(f"Đối chiếu báo cáo CCHC, kỳ {comparison.computed.period.id}", about.generated_at)


def _legend(page: TablePage) -> None:
    page.gap()
    page.small_heading("Chú thích:")
    for level, meaning in _MEANINGS.items():
        page.small(meaning, fill=_FILLS[level])
