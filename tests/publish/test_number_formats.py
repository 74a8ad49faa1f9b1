"""Numbers in cells: Vietnamese to read whatever the reader's Excel speaks, and still numbers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from publish.number_formats import cell_number
from tests.publish.spreadsheet import shown_by_spreadsheet


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("0", "0"),
        ("6", "6"),
        ("999", "999"),
        ("1000", "1.000"),
        ("54148", "54.148"),
        ("19921000", "19.921.000"),
        ("1234567890", "1.234.567.890"),
        ("1000000000", "1.000.000.000"),
        ("99.66867913414813724047", "99,67"),
        ("99.675", "99,68"),
        ("99.795", "99,8"),
        ("100.004", "100"),
        ("0.004", "0"),
        ("2518000.5", "2.518.000,5"),
        ("100", "100%"),
        ("90.65", "90,65%"),
        ("-5", "-5"),
    ],
)
def test_number_is_shown_as_the_report_has_it(value: str, shown: str) -> None:
    number, number_format = cell_number(Decimal(value), shown)

    assert number == float(value)
    assert shown_by_spreadsheet(number, number_format) == shown


def test_no_format_uses_the_separators_of_the_machine() -> None:
    for value, shown in (("54148", "54.148"), ("99.668", "99,67")):
        _, number_format = cell_number(Decimal(value), shown)
        outside_conditions = number_format.replace("[<99.665]", "").replace("[<99.675]", "")
        assert "," not in outside_conditions.replace('"99,67"', "")
        assert "." not in outside_conditions.replace(r"\.", "")


@pytest.mark.parametrize(("typed", "shown"), [(99.7, "99.7"), (99.664, "99.664"), (99.6749, "99,67"), (12, "12")])
def test_a_corrected_cell_does_not_go_on_showing_the_old_figure(typed: float, shown: str) -> None:
    _, number_format = cell_number(Decimal("99.668"), "99,67")

    assert shown_by_spreadsheet(typed, number_format) == shown


@pytest.mark.parametrize(("typed", "shown"), [(12, "12"), (5555, "5.555"), (1234567, "1.234.567"), (0.5, "0.5")])
def test_a_corrected_count_is_grouped_anew(typed: float, shown: str) -> None:
    _, number_format = cell_number(Decimal("54148"), "54.148")

    assert shown_by_spreadsheet(typed, number_format) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [("-0.5", "-0,5"), ("-1234", "-1.234"), ("1", "Có"), ("1234567890123456", "1.234.567.890.123.456")],
)
def test_what_no_format_carries_is_left_to_text(value: str, shown: str) -> None:
    assert cell_number(Decimal(value), shown) is None


@pytest.mark.parametrize(
    ("value", "shown"),
    [("54148", "54.149"), ("99.664", "99,67"), ("54148", "54,148"), ("5", "-5"), ("-5", "5")],
)
def test_a_text_that_is_another_number_is_an_error(value: str, shown: str) -> None:
    with pytest.raises(ValueError, match="không thể được ghi là"):
        cell_number(Decimal(value), shown)
