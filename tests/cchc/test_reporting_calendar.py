"""The calendar of reports: the dates of the decree, moved off public holidays."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import islice, pairwise

import pytest

from cchc import reporting_calendar
from cchc.periods import LOCAL_ZONE
from cchc.reporting_calendar import (
    FINAL,
    current_periods,
    is_public_holiday,
    is_working_day,
    last_run_until,
    run_planned_at,
    runs_after,
    runs_of_year,
    working_day,
)


def local(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=LOCAL_ZONE)


@pytest.mark.parametrize("year", range(2024, 2031))
def test_each_report_is_rehearsed_twice_and_run_after_its_cut_off(year: int) -> None:
    runs = runs_of_year(year)
    assert [run.period.part for run in runs] == [part for part in ("Q1", "H1", "9M", "Y") for _ in range(3)]
    assert [run.kind for run in runs] == ["rehearsal", "rehearsal", FINAL] * 4
    for run in runs:
        assert run.period.year == year
        assert not is_public_holiday(run.at.date())
        assert (run.at.date() > run.period.to_on) == (run.kind == FINAL)


def test_the_first_half_of_2024() -> None:
    runs = [run for run in runs_of_year(2024) if run.period.id == "2024-H1"]
    assert [run.at for run in runs] == [local(2024, 6, 4, 2), local(2024, 6, 11, 2), local(2024, 6, 15, 2)]


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2024, 2, 9), False),  # Tết
        (date(2024, 2, 15), True),
        (date(2024, 4, 29), False),  # given for
        (date(2024, 5, 4), True),  # this Saturday
        (date(2024, 6, 15), False),  # a Saturday
        (date(2025, 9, 1), False),
        (date(2026, 8, 22), True),
        (date(2031, 9, 2), False),  # not announced yet, but fixed
        (date(2031, 9, 3), True),
    ],
)
def test_days_on_which_people_work(day: date, works: bool) -> None:
    assert is_working_day(day) is works


def test_a_rehearsal_on_a_holiday_moves_back_and_a_final_run_on(monkeypatch: pytest.MonkeyPatch) -> None:
    calendar = {
        **reporting_calendar._calendar(),
        "years": {
            2024: {
                "days_off": [[date(2024, 6, 3), date(2024, 6, 4)], [date(2024, 6, 15), date(2024, 6, 17)]],
                "made_up": [],
            }
        },
    }
    monkeypatch.setattr(reporting_calendar, "_calendar", lambda: calendar)
    runs = [run.at.date() for run in runs_of_year(2024) if run.period.id == "2024-H1"]
    # 3/6 is a holiday too, before it is a weekend; after 17/6 people work again
    assert runs == [date(2024, 5, 31), date(2024, 6, 11), date(2024, 6, 18)]
    assert working_day(date(2024, 6, 5), -1) == date(2024, 6, 5)


def test_a_late_rehearsal_does_not_replace_the_final_figures() -> None:
    first, _, final = (run for run in runs_of_year(2024) if run.period.id == "2024-H1")
    cut_off = final.period.default_as_of
    assert first.as_of(first.at + timedelta(minutes=5)) == first.at
    assert first.as_of(local(2024, 6, 15, 2)) == cut_off
    assert final.as_of(local(2026, 1, 1)) == cut_off


def test_runs_go_on_without_end_and_are_found_by_their_moment() -> None:
    following = list(islice(runs_after(local(2024, 12, 11, 2)), 30))
    assert following[0].at == local(2024, 12, 15, 2)
    assert following[1].period.id == "2025-Q1"
    assert all(one.at < other.at for one, other in pairwise(following))
    assert last_run_until(local(2025, 1, 10)).period.id == "2024-Y"
    assert run_planned_at(local(2024, 6, 15, 2)).kind == FINAL
    assert run_planned_at(local(2024, 6, 15, 2, 1)) is None


@pytest.mark.parametrize(
    ("moment", "ended", "due"),
    [
        (local(2024, 6, 14, 23, 59, 59), "2024-Q1", "2024-H1"),
        (local(2024, 6, 15), "2024-H1", "2024-9M"),
        (local(2024, 12, 31), "2024-Y", "2025-Q1"),
        (local(2025, 1, 1), "2024-Y", "2025-Q1"),
    ],
)
def test_the_reports_that_matter_today(moment: datetime, ended: str, due: str) -> None:
    assert [period.id for period in current_periods(moment)] == [ended, due]
