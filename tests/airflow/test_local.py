"""`cchc up`: the four components with the LocalExecutor, and the scheduler running the whole chain."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from cchc import warehouse
from cchc.reporting_calendar import current_periods, last_run_until, runs_of_year
from cchc.settings import PROJECT_ROOT, Settings
from tests.airflow.conftest import (
    PERIOD,
    QUICK,
    Api,
    Feeds,
    clean_environment,
    processes_of_session,
    processes_with,
    run_cchc,
    wait_until,
    write_secrets,
)
from tests.sample.test_province import recount
from tests.test_refresh import _expected, _unequal

# a DAG file is named after its DAG
DAGS = {path.stem for path in (PROJECT_ROOT / "dags").glob("*.py")} - {
    Path(line).stem for line in (PROJECT_ROOT / "dags" / ".airflowignore").read_text().split()
}


@dataclass
class Local:
    """Airflow started by `cchc up`, and where it keeps what."""

    folder: Path
    environment: dict[str, str]
    printed: str
    api: Api

    @property
    def settings(self) -> Settings:
        return Settings(var=self.folder / "var")

    @property
    def logs(self) -> Path:
        return self.folder / "var" / "airflow" / "logs"

    @property
    def server(self) -> int:
        return json.loads((self.folder / "var" / "airflow" / "server.json").read_text())["pid"]

    def put_into_inbox(self, *files: Path, province: Path) -> None:
        for file in files:
            target = self.folder / "inbox" / file.relative_to(province / "inbox")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)

    def ask(self, statement: str) -> list[tuple]:
        with warehouse.engine(self.settings) as engine, engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(statement))]

    def indicators(self, period: str) -> dict[tuple[str, str], str]:
        with open(self.folder / "out" / period / "indicators.csv", newline="") as file:
            return {(row["form"], row["code"]): row["value"] for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory, feeds: Feeds) -> Iterator[Local]:
    folder = tmp_path_factory.mktemp("local-airflow")
    environment = (
        clean_environment()
        | QUICK
        | feeds.plain
        | {
            "CCHC_VAR": str(folder / "var"),
            "CCHC_INBOX": str(folder / "inbox"),
            "CCHC_OUT": str(folder / "out"),
            "CCHC_SECRETS_DIR": str(write_secrets(folder / "secrets", feeds.secret)),
            # the tests say what runs when
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "DEBUG",
        }
    )
    try:
        printed = run_cchc(environment, "up", "--port", "0")
        url, user, password = re.fullmatch(
            r"Airflow: (\S+) · tài khoản (\S+) · mật khẩu (\S+)", printed.strip()
        ).groups()
        yield Local(folder, environment, printed, Api(url, user, password))
    finally:
        if processes_with(f"CCHC_VAR={folder / 'var'}"):
            run_cchc(environment, "down")


def test_it_comes_up_with_every_dag_and_the_printed_login_opens_it(local: Local) -> None:
    assert local.api.health() == dict.fromkeys(("metadatabase", "scheduler", "triggerer", "dag_processor"), "healthy")
    dags = wait_until(lambda: len(found := local.api.get("/dags")["dags"]) == len(DAGS) and found, 60)
    assert {dag["dag_id"] for dag in dags} == DAGS
    assert local.api.get("/importErrors")["import_errors"] == []
    refused = httpx.get(str(local.api._client.base_url) + "/api/v2/dags")
    assert refused.status_code == 401
    with pytest.raises(httpx.HTTPStatusError):
        Api(str(local.api._client.base_url), "admin", "wrong")


def test_a_file_put_into_the_inbox_becomes_a_report(local: Local, small_province: Path) -> None:
    wait_until(lambda: len(local.api.get("/dags")["dags"]) == len(DAGS), 60)
    local.api.pause("one_stop", "marts", paused=False)
    # the clock's own run, which finds an empty inbox
    local.api.wait_for_run("one_stop", "scheduled", 60)
    export = small_province / "inbox" / "mot-cua" / "ho-so_20240401_20240430.csv"
    local.put_into_inbox(export, province=small_province)
    local.api.wait_for_run("one_stop", "asset_triggered", 120)
    local.api.wait_for_run("marts", "asset_triggered", 300)
    local.api.pause("one_stop", "marts")
    assert local.ask("select count(*), sum(rows_loaded) > 50 from ops.load") == [(1, True)]
    for period in current_periods(datetime.now(UTC)):
        written = {path.name for path in (local.folder / "out" / period.id).iterdir()}
        assert {"indicators.csv", "phu-luc.xlsx", "bao-cao.docx"} <= written


def test_past_periods_are_backfilled_in_reverse_order(local: Local, small_province: Path, tmp_path: Path) -> None:
    wait_until(lambda: len(local.api.get("/dags")["dags"]) == len(DAGS), 60)
    local.put_into_inbox(*(small_province / "inbox").rglob("*.*"), province=small_province)
    local.api.pause("refresh", paused=False)
    # the newest moment of the calendar that has passed runs of itself; it is not what is asked about here
    [own] = wait_until(lambda: local.api.runs("refresh"), 60)
    assert datetime.fromisoformat(own["logical_date"]) == last_run_until(datetime.now(UTC)).at
    local.api.call("PATCH", f"/dags/refresh/dagRuns/{own['dag_run_id']}", json={"state": "failed"})
    finals = {run.period.id: run.at for run in runs_of_year(2024) if run.kind == "final"}
    for period in (PERIOD, "2024-Q1"):
        known = {run["dag_run_id"] for run in local.api.runs("refresh")}
        moment = finals[period].astimezone(UTC).isoformat()
        asked = {"dag_id": "refresh", "from_date": moment, "to_date": moment, "run_backwards": True, "dag_run_conf": {}}
        # refused while the one before is being closed
        wait_until(lambda asked=asked: local.api.call("POST", "/backfills", json=asked), 60)
        run = local.api.wait_for_run("refresh", "backfill", 300, known)
        assert run["logical_date"][:19] == moment[:19]
    computed = local.indicators(PERIOD)
    expected = _expected(small_province / "expected.csv", "form", "code")
    expected |= _expected(small_province / "expected_forms.csv", "form", "code")
    assert len(expected) == len(computed) == 144
    assert _unequal(expected, computed) == []
    # the first quarter is counted anew, from the exports alone
    manifest = json.loads((small_province / "manifest.json").read_text(encoding="utf-8"))
    shutil.copytree(small_province, tmp_path / "quarter")
    (tmp_path / "quarter" / "manifest.json").write_text(json.dumps(manifest | {"to_on": "2024-03-14"}))
    counted = recount(tmp_path / "quarter", as_of=date(2024, 3, 14)).figures
    quarter = local.indicators("2024-Q1")
    found = {name: int(quarter[tuple(name.split("/"))]) for name in counted}
    assert found == counted
    assert found != {name: int(computed[tuple(name.split("/"))]) for name in counted}
    # the later run of the earlier period left the other as it was
    stored = local.ask(
        f"select form_no::text, code, value::text from reporting.rpt_indicator where period_id = '{PERIOD}'"
    )
    assert _unequal(expected, {(form, code): value or "" for form, code, value in stored}) == []


@pytest.mark.parametrize("name", ["triggerer", "scheduler"])
def test_a_killed_component_is_started_again(local: Local, name: str) -> None:
    before = wait_until(lambda: _component(local, name), 60)
    assert len(processes_of_session(before)) > 1
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: _component(local, name) not in (before, None), 60)
    # LocalExecutor's processes wait for work for ever when their scheduler is gone
    wait_until(lambda: not processes_of_session(before), 15)
    wait_until(lambda: local.api.health()[name] == "healthy", 120)
    assert f"{name} đã dừng (mã -9)" in (local.logs / "server.log").read_text()


def _component(local: Local, name: str) -> int | None:
    """The child of the server that is this component; its own children carry the same name."""
    found = processes_with(f"CCHC_VAR={local.folder / 'var'}")
    named = {pid for pid, command in found.items() if command.rstrip().endswith(f"-m airflow {name}")}
    return next(iter(named & set(_children(local.server))), None)


def _children(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1]) == parent:
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def test_secrets_are_in_no_log_no_xcom_and_no_template(local: Local, feeds: Feeds) -> None:
    airflow = local.folder / "var" / "airflow"
    database_password = (local.folder / "var" / "postgres" / "password").read_text()
    secrets = set(feeds.secret.values()) | {
        database_password,
        json.loads((airflow / "passwords.json").read_text())["admin"],
        *((airflow / name).read_text() for name in ("fernet-key", "jwt-secret", "api-secret")),
    }
    assert len(secrets) == 8
    assert all(len(secret) > 5 for secret in secrets)

    shown = ""
    for task in local.api.tasks():
        shown += json.dumps(task["rendered_fields"])
        path = f"/dags/{task['dag_id']}/dagRuns/{task['dag_run_id']}/taskInstances/{task['task_id']}"
        for entry in local.api.get(f"{path}/xcomEntries")["xcom_entries"]:
            shown += json.dumps(local.api.get(f"{path}/xcomEntries/{entry['key']}"))
        if task["try_number"]:
            shown += json.dumps(local.api.get(f"{path}/logs/{task['try_number']}"))
    assert "phu-luc.xlsx" in shown
    assert [secret for secret in secrets if secret in shown] == []

    logs = {str(path): path.read_text(errors="replace") for path in local.logs.rglob("*") if path.is_file()}
    logs |= {str(path): path.read_text(errors="replace") for path in (local.folder / "var").rglob("*.log")}
    assert len(logs) > 10
    assert [(path, secret) for path, log in logs.items() for secret in secrets if secret in log] == []

    with warehouse.available(local.settings) as url:
        for database in ("airflow", "cchc"):
            for table, content in _tables(make_url(url).set(database=database)):
                assert [secret for secret in secrets if secret in content] == [], (database, table)


def _tables(url) -> Iterator[tuple[str, str]]:
    opened = create_engine(url)
    with opened.connect() as connection:
        tables = connection.execute(
            text(
                "select format('%I.%I', schemaname, tablename) from pg_tables "
                "where schemaname not in ('pg_catalog', 'information_schema')"
            )
        ).scalars()
        for table in tables.all():
            yield table, "\n".join(connection.execute(text(f"select t::text from {table} as t")).scalars())
    opened.dispose()


def test_down_leaves_no_process(local: Local) -> None:
    marker = str(local.folder / "var")
    components = _children(local.server)
    assert len(components) >= 4
    assert all(processes_of_session(pid) for pid in components)
    run_cchc(local.environment, "down")
    wait_until(lambda: not processes_with(marker), 30, lambda: str(processes_with(marker)))
    assert [pid for pid in components if processes_of_session(pid)] == []
