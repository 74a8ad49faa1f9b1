"""Lấy dữ liệu ngân sách của Sở Tài chính: dự án, kế hoạch vốn, giải ngân, khối lượng thực hiện, thu và chi ngân sách.

Every night. Only rows that changed since the last pull are asked for; revenue and expenditure, which do not say when
they changed, come whole for each year. Without `CCHC_BUDGET_URL` the pull is skipped and `ops.arrival` says so.

**When it is red**: the message names the resource and what the feed answered. An incomplete pull (`tongSoDong` is not
the number of rows that came) was asked for twice and is not loaded; a resource that failed keeps its last good data,
the others are loaded. A refused token means a changed client secret: set `CCHC_BUDGET_CLIENT_SECRET`, then clear the
task. Retries are safe at any time.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowSkipException

from dags import assets, defaults, steps


@dag(
    dag_id="budget",
    schedule="0 1 * * *",
    start_date=defaults.START,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=2),
    default_args=defaults.TASK_DEFAULTS,
    doc_md=__doc__,
    tags=["nguồn", "ngân sách"],
)
def budget() -> None:
    @task(outlets=[assets.BUDGET])
    def load() -> None:
        if not steps.load("budget"):
            raise AirflowSkipException("không có gì mới")

    load()


budget()
