"""The runbook has a section for every task, and what it tells people to run exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from typer.main import get_command

from cchc import cli
from cchc.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
HEADINGS = re.findall(r"^#+ (.+)$", RUNBOOK, re.MULTILINE)
ALERTS = [
    "Task failed", "Source stale", "Missed deadline", "Refused file", "Build red", "Disk full", "Portal down",
    "Budget token refused", "Database down", "Airflow component down", "Restore",
]  # fmt: skip


@pytest.fixture(scope="module")
def bag(airflow: Path):
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(dag_folder=ROOT / "dags", load_op_links=False)


def test_every_task_has_a_section_and_no_section_is_of_a_task_that_is_gone(bag) -> None:
    tasks = {f"{dag_id}.{task.task_id}" for dag_id, dag in bag.dags.items() for task in dag.tasks}
    assert tasks
    assert {heading for heading in HEADINGS if "." in heading} == tasks


def test_what_an_alert_links_to_is_there(bag) -> None:
    anchors = {re.sub(r"[^a-z0-9_ -]", "", heading.lower()).replace(" ", "-") for heading in HEADINGS}
    alerts = (ROOT / "publish" / "alerts.py").read_text(encoding="utf-8")
    named = set(re.findall(r'section="([a-z-]+)"', alerts))
    assert len(named) >= 3
    assert named | {f"{dag_id}{task.task_id}" for dag_id, dag in bag.dags.items() for task in dag.tasks} <= anchors


def test_every_alert_has_a_section_that_says_what_to_do() -> None:
    assert set(ALERTS) <= set(HEADINGS)
    for section in re.split(r"^##+ ", RUNBOOK, flags=re.MULTILINE)[1:]:
        title, _, body = section.partition("\n")
        is_reference = re.match(r"\s*(See|As) \[", body)
        if title not in ("Task failed", "Backup") and not is_reference:
            assert "**Means**" in body, title
            assert "**Do**" in body, title
            assert "**Check**" in body, title


def test_every_command_exists_with_its_options() -> None:
    commands = get_command(cli.build()).commands
    found = re.findall(r"`cchc\s+([a-z][a-z-]*)([^`]*)`", RUNBOOK)
    assert len(found) > 20
    for name, rest in found:
        assert name in commands, name
        options = {option for parameter in commands[name].params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= options, (name, rest)
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)`", RUNBOOK)) <= targets


def test_every_setting_file_and_link_exists() -> None:
    settings = {f"CCHC_{name.upper()}" for name in Settings.model_fields}
    named = set(re.findall(r"CCHC_[A-Z_]*[A-Z]", RUNBOOK))
    assert len(named) > 8
    assert named <= settings
    for path in re.findall(r"`((?:sql|docs|extract)/[^`*]*)`", RUNBOOK):
        assert (ROOT / path).exists(), path
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in HEADINGS}
    links = re.findall(r"\]\(#([^)]+)\)", RUNBOOK)
    assert links
    assert set(links) <= anchors


@pytest.mark.parametrize("block", re.findall(r"```sql\n(.*?)```", RUNBOOK, re.DOTALL))
def test_every_query_runs_for_the_role_it_is_for(engine: Engine, block: str) -> None:
    with engine.connect() as connection:
        connection.execute(text("set role transformer"))
        for statement in filter(str.strip, block.split(";")):
            connection.execute(text(statement))
