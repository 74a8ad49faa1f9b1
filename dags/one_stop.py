"""Nạp tệp xuất của Hệ thống thông tin giải quyết TTHC (một cửa).

Looks into `{CCHC_INBOX}/mot-cua` every hour and loads each file once: the same bytes twice are one load, so running it
again is always safe.

**When it is red**: the task's log names the file. A file that was refused is *not* a failure here; it stands in
`ops.arrival` with its reason and in `ops.rejected_row` line by line, and the last good data stays in force. Red means
that the inbox, the landing store or the warehouse could not be reached: mend that and clear the task.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowSkipException
from airflow.timetables.assets import AssetOrTimeSchedule
from airflow.timetables.trigger import CronTriggerTimetable

from dags import assets, defaults, steps


@dag(
    dag_id="one_stop",
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("0 * * * *", timezone=defaults.ZONE), assets=assets.EXPORTS
    ),
    start_date=defaults.START,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=2),
    default_args=defaults.TASK_DEFAULTS,
    doc_md=__doc__,
    tags=["nguồn", "một cửa"],
)
def one_stop() -> None:
    @task(outlets=[assets.ONE_STOP])
    def load() -> None:
        if not steps.load("one_stop"):
            raise AirflowSkipException("không có gì mới")

    load()


one_stop()
