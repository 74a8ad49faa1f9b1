"""docker-compose.yml without Docker: Redis, a control node and two workers, each a machine of its own.

Every process gets the environment, the command and the secrets of its service in the Compose file; only addresses and
folders are put in their place. Shared are the inbox, the landing store and the reports, nothing else.
"""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import yaml
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL

from cchc import warehouse
from cchc.settings import PROJECT_ROOT
from extract import sources
from tests.airflow.conftest import PERIOD, QUICK, Api, Feeds, clean_environment, processes_of_session, wait_until
from tests.test_refresh import _expected, _unequal

SERVICES = yaml.safe_load((PROJECT_ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
REDIS_SERVER = Path(sys.executable).with_name("redis-server")
UNDISTURBED = (
    f"from dags import steps; steps.prepare({PERIOD!r}, None); steps.load('one_stop', 'portal', 'budget'); "
    "steps.load_departments(); steps.build()"
)
MARTS = "select schemaname || '.' || tablename from pg_tables where schemaname in ('marts', 'reporting', 'reference')"


class Cluster:
    """The services of the Compose file as processes of this machine."""

    def __init__(self, folder: Path, airflow_url: URL, warehouse_url: URL, feeds: Feeds, inbox: Path) -> None:
        self.folder, self.feeds, self.inbox = folder, feeds, inbox
        self.warehouse_url = warehouse_url
        self.url = f"http://127.0.0.1:{_free_port()}"
        self.redis_port = _free_port()
        self.processes: dict[str, subprocess.Popen] = {}
        redis_password = secrets.token_hex(16)
        redis = f"redis://:{redis_password}@127.0.0.1:{self.redis_port}"
        self.password = secrets.token_hex(16)
        self._secrets = feeds.secret | {
            "airflow_database_url": airflow_url.render_as_string(hide_password=False),
            "airflow_fernet_key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "airflow_jwt_secret": secrets.token_hex(32),
            "airflow_api_secret_key": secrets.token_hex(32),
            "airflow_passwords": json.dumps({"admin": self.password}),
            "celery_broker_url": f"{redis}/0",
            "celery_result_backend": f"{redis}/1",
            "redis_conf": f"requirepass {redis_password}\nbind 127.0.0.1",
            "cchc_warehouse_url": warehouse_url.render_as_string(hide_password=False),
        }

    def node(self, name: str) -> Path:
        """The folder that stands for the disk of one container."""
        return self.folder / name

    def environment(self, service: str, node: Path) -> dict[str, str]:
        places = {
            "/run/secrets": str(node / "secrets"),
            "/scratch": str(node / "scratch"),
            "/opt/cchc": str(PROJECT_ROOT),
            "/data/inbox": str(self.inbox),
            "/data": str(self.folder / "shared"),
            "http://api-server:8080": self.url,
        }
        chosen = self.feeds.plain | {"CCHC_AIRFLOW_URL": self.url}
        told = {}
        for name, value in SERVICES[service]["environment"].items():
            value = re.sub(r"\$\{(\w+):-([^}]*)\}", lambda m: chosen.get(m[1]) or m[2], value)
            for place, here in places.items():
                value = value.replace(place, here)
            told[name] = value
        return told

    def start(self, service: str, name: str | None = None, *more: str) -> subprocess.Popen:
        name = name or service
        node = self.node(name)
        (node / "scratch").mkdir(parents=True)
        (node / "secrets").mkdir()
        for secret in SERVICES[service]["secrets"]:
            # no line end: Airflow takes what its command prints as it is
            (node / "secrets" / secret).write_text(self._secrets[secret])
        command = list(SERVICES[service]["command"])
        if service == "redis":
            environment = {}
            command = [REDIS_SERVER, *(w.replace("/run/secrets", str(node / "secrets")) for w in command[1:])]
            command += ["--port", str(self.redis_port), "--dir", str(node / "scratch")]
        else:
            command = [sys.executable, "-m", "airflow", *command, *more]
            environment = self.environment(service, node) | {
                # containers have an address each; here they share one
                "AIRFLOW__API__HOST": "127.0.0.1",
                "AIRFLOW__API__PORT": self.url.rsplit(":", 1)[1],
                "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(_free_port()),
                "AIRFLOW__API__WORKERS": "1",
                # only what is asked for runs
                "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
                "CCHC_SYNTHETIC": "true",
            }
        with open(node / "log", "ab") as log:
            process = subprocess.Popen(
                command,
                env=clean_environment() | QUICK | environment,
                cwd=node,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes[name] = process
        return process

    def kill(self, name: str) -> set[int]:
        """The machine is gone, at once, with all that ran on it; returns what did."""
        running = processes_of_session(self.processes[name].pid)
        for pid in running:
            os.kill(pid, signal.SIGKILL)
        self.processes.pop(name).wait()
        return running

    def query(self, statement: str) -> list[tuple]:
        with warehouse.engine_on(self.warehouse_url) as engine, engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(statement))]

    def log(self, name: str) -> str:
        return (self.node(name) / "log").read_text(errors="replace")

    def stop(self) -> None:
        for name in list(self.processes):
            self.kill(name)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def airflow_database(server: URL) -> Iterator[URL]:
    """An empty database for Airflow's metadata."""
    with _autocommit(server) as run:
        run("create database airflow_distributed template template0")
        yield server.set(database="airflow_distributed")
        run("drop database airflow_distributed with (force)")


@pytest.fixture
def undisturbed(server: URL, tmp_path: Path, feeds: Feeds, small_province: Path) -> Iterator[Any]:
    """The marts of the same province, loaded and built with nothing in the way: a function that waits for them."""
    with _autocommit(server) as run:
        run("create database undisturbed template template0")
        url = server.set(database="undisturbed")
        environment = clean_environment() | feeds.plain
        environment |= {name.upper(): value for name, value in feeds.secret.items()}
        environment |= {
            "CCHC_VAR": str(tmp_path / "undisturbed"),
            "CCHC_INBOX": str(small_province / "inbox"),
            "CCHC_WAREHOUSE_URL": url.render_as_string(hide_password=False),
            "CCHC_PORTAL_CALLS_PER_SECOND": "2000",
        }
        running = subprocess.Popen(
            [sys.executable, "-c", UNDISTURBED], env=environment, cwd=PROJECT_ROOT, stdout=subprocess.DEVNULL
        )

        def marts() -> dict[str, list[str]]:
            assert running.wait(300) == 0
            return _marts(url)

        yield marts
        running.kill()
        running.wait()
        run("drop database undisturbed with (force)")


@contextmanager
def _autocommit(url: URL) -> Iterator[Any]:
    connection = psycopg2.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))
    connection.autocommit = True
    with connection.cursor() as cursor:
        yield cursor.execute
    connection.close()


