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

from dags import defaults, steps


@dag(
    dag_id="departments",
    schedule="15 7-18 * * *",
    start_date=defaults.START,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=2),
    default_args=defaults.TASK_DEFAULTS,
    doc_md=__doc__,
    tags=["nguồn", "sở, ban, ngành"],
)
def departments() -> None:
    @task
    def load() -> None:
        steps.load_departments()

    load()


departments()
