"""Nạp sổ Excel mà các sở gửi vào thư mục `inbox`: biên chế, tổ chức bộ máy, văn bản, nhiệm vụ, công vụ và các sổ khác.

Every hour of the working day. A file that is already in the warehouse is not read again. What is wrong in a file is
refused cell by cell and goes back to its department as a feedback slip (`out/<period>/phieu-phan-hoi/`).

**When it is red**: no list of agencies has come from the portal yet, so that names cannot be checked (load the portal,
then clear the task), or a file could not be read from the inbox or kept in the landing store (disk, permissions); the
message names it. A wrong file is not an error here: its last good version stays in force. Retries are safe.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowSkipException
from airflow.timetables.assets import AssetOrTimeSchedule
from airflow.timetables.trigger import CronTriggerTimetable

from dags import assets, defaults, steps


@dag(
    dag_id="departments",
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("15 * * * *", timezone=defaults.ZONE), assets=assets.WORKBOOKS
    ),
    start_date=defaults.START,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=2),
    default_args=defaults.TASK_DEFAULTS,
    doc_md=__doc__,
    tags=["nguồn", "sở, ban, ngành"],
)
def departments() -> None:
    @task(outlets=[assets.DEPARTMENTS])
    def load() -> None:
        if not steps.load_departments():
            raise AirflowSkipException("không có gì mới")

    load()


departments()
