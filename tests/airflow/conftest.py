"""Airflow itself: started as an operator starts it, asked through its API, on a small province played on loopback."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from cchc.settings import PROJECT_ROOT
from sample import budget, portal
from sample.province import write_province

CCHC = str(Path(sys.executable).with_name("cchc"))
PERIOD = "2024-H1"
# what Airflow does every few seconds to minutes, done at once
QUICK = {
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "15",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
    "CCHC_INBOX_POLL_SECONDS": "0.5",
    "CCHC_RETRY_DELAY_SECONDS": "1",
    "CCHC_PORTAL_CALLS_PER_SECOND": "2000",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """These take the longest and need the rest to be right: last."""
    here = Path(__file__).parent
    items.sort(key=lambda item: here in item.path.parents)


@pytest.fixture(scope="session")
def small_province(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The province of test_refresh.py; its figures assume that every service has a dossier, so it cannot be smaller."""
    folder = tmp_path_factory.mktemp("small-province")
    write_province(folder, PERIOD, seed=7, scale=0.02)
    return folder


@dataclass(frozen=True)
class Feeds:
    """How to reach the players, and what must be written down nowhere."""

    plain: dict[str, str]
    secret: dict[str, str]


@pytest.fixture(scope="session")
def feeds(small_province: Path) -> Iterator[Feeds]:
    """Portal and budget service of the small province."""
    with portal.serve(small_province) as played_portal, budget.serve(small_province) as played_budget:
        account, client = played_portal.account, played_budget.client
        yield Feeds(
            {
                "CCHC_SYNTHETIC": "true",
                "CCHC_PORTAL_URL": played_portal.url,
                "CCHC_PORTAL_USERNAME": account.username,
                "CCHC_PORTAL_UNIT": account.unit,
                "CCHC_PORTAL_DSTCODE": account.dstcode,
                "CCHC_BUDGET_URL": played_budget.url,
                "CCHC_BUDGET_CLIENT_ID": client.client_id,
            },
            {
                "cchc_portal_password": account.password,
                "cchc_budget_client_secret": client.client_secret,
                "cchc_pseudonym_key": "khoa-ky-danh-rat-bi-mat-dung-de-thu",
            },
        )


def clean_environment() -> dict[str, str]:
    """What a fresh shell has: nothing of this project's, nothing of Airflow's."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW_", "CCHC_"))}


def write_secrets(folder: Path, secrets: dict[str, str]) -> Path:
    """A folder with a file for each secret, as Docker mounts one."""
    folder.mkdir()
    for name, value in secrets.items():
        (folder / name).write_text(value + "\n")
    return folder


class Api:
    """Airflow's public API, logged in. Raises httpx.HTTPStatusError."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=30)
        self._login = {"username": user, "password": password}
        self.log_in()

    def log_in(self) -> None:
        answer = self._client.post("/auth/token", json=self._login).raise_for_status()
        self._client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def call(self, method: str, path: str, **arguments: Any) -> Any:
        return self._client.request(method, f"/api/v2{path}", **arguments).raise_for_status().json()

    def get(self, path: str, **query: Any) -> Any:
        return self.call("GET", path, params=query)

    def pause(self, *dag_ids: str, paused: bool = True) -> None:
        for dag_id in dag_ids:
            self.call("PATCH", f"/dags/{dag_id}", json={"is_paused": paused})

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        return self.get(f"/dags/{dag_id}/dagRuns", order_by="-run_after")["dag_runs"]

    def tasks(self, dag_id: str = "~", run_id: str = "~") -> list[dict[str, Any]]:
        return self.get(f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances", limit=100)["task_instances"]

    def health(self) -> dict[str, str]:
        return {name: part["status"] for name, part in self.get("/monitor/health").items()}

    def wait_for_run(self, dag_id: str, run_type: str, seconds: float, known: set[str] = frozenset()) -> dict[str, Any]:
        """The first run of this type that is not known, once it has succeeded."""

        def ended() -> dict[str, Any] | None:
            news = [run for run in self.runs(dag_id) if run["dag_run_id"] not in known and run["run_type"] == run_type]
            return next((run for run in news if run["state"] in ("success", "failed")), None)

        run = wait_until(ended, seconds, lambda: f"{dag_id}: {self.runs(dag_id)} {self.tasks(dag_id)}")
        assert run["state"] == "success", [(t["task_id"], t["state"]) for t in self.tasks(dag_id, run["dag_run_id"])]
        return run


def wait_until(condition: Callable[[], Any], seconds: float, said: Callable[[], str] = str) -> Any:
    """The first true answer of `condition`; an API that does not answer is asked again."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if answer := condition():
                return answer
        except httpx.HTTPError:
            pass
        time.sleep(0.25)
    raise AssertionError(f"it never came to that: {said()}")


def processes_with(marker: str) -> dict[int, str]:
    """The processes whose command line or environment names the marker."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes()
            if marker.encode() in command + (entry / "environ").read_bytes() and int(entry.name) != os.getpid():
                found[int(entry.name)] = command.replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
    return found


def processes_of_session(session: int) -> set[int]:
    """What was started in one session, however it names itself: a task overwrites its environment with its title."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            state, _, _, of = (entry / "stat").read_text().rsplit(")", 1)[1].split()[:4]
        except OSError:
            continue
        if int(of) == session and state != "Z":
            found.add(int(entry.name))
    return found


def run_cchc(environment: dict[str, str], *arguments: str, seconds: float = 200) -> str:
    """A command of the product that must succeed; its output."""
    done = subprocess.run(
        [CCHC, *arguments], env=environment, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=seconds
    )
    assert done.returncode in (0, 3), f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout
