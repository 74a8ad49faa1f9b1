"""phieu-phan-hoi/<department>.xlsx: what a department must correct, by when and how to send it again."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.styles.cell_style import StyleArray
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.page import PageMargins
from openpyxl.worksheet.worksheet import Worksheet
from sqlalchemy import Connection

from cchc.periods import LOCAL_ZONE, ReportingPeriod
from cchc.progress import vietnamese
from cchc.reporting_calendar import is_working_day
from publish import output
from publish.appendix import SYNTHETIC_LINE, Masthead
from publish.feedback_ledger import MOST_LISTED, MOST_MARKED_ROWS, Department, Finding, Part, departments
from publish.feedback_sheets import WARNED_FILL, WRONG_FILL, Mark, Original, sheet_title
from publish.figures import Report
from publish.sheet_style import (
    CELL_PADDING,
    FONT,
    INDENT,
    MILLIMETRES_PER_INCH,
    POINTS_PER_PIXEL,
    day,
    fixed,
    modified_moment,
    new_workbook,
    write_text,
)
from publish.typography import most_lines, row_height, wrap

FOLDER = "phieu-phan-hoi"
FIRST_SHEET = "Phiếu phản hồi"
WORKING_DAYS = 3

_CATEGORY = "Phiếu phản hồi của kho dữ liệu cải cách hành chính"
_SIZE = 13
_TITLE_SIZE = 14
# a digit of the default font, Times New Roman at 13 points, is 9 pixels wide
_DIGIT_PIXELS = 9
# Decree 30/2020, appendix I
_MARGINS = {"top": 20, "bottom": 20, "left": 30, "right": 15, "header": 8, "footer": 10}
_THIN = Side(style="thin", color="808080")
_BOX = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
_HEAD = PatternFill("solid", fgColor="DDEBF7")
_NO_FILL = PatternFill()

_PIXELS = (250, 92, 78, 165, 125, 270, 230)
_FINDING_HEADINGS = ("Tệp", "Trang", "Ô", "Cột", "Giá trị đã ghi", "Sai gì", "Cần sửa thế nào")
_FILE_HEADINGS = ("Tệp", "Số liệu đến ngày", "Nhận lúc", "Kết quả", "Số liệu đang được tính")
_FILE_SPANS = ((1, 2), (3, 4), (5, 5), (6, 6), (7, 7))

_CHECK_NUMBER = "Kiểm tra lại và ghi số đúng"
_CHECK_DAYS = "Kiểm tra lại các ngày của dòng này và ghi đúng"
_FILL_IN = "Bổ sung giá trị còn thiếu"
_EXPORT_AGAIN = "Sửa phần xuất dữ liệu rồi xuất lại dòng này"
_REMEDIES = {
    "required": _FILL_IN,
    "required_unless": _FILL_IN,
    "required_when": _FILL_IN,
    "not_a_number": "Chỉ ghi số, ví dụ 1.608 hoặc 12,7; không ghi chữ trong ô",
    "not_a_whole_number": "Ghi số nguyên, ví dụ 22039 hoặc 22.039",
    "ambiguous_number": "Ghi lại kiểu Việt Nam: dấu chấm ngăn hàng nghìn, dấu phẩy trước phần thập phân",
    "below_minimum": _CHECK_NUMBER,
    "above_maximum": _CHECK_NUMBER,
    "range_when": _CHECK_NUMBER,
    "not_positive_when": _CHECK_NUMBER,
    "not_in_list": "Chọn đúng một trong các giá trị cho phép",
    "not_a_date": "Ghi ngày có thật, ví dụ 14/6/2024",
    "not_a_moment": "Ghi thời điểm có thật, đúng dạng nêu ở cột bên",
    "not_yes_or_no": "Ghi x nếu có; để trống nếu không",
    "not_a_text": "Ghi bằng chữ",
    "formula_error": "Sửa công thức, hoặc ghi thẳng giá trị",
    "unknown_agency": "Ghi đúng tên hoặc mã cơ quan trong danh mục của Cổng dịch vụ công",
    "ambiguous_agency": "Ghi mã cơ quan thay cho tên",
    "duplicate_key": "Chỉ để lại một dòng; nếu là hai đối tượng khác nhau thì sửa mã hoặc tên cho đúng",
    "unknown_shape": "Ghi đúng dạng mã đã quy ước",
    "not_after": _CHECK_DAYS,
    "not_before": _CHECK_DAYS,
    "in_file_range": _CHECK_DAYS,
    "wrong_field_count": _EXPORT_AGAIN,
    "not_utf8": "Xuất lại tệp với bảng mã UTF-8",
    "bad_quotes": _EXPORT_AGAIN,
    "bad_return": _EXPORT_AGAIN,
    "too_long": _EXPORT_AGAIN,
    "nul_byte": _EXPORT_AGAIN,
    "conflicting_rows": "Kiểm tra phần xuất dữ liệu: mỗi phiên bản của hồ sơ chỉ có một nội dung",
    "unique": "Xóa dòng lặp; nếu đúng là hai việc khác nhau thì giữ nguyên",
    "not_together": "Kiểm tra lại các cột này của dòng",
    "total_mismatch": "Sửa ô tổng, hoặc sửa các dòng nếu dòng sai; báo cáo đang tính theo các dòng",
    "total_unreadable": "Ghi lại ô tổng bằng số, hoặc xóa",
    "no_rows": "Nếu có phát sinh thì bổ sung; nếu không thì giữ nguyên và báo lại",
    "unknown_column": "Sửa tiêu đề cho đúng mẫu nếu đây là cột của biểu; nếu không thì bỏ qua",
    "missing_column": "Bổ sung cột, hoặc sửa tiêu đề cho đúng mẫu",
    "refused_file": "Sửa theo lý do ở cột bên rồi gửi lại cả tệp",
    "refused_sheet": "Sửa theo lý do ở cột bên rồi gửi lại cả tệp",
    "refused_pull": "Kiểm tra phần mềm chia sẻ dữ liệu; lần lấy sau sẽ lấy lại",
    "wrong_name": "Đổi tên tệp cho đúng rồi gửi lại",
}
_ANY_REMEDY = "Sửa theo nội dung ở cột bên"


@dataclass(frozen=True)
class Slip:
    """One department's slip, before it is laid out."""

    department: Department
    period: ReportingPeriod
    masthead: Masthead


