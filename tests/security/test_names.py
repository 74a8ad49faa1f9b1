"""File names and cells that somebody chose to harm: kept as text, and leading nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from cchc.settings import Settings
from extract.contract import contracts
from extract.exports import load_exports
from extract.workbooks import load_workbooks
from tests.extract.conftest import GOOD_ROW, Exports

NAMES = [
    "a\\..\\..\\windows\\win.ini",
    "%2e%2e%2fetc%2fpasswd",
    "ho-so_20240101_20240131.csv;rm -rf .csv",
    "ho-so_20240101_20240131.csv::s3:",
    "$(touch taken).csv",
    "ho-so_20240101_20240131\u202evsc.csv",
    "ho-so_２０２４0101_20240131.csv",
    "'; drop table ops.load; --.csv",
    "x" * 250 + ".csv",
    "\udcff\udcfe.csv",
    "hồ\u0323 sơ\n2.csv",
    "=HYPERLINK(1).csv",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("folder", ["mot-cua", "so-noi-vu"])
def test_a_name_is_told_and_makes_no_path(
    settings: Settings, loader: Engine, query, tmp_path: Path, name: str, folder: str
) -> None:
    inbox = Path(settings.inbox) / folder
    inbox.mkdir(parents=True)
    (inbox / name).write_bytes(Exports.content([GOOD_ROW]))
    before = {path for path in tmp_path.rglob("*") if not path.is_relative_to(settings.landing)}
    outcomes = (
        load_exports(settings, loader, contracts()["one_stop"])
        if folder == "mot-cua"
        else load_workbooks(settings, loader, contracts()["bien_che"])
    )
    assert [outcome.outcome for outcome in outcomes] == ["refused"]
    assert query("select count(*) from ops.arrival where outcome = 'refused'") == [(1,)]
    assert query("select count(*) from raw.one_stop__dossier") == [(0,)]
    landed = [path for path in Path(settings.landing).rglob("*") if path.is_file()]
    assert all(len(path.stem) == 64 and path.suffix in (".csv", ".bin") for path in landed)
    assert {path for path in tmp_path.rglob("*") if not path.is_relative_to(settings.landing)} == before
    assert not Path("taken").exists()


def test_sql_in_a_cell_is_text(settings: Settings, loader: Engine, query) -> None:
    evil = "'); drop table ops.load; -- %s %(a)s {0} \\. $$"
    exports = Exports(settings, loader)
    # a text that is stored, and a number that is not one: its row is rejected and told
    rows = [GOOD_ROW | {"MaHoSo": "H31.05-240115-00013", "DonViXuLy": evil}, GOOD_ROW | {"LePhi": evil}]
    outcome = exports.load(rows, max_reject_share=1)
    assert (outcome.outcome, outcome.rows_read, outcome.rows_rejected) == ("new", 2, 1), outcome
    assert query("select count(*) from ops.load") == [(1,)]
    assert query("select count(*) from ops.rejected_row") == [(1,)]
    [(stored,)] = query("select to_jsonb(t) from raw.one_stop__dossier as t")
    assert evil in stored.values()
