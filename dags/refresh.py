"""Làm mới báo cáo của một kỳ: nạp các nguồn, dựng và kiểm tra kho dữ liệu, công bố, ghi phụ lục.

The same DAG that `cchc refresh PERIOD` runs in one process. Scheduled by `cchc/data/reporting_calendar.yaml`:
rehearsals ten and three days before each cut-off of Decree 09/2019/NĐ-CP (14/3, 14/6, 14/9, 14/12), the final run on
the day after it; a moment that passed while the scheduler was down runs when it is back. Triggered by hand with
`period` (such as `2024-H1`) and, to see the figures as they stood earlier, `as_of`: a day (until its end) or a moment,
local time unless it names a zone. A past period again, in any order:
`airflow backfill create --dag-id refresh --from-date … --to-date …`.

**When it is red at three in the morning**

- `load_*` red: that source brought nothing; the others went on and the report says what is stale. Nothing is lost.
- `build` red: a model or a test failed; readers still see the last good version. The log and `ops.dbt_result` name the
  test; running its SQL shows the rows behind it.
- `report` red: the marts are published, only the files are missing. Clear the task.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import Param, dag, get_current_context, task

from cchc.periods import LOCAL_ZONE, period_ended_before
from cchc.reporting_calendar import run_planned_at
from dags import defaults, steps
from dags.timetable import ReportingCalendarTimetable


def _wanted() -> tuple[str, str | None]:
    """Period and as-of moment: of the run's parameters, else of the calendar, else the period that ended last."""
    context = get_current_context()
    params, run = context["params"], context["dag_run"]
    if params["period"]:
        return params["period"], params["as_of"]
    if planned := run_planned_at(run.logical_date or run.run_after):
        return planned.period.id, params["as_of"] or planned.as_of(datetime.now(UTC)).isoformat()
    return period_ended_before(run.run_after.astimezone(LOCAL_ZONE).date()).id, params["as_of"]


@dag(
    dag_id="refresh",
    schedule=ReportingCalendarTimetable(),
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
        period_id, as_of = _wanted()
        steps.prepare(period_id, as_of)
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