def write_slips(connection: Connection, report: Report, folder_url: str, masthead: Masthead) -> list[str]:
    """Write a slip for each department with something wrong in the period; returns where they are.

    The same findings keep the moment, the deadline and so the bytes of the slip that first told of them. A slip of an
    earlier run that has nothing to say any more is removed; files that we did not write are left alone.
    """
    url = output.join(folder_url, FOLDER)
    period = report.period
    cut_off_on = min(period.to_on, report.as_of_at.astimezone(LOCAL_ZONE).date())
    written = []
    for department in departments(connection, period.from_on, cut_off_on, report.warnings):
        if department.is_wrong:
            target = output.join(url, f"{department.slug}.xlsx")
            written.append(
                output.write(target, _slip(Slip(department, period, masthead), output.read_if_there(target)))
            )
    kept = {path.rsplit("/", 1)[-1] for path in written}
    for name in output.names(url):
        if (
            name.endswith(".xlsx")
            and name not in kept
            and _is_ours(output.read_if_there(output.join(url, name)) or b"")
        ):
            output.remove(output.join(url, name))
    return written


def deadline(period: ReportingPeriod, slip_on: date) -> date:
    """The last day on which a correction is asked for.

    Before the period's cut-off (Decree 09/2019/NĐ-CP, article 12) it is the cut-off day, as the report is computed
    after it. From that day on the figures are awaited already: then it is WORKING_DAYS working days after the slip,
    by the calendar of public holidays.
    """
    if slip_on < period.to_on:
        return period.to_on
    due, left = slip_on, WORKING_DAYS
    while left:
        due += timedelta(days=1)
        left -= is_working_day(due)
    return due


def _slip(slip: Slip, earlier: bytes | None) -> bytes:
    first_moment = modified_moment(earlier) if earlier else None
    if first_moment is not None:
        unchanged = render(_at(slip, first_moment))
        if unchanged == earlier:
            return unchanged
    return render(slip)


def _at(slip: Slip, moment: datetime) -> Slip:
    known = slip.masthead
    masthead = Masthead(known.issuer_name, known.province_name, known.synthetic, moment)
    return Slip(slip.department, slip.period, masthead)


