"""A department's own sheet with its wrong cells marked.

The sheet is copied cell by cell into a new workbook: values, looks, merged cells, widths and heights. What a copy of
the file would bring along stays behind: formulas (their values come), macros, links, names, drop-downs, conditional
formats, pictures, comments and the properties that name people.
"""

from __future__ import annotations

import io
import unicodedata
import zipfile
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import openpyxl
import python_calamine as calamine
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import coordinate_to_tuple, get_column_letter
from openpyxl.utils.cell import column_index_from_string
from openpyxl.worksheet.dimensions import ColumnDimension, RowDimension
from openpyxl.worksheet.worksheet import Worksheet

from publish.declared import plain_text
from publish.sheet_style import FONT, FORMULA_STARTS

WRONG_FILL = PatternFill("solid", fgColor="FF9C9C")
WARNED_FILL = PatternFill("solid", fgColor="FFEB84")

# openpyxl holds a file in memory some fifty times as large; beyond this only the rows that matter are shown
_MOST_UNPACKED = 10_000_000
_MOST_COMMENTS = 500
_HEADER_ROWS = 44
_AUTHOR = "Kho dữ liệu cải cách hành chính"
_COMMENT_WIDTH = 320
_COMMENT_LINE = 44
_THIN = Side(style="thin", color="A6A6A6")
_BOX = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)


@dataclass(frozen=True)
class Mark:
    """What to say at a cell (`C37`), or at the header of a column (`column_letter` and the text of its header)."""

    text: str
    cell: str = ""
    column_letter: str = ""
    header: str = ""
    is_warning: bool = False


class Original:
    """A file as the department sent it, opened once for all of its sheets."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._book = _opened(content)

    def copy_sheet(self, wanted: str, target: Worksheet, marks: Sequence[Mark]) -> dict[str, str] | None:
        """Fill `target` with the sheet that the contract calls `wanted`, its cells marked.

        Returns where each marked cell of the original is in the target, or None when there is no such sheet.
        """
        if self._book is not None:
            found = _named(wanted, self._book.worksheets, lambda sheet: sheet.title)
            if found is None:
                return None
            try:
                _copy(found, target)
            except Exception:
                # looks that the library opens and cannot copy: nobody misses them as much as the report
                self._book = None
                _empty(target)
                return self._rebuild(wanted, target, marks)
            cells = [(mark, _place(mark, target)) for mark in marks]
            for row, column in (coordinate_to_tuple(cell) for _, cell in cells if cell):
                _unhide(target, row, column)
            _mark(target, cells)
            return {mark.cell: cell for mark, cell in cells if mark.cell and cell}
        return self._rebuild(wanted, target, marks)

    def _rebuild(self, wanted: str, target: Worksheet, marks: Sequence[Mark]) -> dict[str, str] | None:
        """The values alone, of a kind of file whose looks no library reads, or of one too large to hold."""
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(self._content))
        name = _named(wanted, book.sheet_names, lambda sheet: sheet)
        if name is None:
            return None
        sheet = book.get_sheet_by_name(name)
        rows = sheet.to_python(skip_empty_area=False)
        wide = max((len(row) for row in rows), default=0)
        is_whole = len(rows) * wide * 40 <= _MOST_UNPACKED
        kept = range(1, len(rows) + 1) if is_whole else _kept_rows(marks, len(rows))
        at = {row: place for place, row in enumerate(kept, start=1)}
        for row, place in at.items():
            for column, value in enumerate(rows[row - 1], start=1):
                if value != "" and value is not None:
                    _write_plain(target.cell(place, column), value)
        if is_whole:
            for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
                target.merged_cells.add(
                    f"{get_column_letter(left + 1)}{top + 1}:{get_column_letter(right + 1)}{bottom + 1}"
                )
        _widen(target)
        cells = []
        for mark in marks:
            if not mark.cell or is_whole:
                cells.append((mark, _place(mark, target)))
                continue
            row, column = coordinate_to_tuple(mark.cell)
            moved = replace(mark, text=f"Ô {mark.cell} của tệp gốc. {mark.text}")
            cells.append((moved, f"{get_column_letter(column)}{at[row]}" if row in at else ""))
        _mark(target, cells)
        return {mark.cell: cell for mark, cell in cells if mark.cell and cell}


def sheet_title(wanted: str, file_name: str, taken: Sequence[str]) -> str:
    """The sheet's own name; of two files with one name for a sheet, the second adds its file's."""
    titles = [wanted, *(f"{wanted[:12]} ({file_name[: 16 - len(str(n))]}{n or ''})" for n in range(len(taken) + 1))]
    return next(title for title in titles if title not in taken)


def _opened(content: bytes) -> openpyxl.Workbook | None:
    """The workbook with its looks; None for another kind of file, a very large one, or one the library trips over."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            if sum(info.file_size for info in package.infolist()) > _MOST_UNPACKED:
                return None
        return openpyxl.load_workbook(io.BytesIO(content), data_only=True, keep_links=False)
    except Exception:
        # the loader has read it, with a library that minds less; its values can still be shown
        return None


def _named(wanted: str, sheets: Sequence[Any], name_of: Any) -> Any:
    return next((sheet for sheet in sheets if _key(name_of(sheet)) == _key(wanted)), None)


def _key(name: str) -> str:
    """Case, spaces, underscores and diacritics of a sheet's name do not matter."""
    return "".join(sign for sign in plain_text(name) if sign.isalnum())


# --------------------------------------------------------------------------------------------------------- copies


