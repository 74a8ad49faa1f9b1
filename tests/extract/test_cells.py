"""Cells as people write them: every accepted form, and every form that is refused instead of guessed."""

from __future__ import annotations

import unicodedata
from datetime import date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extract.cells import (
    BrokenCell,
    Unreadable,
    label_keys,
    read_date,
    read_decimal,
    read_integer,
    read_text,
    read_yes_no,
    value_reader,
)


def code(reading: object) -> str:
    assert isinstance(reading, Unreadable), reading
    return reading.code


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("22.039", "22039"),
        ("1 608", "1608"),
        ("1\u00a0608", "1608"),
        ("1.608.000", "1608000"),
        (" 12 ", "12"),
        ("-5", "-5"),
        ("−5", "-5"),
        (60.0, "60"),
        (2.9999999999999996, "3"),
        (1e15, "1000000000000000"),
        (0, "0"),
        ("0", "0"),
        ("007", "7"),
    ],
)
def test_whole_numbers(cell: object, number: str) -> None:
    assert read_integer(cell) == number


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("12,7", "12.7"),
        ("1,234", "1.234"),
        ("1.608,5", "1608.5"),
        ("1 608,50", "1608.5"),
        (0.1 + 0.2, "0.3"),
        ("22.039", "22039"),
    ],
)
def test_decimals(cell: object, number: str) -> None:
    assert read_decimal(cell) == number


@pytest.mark.parametrize("cell", ["12,356.5", "12.5", "1.60.800", "0.123", "1608.000", "1'608", "1,2,3", "1 60", ".5"])
def test_ambiguous_numbers_are_refused(cell: str) -> None:
    assert code(read_decimal(cell)) == "ambiguous_number"
    assert code(read_integer(cell)) == "ambiguous_number"


@pytest.mark.parametrize("cell", ["1,234", "12,7", "12,0", 22.039, 0.5])
def test_a_fraction_is_no_whole_number(cell: object) -> None:
    assert code(read_integer(cell)) == "not_a_whole_number"


@pytest.mark.parametrize("cell", ["nhiều", "12 người", "1e3", "(5)", "12%", True, date(2024, 6, 14), "٣"])
def test_what_is_no_number(cell: object) -> None:
    assert code(read_integer(cell)) == "not_a_number"
    assert code(read_decimal(cell)) == "not_a_number"


@pytest.mark.parametrize("cell", ["-", "–", "", "  ", None])
def test_dashes_and_blanks_are_zero_only_where_the_contract_says_so(cell: object) -> None:
    assert read_integer(cell, blank_as_zero=True) == "0"
    plain = read_integer(cell)
    assert plain is None if not cell or not str(cell).strip() else code(plain) == "not_a_number"


def test_a_percent_sign_belongs_to_a_column_of_per_cents() -> None:
    assert read_decimal("85,5 %", unit="%") == "85.5"


def test_money_by_its_unit() -> None:
    assert read_decimal("12,75", factor=1_000_000_000) == "12750000000"
    assert read_decimal(0.1, factor=1_000_000_000) == "100000000"


@given(st.integers(min_value=0, max_value=10**15))
def test_every_way_to_group_a_whole_number(number: int) -> None:
    grouped = f"{number:,}"
    for separator in (".", " ", "\u00a0"):
        assert read_integer(grouped.replace(",", separator)) == str(number)


@pytest.mark.parametrize(
    "cell",
    [
        "14/6/2024",
        "14/06/2024",
        "14-06-2024",
        "14.6.2024",
        "2024-06-14",
        " 14/6/2024 ",
        "14/6/2024 00:00:00",
        date(2024, 6, 14),
        datetime(2024, 6, 14, 8, 30),
    ],
)
def test_days(cell: object) -> None:
    assert read_date(cell) == "2024-06-14"


@pytest.mark.parametrize(
    "cell",
    ["31/2/2024", "6/14/2024", "14/6/24", "14/06-2024", "tháng 6", "20240614", 45457.0, "1/1/0024", time(8), "-", True],
)
def test_what_is_no_day(cell: object) -> None:
    assert code(read_date(cell)) == "not_a_date"


def test_a_blank_day_is_blank() -> None:
    assert read_date(" ") is None


@pytest.mark.parametrize(
    "cell", ["x", "X", "Có", "có", "CÓ", unicodedata.normalize("NFD", "Có"), "1", "✓", " x ", 1.0, True, "Cã"]
)
def test_yes(cell: object) -> None:
    assert read_yes_no(cell) == "1"


@pytest.mark.parametrize("cell", ["", " ", None, "Không", "không", "KHÔNG", "0", 0.0, False, "Kh«ng"])
def test_no(cell: object) -> None:
    assert read_yes_no(cell) == "0"


@pytest.mark.parametrize("cell", ["có thể", "2", 2.0, "-", "đang làm", date(2024, 6, 14)])
def test_neither_yes_nor_no(cell: object) -> None:
    assert code(read_yes_no(cell)) == "not_yes_or_no"


def test_formula_errors_are_no_blanks() -> None:
    for read in (read_integer, read_decimal, read_date, read_yes_no, read_text, value_reader(["a"])):
        assert code(read(BrokenCell("#REF!"))) == "formula_error"
        assert code(read(BrokenCell(""))) == "formula_without_value"


def test_texts() -> None:
    assert read_text("  Sở \n Nội  vụ ") == "Sở Nội vụ"
    assert read_text(12.0) == "12"
    assert read_text(" ") is None
    assert code(read_text(date(2024, 6, 14))) == "not_a_text"


def test_values_of_a_list() -> None:
    read = value_reader(["Sở, ban, ngành", "UBND cấp huyện", "Nhóm 3"])
    for written in ("SỞ,  BAN,NGÀNH", unicodedata.normalize("NFD", "sở, ban, ngành"), "Së, ban, ngµnh"):
        assert read(written) == "Sở, ban, ngành"
    assert read("Nhãm 3") == "Nhóm 3"
    assert read("Nhóm 5") == "Nhóm 5"  # left for the checker to name


@pytest.mark.parametrize(
    "written",
    [
        "Biên chế được giao",
        "BIÊN CHẾ ĐƯỢC GIAO",
        "Biên chế\nđược  giao",
        unicodedata.normalize("NFD", "Biên chế được giao"),
        "Biên chế được giao:",
        "Biên chế được giao (1)",
        "Biên chế được giao*",
        "Biên chế được giao ²",
        "Biên chế được giao[2]",
        "Biên chế được giao (người)",
        "Biªn chÕ ®\u00adîc giao",
    ],
)
def test_labels(written: str) -> None:
    assert "biên chế được giao" in label_keys(written)