def render(slip: Slip) -> bytes:
    """The workbook's bytes; the same slip gives the same bytes."""
    book = new_workbook(_SIZE)
    first = book.create_sheet(FIRST_SHEET)
    links = _own_sheets(book, slip.department)
    _first_page(first, slip, links)
    book.properties.title = f"Phiếu phản hồi số liệu, {slip.department.name}, {slip.period.title_vi}"
    book.properties.creator = slip.masthead.issuer_name
    book.properties.category = _CATEGORY
    return fixed(book, slip.masthead.generated_at, slip.masthead.generated_at)


def _is_ours(content: bytes) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            return _CATEGORY.encode() in package.read("docProps/core.xml")
    except (zipfile.BadZipFile, KeyError):
        return False


# ------------------------------------------------------------------------------------------------- own sheets


def _own_sheets(book: Workbook, department: Department) -> dict[tuple[str, str, str], str]:
    """Copy the sheets with marks; returns {(file, sheet, cell): where in this workbook}."""
    links: dict[tuple[str, str, str], str] = {}
    # of one file at a time: an opened workbook is large
    opened: tuple[str, Original | None] = ("", None)
    for part in department.parts:
        marks = [_marked(finding) for finding in (*part.findings, *part.notes)]
        if (
            not part.landing_uri
            or not any(mark.cell or mark.column_letter for mark in marks if mark)
            or not part.is_wrong
        ):
            continue
        if opened[0] != part.landing_uri:
            content = output.read_if_there(part.landing_uri)
            # the retention task may have deleted the original; the first page still names each cell
            opened = (part.landing_uri, Original(content) if content is not None else None)
        if opened[1] is None:
            continue
        target = book.create_sheet(sheet_title(part.sheet, part.file_name, book.sheetnames))
        cells = opened[1].copy_sheet(part.sheet, target, marks)
        if cells is None:
            book.remove(target)
            continue
        _print_on_a4(target)
        quoted = target.title.replace("'", "''")
        links |= {(part.file_name, part.sheet, cell): f"'{quoted}'!{place}" for cell, place in cells.items()}
    return links


def _marked(finding: Finding) -> Mark:
    said = f"{'Xem lại' if finding.is_warning else 'Sai'}: {_sentence(finding.problem)}\n→ {_remedy(finding)}"
    return Mark(said, finding.cell, finding.column_letter, finding.column, finding.is_warning)


def _print_on_a4(sheet: Worksheet) -> None:
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0


# ------------------------------------------------------------------------------------------------- first page


def _first_page(sheet: Worksheet, slip: Slip, links: dict[tuple[str, str, str], str]) -> None:
    page = _Page(sheet)
    department, period, masthead = slip.department, slip.period, slip.masthead
    generated = masthead.generated_at.astimezone(LOCAL_ZONE)
    due = deadline(period, generated.date())
    page.line(masthead.issuer_name.upper(), bold=True)
    page.line("PHIẾU PHẢN HỒI SỐ LIỆU", size=_TITLE_SIZE, bold=True)
    page.line(f"Kính gửi: {department.name}", bold=True)
    title = period.title_vi[:1].lower() + period.title_vi[1:]
    page.line(f"Kỳ báo cáo: {title} (từ {day(period.from_on)} đến {day(period.to_on)})", italic=True)
    if masthead.synthetic:
        page.line(SYNTHETIC_LINE, bold=True, colour="C00000")
    page.gap()
    page.paragraph(_what_is_wrong(department))
    rejected = any(part.rejected_count for part in department.parts)
    consequence = " Dòng bị loại không được tính vào báo cáo cho đến khi có bản đã sửa." if rejected else ""
    page.paragraph(f"Đề nghị {department.name} sửa và gửi lại trước khi hết ngày {day(due)}.{consequence}", bold=True)
    _files(page, department)
    _findings(page, department, links)
    _remarks(page, department)
    _how_to_send(page, department)
    page.finish(f"{department.name}, kỳ {period.id}", f"Lập lúc {generated:%H:%M} ngày {day(generated.date())}")


