"""Every DAG is found, parses fast and without side effects, and carries what operating it takes."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import dags
from cchc.periods import LOCAL_ZONE
from cchc.reporting_calendar import runs_of_year
from dags import defaults

FOLDER = Path(__file__).resolve().parents[2] / "dags"
IGNORE_FILE = FOLDER / ".airflowignore"
# every DAG file and the DAGs it must hold; a new file belongs here or in .airflowignore
EXPECTED = {
    "budget.py": ["budget"],
    "departments.py": ["departments"],
    "marts.py": ["marts"],
    "one_stop.py": ["one_stop"],
    "portal.py": ["portal"],
    "refresh.py": ["refresh"],
    "retention.py": ["retention"],
    "reminders.py": ["reminders"],
}
DAG_IDS = [dag_id for ids in EXPECTED.values() for dag_id in ids]


@pytest.fixture(scope="module")
def bag(airflow: Path):
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(dag_folder=FOLDER, load_op_links=False)


@pytest.fixture(params=DAG_IDS)
def dag(bag, request: pytest.FixtureRequest):
    assert request.param in bag.dags, bag.import_errors
    return bag.dags[request.param]


def _ignored() -> list[str]:
    lines = (line.split("#")[0].strip() for line in IGNORE_FILE.read_text().splitlines())
    return [line for line in lines if line]


def test_the_folder_tested_is_the_one_of_the_project() -> None:
    assert Path(dags.__file__).parent == FOLDER


def test_every_file_is_a_dag_file_that_is_expected_or_is_ignored() -> None:
    files = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.py")}
    assert len(files) >= len(EXPECTED) > 0
    assert files == {*EXPECTED, *_ignored()}
    assert set(EXPECTED).isdisjoint(_ignored())


def test_the_bag_holds_exactly_the_expected_dags_without_errors(bag) -> None:
    assert bag.import_errors == {}
    found: dict[str, list[str]] = {}
    for dag_id, dag in bag.dags.items():
        found.setdefault(Path(dag.fileloc).relative_to(FOLDER).as_posix(), []).append(dag_id)
    assert {file: sorted(ids) for file, ids in found.items()} == {file: sorted(ids) for file, ids in EXPECTED.items()}
    assert bag.captured_warnings == {}


def test_the_scheduler_can_store_and_read_it(dag) -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    stored = json.dumps(DagSerialization.to_dict(dag))
    DagSerialization.validate_schema(stored)
    read = DagSerialization.from_dict(json.loads(stored))
    assert read.dag_id == dag.dag_id
    assert {task.task_id: task.downstream_task_ids for task in read.tasks} == {
        task.task_id: task.downstream_task_ids for task in dag.tasks
    }
    assert (read.max_active_runs, read.dagrun_timeout, read.tags) == (1, dag.dagrun_timeout, dag.tags)


def test_a_dag_says_what_it_does_and_what_to_do_when_it_is_red(dag) -> None:
    assert dag.doc_md.strip() == _docstring(Path(dag.fileloc)).strip()
    assert "**When it is red" in dag.doc_md
    assert dag.tags


def _docstring(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text()), clean=False)


def test_a_dag_cannot_run_for_ever_nor_over_itself(dag) -> None:
    assert dag.max_active_runs == 1
    assert dag.dagrun_timeout is not None
    assert dag.catchup is False
    assert dag.start_date == defaults.START
    assert str(dag.timezone) == "Asia/Ho_Chi_Minh"
    assert dag.owner == defaults.OWNER


def test_a_task_is_tried_again_with_growing_pauses_and_times_out(dag) -> None:
    assert dag.tasks
    for task in dag.tasks:
        assert task.owner == defaults.OWNER, task.task_id
        assert task.retries >= 1, task.task_id
        assert task.retry_exponential_backoff, task.task_id
        assert timedelta(0) < task.retry_delay < task.max_retry_delay, task.task_id
        assert timedelta(0) < task.execution_timeout < dag.dagrun_timeout, task.task_id


def test_refresh_builds_although_a_source_failed_but_never_on_an_unprepared_warehouse(bag) -> None:
    tasks = {task.task_id: task for task in bag.dags["refresh"].tasks}
    assert {name: task.upstream_task_ids for name, task in tasks.items()} == {
        "prepare": set(),
        "load_one_stop": {"prepare"},
        "load_portal": {"prepare"},
        "load_budget": {"prepare"},
        "load_departments": {"prepare", "load_portal"},
        # `prepare` is the one that must succeed; when it fails, the loads do not run and none has
        "build": {"prepare", "load_one_stop", "load_portal", "load_budget", "load_departments"},
        "report": {"prepare", "build"},
    }
    rules = {name: task.trigger_rule.value for name, task in tasks.items()}
    assert {rules.pop("load_departments"), rules.pop("build")} == {"all_done_min_one_success"}
    assert set(rules.values()) == {"all_success"}


@pytest.fixture
def timetable(bag):
    """The refresh's timetable as the scheduler reads it from its database."""
    from airflow.serialization.serialized_objects import DagSerialization

    return DagSerialization.from_dict(DagSerialization.to_dict(bag.dags["refresh"])).timetable


def _restriction(earliest: datetime, catchup: bool):
    from airflow.timetables.base import TimeRestriction

    return TimeRestriction(earliest=_pendulum(earliest), latest=None, catchup=catchup)


