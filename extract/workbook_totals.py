"""Totals that people write into a sheet, checked against the rows they may stand for."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise

import polars as pl

from extract import tcvn3
from extract.cells import BrokenCell, Reading, Unreadable, is_blank, label_key, plain
from extract.check import Warned
from extract.contract import Column, Table
from extract.workbook_file import Sheet, column_letter
from extract.workbook_layout import Kind, Layout

Warnings = dict[tuple[str, str], Warned]
Section = tuple[int, int]
"""Rows of the sheet from the first, from 0, up to but without the second."""

MARKS = (Kind.GROUP, Kind.SUBTOTAL, Kind.TOTAL)
# how many totals and headings a total reaches back over, short of the beginning
_FARTHEST = 50


def check_totals(
    sheet: Sheet,
    table: Table,
    layout: Layout,
    readers: dict[str, Callable[[object], Reading]],
    kinds: list[Kind],
    factors: dict[str, int],
    rejected: set[int],
) -> Warnings:
    """A total that is the sum of none of the rows it may stand for is a warning that names both numbers.

    Nobody writes down what a total adds up, so each may stand for several sections. A total over a number that cannot
    be read is not checked: its row is told of that. `factors`: what one unit of a column is in the unit that its reader
    gives; the message has the numbers as they stand in the sheet. `rejected`: rows, from 0, that a total may leave out.
    """
    warnings: Warnings = {}
    numeric = [column for column in table.columns if column.name in readers and column.type in ("bigint", "numeric")]
    totals = _Totals(sheet, layout, readers, kinds, {layout.columns[column.name] for column in numeric})
    checked = [column for column in numeric if column.custom("additive") is not False]
    good = [at for at in totals.data if at not in rejected]
    sums, good_sums = (
        {c.name: _Sums(sheet, rows, layout.columns[c.name], readers[c.name]) for c in checked}
        for rows in (totals.data, good)
    )
    for nth, at in enumerate(totals.marks):
        filled = [column for column in checked if not _is_silent(sheet.rows[at][layout.columns[column.name]])]
        sections = totals.sections(nth) if filled else []
        for column in filled:
            place = layout.columns[column.name]
            where = f"{column_letter(place)}{at + 1}"
            stated = readers[column.name](sheet.rows[at][place])
            if isinstance(stated, Unreadable):
                _warn(warnings, "total_unreadable", column, at, f"Ô tổng {where} ({column.header}) {stated.reason}")
                continue
            found = [sums[column.name].of(section) for section in sections]
            if stated is None or None in found or Decimal(stated) in found:
                continue
            if Decimal(stated) in [good_sums[column.name].of(section) for section in sections]:
                continue
            # the section that a slip of the pen would explain best
            nearest = min((s for s in found if s is not None), key=lambda s: abs(s - Decimal(stated)))
            factor = factors.get(column.name, 1)
            message = (
                f"Ô tổng {where} ({column.header}) ghi {_vietnamese(Decimal(stated) / factor)} "
                f"nhưng cộng các dòng được {_vietnamese(nearest / factor)}"
            )
            _warn(warnings, "total_mismatch", column, at, message)
    return warnings


def _is_silent(cell: object) -> bool:
    return is_blank(cell) or (isinstance(cell, BrokenCell) and not cell.error)


def _warn(warnings: Warnings, code: str, column: Column, at: int, message: str) -> None:
    known = warnings.setdefault((code, column.header), Warned("", column.header))
    known.message = f"{known.message}; {message}" if known.message else message
    known.add(pl.Series([at + 1]))


class _Sums:
    """Sums of a column over any rows, each in one step."""

    def __init__(self, sheet: Sheet, data: list[int], place: int, read: Callable[[object], Reading]) -> None:
        self._sums = [Decimal()]
        self._unreadable = [0]
        numbers = {at: read(sheet.rows[at][place]) for at in data}
        for at in range(len(sheet.rows)):
            number = numbers.get(at)
            self._sums.append(self._sums[-1] + (Decimal(number) if isinstance(number, str) else 0))
            self._unreadable.append(self._unreadable[-1] + isinstance(number, Unreadable))

    def of(self, section: Section) -> Decimal | None:
        """None when a number of the section cannot be read."""
        first, end = section
        if self._unreadable[end] > self._unreadable[first]:
            return None
        return self._sums[end] - self._sums[first]


class _Totals:
    """The rows `marks` of totals and group headings, and the sections that each may stand for."""

    def __init__(
        self,
        sheet: Sheet,
        layout: Layout,
        readers: dict[str, Callable[[object], Reading]],
        kinds: list[Kind],
        numeric: set[int],
    ) -> None:
        self._sheet = sheet
        self._serial = layout.serial
        self._readers = {layout.columns[name]: reader for name, reader in readers.items()}
        self._silent = numeric if layout.serial is None else numeric | {layout.serial}
        self._start = layout.last + 1
        self._whole = (self._start, self._start + len(kinds))
        self._kinds = dict(enumerate(kinds, self._start))
        self.data = [at for at, kind in self._kinds.items() if kind is Kind.DATA]
        self.marks = [at for at, kind in self._kinds.items() if kind in MARKS]
        self._levels = {at: self._level(at) for at in self.marks if self._kinds[at] is Kind.GROUP}
        self._labels = {at: self._label(at) for at in self.marks if self._kinds[at] is not Kind.GROUP}
        self._label_counts = Counter(self._labels.values())

    def sections(self, nth: int) -> list[Section]:
        """Of the mark with `nth` others above it."""
        at = self.marks[nth]
        kind = self._kinds[at]
        if kind is Kind.GROUP:
            return [(at + 1, self._end_of_group(at, nth)), (at + 1, self._next_group(nth))]
        above = self.marks[nth - 1] if nth else None
        section = (self._start if above is None else above + 1, at)
        is_bare = self._labels[at].startswith("cộng")
        if kind is Kind.TOTAL and not is_bare and (not self._has_data((self._start, at)) or self._is_the_total(at)):
            above_and_below = self._has_data((self._start, at)) and self._has_data((at, self._whole[1]))
            return [(self._start, at), self._whole] if above_and_below else [self._whole]
        # a bare "Cộng" may end a group or the table
        wide = [self._whole] if kind is Kind.TOTAL else []
        if not self._has_data(section):
            # at the head of what it adds up, or below the sub-totals of the groups in its own
            end = self.marks[nth + 1] if nth + 1 < len(self.marks) else self._whole[1]
            return [(at + 1, end), *self._since_marks(at, nth), self._whole]
        if above in self._levels:
            # the outer one of groups in groups may end here
            near, level = self.marks[max(0, nth - _FARTHEST) : nth], self._levels[above]
            return [section, *((mark + 1, at) for mark in near if self._levels.get(mark, level) < level), *wide]
        return [section, *self._runs(section), *self._since_marks(at, nth), *wide]

    def _end_of_group(self, at: int, nth: int) -> int:
        inner = self._levels[at]
        later = (self.marks[i] for i in range(nth + 1, len(self.marks)))
        return next((mark for mark in later if self._levels.get(mark, inner + 1) <= inner), self._whole[1])

    def _next_group(self, nth: int) -> int:
        later = (self.marks[i] for i in range(nth + 1, len(self.marks)))
        return next((mark for mark in later if mark in self._levels), self._whole[1])

    def _has_data(self, section: Section) -> bool:
        return bisect_left(self.data, section[0]) < bisect_left(self.data, section[1])

    def _since_marks(self, at: int, nth: int) -> list[Section]:
        """From below the earlier totals and group headings, and from the beginning."""
        return [*((mark + 1, at) for mark in self.marks[max(0, nth - _FARTHEST) : nth]), (self._start, at)]

    def _runs(self, section: Section) -> list[Section]:
        """The last group of the section in every column by whose values the rows stand in groups.

        A group of one row often has no sub-total, so that the section of the next one's begins above its group.
        """
        rows = self.data[bisect_left(self.data, section[0]) : bisect_left(self.data, section[1])]
        found = []
        for place in range(len(self._sheet.rows[rows[0]])):
            if place in self._silent:
                continue
            values = [self._value(row, place) for row in rows]
            for index in range(1, len(values)):
                # the name of a group is often written once, in its first row
                values[index] = values[index] or values[index - 1]
            changes = [row for row, (before, after) in zip(rows[1:], pairwise(values), strict=True) if before != after]
            if changes and len(changes) + 1 == len(set(values)) < len(rows):
                found.append((changes[-1], section[1]))
        return found

    def _value(self, row: int, place: int) -> str:
        cell = self._sheet.rows[row][place]
        reading = self._readers[place](cell) if place in self._readers else None
        return reading if isinstance(reading, str) else label_key(plain(cell))

    def _is_the_total(self, at: int) -> bool:
        """The first or last total of the sheet, and no other is called the same."""
        return self._label_counts[self._labels[at]] == 1 and at in (
            next(iter(self._labels)),
            next(reversed(self._labels)),
        )

    def _label(self, at: int) -> str:
        texts = [reading for cell in self._sheet.rows[at] if isinstance(cell, str) for reading in tcvn3.readings(cell)]
        return next((key for key in map(label_key, texts) if key.startswith(("tổng", "cộng", "toàn"))), "")

    def _level(self, at: int) -> int:
        """How deep a group is: A above I above the rest."""
        row = self._sheet.rows[at]
        mark = plain(row[self._serial]) if self._serial is not None else ""
        if not mark:
            mark = next((plain(cell) for cell in row if not is_blank(cell)), "")
        mark = tcvn3.legible(mark).split(" ")[0].strip(".)/:-–")
        if len(mark) == 1 and mark in "ABCDEFGH":
            return 0
        return 1 if mark and not mark.strip("IVX") else 2


def _vietnamese(number: Decimal) -> str:
    text = f"{number:,f}"
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0")
    return whole.replace(",", ".") + (f",{fraction}" if fraction else "")
