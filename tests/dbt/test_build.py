"""The whole dbt project on an empty warehouse: every model, every data test, every unit test, as transformer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from cchc import transform, warehouse
from extract import sources

_BUILD = "import sys; from dbt.cli.main import dbtRunner; sys.exit(not dbtRunner().invoke(sys.argv[1:]).success)"


@pytest.fixture
def results(empty_database: URL, tmp_path: Path) -> list[dict]:
    """run_results.json of `dbt build`, unit tests included."""
    with warehouse.engine_on(empty_database) as engine:
        sources.prepare(engine)
    done = subprocess.run(
        [
            *(sys.executable, "-c", _BUILD, "build", "--no-use-colors", "--quiet"),
            f"--project-dir={transform.PROJECT}",
            f"--profiles-dir={transform.PROJECT}",
            f"--target-path={tmp_path / 'target'}",
            f"--log-path={tmp_path / 'log'}",
        ],
        env=os.environ | warehouse.dbt_environment(empty_database),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-5000:]
    return json.loads((tmp_path / "target" / "run_results.json").read_text())["results"]


def test_every_model_and_every_test_is_green_on_an_empty_warehouse(results: list[dict]) -> None:
    kinds = {kind: [r for r in results if r["unique_id"].startswith(kind)] for kind in ("model", "test", "unit_test")}
    assert {r["status"] for r in results} <= {"success", "pass", "no-op"}
    assert len(kinds["model"]) > 40
    assert len(kinds["test"]) > 150
    assert len(kinds["unit_test"]) > 20
    assert any("worked_example" in r["unique_id"] for r in kinds["unit_test"])