def test_refresh_rehearses_before_each_cut_off_and_runs_on_the_day_after_it(timetable) -> None:
    assert type(timetable).__name__ == "ReportingCalendarTimetable"
    runs, last = [], None
    for _ in range(13):
        info = timetable.next_dagrun_info(
            last_automated_data_interval=last,
            restriction=_restriction(datetime(2024, 1, 1, tzinfo=LOCAL_ZONE), catchup=True),
        )
        last = info.data_interval
        runs.append(info.run_after.astimezone(LOCAL_ZONE))
    assert runs == [run.at for run in runs_of_year(2024)] + [runs_of_year(2025)[0].at]
    assert [f"{run:%d/%m %H:%M}" for run in runs[3:6]] == ["04/06 02:00", "11/06 02:00", "15/06 02:00"]


def test_a_moment_that_passed_while_nothing_ran_is_run_once(timetable, monkeypatch: pytest.MonkeyPatch) -> None:
    import dags.timetable as module

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(2024, 6, 20, 9, tzinfo=LOCAL_ZONE).astimezone(tz)

    monkeypatch.setattr(module, "datetime", Clock)
    restriction = _restriction(datetime(2024, 1, 1, tzinfo=LOCAL_ZONE), catchup=False)
    before = _interval(datetime(2024, 6, 4, 2, tzinfo=LOCAL_ZONE))
    missed = timetable.next_dagrun_info(last_automated_data_interval=before, restriction=restriction)
    assert missed.run_after == datetime(2024, 6, 15, 2, tzinfo=LOCAL_ZONE)
    following = timetable.next_dagrun_info(last_automated_data_interval=missed.data_interval, restriction=restriction)
    assert following.run_after == datetime(2024, 9, 4, 2, tzinfo=LOCAL_ZONE)


def _interval(moment: datetime):
    from airflow.timetables.base import DataInterval

    return DataInterval.exact(_pendulum(moment))


def _pendulum(moment: datetime):
    import pendulum

    return pendulum.instance(moment)


# --- what parsing costs and touches

# Airflow is warm, as in its DAG processor; each file is then executed in a fork of its own, several times
PROBE = """
import json, os, runpy, socket, sys, time

import airflow.sdk
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import Connection, Variable
from airflow.sdk.bases.hook import BaseHook

touched = []

def forbid(what):
    def refuse(*arguments, **_):
        touched.append(what)
        raise RuntimeError(f"{what} at import")
    return refuse

for name in ("connect", "connect_ex", "bind", "sendto"):
    setattr(socket.socket, name, forbid("network"))
socket.getaddrinfo = socket.create_connection = forbid("network")
Variable.get = forbid("Variable")
Connection.get = forbid("Connection")
BaseHook.get_connection = forbid("Connection")

answers = {}
for path in sys.argv[1:]:
    for _ in range(2):
        reading, writing = os.pipe()
        if os.fork() == 0:
            error = None
            started = time.perf_counter()
            try:
                runpy.run_path(path)
            except BaseException as raised:
                error = repr(raised)
            seconds = time.perf_counter() - started
            heavy = sorted({"dbt", "pandas", "polars", "openpyxl"} & set(sys.modules))
            os.write(writing, json.dumps([seconds, touched, error, heavy]).encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as answer:
            answers.setdefault(path, []).append(json.loads(answer.read()))
        os.wait()
print(json.dumps(answers))
"""


# what the probe must notice, even when the file swallows the error
BAD_FILES = {
    "Variable": "from airflow.sdk import Variable; Variable.get('x')",
    "Connection": "from airflow.sdk import Connection; Connection.get('x')",
    "network": "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9')",
    "heavy": "import polars",
    "slow": "import time; time.sleep(1.1)",
    "error": "raise SystemExit",
}


@dataclass(frozen=True)
class Parsed:
    """What executing a file cost and touched."""

    seconds: float
    touched: list[str]
    error: str | None
    heavy: list[str]

    @property
    def faults(self) -> set[str]:
        found = set(self.touched)
        found |= {"error"} if self.error else set()
        found |= {"heavy"} if self.heavy else set()
        return found | ({"slow"} if self.seconds >= 1 else set())


@pytest.fixture(scope="module")
def parsed(airflow: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Parsed]:
    """By file name, the faster of two tries."""
    bad = tmp_path_factory.mktemp("bad")
    for name, line in BAD_FILES.items():
        swallowed = "SystemExit" if name != "error" else "ZeroDivisionError"
        (bad / f"bad_{name}.py").write_text(f"try:\n    {line}\nexcept (Exception, {swallowed}):\n    pass\n")
    files = [*(FOLDER / name for name in EXPECTED), *bad.iterdir()]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CCHC_")}
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *map(str, files)], env=environment, cwd=airflow, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout.splitlines()[-1])
    return {Path(path).name: Parsed(*min(tries)) for path, tries in answers.items()}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_file_parses_in_under_a_second_and_touches_nothing(parsed: dict[str, Parsed], name: str) -> None:
    assert parsed[name].faults == set(), parsed[name]


@pytest.mark.parametrize("name", BAD_FILES)
def test_the_probe_would_notice(parsed: dict[str, Parsed], name: str) -> None:
    assert name in parsed[f"bad_{name}.py"].faults
