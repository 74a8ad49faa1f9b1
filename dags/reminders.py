"""Nhắc các đơn vị còn thiếu số liệu trước ngày chốt, và báo người phụ trách khi nguồn cũ hay báo cáo chậm.

Every day at 08:00 local time. `remind` brings `ops.delivery` up to date and, ten, three and one day before a cut-off
(`cchc/data/reporting_calendar.yaml`), sends each department that owes something one letter with its feedback slip; a
day that was missed is made up for by the newest reminder alone. `check` tells the owner (`CCHC_ALERT_TO`) once of stale
sources, a report that is overdue and a cut-off that was missed. Every letter is a row of `ops.mail`, so none goes out
twice and running this again is always safe. Without `CCHC_SMTP_HOST` nothing is sent and the log says so.

**When it is red**: `remind` names the line of the list of contacts (`CCHC_CONTACTS`) that cannot be used, or letters
that the mail server did not take; they are tried again by the next run. Mend it and clear the task.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import dag, get_current_context, task
from airflow.timetables.trigger import CronTriggerTimetable

from dags import defaults, steps


def _moment() -> str:
    """The moment this run stands for, so that a late retry does the work of its own day."""
    run = get_current_context()["dag_run"]
    return (run.logical_date or run.run_after).isoformat()


@dag(
    dag_id="reminders",
    schedule=CronTriggerTimetable("0 8 * * *", timezone=defaults.ZONE),
    start_date=defaults.START,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=2),
    default_args=defaults.TASK_DEFAULTS,
    doc_md=__doc__,
    tags=["nhắc việc"],
)
def reminders() -> None:
    @task
    def remind() -> dict[str, int]:
        return steps.remind(_moment())

    @task
    def check() -> list[str]:
        return steps.check(_moment())

    remind()
    check()


reminders()
