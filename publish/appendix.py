"""phu-luc.xlsx: the appendix of the report, one sheet for each form, as it is printed and signed.

Landscape A4: the notes and the choices in the unit column need the width, and so does the national motto,
which must stand beside the issuer without cutting the table's columns in two.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal

from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.worksheet.worksheet import Worksheet

from cchc.periods import LOCAL_ZONE
from publish.figures import FiguresUnfit, Form, Report, Row
from publish.number_formats import cell_number
from publish.sheet_style import (
    DIGIT_PIXELS,
    FONT,
    INDENT,
    MILLIMETRES_PER_INCH,
    choices,
    day,
    fixed,
    new_workbook,
    room,
    set_up_page,
    write_text,
)
from publish.typography import most_lines, row_height, text_width, wrap

FILE_NAME = "phu-luc.xlsx"
NOTES_SHEET = "Ghi chú"
SYNTHETIC_LINE = "Số liệu minh họa: dữ liệu tổng hợp, hiệu chỉnh theo số tổng đã công bố"
HEADINGS = ("STT", "Chỉ tiêu thống kê", "Đơn vị tính", "Kết quả\nthống kê", "Ghi chú")
MISSING_MARK = "Chưa có số liệu"
STALE_MARK = "Số liệu cũ"

_SIZE = 13
_TITLE_SIZE = 14
_SMALL_SIZE = 12
_COLUMN_PIXELS = {"A": 60, "B": 436, "C": 128, "D": 124, "E": 204}
_COLUMNS = tuple(_COLUMN_PIXELS)
_POINTS_PER_INCH = 72
_PAPER_HEIGHT = 210
# A form may be printed this much smaller when that saves it a page of leftovers.
_SMALLEST_SCALE = 0.85
# Decree 30/2020, appendix I: top and bottom 20 to 25 mm, left 30 to 35, right 15 to 20.
_MARGINS = {"top": 20, "bottom": 20, "left": 30, "right": 15, "header": 8, "footer": 10}

_MISSING_FILL = PatternFill("solid", fgColor="F8CBAD")
_STALE_FILL = PatternFill("solid", fgColor="FFE699")
_THIN = Side(style="thin")
_BOX = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)


@dataclass(frozen=True)
class Masthead:
    """Who issues the report, and what its readers must know about its data."""

    issuer_name: str
    province_name: str
    synthetic: bool
    generated_at: datetime


def render(report: Report, masthead: Masthead) -> bytes:
    """The workbook's bytes; the same report and masthead give the same bytes."""
    workbook = new_workbook()
    for form in report.forms:
        _form_sheet(workbook.create_sheet(f"Biểu {form.number}"), form, report, masthead)
    if report.warnings or any(row.status != "ok" for _, row in report.rows()):
        _notes_sheet(workbook.create_sheet(NOTES_SHEET), report, masthead)
    workbook.properties.title = f"Phụ lục báo cáo cải cách hành chính, {report.period.title_vi}"
    workbook.properties.creator = masthead.issuer_name
    return fixed(workbook, report.as_of_at.astimezone(LOCAL_ZONE), masthead.generated_at)


def _form_sheet(sheet: Worksheet, form: Form, report: Report, masthead: Masthead) -> None:
    page = _Page(sheet)
    _issuer_and_motto(page, masthead)
    page.line("PHỤ LỤC", size=_TITLE_SIZE, bold=True)
    page.line(f"Biểu mẫu {form.number}: {_title(form.title)}", size=_TITLE_SIZE, bold=True)
    page.line(
        f"(Kèm theo Báo cáo số ......../BC-UBND ngày ...... tháng ...... năm ........ của {masthead.issuer_name})",
        italic=True,
    )
    _about_the_data(page, report, masthead)
    page.gap()
    header = page.next_row
    page.table_row(HEADINGS, bold=True, height_lines=2)
    page.table_row([f"({number})" for number in range(1, len(HEADINGS) + 1)], size=_SMALL_SIZE, italic=True)
    sheet.print_title_rows = f"{header}:{page.next_row - 1}"
    sheet.freeze_panes = f"A{page.next_row}"
    for row in form.rows:
        _indicator(page, form, row)
    _legend(page, form, report)
    _page_setup(sheet, report, masthead)


def _indicator(page: _Page, form: Form, row: Row) -> None:
    is_bold = row.is_heading or row.depth == 0
    index = page.table_row(
        (row.code, row.label, choices(row.unit), "", _note(row)),
        bold=is_bold,
        label_indent=row.depth,
        result_text=MISSING_MARK if _shows_missing(row) else row.display,
    )
    result = page.sheet.cell(index, 4)
    _write_result(result, form, row)
    if not row.is_heading:
        fill = {"missing": _MISSING_FILL, "stale": _STALE_FILL}.get(row.status)
        for column in (4, 5) if fill else ():
            page.sheet.cell(index, column).fill = fill


