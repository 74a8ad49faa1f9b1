"""doi-chieu.xlsx: the check of a report, as it is printed and laid before the person who must correct it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from cchc.periods import LOCAL_ZONE
from cchc.progress import vietnamese
from publish.check import Comparison, Finding, Level, Line
from publish.sheet_style import (
    DIGIT_PIXELS,
    FONT,
    INDENT,
    choices,
    day,
    fixed,
    new_workbook,
    room,
    set_up_page,
    write_text,
)
from publish.typography import most_lines, row_height, wrap

FILE_NAME = "doi-chieu.xlsx"
FINDINGS_SHEET, ROWS_SHEET, FIGURES_SHEET = "Mâu thuẫn", "Đối chiếu phụ lục", "Đối chiếu lời văn"
SYNTHETIC_LINE = "Số liệu của kho là số minh họa: dữ liệu tổng hợp, hiệu chỉnh theo số tổng đã công bố"

_SIZE = 12
_TITLE_SIZE = 14
_SMALL_SIZE = 11
_MARGINS = {"top": 15, "bottom": 18, "left": 20, "right": 15, "header": 8, "footer": 8}

_FILLS = {
    Level.MATCH: PatternFill("solid", fgColor="E2EFDA"),
    Level.OPEN: PatternFill("solid", fgColor="E7E6E6"),
    Level.REMARK: PatternFill("solid", fgColor="FFE699"),
    Level.WRONG: PatternFill("solid", fgColor="F8CBAD"),
}
_BAND = PatternFill("solid", fgColor="DDEBF7")
_HEAD = PatternFill("solid", fgColor="BDD7EE")
_MEANINGS = {
    Level.WRONG: "Sai: mâu thuẫn phải sửa trước khi ký",
    Level.REMARK: "Lưu ý: cách ghi nên xem lại, hoặc số lệch theo một mâu thuẫn đã nêu",
    Level.MATCH: "Khớp: đúng với kho, hoặc với số liên quan trong báo cáo, đến chữ số thập phân đã ghi",
    Level.OPEN: "Chưa đối chiếu được: kho chưa có nguồn và báo cáo không có số liên quan",
}
_THIN = Side(style="thin", color="808080")
_BOX = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)


@dataclass(frozen=True)
class Column:
    """A column of a table: heading, width in pixels, and how its text stands."""

    heading: str
    pixels: int
    is_centred: bool = True


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
    page = _Page(sheet, _FINDING_COLUMNS)
    _heading(page, "KẾT QUẢ ĐỐI CHIẾU BÁO CÁO CẢI CÁCH HÀNH CHÍNH", comparison, about)
    page.line(_summary(comparison), bold=True)
    page.gap()
    page.header()
    if not comparison.findings:
        page.wide_row("Không có mâu thuẫn và không có lưu ý.")
    for number, finding in enumerate(comparison.findings, start=1):
        _finding(page, number, finding)
    _legend(page)
    page.finish(comparison, about)


def _finding(page: _Page, number: int, finding: Finding) -> None:
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
    page = _Page(sheet, _ROW_COLUMNS)
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
    page.finish(comparison, about)


def _figures_sheet(sheet: Worksheet, comparison: Comparison, about: About) -> None:
    page = _Page(sheet, _FIGURE_COLUMNS)
    _heading(page, "ĐỐI CHIẾU SỐ LIỆU CỦA LỜI VĂN", comparison, about)
    page.gap()
    page.header()
    if not comparison.figures:
        page.wide_row("Không có số liệu lời văn nào được đưa vào đối chiếu.")
    for line in comparison.figures:
        _line(page, line.section, line)
    _legend(page)
    page.small("Số đối chiếu là số kho tính; nếu kho chưa tính thì là số của phụ lục hoặc của phép tính liên quan.")
    page.finish(comparison, about)


def _line(page: _Page, first: str, line: Line, *, depth: int = 0) -> None:
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


def _heading(page: _Page, title: str, comparison: Comparison, about: About) -> None:
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


def _legend(page: _Page) -> None:
    page.gap()
    page.small_heading("Chú thích:")
    for level, meaning in _MEANINGS.items():
        page.small(meaning, fill=_FILLS[level])


class _Page:
    """Writes a sheet from the top down and gives each row the height its text needs."""

    def __init__(self, sheet: Worksheet, columns: Sequence[Column]) -> None:
        self.sheet = sheet
        self.columns = columns
        self.next_row = 1
        self.last_column = get_column_letter(len(columns))
        for number, column in enumerate(columns, start=1):
            sheet.column_dimensions[get_column_letter(number)].width = column.pixels / DIGIT_PIXELS

    def line(
        self, text: str, *, size: int = _SIZE, bold: bool = False, italic: bool = False, colour: str | None = None
    ) -> None:
        """A centred line over the whole width."""
        font = Font(name=FONT, size=size, bold=bold, italic=italic, color=colour)
        self._wide(1, text, font, Alignment(horizontal="center", vertical="center", wrap_text=True))

    def header(self) -> None:
        """The headings of the table, which every printed page repeats."""
        self.sheet.print_title_rows = f"{self.next_row}:{self.next_row}"
        font = Font(name=FONT, size=_SIZE, bold=True)
        lines = 1
        for number, column in enumerate(self.columns, start=1):
            cell = self.sheet.cell(self.next_row, number)
            write_text(cell, column.heading)
            cell.font, cell.fill, cell.border = font, _HEAD, _BOX
            cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
            lines = max(lines, len(wrap(column.heading, _SIZE, room(column.pixels), bold=True)))
        self._finish(row_height(lines + 0.5, _SIZE))
        self.sheet.freeze_panes = f"A{self.next_row}"

    def band(self, text: str) -> None:
        """A row over the whole width that opens a part of the table."""
        font = Font(name=FONT, size=_SIZE, bold=True)
        self._wide(1, text, font, Alignment(horizontal="left", vertical="center", indent=1), boxed=_BAND)

    def wide_row(self, text: str) -> None:
        """A row of the table that has only one thing to say."""
        font = Font(name=FONT, size=_SIZE, italic=True)
        nothing = PatternFill()
        self._wide(1, text, font, Alignment(horizontal="left", vertical="center", indent=1), boxed=nothing)

    def row(
        self,
        texts: Sequence[str],
        *,
        fills: dict[int, PatternFill],
        bold: set[int],
        label_indent: int = 0,
    ) -> None:
        """A row of the table; `fills` and `bold` go by column, from 0."""
        pieces = [self._pieces(at, text, at in bold) for at, text in enumerate(texts)]
        # what does not fit into the highest row there can be goes on in the next
        for turn in range(max(map(len, pieces))):
            lines = 1
            for at, column in enumerate(self.columns):
                text = pieces[at][turn] if turn < len(pieces[at]) else ""
                cell = self.sheet.cell(self.next_row, at + 1)
                # text that touches the rule beside it is hard to read
                indent = 0 if column.is_centred else 1 + (label_indent if at == 1 else 0)
                write_text(cell, text)
                cell.font = Font(name=FONT, size=_SIZE, bold=at in bold)
                cell.border = _BOX
                cell.alignment = Alignment(
                    horizontal="center" if column.is_centred else "left",
                    vertical="center",
                    wrap_text=True,
                    indent=indent,
                )
                if at in fills:
                    cell.fill = fills[at]
                width = room(column.pixels) - INDENT * indent
                lines = max(lines, len(wrap(text, _SIZE, width, bold=at in bold)))
            self._finish(row_height(lines, _SIZE))

    def small_heading(self, text: str) -> None:
        """What stands above the small lines under the table."""
        font = Font(name=FONT, size=_SMALL_SIZE, bold=True, italic=True)
        self._wide(1, text, font, Alignment(horizontal="left", vertical="center"))

    def small(self, text: str, *, fill: PatternFill | None = None) -> None:
        """A line under the table, beside a box of the colour it explains."""
        if fill is not None:
            cell = self.sheet.cell(self.next_row, 1)
            cell.fill, cell.border = fill, _BOX
        font = Font(name=FONT, size=_SMALL_SIZE, italic=True)
        self._wide(2, text, font, Alignment(horizontal="left", vertical="center", wrap_text=True, indent=1))

    def gap(self) -> None:
        self._finish(8.0)

    def finish(self, comparison: Comparison, about: About) -> None:
        """How the sheet is printed."""
        generated = about.generated_at.astimezone(LOCAL_ZONE)
        footer = (
            f"Đối chiếu báo cáo CCHC, kỳ {comparison.computed.period.id}",
            f"Lập lúc {generated:%H:%M} ngày {day(generated)}",
        )
        set_up_page(self.sheet, self.last_column, _MARGINS, footer)

    def _pieces(self, at: int, text: str, bold: bool) -> list[str]:
        lines = wrap(text, _SIZE, room(self.columns[at].pixels) - INDENT, bold=bold)
        most = most_lines(_SIZE)
        if len(lines) <= most:
            return [text]
        return [" ".join(lines[start : start + most]) for start in range(0, len(lines), most)]

    def _wide(
        self, first: int, text: str, font: Font, alignment: Alignment, *, boxed: PatternFill | None = None
    ) -> None:
        if boxed is not None:
            for number in range(first, len(self.columns) + 1):
                cell = self.sheet.cell(self.next_row, number)
                cell.border, cell.fill = _BOX, boxed
        self.sheet.merge_cells(
            start_row=self.next_row, end_row=self.next_row, start_column=first, end_column=len(self.columns)
        )
        cell = self.sheet.cell(self.next_row, first)
        write_text(cell, text)
        cell.font, cell.alignment = font, alignment
        width = room(sum(column.pixels for column in self.columns[first - 1 :]))
        self._finish(row_height(len(wrap(text, font.size, width, bold=font.bold)), font.size))

    def _finish(self, height: float) -> None:
        self.sheet.row_dimensions[self.next_row].height = height
        self.next_row += 1
