"""Exports as they come on a bad day: with ten thousand wrong rows, cut short, twice, late."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from cchc.settings import Settings
from extract import loader as loading
from tests.extract.conftest import Exports

Query = Callable[..., list[tuple]]
FULL = "ho-so_20240101_20240131.csv"
COUNTS = "select status, rows_read, rows_loaded, rows_rejected, rows_duplicate, rows_held from ops.load order by 1"


@pytest.fixture
def exports(settings: Settings, loader: Engine) -> Exports:
    return Exports(settings, loader)


def _with_rejects(exports: Exports, count: int, rejected: int) -> bytes:
    """An export of so many rows, of which so many are of no known channel."""
    header, row = exports.content(exports.rows(1)).split(b"\r\n")[:2]
    wrong = row.replace(b'",2,4,', b'",7,4,')
    assert wrong != row
    lines = [header]
    lines += [(wrong if n < rejected else row).replace(b"-00001,", b"-%07d," % n, 1) for n in range(count)]
    return b"\r\n".join(lines) + b"\r\n"


def test_ten_thousand_rejects_are_all_kept_and_one_more_refuses_the_file(
    exports: Exports, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert exports.load(_with_rejects(exports, 200_000, 10_000)).outcome == "new"
    assert query(COUNTS) == [("loaded", 200_000, 190_000, 10_000, 0, 0)]
    refused = _with_rejects(exports, 200_000, 10_001)
    assert exports.load(refused).outcome == "refused"
    assert query(COUNTS)[1] == ("refused", 200_000, 0, 10_001, 0, 189_999)
    assert query("select count(*), count(distinct (load_id, row_number)) from ops.rejected_row") == [(20_001, 20_001)]
    assert query("select count(*) from raw.one_stop__dossier") == [(190_000,)]

    # the guard taken away: the file loads though more of it is wrong than is allowed
    monkeypatch.setattr(loading._Limits, "hold_for", lambda *_: None)
    assert exports.load(refused).outcome == "refused", "what was refused stays so"
    assert exports.load(refused + b"\r\n", "ho-so_20240201_20240228.csv").rows_loaded == 189_999


@pytest.mark.parametrize("share", [0.3, 0.5, 0.77])
def test_a_file_cut_short_counts_once_the_whole_one_is_there(share: float, exports: Exports, query: Query) -> None:
    whole = exports.content(exports.rows(2_000))
    cut = whole[: int(len(whole) * share)]
    for content in (cut, whole, cut, whole):
        exports.load(content)
    assert query("select outcome from ops.arrival order by arrival_id") == [
        ("new",),
        ("new",),
        ("repeat",),
        ("repeat",),
    ]
    for _, read, loaded, rejected, duplicate, held in query(COUNTS):
        assert read == loaded + rejected + duplicate + held
    columns = "to_jsonb(r) - '_load_id' - '_row'"
    everything = query(f"select distinct {columns} from raw.one_stop__dossier as r")
    in_whole = query(
        f"select {columns} from raw.one_stop__dossier as r where _load_id = (select load_id from ops.load "
        "order by rows_read desc limit 1)"
    )
    # nothing of the cut file is there that the whole one does not say too
    assert len(everything) == len(in_whole) == 2_000
