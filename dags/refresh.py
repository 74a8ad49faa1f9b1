"""Làm mới báo cáo của một kỳ: nạp các nguồn, dựng và kiểm tra kho dữ liệu, công bố, ghi phụ lục.

The same DAG that `cchc refresh PERIOD` runs in one process. Scheduled on the day after each cut-off of Decree
09/2019/NĐ-CP (14/3, 14/6, 14/9, 14/12) for the period that ended then; triggered by hand with `period` (such as
`2024-H1`) and, to see the figures as they stood earlier, `as_of`: a day (until its end) or a moment, local time unless
it names a zone.

**When it is red at three in the morning**

- `load_*` red: that source brought nothing; the others went on and the report says what is stale. Nothing is lost.
- `build` red: a model or a test failed; readers still see the last good version. The log and `ops.dbt_result` name the
  test; running its SQL shows the rows behind it.
- `report` red: the marts are published, only the files are missing. Clear the task.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import Param, dag, get_current_context, task
from airflow.timetables.trigger import CronTriggerTimetable

from cchc.periods import LOCAL_ZONE, period_ended_before
from dags import defaults, steps


def _period_of_run() -> str:
    context = get_current_context()
    if chosen := context["params"]["period"]:
        return chosen
    return period_ended_before(context["dag_run"].run_after.astimezone(LOCAL_ZONE).date()).id


@dag(
    dag_id="refresh",
    schedule=CronTriggerTimetable("0 2 15 3,6,9,12 *", timezone="Asia/Ho_Chi_Minh"),
    start_date=defaults.START,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=4),
    default_args=defaults.TASK_DEFAULTS,
    params={
        "period": Param(None, type=["null", "string"], description="2024-H1, 2024-Q1, 2024-9M, 2024-Y, 2024-M06"),
        "as_of": Param(None, type=["null", "string"], description="chốt số liệu tại ngày (hết ngày) hoặc thời điểm"),
    },
    doc_md=__doc__,
    tags=["báo cáo"],
)
def refresh() -> None:
    @task
    def prepare() -> str:
        period_id = _period_of_run()
        steps.prepare(period_id, get_current_context()["params"]["as_of"])
        return period_id

    @task
    def load_one_stop() -> None:
        steps.load("one_stop")

    @task
    def load_portal() -> None:
        steps.load("portal")

    @task
    def load_budget() -> None:
        steps.load("budget")

    # a source that fails does not stop the others, but nothing runs on a warehouse that could not be prepared
    @task(trigger_rule="all_done_min_one_success")
    def load_departments() -> None:
        steps.load_departments()

    @task(trigger_rule="all_done_min_one_success", execution_timeout=timedelta(hours=2))
    def build() -> None:
        steps.build()

    @task
    def report(period_id: str) -> list[str]:
        return steps.report(period_id)

    period_id = prepare()
    built = build()
    portal = load_portal()
    # the names of agencies in workbooks are checked against the portal's list
    departments = load_departments()
    period_id >> portal >> departments
    period_id >> [load_one_stop(), load_budget(), portal, departments] >> built
    period_id >> [departments, built]
    built >> report(period_id)


refresh()
