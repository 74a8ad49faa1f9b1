"""The budget DAG as Airflow runs it: what it writes down (XCom, task states, logs) holds no secret and no token."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.engine import URL

from cchc.settings import PROJECT_ROOT
from sample.budget import RESOURCES, Client, Faults, serve

CLIENT = Client("he-thong", "khoa-rat-bi-mat")
PROJECT = {
    "maDuAn": "7000001",
    "tenDuAn": "Cầu",
    "maChuDauTu": "H31.08",
    "capQuanLy": "TINH",
    "nhom": "B",
    "capNhatLuc": "2023-12-01T08:00:00",
}
# in a process of its own, for what reaches the terminal, and because Airflow reads its environment once
RUN = """
from cchc.settings import get_settings
from dags import one_process
one_process.configure_airflow(get_settings())
one_process._prepare_metadata()
from dags.budget import budget
flow = budget()
for task in flow.tasks:
    task.retries = 0
print("state:", flow.test().state)
"""


def test_airflow_keeps_no_secret_and_no_token(tmp_path: Path, engine: Engine, warehouse_url: URL) -> None:
    folder = tmp_path / "province"
    (folder / "budget").mkdir(parents=True)
    for resource in RESOURCES:
        rows = [PROJECT] if resource == "du-an" else []
        (folder / "budget" / f"{resource}.json").write_text(json.dumps(rows), encoding="utf-8")
    told = {
        "CCHC_VAR": str(tmp_path / "var"),
        "CCHC_WAREHOUSE_URL": warehouse_url.render_as_string(hide_password=False),
        "CCHC_BUDGET_CLIENT_ID": CLIENT.client_id,
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "DEBUG",
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW_", "CCHC_"))}
    # a token for every second call
    with serve(folder, faults=Faults(token_calls=2), client=CLIENT) as player:
        told |= {"CCHC_BUDGET_URL": player.url, "CCHC_BUDGET_CLIENT_SECRET": CLIENT.client_secret}
        run = subprocess.run(
            [sys.executable, "-c", RUN],
            cwd=PROJECT_ROOT,
            env=inherited | told,
            capture_output=True,
            timeout=400,
            check=False,
        )
    written = run.stdout + run.stderr
    # there is no plan: an error is written down
    assert b"state: failed" in run.stdout, written[-2000:].decode()
    hidden = [CLIENT.client_secret, *player._tokens]
    assert len(hidden) > 4
    kept = [path for path in (tmp_path / "var").rglob("*") if path.is_file()]
    assert any(path.suffix == ".db" for path in kept)
    written += b"".join(path.read_bytes() for path in kept)
    assert b"ke-hoach-von: " in written
    assert [text for text in hidden if text.encode() in written] == []
