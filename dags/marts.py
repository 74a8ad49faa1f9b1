"""Dựng lại kho dữ liệu và ghi lại báo cáo mỗi khi có dữ liệu mới được nạp.

Follows the loads: whatever source brought something new, the marts are built, tested and published, then the files of
the report now due and of the one that ended last are written again. Several loads that end together are one build.

**When it is red**

- `build` red: a model or a test failed; readers still see the last good version. The log and `ops.dbt_result` name the
  test; running its SQL shows the rows behind it. After mending, clear the task.
- `report` red: the marts are published, only the files are missing. Clear the task.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import dag, task

from dags import assets, defaults, steps


@dag(
    dag_id="marts",
    schedule=(assets.ONE_STOP | assets.PORTAL | assets.BUDGET | assets.DEPARTMENTS),
    start_date=defaults.START,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=4),
    default_args=defaults.TASK_DEFAULTS,
    doc_md=__doc__,
    tags=["kho dữ liệu"],
)
def marts() -> None:
    @task
    def prepare() -> None:
        steps.prepare_current()

    @task(outlets=[assets.MARTS], execution_timeout=timedelta(hours=2))
    def build() -> None:
        steps.build()

    @task
    def report() -> list[str]:
        return steps.report_current()

    prepare() >> build() >> report()


marts()
