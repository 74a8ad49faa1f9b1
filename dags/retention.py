"""Xóa khỏi kho lưu các bản gốc đã quá thời hạn lưu (`CCHC_RETENTION_YEARS`), ghi sổ từng tệp (`ops.original_deletion`).

On the first day of each month. What a signed report rests on is never deleted, nor is anything whose data or last
arrival is younger. `cchc retention --dry-run` lists what the next run would delete.

**When it is red**: the landing store refused a deletion (permissions, connection) or the warehouse could not be
reached; mend that and clear the task. Each deletion is noted before the file goes, so running it again is safe.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import dag, task
from airflow.timetables.trigger import CronTriggerTimetable

from dags import defaults, steps


@dag(
    dag_id="retention",
    schedule=CronTriggerTimetable("0 3 1 * *", timezone=defaults.ZONE),
    start_date=defaults.START,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=2),
    default_args=defaults.TASK_DEFAULTS,
    doc_md=__doc__,
    tags=["lưu trữ"],
)
def retention() -> None:
    @task
    def delete_old_originals() -> int:
        return steps.delete_old_originals()

    delete_old_originals()


retention()