def _write_result(cell: Cell, form: Form, row: Row) -> None:
    if row.is_heading:
        return
    if _shows_missing(row):
        write_text(cell, MISSING_MARK)
        cell.font = Font(name=FONT, size=_SMALL_SIZE, italic=True)
        return
    number = _number(form, row)
    if number is None:
        write_text(cell, row.display)
    else:
        cell.value, cell.number_format = number


def _number(form: Form, row: Row) -> tuple[int | float, str] | None:
    if row.value is None:
        return None
    try:
        return cell_number(row.value, row.display)
    except ValueError as error:
        raise FiguresUnfit(f"Biểu {form.number}, chỉ tiêu {row.code}: {error}") from error


def _shows_missing(row: Row) -> bool:
    return row.status == "missing" and row.value is None and not row.is_heading


def _note(row: Row) -> str:
    mark = {"stale": STALE_MARK, "missing": MISSING_MARK}.get(row.status, "")
    # the result cell says so already
    if row.is_heading or _shows_missing(row) or mark.casefold() in row.note.casefold():
        return row.note
    return f"{mark}. {row.note}" if row.note else mark


def _title(title: str) -> str:
    upper = title.upper()
    return upper if upper.startswith("THỐNG KÊ") else f"THỐNG KÊ SỐ LIỆU VỀ {upper}"


def _issuer_and_motto(page: _Page, masthead: Masthead) -> None:
    page.two_blocks(_issuer_lines(masthead), ["CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc"])


def _issuer_lines(masthead: Masthead) -> list[str]:
    """`Ủy ban nhân dân tỉnh X` on two lines, the name of the province on the second."""
    issuer, province = masthead.issuer_name.upper(), masthead.province_name.upper()
    if issuer.endswith(province) and issuer != province:
        return [issuer.removesuffix(province).strip(), province]
    return [f"ỦY BAN NHÂN DÂN {province}", issuer]


def _about_the_data(page: _Page, report: Report, masthead: Masthead) -> None:
    period = report.period
    title = period.title_vi[:1].lower() + period.title_vi[1:]
    page.line(f"Kỳ báo cáo: {title} (từ {day(period.from_on)} đến {day(period.to_on)})", italic=True)
    page.line(f"Số liệu tính đến {_moment(report.as_of_at)}", italic=True)
    if masthead.synthetic:
        page.line(SYNTHETIC_LINE, bold=True, colour="C00000")


def _legend(page: _Page, form: Form, report: Report) -> None:
    shown = {row.status for row in form.rows if not row.is_heading}
    texts = []
    # what stands in no row needs no explanation, and would push the last rows onto a page of their own
    if "missing" in shown:
        said = "nguồn chưa gửi số liệu, hoặc số liệu gửi không dùng được; không phải là số 0."
        texts.append((f"{MISSING_MARK}: {said}", _MISSING_FILL))
    if "stale" in shown:
        texts.append((f"{STALE_MARK}: nguồn không có bản mới; dùng bản hợp lệ gần nhất.", _STALE_FILL))
    if any(row.status == "ok" and not row.is_heading and not row.display for row in form.rows):
        texts.append(("Kết quả để trống: không phát sinh trong kỳ nên không có kết quả để ghi.", None))
    if report.warnings:
        count = len(report.warnings)
        texts.append((f"Dữ liệu nguồn có {count} cảnh báo, ghi đầy đủ ở trang “{NOTES_SHEET}”.", None))
    if texts:
        page.gap()
        page.small_heading("Chú thích:")
    for text, fill in texts:
        page.small(text, fill=fill)


