"""kill -9 at every point of a load and of a publication: all or nothing is left, and the next run is right."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from cchc.settings import Settings

DYING = str(Path(__file__).with_name("dying.py"))


def _inbox(settings: Settings, province: Path) -> None:
    """Two exports, one with rows that are rejected, and a workbook of several sheets."""
    inbox = Path(settings.inbox)
    for pattern in ("mot-cua/ho-so_20240315_*.csv", "mot-cua/ho-so_20231101_*.csv", "*/thu-hut-dau-tu_*"):
        for source in sorted((province / "inbox").glob(pattern)):
            target = inbox / source.relative_to(province / "inbox")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)


def _deaths(output: str) -> list[dict]:
    return [json.loads(line) for line in output.splitlines()]


def test_a_load_killed_at_any_point_leaves_whole_files_or_none(
    settings: Settings, province: Path, program: Callable[..., str]
) -> None:
    _inbox(settings, province)
    died = _deaths(program(DYING, "load"))
    points = " ".join(death["point"] for death in died)
    # every eighth point; DRILL_STRIDE=1 in the program's environment takes all of them
    assert len(died) > 8
    assert "before" in points
    assert {"nothing", "some"} <= {death["left"] for death in died} <= {"nothing", "some", "all"}
    assert [death for death in died if not death["landed"]] == []


def test_without_the_one_transaction_a_killed_load_leaves_rows_that_no_ledger_knows(
    settings: Settings, province: Path, program: Callable[..., str]
) -> None:
    _inbox(settings, province)
    assert "torn" in {death["left"] for death in _deaths(program(DYING, "load", "careless"))}


def test_a_publication_killed_at_any_point_shows_the_old_version_or_the_new_one(program: Callable[..., str]) -> None:
    died = _deaths(program(DYING, "publish"))
    points = " ".join(death["point"] for death in died)
    for passed in ("lock table", "alter schema marts rename", "insert into ops.publication", "drop schema"):
        assert passed in points
    assert len(died) > 20
    assert {death["left"] for death in died} == {"nothing", "all"}
    assert [death for death in died if not death["again"]] == []


def test_without_the_one_transaction_a_killed_publication_shows_two_versions(program: Callable[..., str]) -> None:
    assert "torn" in {death["left"] for death in _deaths(program(DYING, "publish", "careless"))}
