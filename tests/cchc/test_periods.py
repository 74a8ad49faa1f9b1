"""Reporting periods of Decree 09/2019/NĐ-CP."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from cchc.periods import ReportingPeriod, UnknownPeriod, end_of_day, period_ended_before

# id, first day, last day, title
PERIODS_OF_2024 = [
    ("2024-M01", date(2023, 12, 15), date(2024, 1, 14), "Tháng 1 năm 2024"),
    ("2024-M02", date(2024, 1, 15), date(2024, 2, 14), "Tháng 2 năm 2024"),
    ("2024-M03", date(2024, 2, 15), date(2024, 3, 14), "Tháng 3 năm 2024"),
    ("2024-M04", date(2024, 3, 15), date(2024, 4, 14), "Tháng 4 năm 2024"),
    ("2024-M05", date(2024, 4, 15), date(2024, 5, 14), "Tháng 5 năm 2024"),
    ("2024-M06", date(2024, 5, 15), date(2024, 6, 14), "Tháng 6 năm 2024"),
    ("2024-M07", date(2024, 6, 15), date(2024, 7, 14), "Tháng 7 năm 2024"),
    ("2024-M08", date(2024, 7, 15), date(2024, 8, 14), "Tháng 8 năm 2024"),
    ("2024-M09", date(2024, 8, 15), date(2024, 9, 14), "Tháng 9 năm 2024"),
    ("2024-M10", date(2024, 9, 15), date(2024, 10, 14), "Tháng 10 năm 2024"),
    ("2024-M11", date(2024, 10, 15), date(2024, 11, 14), "Tháng 11 năm 2024"),
    ("2024-M12", date(2024, 11, 15), date(2024, 12, 14), "Tháng 12 năm 2024"),
    ("2024-Q1", date(2023, 12, 15), date(2024, 3, 14), "Quý I năm 2024"),
    ("2024-Q2", date(2024, 3, 15), date(2024, 6, 14), "Quý II năm 2024"),
    ("2024-Q3", date(2024, 6, 15), date(2024, 9, 14), "Quý III năm 2024"),
    ("2024-Q4", date(2024, 9, 15), date(2024, 12, 14), "Quý IV năm 2024"),
    ("2024-H1", date(2023, 12, 15), date(2024, 6, 14), "6 tháng đầu năm 2024"),
    ("2024-H2", date(2024, 6, 15), date(2024, 12, 14), "6 tháng cuối năm 2024"),
    ("2024-9M", date(2023, 12, 15), date(2024, 9, 14), "9 tháng đầu năm 2024"),
    ("2024-Y", date(2023, 12, 15), date(2024, 12, 14), "Năm 2024"),
]


@pytest.mark.parametrize(("period_id", "from_on", "to_on", "title"), PERIODS_OF_2024)
def test_every_period_of_a_year(period_id: str, from_on: date, to_on: date, title: str) -> None:
    period = ReportingPeriod.parse(period_id)
    assert (period.id, period.year, period.from_on, period.to_on) == (period_id, 2024, from_on, to_on)
    assert period.title_vi == title
    assert period.year_from_on == date(2023, 12, 15)


@pytest.mark.parametrize("part", ["M", "Q", "H"])
def test_periods_of_one_kind_follow_each_other_without_gap_or_overlap(part: str) -> None:
    ids = [period_id.removeprefix("2024-") for period_id, *_ in PERIODS_OF_2024 if period_id[5] == part]
    periods = [ReportingPeriod.parse(f"{year}-{name}") for year in (2023, 2024, 2025) for name in ids]
    assert all(after.from_on == before.to_on + timedelta(days=1) for before, after in pairwise(periods))


def test_a_leap_day_belongs_to_the_month_around_it() -> None:
    march = ReportingPeriod.parse("2024-M03")
    assert march.from_on <= date(2024, 2, 29) <= march.to_on


def test_default_as_of_is_the_last_moment_of_the_cut_off_day_in_vietnam() -> None:
    moment = ReportingPeriod.parse("2024-H1").default_as_of
    assert moment.isoformat() == "2024-06-14T23:59:59.999999+07:00"
    assert moment.astimezone(UTC) == datetime(2024, 6, 14, 16, 59, 59, 999999, UTC)
    assert moment == end_of_day(date(2024, 6, 14))


@pytest.mark.parametrize(
    "period_id",
    [
        "", "2024", "2024-", "2024-h1", "2024-H0", "2024-H3", "2024-Q0", "2024-Q5", "2024-M0", "2024-M00", "2024-M1",
        "2024-M13", "2024-M6", "2024-M006", "2024-6M", "2024-9m", "2024-Y1", "24-H1", "02024-H1", "0000-Y", "0024-H1",
        "2024H1", "2024_H1", " 2024-H1", "2024-H1 ", "2024-H1\n", "H1-2024", "２０２４-H1", "2024-Q１", "-2024-H1",
        "2024-H1; drop table",
    ],
)  # fmt: skip
def test_anything_else_is_refused_in_words_for_people(period_id: str) -> None:
    with pytest.raises(UnknownPeriod, match="không phải là kỳ báo cáo"):
        ReportingPeriod.parse(period_id)


@pytest.mark.parametrize(
    ("day", "period_id"),
    [
        (date(2024, 1, 1), "2023-Y"),
        (date(2024, 3, 14), "2023-Y"),  # the last day is not over
        (date(2024, 3, 15), "2024-Q1"),
        (date(2024, 6, 14), "2024-Q1"),
        (date(2024, 6, 15), "2024-H1"),
        (date(2024, 9, 14), "2024-H1"),
        (date(2024, 9, 15), "2024-9M"),
        (date(2024, 12, 14), "2024-9M"),
        (date(2024, 12, 15), "2024-Y"),
        (date(2024, 12, 31), "2024-Y"),
    ],
)
def test_the_report_due_on_a_day(day: date, period_id: str) -> None:
    assert period_ended_before(day).id == period_id


@pytest.mark.parametrize("part", ["M01", "Q1", "H1", "9M", "Y"])
def test_the_same_period_a_year_before(part: str) -> None:
    assert ReportingPeriod.parse(f"2024-{part}").year_before == ReportingPeriod.parse(f"2023-{part}")