def _notes_sheet(sheet: Worksheet, report: Report, masthead: Masthead) -> None:
    page = _Page(sheet)
    page.line("GHI CHÚ VỀ SỐ LIỆU CỦA PHỤ LỤC", size=_TITLE_SIZE, bold=True)
    _about_the_data(page, report, masthead)
    unfit = [(form, row) for form, row in report.rows() if row.status != "ok" and not row.is_heading]
    if unfit:
        page.gap()
        page.heading("Chỉ tiêu chưa có số liệu hoặc dùng số liệu cũ")
        page.table_row(("Biểu", "Chỉ tiêu", "Tình trạng", "Nguồn số liệu", ""), spans=("D:E",), bold=True)
    for form, row in unfit:
        mark, fill = (MISSING_MARK, _MISSING_FILL) if row.status == "missing" else (STALE_MARK, _STALE_FILL)
        index = page.table_row(
            (str(form.number), f"{row.code}. {row.label}", mark, ", ".join(row.source_names), ""), spans=("D:E",)
        )
        sheet.cell(index, 3).fill = fill
    if report.warnings:
        page.gap()
        page.heading("Cảnh báo về dữ liệu nguồn")
        page.table_row(("STT", "Nội dung", "", "", "Số dòng dữ liệu"), spans=("B:D",), bold=True)
    for number, warning in enumerate(report.warnings, start=1):
        first, *others = _pieces(warning.message, "B:D")
        index = page.table_row((str(number), first, "", "", ""), spans=("B:D",))
        for piece in others:
            page.table_row(("", piece, "", "", ""), spans=("B:D",))
        if warning.row_count is not None:
            shown = f"{warning.row_count:,}".replace(",", ".")
            cell = sheet.cell(index, 5)
            cell.value, cell.number_format = cell_number(Decimal(warning.row_count), shown)
            cell.alignment = Alignment(horizontal="center", vertical="center")
    _page_setup(sheet, report, masthead)


def _pieces(text: str, span: str) -> list[str]:
    """A text too long for the highest row, as a list of unknown agencies can be, in pieces for several."""
    lines = wrap(text, _SIZE, _span_width(span))
    most = most_lines(_SIZE)
    if len(lines) <= most:
        return [text]
    return [" ".join(lines[start : start + most]) for start in range(0, len(lines), most)]


def _page_setup(sheet: Worksheet, report: Report, masthead: Masthead) -> None:
    generated = masthead.generated_at.astimezone(LOCAL_ZONE)
    footer = f"Số liệu tính đến {_moment(report.as_of_at)}", f"Lập lúc {generated:%H:%M} ngày {day(generated)}"
    set_up_page(sheet, "E", _MARGINS, footer, fit_to_height=_fit_to_height(sheet))


def _fit_to_height(sheet: Worksheet) -> int:
    """How many pages to squeeze the sheet into; 0 leaves it to its length.

    A last page with nothing but the legend, or with a single row, looks like a mistake. Page breaks set by hand
    would not help: Excel ignores them on a sheet that is fitted to the width of the page.
    """
    heights = [sheet.row_dimensions[row].height for row in range(1, sheet.max_row + 1)]
    first, last = map(int, re.findall(r"\d+", sheet.print_title_rows)) if sheet.print_title_rows else (1, 0)
    repeated = sum(heights[first - 1 : last])
    paper = _PAPER_HEIGHT - _MARGINS["top"] - _MARGINS["bottom"]
    height = paper / MILLIMETRES_PER_INCH * _POINTS_PER_INCH
    squeezed = _page_count(heights, repeated, height / _SMALLEST_SCALE)
    return squeezed if squeezed < _page_count(heights, repeated, height) else 0


def _page_count(heights: list[float], repeated: float, room: float) -> int:
    pages, used = 1, 0.0
    for height in heights:
        if used + height > room:
            pages, used = pages + 1, repeated
        used += height
    return pages


