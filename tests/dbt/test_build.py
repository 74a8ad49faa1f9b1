"""The whole dbt project on an empty warehouse: every model, every data test, every unit test, as transformer."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from cchc import transform, warehouse
from extract import sources

_BUILD = "import sys; from dbt.cli.main import dbtRunner; sys.exit(not dbtRunner().invoke(sys.argv[1:]).success)"


@pytest.fixture
def prepared(empty_database: URL) -> URL:
    """A warehouse with its raw tables, all of them empty."""
    with warehouse.engine_on(empty_database) as engine:
        sources.prepare(engine)
    return empty_database


def build(url: URL, work: Path, *selection: str, project: Path = transform.PROJECT) -> dict[str, dict]:
    """`dbt build` of what is selected, unit tests included: run_results.json by node."""
    done = subprocess.run(
        [
            *(sys.executable, "-c", _BUILD, "build", "--no-use-colors", "--quiet", *selection),
            f"--project-dir={project}",
            f"--profiles-dir={project}",
            f"--target-path={work / 'target'}",
            f"--log-path={work / 'log'}",
        ],
        env=os.environ | warehouse.dbt_environment(url),
        capture_output=True,
        text=True,
    )
    written = work / "target" / "run_results.json"
    assert written.is_file(), done.stdout[-5000:]
    return {result["unique_id"]: result for result in json.loads(written.read_text())["results"]}


def test_every_model_and_every_test_is_green_on_an_empty_warehouse(prepared: URL, tmp_path: Path) -> None:
    results = build(prepared, tmp_path).values()
    kinds = {kind: [r for r in results if r["unique_id"].startswith(kind)] for kind in ("model", "test", "unit_test")}
    assert {r["status"] for r in results} <= {"success", "pass", "no-op"}
    assert len(kinds["model"]) > 40
    assert len(kinds["test"]) > 50
    assert len(kinds["unit_test"]) > 20
    assert any("worked_example" in r["unique_id"] for r in kinds["unit_test"])


# what is broken in a copy of the project: node, file, text, other text, what the build says of it
BROKEN = [
    ("seed.cchc.applicant_type", "seeds/applicant_type.csv", "2,", "1,", "Key (code)=(1) is duplicated"),
    ("model.cchc.dim_channel", "models/marts/dim_channel.sql", "code as", "null::smallint as", "contains null values"),
    (
        "model.cchc.dim_capital_source",
        "models/marts/budget/dim_capital_source.sql",
        "code as",
        "'NSNN' as",
        "Key (capital_source_code)=(NSNN) is duplicated",
    ),
    (
        "model.cchc.dim_reporting_period",
        "models/marts/dim_reporting_period.sql",
        "    period_kind,",
        "    'week' as period_kind,",
        'check constraint "dim_reporting_period_period_kind_check"',
    ),
    (
        "model.cchc.int_report_row",
        "models/intermediate/int_report_row.sql",
        "catalogue.kind,",
        "'count' as kind,",
        'check constraint "report_row_has_terms"',
    ),
]


def test_a_broken_constraint_fails_the_build_and_names_the_rule(prepared: URL, tmp_path: Path) -> None:
    project = tmp_path / "dbt"
    shutil.copytree(transform.PROJECT, project)
    for _, name, text, other, _ in BROKEN:
        sound = (project / name).read_text()
        assert sound.count(text) == 1, name
        (project / name).write_text(sound.replace(text, other))
    # a line of one load with the number that a line of another load has
    with warehouse.engine_on(prepared) as engine, engine.begin() as connection:
        connection.exec_driver_sql(
            "insert into raw.portal__field (_load_id, _row, malinhvuc) values (7, 5, 'A'), (8, 4, 'B')"
        )
    selected = [f"+{node.split('.')[-1]}" for node, *_ in BROKEN]
    results = build(prepared, tmp_path, "--select", *selected, "raw_rows_are_told_apart", project=project)
    for node, _, _, _, sentence in BROKEN:
        assert results[node]["status"] == "error"
        assert sentence in results[node]["message"]
    raw = results["test.cchc.raw_rows_are_told_apart"]
    assert (raw["status"], raw["failures"]) == ("fail", 1)
