"""The reporting calendar as a timetable of Airflow, known to all its components by an entry point."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

import pendulum
from airflow.plugins_manager import AirflowPlugin
from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction, Timetable

from cchc import reporting_calendar


class ReportingCalendarTimetable(Timetable):
    """Runs at the moments of `cchc/data/reporting_calendar.yaml`.

    A moment that passed while nothing ran is not lost: without catch-up, the newest of those that passed runs once.
    """

    description = "Lịch báo cáo theo Nghị định 09/2019/NĐ-CP: chạy thử trước ngày chốt, chạy chính thức sau ngày chốt"

    @property
    def summary(self) -> str:
        return "lịch báo cáo CCHC"

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        earliest = restriction.earliest or pendulum.datetime(2000, 1, 1)
        if not restriction.catchup:
            earliest = max(earliest, _instance(reporting_calendar.last_run_until(datetime.now(UTC)).at))
        for run in reporting_calendar.runs_after(earliest.subtract(microseconds=1)):
            at = _instance(run.at)
            if restriction.latest is not None and at > restriction.latest:
                return None
            if last_automated_data_interval is None or at > last_automated_data_interval.end:
                return DagRunInfo.exact(at)
        raise AssertionError("the calendar has no end")

    def infer_manual_data_interval(self, *, run_after: pendulum.DateTime) -> DataInterval:
        return DataInterval.exact(run_after)

    def serialize(self) -> dict[str, Any]:
        return {}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Timetable:
        return cls()


def _instance(moment: datetime) -> pendulum.DateTime:
    return pendulum.instance(moment.astimezone(UTC))


class ReportingCalendarPlugin(AirflowPlugin):
    """Makes the timetable known to scheduler, api-server and dag-processor."""

    name = "cchc_reporting_calendar"
    timetables: ClassVar = [ReportingCalendarTimetable]
