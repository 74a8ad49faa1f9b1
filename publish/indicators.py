"""indicators.csv: every row of the report for a program to read."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

from publish.figures import Report

FILE_NAME = "indicators.csv"
HEADER = ("period", "form", "code", "value", "display", "unit", "status")


def render(report: Report) -> bytes:
    """The file's bytes: UTF-8 without a mark, LF, rows in the order of the report."""
    lines = io.StringIO(newline="")
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(HEADER)
    for form, row in report.rows():
        value = plain(row.value)
        writer.writerow((report.period.id, form.number, row.code, value, row.display, row.unit, row.status))
    return lines.getvalue().encode("utf-8")


def plain(value: Decimal | None) -> str:
    """The value unrounded: 1E+2 → `100`, 12.500 → `12.5`, none → blank."""
    if value is None:
        return ""
    # not Decimal.normalize(): that rounds to the 28 digits of the context
    digits = format(value, "f")
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    return "0" if digits == "-0" else digits