def _copy(source: Worksheet, target: Worksheet) -> None:
    styles: dict[tuple[int, ...], Any] = {}
    for (row, column), cell in source._cells.items():
        made = target.cell(row, column)
        value = cell.value
        if value is not None:
            _write(made, value)
            if cell.data_type == "e":
                made.data_type = "e"
        key = tuple(cell._style)
        if key not in styles:
            made.font, made.fill, made.border = copy(cell.font), copy(cell.fill), copy(cell.border)
            made.alignment, made.number_format = copy(cell.alignment), cell.number_format
            styles[key] = copy(made._style)
        elif any(key):
            made._style = copy(styles[key])
        if isinstance(value, str) and value.startswith(FORMULA_STARTS):
            made.quotePrefix = True
    for merged in source.merged_cells.ranges:
        target.merged_cells.add(merged.coord)
    for letter, column in source.column_dimensions.items():
        target.column_dimensions[letter] = ColumnDimension(
            target, index=letter, width=column.width, hidden=column.hidden, min=column.min, max=column.max
        )
    for number, row in source.row_dimensions.items():
        if row.height is not None or row.hidden:
            target.row_dimensions[number] = RowDimension(target, index=number, ht=row.height, hidden=row.hidden)
    target.sheet_format.defaultRowHeight = source.sheet_format.defaultRowHeight
    target.sheet_format.defaultColWidth = source.sheet_format.defaultColWidth
    target.sheet_format.baseColWidth = source.sheet_format.baseColWidth
    target.freeze_panes = source.freeze_panes
    target.sheet_view.showGridLines = source.sheet_view.showGridLines
    target.page_setup.orientation = source.page_setup.orientation


def _empty(sheet: Worksheet) -> None:
    sheet._cells.clear()
    sheet.merged_cells.ranges.clear()
    sheet.column_dimensions.clear()
    sheet.row_dimensions.clear()


def _unhide(sheet: Worksheet, row: int, column: int) -> None:
    """A wrong cell must be seen, wherever it was hidden."""
    if row in sheet.row_dimensions:
        sheet.row_dimensions[row].hidden = False
    for letter, dimension in sheet.column_dimensions.items():
        first = dimension.min or column_index_from_string(letter)
        if first <= column <= (dimension.max or first):
            dimension.hidden = False


def _write(cell: Cell, value: Any) -> None:
    """A value as a value: a text stays a text, whatever it starts with."""
    if isinstance(value, str):
        value = ILLEGAL_CHARACTERS_RE.sub("", value)
        cell.value = value or None
        if value:
            cell.data_type = "s"
    else:
        cell.value = value


def _write_plain(cell: Cell, value: Any) -> None:
    """A value read without its looks."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    _write(cell, value)
    cell.font, cell.border = Font(name=FONT, size=12), _BOX
    cell.alignment = Alignment(vertical="center", wrap_text=isinstance(value, str) and len(value) > 12)
    if isinstance(value, datetime | date):
        cell.number_format = "dd/mm/yyyy"
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        cell.quotePrefix = True


def _kept_rows(marks: Sequence[Mark], count: int) -> list[int]:
    """The top of the sheet and the rows with marks."""
    marked = {coordinate_to_tuple(mark.cell)[0] for mark in marks if mark.cell}
    return sorted({*range(1, min(_HEADER_ROWS, count) + 1), *(row for row in marked if row <= count)})


def _widen(sheet: Worksheet) -> None:
    widest: dict[int, int] = {}
    merged = {(span.min_row, span.min_col) for span in sheet.merged_cells.ranges}
    for (row, column), cell in sheet._cells.items():
        if cell.value is not None and (row, column) not in merged:
            shown = 10 if isinstance(cell.value, datetime | date) else len(str(cell.value))
            widest[column] = max(widest.get(column, 0), shown)
    for column, letters in widest.items():
        sheet.column_dimensions[get_column_letter(column)].width = min(max(letters + 2, 8), 42)


# ---------------------------------------------------------------------------------------------------------- marks


def _place(mark: Mark, sheet: Worksheet) -> str:
    """The cell to mark; of merged cells the one that shows."""
    if mark.cell:
        return _shown_cell(sheet, mark.cell)
    if not mark.column_letter:
        return ""
    column = column_index_from_string(mark.column_letter)
    title = plain_text(mark.header.rstrip("…"))
    best, best_row = "", 0
    for row in range(1, min(sheet.max_row, _HEADER_ROWS) + 1):
        value = sheet._cells.get((row, column))
        text = plain_text(unicodedata.normalize("NFC", value.value)) if value and isinstance(value.value, str) else ""
        if text and (text in title or title in text) and len(text) >= len(best):
            best, best_row = text, row
    return _shown_cell(sheet, f"{mark.column_letter}{best_row}") if best_row else ""


def _shown_cell(sheet: Worksheet, cell: str) -> str:
    row, column = coordinate_to_tuple(cell)
    for merged in sheet.merged_cells.ranges:
        if merged.min_row <= row <= merged.max_row and merged.min_col <= column <= merged.max_col:
            return f"{get_column_letter(merged.min_col)}{merged.min_row}"
    return cell


def _mark(sheet: Worksheet, cells: Sequence[tuple[Mark, str]]) -> None:
    said: dict[str, list[Mark]] = {}
    for mark, cell in cells:
        if cell:
            said.setdefault(cell, []).append(mark)
    for number, (cell, marks) in enumerate(said.items()):
        marked = sheet[cell]
        marked.fill = WARNED_FILL if all(mark.is_warning for mark in marks) else WRONG_FILL
        if number < _MOST_COMMENTS:
            text = "\n".join(dict.fromkeys(mark.text for mark in marks))
            lines = sum(1 + len(line) // _COMMENT_LINE for line in text.split("\n"))
            marked.comment = Comment(text, _AUTHOR, width=_COMMENT_WIDTH, height=24 + 18 * lines)
