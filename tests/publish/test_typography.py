"""Room that text takes: rows must be high enough for what is wrapped in them."""

from __future__ import annotations

import pytest

from publish.typography import HIGHEST_ROW, most_lines, row_height, text_width, wrap


def test_width_is_that_of_times_new_roman() -> None:
    assert text_width("0123456789", 12) == pytest.approx(60)
    assert text_width("W", 10) == pytest.approx(9.44)
    assert text_width("W", 10, bold=True) == pytest.approx(10)


def test_vietnamese_letters_are_as_wide_as_their_base_except_for_the_horn() -> None:
    assert text_width("ắ", 10) == text_width("a", 10)
    assert text_width("Đ", 10) == text_width("D", 10)
    assert text_width("ợ", 10) > text_width("o", 10)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("", 100, 1),
        ("một dòng", 100, 1),
        ("một dòng", 35, 2),
        ("a\nb\nc", 100, 3),
        # a word without a space is broken where the cell ends
        ("W" * 20, 100, 2),
    ],
)
def test_wrapped_lines(text: str, width: float, lines: int) -> None:
    assert len(wrap(text, 10, width)) == lines


def test_bold_text_takes_more_lines() -> None:
    text = "Thanh tra việc thực hiện quy định pháp luật về tuyển dụng, quản lý, sử dụng công chức " * 3

    assert len(wrap(text, 13, 300, bold=True)) > len(wrap(text, 13, 300))


def test_row_height_grows_by_more_than_the_font_per_line() -> None:
    assert row_height(1, 13) > 13
    assert row_height(3, 13) - row_height(2, 13) > 13 * 1.149


def test_wrapping_loses_no_letter() -> None:
    text = "Cơ quan không có trong danh mục: " + "H31.99;" * 30 + " và những cơ quan khác"
    lines = wrap(text, 13, 120)

    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(text_width(line, 13) <= 120 for line in lines)


def test_no_row_is_higher_than_a_spreadsheet_can_make_it() -> None:
    assert row_height(100, 13) == HIGHEST_ROW
    assert row_height(most_lines(13), 13) <= HIGHEST_ROW
    assert most_lines(13) > 20
