"""When the report is refreshed: rehearsals before each cut-off, the final run after it, moved off public holidays.

The dates are data: `cchc/data/reporting_calendar.yaml`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import count
from operator import itemgetter
from pathlib import Path
from typing import Any

import yaml

from cchc.periods import LOCAL_ZONE, ReportingPeriod

FINAL = "final"
_FILE = Path(__file__).parent / "data" / "reporting_calendar.yaml"
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class PlannedRun:
    """One run of the calendar: of which period, `rehearsal` or `final`, when (local time)."""

    period: ReportingPeriod
    kind: str
    name: str
    at: datetime

    def as_of(self, now: datetime) -> datetime:
        """The moment at which this run cuts its sources, when it really runs at `now`.

        A rehearsal shows what there is on its day. One that runs late, after the cut-off (a backfill), must not put an
        earlier state in the place of the final one, so it cuts where the final run does.
        """
        cut_off = self.period.default_as_of
        return cut_off if self.kind == FINAL or now > cut_off else self.at


@cache
def _calendar() -> dict[str, Any]:
    return yaml.safe_load(_FILE.read_text(encoding="utf-8"))


def is_public_holiday(day: date) -> bool:
    """A public holiday, or a day off in exchange for one.

    Source: Labour Code 2019, article 112, and the yearly announcements that the calendar file holds.
    """
    announced = _calendar()["years"].get(day.year)
    if announced is None:
        return f"{day:%m-%d}" in _calendar()["fixed_days_off"]
    return any(first <= day <= last for first, last in announced["days_off"])


def is_working_day(day: date) -> bool:
    """Neither a public holiday nor a weekend, unless that weekend is worked in exchange for a day off."""
    announced = _calendar()["years"].get(day.year, {"made_up": []})
    return not is_public_holiday(day) and (day.weekday() < 5 or day in announced["made_up"])


def working_day(day: date, step: int) -> date:
    """The day itself when people work, else the nearest one on which they do, back (`step` -1) or on (1)."""
    while not is_working_day(day):
        day += step * _DAY
    return day


def runs_of_year(year: int) -> list[PlannedRun]:
    """The planned runs for the reports of one reporting year, in the order of their moments."""
    calendar = _calendar()
    runs = []
    for report in calendar["reports"]:
        period = ReportingPeriod.parse(f"{year}-{report['part']}")
        cut_off = date.fromisoformat(f"{year}-{report['cut_off']}")
        for run in calendar["runs"]:
            day = cut_off + run["days"] * _DAY
            if is_public_holiday(day):
                day = working_day(day, 1 if run["kind"] == FINAL else -1)
            moment = datetime.combine(day, time.fromisoformat(calendar["at"]), LOCAL_ZONE)
            runs.append(PlannedRun(period, run["kind"], run["name"], moment))
    return sorted(runs, key=lambda run: run.at)


def runs_after(moment: datetime) -> Iterator[PlannedRun]:
    """The planned runs later than a moment, without end. `moment` has a zone."""
    for year in count(moment.astimezone(LOCAL_ZONE).year):
        yield from (run for run in runs_of_year(year) if run.at > moment)


def last_run_until(moment: datetime) -> PlannedRun:
    """The newest planned run at or before a moment with a zone."""
    year = moment.astimezone(LOCAL_ZONE).year
    return max(
        (run for run in [*runs_of_year(year - 1), *runs_of_year(year)] if run.at <= moment), key=lambda run: run.at
    )


def run_planned_at(moment: datetime) -> PlannedRun | None:
    """The run that the calendar plans for just this moment."""
    run = last_run_until(moment)
    return run if run.at == moment else None


def current_periods(moment: datetime) -> tuple[ReportingPeriod, ReportingPeriod]:
    """The report that ended last at a moment with a zone, and the one that is due next."""
    day = moment.astimezone(LOCAL_ZONE).date()
    due = [
        ReportingPeriod.parse(f"{year}-{report['part']}")
        for year in (day.year - 1, day.year, day.year + 1)
        for report in _calendar()["reports"]
    ]
    ended = [period for period in due if period.to_on < day]
    return ended[-1], due[len(ended)]


def reminder_due(moment: datetime) -> tuple[ReportingPeriod, int] | None:
    """The reminder that is due at a moment with a zone: for which period, and which one by its days before the cut-off.

    The newest that is due stands until the next one or the cut-off day's end, so one whose day was missed is made up
    for once, not each of those that were missed. None when the cut-off is still far.
    """
    _, period = current_periods(moment)
    left = (period.to_on - moment.astimezone(LOCAL_ZONE).date()).days
    return min(((period, days) for days in _calendar()["reminders"] if left <= days), key=itemgetter(1), default=None)