def _what_is_wrong(department: Department) -> str:
    parts = department.parts
    said = []
    refused = {p.file_name for p in parts if any(f.code in ("refused_file", "wrong_name") for f in p.findings)}
    if refused:
        said.append(f"{vietnamese(len(refused))} tệp không nhận được")
    sheets = sum(any(f.code == "refused_sheet" for f in p.findings) for p in parts)
    if sheets:
        said.append(f"{vietnamese(sheets)} trang không nhận được")
    rejected = sum(part.rejected_count for part in parts)
    if rejected:
        said.append(f"{vietnamese(rejected)} dòng bị loại")
    warned = sum(finding.is_warning for part in parts for finding in part.findings) + len(department.remarks)
    if warned:
        said.append(f"{vietnamese(warned)} điểm cần xem lại")
    found = ", ".join(said) or "một số điểm cần xem lại"
    return f"Khi kiểm tra số liệu của đơn vị dùng cho báo cáo cải cách hành chính, có {found}."


def _files(page: _Page, department: Department) -> None:
    if not department.files:
        return
    page.heading("Tệp đã nhận trong kỳ")
    page.row(_FILE_HEADINGS, spans=_FILE_SPANS, is_header=True)
    for file in department.files:
        received = file.received_at.astimezone(LOCAL_ZONE)
        page.row(
            (file.name, file.covers, f"{received:%H:%M} {day(received.date())}", file.result, file.counted),
            spans=_FILE_SPANS,
            centred=(1, 2),
        )


def _findings(page: _Page, department: Department, links: dict[tuple[str, str, str], str]) -> None:
    wrong = [part for part in department.parts if part.is_wrong]
    if not wrong:
        return
    page.heading("Nội dung cần sửa")
    page.legend(
        ("Màu đỏ: sai, dòng bị loại cho đến khi sửa", WRONG_FILL),
        ("Màu vàng: cần xem lại, dòng vẫn được tính", WARNED_FILL),
    )
    page.title_row(_FINDING_HEADINGS)
    for part in wrong:
        for finding in _listed(part):
            place = _place(finding)
            page.row(
                (
                    part.file_name,
                    part.sheet,
                    place,
                    finding.column,
                    finding.value,
                    _sentence(finding.problem) + _count(finding),
                    _remedy(finding),
                ),
                centred=(2,),
                fills={2: WARNED_FILL if finding.is_warning else WRONG_FILL},
                link=links.get((part.file_name, part.sheet, finding.cell), ""),
            )
        page.more(_unlisted(part))


def _listed(part: Part) -> list[Finding]:
    """What is wrong first, then what is to be looked at; neither crowds out the other."""
    wrong = [finding for finding in part.findings if not finding.is_warning]
    warned = [finding for finding in part.findings if finding.is_warning]
    return wrong[:MOST_LISTED] + warned[:MOST_LISTED]


def _place(finding: Finding) -> str:
    if finding.cell:
        return finding.cell
    if finding.column_letter:
        return f"cột {finding.column_letter}"
    if finding.line:
        return f"dòng {vietnamese(finding.line)}"
    return {"refused_sheet": "cả trang", "refused_file": "cả tệp", "wrong_name": "cả tệp"}.get(finding.code, "")


def _count(finding: Finding) -> str:
    if finding.row_count < 2:
        return ""
    return f" Có {vietnamese(finding.row_count)} dòng như vậy, đầu tiên là dòng {vietnamese(finding.line or 0)}."


def _unlisted(part: Part) -> str:
    """What the list leaves out of a part, in one sentence; blank when it leaves out nothing."""
    listed = {finding.line for finding in _listed(part) if not finding.is_warning and finding.line}
    rows = part.rejected_count - len(listed)
    where = f"trang «{part.sheet}» của tệp {part.file_name}" if part.sheet else part.file_name
    if rows <= 0:
        return ""
    marked = f" Trang kèm theo tô đỏ {vietnamese(MOST_MARKED_ROWS)} dòng đầu." if part.landing_uri else ""
    if part.rejected_count <= MOST_MARKED_ROWS and marked:
        marked = " Trang kèm theo tô đỏ mọi dòng."
    return f"Ở {where} còn {vietnamese(rows)} dòng bị loại khác, chưa liệt kê trong bảng này.{marked}"


