"""What of a new layout no contract knows, said before anyone loads it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cchc import cli
from extract.contract import contracts
from extract.layout_diff import contract_for, differences
from extract.workbook_file import Workbook

from .department_files import LIMITS, good_book, saved


def found(book: object, source: str = "bien_che") -> list[tuple[str, str, str]]:
    workbook = Workbook(saved(book), LIMITS)
    return [(d.sheet, d.kind, d.message) for d in differences(workbook, contracts()[source])]


@pytest.mark.parametrize("source", [name for name, c in contracts().items() if c.custom("reader") == "workbook"])
def test_a_tidy_file_differs_in_nothing(source: str) -> None:
    assert found(good_book(source), source) == []


def test_added_and_missing_columns() -> None:
    book = good_book("bien_che")
    book["Cong chuc"]["F1"] = "Trụ sở"
    assert found(book) == [
        ("Cong chuc", "missing", "thiếu cột «Số cắt giảm trong năm» (không bắt buộc)"),
        ("Cong chuc", "added", "cột F «Trụ sở» không có trong quy ước"),
    ]


def test_renamed_columns() -> None:
    book = good_book("bien_che")
    book["Cong chuc"]["B1"] = "Biên chế được UBND giao"
    assert found(book) == [
        ("Cong chuc", "renamed", "cột B «Biên chế được UBND giao» có lẽ là «Biên chế được giao / Biên chế giao năm»")
    ]


def test_a_renamed_column_is_the_most_similar_one_not_the_first() -> None:
    book = good_book("bien_che")
    sheet = book["Cong chuc"]
    sheet["D1"], sheet["E1"] = "Trụ sở", "HĐLĐ theo Nghị định 111 có mặt"
    label = "HĐLĐ theo NĐ 111"
    assert found(book) == [
        ("Cong chuc", "missing", f"thiếu cột «{label} được giao» (không bắt buộc)"),
        ("Cong chuc", "renamed", f"cột E «HĐLĐ theo Nghị định 111 có mặt» có lẽ là «{label} có mặt»"),
        ("Cong chuc", "added", "cột D «Trụ sở» không có trong quy ước"),
    ]


def test_moved_columns() -> None:
    book = good_book("bien_che")
    sheet = book["Cong chuc"]
    for row in sheet.iter_rows():
        row[0].value, row[5].value = row[5].value, row[0].value
    assert [(kind, message.split("»")[0]) for _, kind, message in found(book)] == [
        ("moved", "cột «Cơ quan, đơn vị"),
        ("moved", "cột «Số cắt giảm trong năm"),
    ]


def test_added_and_missing_sheets() -> None:
    book = good_book("bien_che")
    book["Moc 2015"].title = "Mốc"
    assert [(sheet, kind) for sheet, kind, _ in found(book)] == [("Moc 2015", "missing"), ("Mốc", "added")]


def test_the_contract_is_found_by_name_or_by_sheets() -> None:
    workbook = Workbook(saved(good_book("cong_vu")), LIMITS)
    assert contract_for("cong-vu_2024-06-14.xlsx", workbook).name == "cong_vu"
    assert contract_for("moi.xlsx", workbook).name == "cong_vu"


def test_the_command(tmp_path: Path) -> None:
    run = CliRunner()
    path = tmp_path / "bien-che_2024-06-14.xlsx"
    path.write_bytes(saved(good_book("bien_che")))
    result = run.invoke(cli.build(), ["diff", str(path)])
    assert (result.exit_code, "Không có khác biệt" in result.stdout) == (cli.DONE, True)
    book = good_book("bien_che")
    book["Cong chuc"]["G1"] = "Trụ sở"
    path.write_bytes(saved(book))
    result = run.invoke(cli.build(), ["diff", str(path)])
    assert (result.exit_code, "thêm: cột G «Trụ sở»" in result.stdout) == (cli.WARNINGS, True)
    path.write_bytes(b"<html>")
    assert run.invoke(cli.build(), ["diff", str(path)]).exit_code == cli.FAILED
    assert run.invoke(cli.build(), ["diff", str(tmp_path / "khong-co.xlsx")]).exit_code == cli.BAD_USAGE
