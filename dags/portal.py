"""Lấy dữ liệu của Cổng Dịch vụ công: cơ quan, lĩnh vực, thủ tục, dịch vụ công, quyết định công bố, phản ánh kiến nghị.

Every night. Only procedures whose list entry changed are fetched again. Without `CCHC_PORTAL_URL` the pull is skipped
and `ops.arrival` says so.

**When it is red**: the message names the service and what the portal answered. A dataset that failed keeps its last
good data and the report marks what depends on it as stale; the others are loaded. Retries are safe at any time.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowSkipException

from dags import assets, defaults, steps


@dag(
    dag_id="portal",
    schedule="30 1 * * *",
    start_date=defaults.START,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=2),
    default_args=defaults.TASK_DEFAULTS,
    doc_md=__doc__,
    tags=["nguồn", "cổng dịch vụ công"],
)
def portal() -> None:
    @task(outlets=[assets.PORTAL])
    def load() -> None:
        if not steps.load("portal"):
            raise AirflowSkipException("không có gì mới")

    load()


portal()
