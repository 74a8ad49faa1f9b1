"""indicators.csv, from the reporting tables to the bytes."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest

from publish import indicators
from publish.figures import FiguresUnfit, read_report
from tests.publish.figures_by_hand import PERIOD, Figures


def _render(figures: Figures) -> bytes:
    with figures.engine.connect() as connection:
        return indicators.render(read_report(connection, PERIOD))


def test_every_row_in_the_order_of_the_report(figures: Figures) -> None:
    content = _render(figures)
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8"))))

    assert [(row["form"], row["code"]) for row in rows] == [(row["form_no"], row["code"]) for row in figures.catalogue]
    assert len(rows) == 144
    assert {row["period"] for row in rows} == {PERIOD}


def test_the_order_is_the_one_the_catalogue_gives(figures: Figures) -> None:
    figures.execute("update reporting.rpt_form set sort_order = 0 where form_no = 3 and code = '3.4.2'")
    with figures.engine.connect() as connection:
        report = read_report(connection, PERIOD)

    assert [form.number for form in report.forms] == [1, 2, 3, 4, 5, 6, 7]
    assert [row.code for row in report.forms[2].rows][:3] == ["3.4.2", "1", "1.1"]


def test_exact_text(figures: Figures) -> None:
    figures.set(3, "3.4.1", status="missing", value=None, display=None)
    figures.set(3, "1.4", status="stale")
    lines = _render(figures).decode("utf-8").split("\n")

    assert lines[0] == "period,form,code,value,display,unit,status"
    assert lines[1] == "2024-H1,1,1,6,6,Văn bản,ok"
    assert lines[2] == '2024-H1,1,2,63.93442622950819672131,"63,93",%,ok'
    assert lines[5] == "2024-H1,1,3,,,,ok"
    assert "2024-H1,3,1.4,1740,1.740,Thủ tục,stale" in lines
    assert "2024-H1,3,3.1.2,54148,54.148,Hồ sơ,ok" in lines
    assert "2024-H1,3,3.4,,,%,ok" in lines
    assert "2024-H1,3,3.4.1,,,PAKN,missing" in lines
    assert "2024-H1,6,1.1,19921000,19.921.000,Triệu đồng,ok" in lines
    assert lines[-1] == ""


def test_bytes_are_utf8_without_mark_and_with_bare_line_feeds(figures: Figures) -> None:
    content = _render(figures)

    assert content.startswith(b"period,")
    assert b"\r" not in content
    assert "Nhiệm vụ".encode() in content


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("1E+2", "100"),
        ("1E-7", "0.0000001"),
        ("12.500", "12.5"),
        ("100.00", "100"),
        ("100", "100"),
        ("-0.0", "0"),
        ("0", "0"),
        ("-3.10", "-3.1"),
        # more digits than Python's decimal context keeps
        ("33." + "3" * 40, "33." + "3" * 40),
    ],
)
def test_plain_notation(value: str | None, text: str) -> None:
    assert indicators.plain(None if value is None else Decimal(value)) == text


def test_other_periods_are_left_out(figures: Figures) -> None:
    figures.fill("2024-Y")
    figures.warn("unknown_agency", "của kỳ khác", 1, period_id="2024-Y")
    with figures.engine.connect() as connection:
        report = read_report(connection, PERIOD)

    assert sum(1 for _ in report.rows()) == 144
    assert report.warnings == ()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        ("delete from reporting.rpt_form", "Kho chưa có số liệu"),
        ("delete from reporting.rpt_indicator where code = '3.1.2'", "không có trong rpt_indicator"),
        (
            "update reporting.rpt_form set code = '1.2' where form_no = 3 and code = '1.3'",
            "hai dòng mang số 1.2",
        ),
        (
            "update reporting.rpt_form set form_title = 'khác' where form_no = 3 and code = '1.3'",
            "hai tên khác nhau",
        ),
        ("update reporting.rpt_indicator set as_of_at = now() where form_no = 3", "nhiều thời điểm chốt"),
        (
            "update reporting.rpt_indicator set value = 'NaN' where form_no = 3 and code = '3.1'",
            "không phải là số",
        ),
    ],
)
def test_figures_that_must_not_reach_paper(figures: Figures, spoil: str, message: str) -> None:
    figures.execute(spoil)

    with figures.engine.connect() as connection, pytest.raises(FiguresUnfit, match=message):
        read_report(connection, PERIOD)
