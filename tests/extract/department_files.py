"""Workbooks as departments send them, written with openpyxl, and read without a database."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

from extract.agencies import Agency, AgencyNames
from extract.check import Checker, Fault
from extract.contract import Table, contracts
from extract.workbook_file import Limits, Workbook
from extract.workbook_layout import labels_of
from extract.workbook_reader import read_sheet, sheet_of

AS_OF = date(2024, 6, 14)
LIMITS = Limits(100_000_000, 1_000_000_000)
AGENCIES = [
    Agency("H31", "UBND tỉnh Hưng Yên", 1, None, "33"),
    Agency("H31.01", "Văn phòng UBND tỉnh", 1, "H31", "33"),
    Agency("H31.02", "Sở Nội vụ", 1, "H31", "33"),
    Agency("H31.05", "Sở Tài chính", 1, "H31", "33"),
    Agency("H31.11", "Sở Thông tin và Truyền thông", 1, "H31", "33"),
    Agency("H31.12", "Sở Lao động - Thương binh và Xã hội", 1, "H31", "33"),
    Agency("H31.13", "Sở Văn hóa, Thể thao và Du lịch", 1, "H31", "33"),
    Agency("H31.17", "Thanh tra tỉnh", 1, "H31", "33"),
    Agency("H31.31", "UBND thành phố Hưng Yên", 2, "H31", "323"),
    Agency("H31.32", "UBND huyện Văn Lâm", 2, "H31", "325"),
    Agency("H31.33", "UBND huyện Văn Giang", 2, "H31", "326"),
    Agency("H31.35", "UBND thị xã Mỹ Hào", 2, "H31", "328"),
    Agency("H31.31.01", "UBND phường Lam Sơn", 3, "H31.31", "11950"),
    Agency("H31.32.01", "UBND thị trấn Như Quỳnh", 3, "H31.32", "11986"),
    Agency("H31.32.02", "UBND xã Lạc Đạo", 3, "H31.32", "11989"),
    Agency("H31.32.08", "UBND xã Minh Hải", 3, "H31.32", "12007"),
    Agency("H31.33.08", "UBND xã Minh Hải", 3, "H31.33", "12008"),
]
STAFF_HEADER = ["STT", "Cơ quan, đơn vị", "Biên chế được giao", "Có mặt"]
STAFF = [[1, "Sở Nội vụ", 60, 58], [2, "UBND huyện Văn Lâm", 90, 88], [3, "Sở Tài chính", 70, 69]]


def names(day: date = AS_OF) -> AgencyNames:
    return AgencyNames(AGENCIES, day)


@dataclass
class Read:
    """What became of one sheet."""

    good: list[dict[str, Any]]
    faults: dict[int, list[Fault]]
    warnings: dict[tuple[str, str], str] = field(default_factory=dict)

    def column(self, name: str) -> list[Any]:
        return [row[name] for row in self.good]

    @property
    def rows(self) -> list[int]:
        return self.column("_row")

    @property
    def cells(self) -> dict[str, tuple[str, str | None]]:
        """{cell: (code, value)} of every fault."""
        return {fault.cell: (fault.code, fault.value) for faults in self.faults.values() for fault in faults}

    @property
    def reasons(self) -> str:
        return "\n".join(fault.reason for faults in self.faults.values() for fault in faults)


def table_of(source: str, sheet: str) -> Table:
    return next(table for table in contracts()[source].tables if table.custom("sheet") == sheet)


def saved(book: openpyxl.Workbook) -> bytes:
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def sheet_file(rows: list[list[Any]], title: str = "Cong chuc") -> tuple[openpyxl.Workbook, Worksheet]:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    return book, sheet


def read(content: bytes | list[list[Any]], source: str = "bien_che", sheet: str = "Cong chuc") -> Read:
    """Read one sheet of a workbook's bytes, or of rows that become one."""
    if isinstance(content, list):
        content = saved(sheet_file(content, sheet)[0])
    contract, table = contracts()[source], table_of(source, sheet)
    workbook = Workbook(content, LIMITS)
    found = read_sheet(workbook.sheet(sheet_of(workbook, table)), table, contract, names())
    checker = Checker(table)
    checked = checker.check(found.batch.frame, found.batch.found)
    faults = {row: found.batch.placed(faults) for row, faults in checked.faults.items()}
    warnings = {key: warned.message for key, warned in {**found.warnings, **checker.warnings}.items()}
    return Read(checked.good.to_dicts(), faults, warnings)


def good_row(table: Table, number: int) -> list[Any]:
    """A row that holds every rule, different for each number."""
    return [_good_cell(table, column, number) for column in table.columns]


def _good_cell(table: Table, column: Any, number: int) -> Any:
    by_key = column.custom("valuesByKey")
    if by_key:
        kind = list(by_key["kinds"].values())[number]
        return kind["validValues"][-1] if "validValues" in kind else 10 + number
    if column.valid_values is not None:
        return column.valid_values[number % len(column.valid_values)]
    match column.custom("cell") or column.type:
        case "agency" | "agency_or_commune":
            return AGENCIES[number].code
        case "bigint":
            return 2024 if column.name == "plan_year" else 10 + number
        case "numeric":
            return 50
        case "date":
            return date(2024, 5, 1 + number)
        case "boolean":
            return "x"
    return f"{column.header} {number}"


def good_book(source: str, rows_per_sheet: int = 2) -> openpyxl.Workbook:
    """A tidy workbook of a contract: every sheet, every column."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for table in contracts()[source].tables:
        sheet = book.create_sheet(table.custom("sheet"))
        if any(column.custom("unitFromHeader") for column in table.columns):
            sheet.append(["ĐVT: tỷ đồng"])
        sheet.append([labels_of(column)[0] for column in table.columns])
        for number in range(rows_per_sheet):
            sheet.append(good_row(table, number))
    return book