def _marts(url: URL) -> dict[str, list[str]]:
    opened = create_engine(url)
    with opened.connect() as connection:
        found = {
            table: sorted(connection.execute(text(f"select t::text from {table} as t")).scalars())
            for table in connection.execute(text(MARTS)).scalars().all()
        }
    opened.dispose()
    return found


@pytest.fixture
def cluster(
    tmp_path: Path, airflow_database: URL, empty_database: URL, feeds: Feeds, small_province: Path
) -> Iterator[Cluster]:
    """Everything started, in the order that `depends_on` sets."""
    made = Cluster(tmp_path / "cluster", airflow_database, empty_database, feeds, small_province / "inbox")
    (made.folder / "shared").mkdir(parents=True)
    try:
        made.start("redis")
        assert made.start("migrate").wait(180) == 0, made.log("migrate")[-3000:]
        made.start("api-server")
        made.api = wait_until(lambda: Api(made.url, "admin", made.password), 120)
        made.start("scheduler")
        made.start("dag-processor")
        for name in ("worker-1", "worker-2"):
            made.start("worker", name, "--celery-hostname", f"{name}@%h")
        for name in ("worker-1", "worker-2"):
            wait_until(lambda name=name: " ready." in made.log(name), 120, lambda name=name: made.log(name)[-3000:])
        wait_until(lambda: "refresh" in {dag["dag_id"] for dag in made.api.get("/dags")["dags"]}, 90)
        yield made
    finally:
        made.stop()


def test_a_worker_killed_in_the_middle_of_a_load_changes_nothing(
    undisturbed: Any, cluster: Cluster, small_province: Path
) -> None:
    api, query = cluster.api, cluster.query
    with warehouse.engine_on(cluster.warehouse_url) as engine:
        sources.prepare(engine)
    with _autocommit(cluster.warehouse_url) as run:
        # each row takes its time, so that the middle of a load can be found
        run(
            "create function pause() returns trigger language plpgsql "
            "as 'begin perform pg_sleep(0.02); return new; end'"
        )
        run("create trigger pause before insert on raw.one_stop__dossier for each row execute function pause()")
        asked = {"logical_date": None, "conf": {"period": PERIOD, "as_of": None}}
        run_id = api.call("POST", "/dags/refresh/dagRuns", json=asked)["dag_run_id"]
        wait_until(
            lambda: query("select 1 from pg_stat_activity where query ~ '^copy raw.one_stop' and state = 'active'"),
            90,
            lambda: str(api.tasks("refresh", run_id)) + cluster.log("worker-1")[-2000:],
        )
        loading = next(t for t in api.tasks("refresh", run_id) if t["task_id"] == "load_one_stop")
        assert loading["state"] == "running"
        [victim] = [name for name, node in cluster.processes.items() if os.getsid(loading["pid"]) == node.pid]
        assert victim in ("worker-1", "worker-2")
        assert len(cluster.kill(victim)) > 2
        assert query("select count(*) from ops.load where source = 'one_stop'")[0][0] < 9
        run("drop trigger pause on raw.one_stop__dossier")

    api.wait_for_run("refresh", "manual", 300)
    tries = {task["task_id"]: task["try_number"] for task in api.tasks("refresh", run_id)}
    assert tries["load_one_stop"] == 2
    assert {task["state"] for task in api.tasks("refresh", run_id)} == {"success"}
    [balance] = query(
        "select bool_and(rows_read = rows_loaded + rows_rejected + rows_duplicate + rows_held), sum(rows_loaded) = "
        "(select count(*) from raw.one_stop__dossier) from ops.load where source = 'one_stop'"
    )
    assert balance == (True, True)
    assert _marts(cluster.warehouse_url) == undisturbed()

    # what is shared is shared, what is a node's own is its own
    written = cluster.folder / "shared"
    assert {"indicators.csv", "phu-luc.xlsx"} <= {path.name for path in (written / "out" / PERIOD).iterdir()}
    assert len(list((written / "landing").rglob("*"))) > 20
    expected = _expected(small_province / "expected.csv", "form", "code")
    expected |= _expected(small_province / "expected_forms.csv", "form", "code")
    stored = query(f"select form_no::text, code, value::text from reporting.rpt_indicator where period_id = '{PERIOD}'")
    assert _unequal(expected, {(form, code): value or "" for form, code, value in stored}) == []
