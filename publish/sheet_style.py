"""What every workbook that we print has in common: its font, its measures, its page, and bytes that repeat."""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from collections.abc import Mapping
from datetime import UTC, date, datetime

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell
from openpyxl.styles import Font
from openpyxl.utils.indexed_list import IndexedList
from openpyxl.worksheet.page import PageMargins
from openpyxl.worksheet.worksheet import Worksheet

from publish.office_package import pinned

FONT = "Times New Roman"
MILLIMETRES_PER_INCH = 25.4
INDENT = 9.0
POINTS_PER_PIXEL = 0.75
CELL_PADDING = 6.0
# Column widths count digits of the default font: in Times New Roman at 12 points a digit is 8 pixels wide.
DIGIT_PIXELS = 8
_DEFAULT_SIZE = 12

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_NO_TRIANGLES = b'<ignoredErrors><ignoredError sqref="A1:H2000" numberStoredAsText="1"/></ignoredErrors>'
_MOMENT = re.compile(rb"(<dcterms:(created|modified)[^>]*>)([^<]*)(</dcterms:\2>)")


def new_workbook(size: int = _DEFAULT_SIZE) -> Workbook:
    """A workbook without sheets, in our font; `size` in points is what widths and empty cells go by."""
    workbook = Workbook()
    workbook.remove(workbook.active)
    font = Font(name=FONT, size=size, family=1)
    # openpyxl has no public way to change the default font, which widths and empty cells go by
    workbook._fonts = IndexedList([font])
    workbook._named_styles["Normal"].font = font
    return workbook


def room(pixels: int) -> float:
    """Points that a column or a run of columns leaves for text."""
    return pixels * POINTS_PER_PIXEL - CELL_PADDING


def write_text(cell: Cell, text: str) -> None:
    """Write text as text, whatever it starts with: no formula, not even after it is edited in Excel."""
    clean = ILLEGAL_CHARACTERS_RE.sub("", unicodedata.normalize("NFC", text))
    if not clean:
        return
    cell.value = clean
    cell.data_type = "s"
    if clean.startswith(FORMULA_STARTS):
        cell.quotePrefix = True


def choices(unit: str) -> str:
    """`Không = 0 Có = 1` → one choice on each line."""
    return re.sub(r"(= \d+);? (?=\S)", r"\1\n", unit)


def day(moment: date) -> str:
    """14/6/2024."""
    return f"{moment.day}/{moment.month}/{moment.year}"


def set_up_page(
    sheet: Worksheet,
    last_column: str,
    margins: Mapping[str, float],
    footer: tuple[str, str],
    *,
    fit_to_height: int = 0,
) -> None:
    """Landscape A4 as wide as the page, `margins` in millimetres, the page's number between two `footer` texts."""
    sheet.print_area = f"A1:{last_column}{sheet.max_row}"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, fit_to_height
    sheet.page_margins = PageMargins(**{side: mm / MILLIMETRES_PER_INCH for side, mm in margins.items()})
    sheet.print_options.horizontalCentered = True
    sheet.sheet_view.showGridLines = False
    parts = sheet.oddFooter.left, sheet.oddFooter.center, sheet.oddFooter.right
    for part, text in zip(parts, (footer[0], "Trang &P/&N", footer[1]), strict=True):
        part.text, part.font, part.size = text, f"{FONT},Regular", 11


def fixed(workbook: Workbook, created_at: datetime, modified_at: datetime) -> bytes:
    """The workbook's bytes, its clock times pinned, and without Excel's triangles on a `1.1` that is text."""
    content = io.BytesIO()
    workbook.save(content)
    moments = {b"created": _stated(created_at), b"modified": _stated(modified_at)}

    def edit(name: str, part: bytes) -> bytes:
        if name == "docProps/core.xml":
            return _MOMENT.sub(lambda found: found[1] + moments[found[2]] + found[4], part)
        if name.startswith("xl/worksheets/sheet"):
            return part.replace(b"</headerFooter>", b"</headerFooter>" + _NO_TRIANGLES, 1)
        return part

    return pinned(content.getvalue(), created_at, edit)


def modified_moment(content: bytes) -> datetime | None:
    """When a workbook says it was last written; None for anything else."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            found = _MOMENT.findall(package.read("docProps/core.xml"))
        stated = next((moment for _, which, moment, _ in found if which == b"modified"), None)
        return datetime.fromisoformat(stated.decode()) if stated else None
    except (zipfile.BadZipFile, KeyError, ValueError):
        return None


def _stated(moment: datetime) -> bytes:
    return f"{moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat()}Z".encode()