def _remarks(page: _Page, department: Department) -> None:
    if department.remarks:
        page.heading("Đối chiếu giữa các nguồn số liệu")
        for number, remark in enumerate(department.remarks, start=1):
            page.paragraph(f"{number}. {_sentence(remark)}")
    notes = [(part, note) for part in department.parts for note in part.notes if part.is_wrong]
    if notes:
        page.heading("Để biết, không phải sửa")
        for part, note in notes[:MOST_LISTED]:
            where = f"{part.file_name}, trang «{part.sheet}»" if part.sheet else part.file_name
            page.paragraph(f"- {where}: {_sentence(note.problem)}")


def _how_to_send(page: _Page, department: Department) -> None:
    page.heading("Cách gửi lại")
    files = [file for file in department.files if file.folder and file.result != "Không có lỗi"]
    if files:
        page.paragraph(
            "Sửa trên tệp gốc của đơn vị, không sửa trên phiếu này; giữ nguyên các trang và các dòng đúng, "
            "vì bản gửi lại thay toàn bộ bản trước."
        )
    for file in files:
        if not file.send_as:
            page.paragraph(f"- {file.name}: đặt lại tên theo mẫu, gửi vào thư mục {file.folder}.")
        elif file.send_as == file.name:
            page.paragraph(f"- {file.name}: xuất lại với đúng tên này, gửi vào thư mục {file.folder}.")
        else:
            page.paragraph(f"- {file.name}: gửi lại với tên {file.send_as} vào thư mục {file.folder}.")
    for title in department.feeds:
        page.paragraph(f"- {title}: sửa ở phần mềm nguồn; lần lấy dữ liệu sau sẽ lấy lại, không phải gửi tệp.")
    if department.remarks:
        page.paragraph(
            "- Nội dung đối chiếu: thống nhất với cơ quan cùng được nêu tên (nếu có); bên nào sai thì sửa và gửi lại."
        )


def _remedy(finding: Finding) -> str:
    return _REMEDIES.get(finding.code, _ANY_REMEDY)


def _sentence(text: str) -> str:
    return text.rstrip(" .") + "."


