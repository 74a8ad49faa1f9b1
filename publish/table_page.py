"""A sheet that is one table under a title, on A4 across, as it is printed and laid before a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from cchc.periods import LOCAL_ZONE
from publish.sheet_style import DIGIT_PIXELS, FONT, INDENT, day, room, set_up_page, write_text
from publish.typography import most_lines, row_height, wrap

_SIZE = 12
_SMALL_SIZE = 11
_MARGINS = {"top": 15, "bottom": 18, "left": 20, "right": 15, "header": 8, "footer": 8}
_BAND = PatternFill("solid", fgColor="DDEBF7")
_HEAD = PatternFill("solid", fgColor="BDD7EE")
_THIN = Side(style="thin", color="808080")
_BOX = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)


@dataclass(frozen=True)
class Column:
    """A column of a table: heading, width in pixels, and how its text stands."""

    heading: str
    pixels: int
    is_centred: bool = True


class TablePage:
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

    def finish(self, footer: str, generated_at: datetime) -> None:
        """How the sheet is printed; `generated_at` has a zone."""
        generated = generated_at.astimezone(LOCAL_ZONE)
        set_up_page(
            self.sheet, self.last_column, _MARGINS, (footer, f"Lập lúc {generated:%H:%M} ngày {day(generated)}")
        )

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