class _Page:
    """Writes a sheet from the top down and gives each row the height its text needs."""

    def __init__(self, sheet: Worksheet) -> None:
        self.sheet = sheet
        self.next_row = 1
        for column, pixels in _COLUMN_PIXELS.items():
            sheet.column_dimensions[column].width = pixels / DIGIT_PIXELS

    def line(
        self,
        text: str,
        *,
        size: int = _SIZE,
        bold: bool = False,
        italic: bool = False,
        colour: str | None = None,
    ) -> None:
        """A centred line over the whole width."""
        font = Font(name=FONT, size=size, bold=bold, italic=italic, color=colour)
        self._wide("A:E", text, font, Alignment(horizontal="center", vertical="center", wrap_text=True))

    def heading(self, text: str) -> None:
        """The heading of a table on the notes sheet."""
        font = Font(name=FONT, size=_SIZE, bold=True)
        self._wide("A:E", text, font, Alignment(horizontal="left", vertical="center", wrap_text=True))

    def small_heading(self, text: str) -> None:
        """What stands above the small lines under a table."""
        font = Font(name=FONT, size=_SMALL_SIZE, bold=True, italic=True)
        self._wide("A:E", text, font, Alignment(horizontal="left", vertical="center", wrap_text=True))

    def small(self, text: str, *, fill: PatternFill | None = None) -> None:
        """A line under the table, beside a box that shows the mark it explains."""
        index = self.next_row
        font = Font(name=FONT, size=_SMALL_SIZE, italic=True)
        self._wide("B:E", text, font, Alignment(horizontal="left", vertical="center", wrap_text=True, indent=1))
        if fill:
            self.sheet.cell(index, 1).fill = fill
            self.sheet.cell(index, 1).border = _BOX

    def gap(self) -> None:
        self._finish(8.0)

    def two_blocks(self, left: list[str], right: list[str]) -> None:
        """The issuer and the motto side by side, each with its rule beneath."""
        left_rule = min(text_width(left[1], _SIZE, bold=True) / 2, _span_width("A:B"))
        right_rule = min(text_width(right[1], _TITLE_SIZE, bold=True), _span_width("C:E"))
        for left_text, right_text, right_size in zip(left, right, (_SIZE, _TITLE_SIZE), strict=True):
            self._pair(left_text, right_text, _SIZE, right_size)
        # a rule is a line of tiny underscores: a border would run the whole width of the cells
        tiny = 4
        underscore = text_width("_", tiny)
        rules = ["_" * int(width / underscore) for width in (left_rule, right_rule)]
        for span, rule in zip(("A:B", "C:E"), rules, strict=True):
            cell = self._merge(span)
            cell.value = rule
            cell.font = Font(name=FONT, size=tiny)
            cell.alignment = Alignment(horizontal="center", vertical="top")
        self._finish(9.0)
        self.gap()

    def table_row(
        self,
        texts: tuple[str, ...] | list[str],
        *,
        spans: tuple[str, ...] = (),
        size: int = _SIZE,
        bold: bool = False,
        italic: bool = False,
        label_indent: int | None = None,
        result_text: str = "",
        height_lines: int = 1,
    ) -> int:
        """A boxed row of the table; returns its number. `result_text` is what column D will show."""
        is_header = label_indent is None and (bold or italic)
        indent = label_indent or 0
        starts = {span[0]: span for span in spans}
        covered = {column for span in spans for column in _columns(span)[1:]}
        lines = height_lines
        for number, (column, text) in enumerate(zip(_COLUMNS, texts, strict=True), start=1):
            if column in covered:
                continue
            span = starts.get(column, column)
            cell = self._merge(span, _BOX) if ":" in span else self.sheet.cell(self.next_row, number)
            cell.border = _BOX
            is_left = not is_header and (column in "BE" or ":" in span)
            # bold notes would shout: only the row's own number, name and figure are set bold
            is_cell_bold = bold and (is_header or column in "ABD")
            cell.font = Font(name=FONT, size=size, bold=is_cell_bold, italic=italic)
            cell.alignment = Alignment(
                horizontal="left" if is_left else "center",
                vertical="center",
                wrap_text=True,
                indent=indent if column == "B" else 0,
            )
            write_text(cell, text)
            width = _span_width(span) - (INDENT * indent if column == "B" else 0)
            shown = result_text if column == "D" and result_text else text
            lines = max(lines, len(wrap(shown, size, width, bold=is_cell_bold)))
        index = self.next_row
        self._finish(row_height(lines, size))
        return index

    def _pair(self, left: str, right: str, left_size: int, right_size: int) -> None:
        lines = 1
        for span, text, size in (("A:B", left, left_size), ("C:E", right, right_size)):
            cell = self._merge(span)
            write_text(cell, text)
            cell.font = Font(name=FONT, size=size, bold=True)
            cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
            lines = max(lines, len(wrap(text, size, _span_width(span), bold=True)))
        self._finish(row_height(lines, max(left_size, right_size)))

    def _wide(self, span: str, text: str, font: Font, alignment: Alignment) -> None:
        cell = self._merge(span)
        write_text(cell, text)
        cell.font, cell.alignment = font, alignment
        lines = wrap(text, font.size, _span_width(span), bold=font.bold)
        self._finish(row_height(len(lines), font.size))

    def _merge(self, span: str, border: Border | None = None) -> Cell:
        first, last = span[0], span[-1]
        for column in _columns(span) if border else ():
            self.sheet[f"{column}{self.next_row}"].border = border
        self.sheet.merge_cells(f"{first}{self.next_row}:{last}{self.next_row}")
        return self.sheet[f"{first}{self.next_row}"]

    def _finish(self, height: float) -> None:
        self.sheet.row_dimensions[self.next_row].height = height
        self.next_row += 1


def _columns(span: str) -> list[str]:
    return list(_COLUMNS[_COLUMNS.index(span[0]) : _COLUMNS.index(span[-1]) + 1])


def _span_width(span: str) -> float:
    """Points that a column or a run of columns leaves for text."""
    return room(sum(_COLUMN_PIXELS[column] for column in _columns(span)))


def _moment(moment: datetime) -> str:
    local = moment.astimezone(LOCAL_ZONE)
    if local.time() >= time(23, 59):
        return f"hết ngày {day(local)}"
    if local.time() == time.min:
        return f"hết ngày {day(local - timedelta(days=1))}"
    return f"{local:%H:%M} ngày {day(local)}"