class _Page:
    """Writes the first page from the top down and gives each row the height its text needs."""

    def __init__(self, sheet: Worksheet) -> None:
        self.sheet = sheet
        self.next_row = 1
        self._looks: dict[tuple[object, ...], StyleArray] = {}
        for number, pixels in enumerate(_PIXELS, start=1):
            sheet.column_dimensions[get_column_letter(number)].width = pixels / _DIGIT_PIXELS

    def line(
        self, text: str, *, size: int = _SIZE, bold: bool = False, italic: bool = False, colour: str | None = None
    ) -> None:
        """A centred line over the whole width."""
        self._wide(text, Font(name=FONT, size=size, bold=bold, italic=italic, color=colour), "center")

    def paragraph(self, text: str, *, bold: bool = False) -> None:
        for piece in _pieces(text, _span_room(1, len(_PIXELS))):
            self._wide(piece, Font(name=FONT, size=_SIZE, bold=bold), "left")

    def heading(self, text: str) -> None:
        self.gap()
        self._wide(text, Font(name=FONT, size=_SIZE, bold=True), "left")

    def legend(self, *entries: tuple[str, PatternFill]) -> None:
        for text, fill in entries:
            self.sheet.cell(self.next_row, 1).fill = fill
            self.sheet.cell(self.next_row, 1).border = _BOX
            self._wide(text, Font(name=FONT, size=_SIZE, italic=True), "left", first=2)

    def title_row(self, texts: Sequence[str]) -> None:
        """The headings of the long table, which every printed page repeats."""
        self.sheet.print_title_rows = f"{self.next_row}:{self.next_row}"
        self.row(texts, is_header=True)

    def row(
        self,
        texts: Sequence[str],
        *,
        spans: Sequence[tuple[int, int]] = (),
        centred: Sequence[int] = (),
        fills: dict[int, PatternFill] | None = None,
        is_header: bool = False,
        link: str = "",
    ) -> None:
        """A boxed row; `centred` and `fills` go by text, from 0; `link` is where in this workbook the third leads."""
        spans = spans or [(number, number) for number in range(1, len(_PIXELS) + 1)]
        pieces = [_pieces(text, _span_room(*span), bold=is_header) for text, span in zip(texts, spans, strict=True)]
        # what does not fit into the highest row there can be goes on in the next
        for turn in range(max(map(len, pieces))):
            lines = 1
            for at, (first, last) in enumerate(spans):
                text = pieces[at][turn] if turn < len(pieces[at]) else ""
                for number in range(first + 1, last + 1):
                    self.sheet.cell(self.next_row, number).border = _BOX
                cell = self._merge(first, last)
                is_link = bool(link) and at == 2 and turn == 0
                if is_link:
                    cell.hyperlink = Hyperlink(ref=cell.coordinate, location=link)
                fill = _HEAD if is_header else (fills or {}).get(at, _NO_FILL)
                self._dress(cell, fill, is_header=is_header, is_centred=is_header or at in centred, is_link=is_link)
                write_text(cell, text)
                # spreadsheet programs may also break a file's name at its hyphens
                lines = max(lines, len(_lines(text.replace("-", "- "), _span_room(first, last), is_header)))
            self._finish(row_height(lines, _SIZE))

    def _dress(self, cell: Cell, fill: PatternFill, *, is_header: bool, is_centred: bool, is_link: bool) -> None:
        """The look of a cell of a table; each look is made once, since openpyxl takes long to make one."""
        key = (fill.fgColor.rgb, is_header, is_centred, is_link)
        if key not in self._looks:
            cell.font = Font(name=FONT, size=_SIZE, bold=is_header, underline="single" if is_link else None)
            # text that touches the rule beside it is hard to read
            cell.alignment = Alignment(
                horizontal="center" if is_centred else "left",
                vertical="center",
                wrap_text=True,
                indent=0 if is_centred else 1,
            )
            cell.fill, cell.border = fill, _BOX
            self._looks[key] = cell._style
        cell._style = copy(self._looks[key])

    def more(self, text: str) -> None:
        """What the table leaves out, in a row of its own."""
        if text:
            self._wide(text, Font(name=FONT, size=_SIZE, bold=True, italic=True), "left", boxed=True)

    def gap(self) -> None:
        self._finish(9.0)

    def finish(self, left: str, right: str) -> None:
        """How the sheet is printed."""
        sheet = self.sheet
        sheet.print_area = f"A1:{get_column_letter(len(_PIXELS))}{self.next_row - 1}"
        sheet.page_setup.orientation = "landscape"
        _print_on_a4(sheet)
        sheet.page_margins = PageMargins(**{side: mm / MILLIMETRES_PER_INCH for side, mm in _MARGINS.items()})
        sheet.sheet_view.showGridLines = False
        for part, text in zip(
            (sheet.oddFooter.left, sheet.oddFooter.center, sheet.oddFooter.right),
            (left, "Trang &P/&N", right),
            strict=True,
        ):
            part.text, part.font, part.size = text, f"{FONT},Regular", 11

    def _wide(self, text: str, font: Font, horizontal: str, *, first: int = 1, boxed: bool = False) -> None:
        for number in range(first, len(_PIXELS) + 1) if boxed else ():
            self.sheet.cell(self.next_row, number).border = _BOX
        cell = self._merge(first, len(_PIXELS))
        write_text(cell, text)
        cell.font = font
        cell.alignment = Alignment(horizontal=horizontal, vertical="center", wrap_text=True)
        lines = wrap(text, font.size, _span_room(first, len(_PIXELS)), bold=font.bold)
        self._finish(row_height(len(lines), font.size))

    def _merge(self, first: int, last: int) -> Cell:
        if last > first:
            self.sheet.merge_cells(start_row=self.next_row, end_row=self.next_row, start_column=first, end_column=last)
        return self.sheet.cell(self.next_row, first)

    def _finish(self, height: float) -> None:
        self.sheet.row_dimensions[self.next_row].height = height
        self.next_row += 1


@lru_cache(maxsize=2000)
def _lines(text: str, room: float, bold: bool) -> Sequence[str]:
    """The lines of a text in the table; the rows of one sheet repeat most of theirs."""
    return wrap(text, _SIZE, room, bold=bold)


def _pieces(text: str, room: float, *, bold: bool = False) -> list[str]:
    lines, most = _lines(text, room, bold), most_lines(_SIZE)
    if len(lines) <= most:
        return [text]
    return [" ".join(lines[start : start + most]) for start in range(0, len(lines), most)]


def _span_room(first: int, last: int) -> float:
    """Points that a run of columns leaves for text."""
    return sum(_PIXELS[first - 1 : last]) * POINTS_PER_PIXEL - CELL_PADDING - INDENT
