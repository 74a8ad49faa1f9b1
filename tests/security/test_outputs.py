"""What we write out for a spreadsheet program holds no formula that somebody else wrote."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest
from openpyxl import Workbook

from publish.commands import cell_for_people
from publish.sheet_style import write_text

EVIL = [
    '=HYPERLINK("http://x.invalid","a")',
    "+1+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1)",
    "\t=1",
    "\r=1",
]


@pytest.mark.parametrize("text", EVIL)
def test_a_listed_cell_is_no_formula(text: str) -> None:
    target = io.StringIO()
    csv.writer(target).writerow([cell_for_people(text)])
    [[cell]] = csv.reader(io.StringIO(target.getvalue()))
    assert cell[0] not in "=+-@\t\r"
    assert cell.lstrip("'?").endswith(text.strip()[-6:])


@pytest.mark.parametrize("value", ["-12", "-1.5", "+84 912", "Sở Nội vụ", "", None, Decimal("-3"), -3])
def test_numbers_and_names_stay_as_they_are(value: object) -> None:
    assert cell_for_people(value) == value


@pytest.mark.parametrize("text", EVIL)
def test_a_cell_of_a_workbook_is_text(text: str) -> None:
    cell = Workbook().active["A1"]
    write_text(cell, text)
    assert (cell.data_type, cell.quotePrefix) == ("s", True)
