"""The disk of the landing store fills up: a real file system, a small one."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from cchc.settings import Settings
from extract import landing, sources
from sample.portal import serve


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(folder)], capture_output=True
    ).returncode:
        pytest.skip("only the administrator may mount a file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def full(settings: Settings, province: Path, small_disk: Path) -> Settings:
    """Small exports first, then one that does not fit, in the order of their names."""
    inbox = Path(settings.inbox) / "mot-cua"
    inbox.mkdir(parents=True)
    for pattern in ("ho-so_20231101_*", "ho-so_20240429_*", "ho-so_20240601_*"):
        [source] = (province / "inbox" / "mot-cua").glob(pattern)
        shutil.copy(source, inbox)
    # what other programs have already put there
    (small_disk / "other").write_bytes(b"x" * 100_000)
    return settings.model_copy(update={"landing": str(small_disk / "landing")})


def _archived(root: str) -> list[int]:
    return sorted(path.stat().st_size for path in Path(root).rglob("*") if path.is_file())


def test_what_does_not_fit_is_told_the_rest_loads_and_the_next_run_is_right(
    full: Settings, small_disk: Path, loader: Engine, query: Callable[..., list[tuple]]
) -> None:
    outcomes = sources.load_source(full, loader, "one_stop")
    assert [outcome.outcome for outcome in outcomes] == ["new", "failed", "new"]
    assert "No space left on device" in outcomes[1].message
    # whole originals only, and each that is there is in the ledger
    assert _archived(full.landing) == sorted(n for (n,) in query("select byte_count from ops.load"))
    assert query("select outcome from ops.arrival order by arrival_id") == [("new",), ("failed",), ("new",)]

    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    outcomes = sources.load_source(full, loader, "one_stop")
    assert [outcome.outcome for outcome in outcomes] == ["repeat", "new", "repeat"]
    for read, loaded, rejected, duplicate in query(
        "select rows_read, rows_loaded, rows_rejected, rows_duplicate from ops.load"
    ):
        assert read == loaded + rejected + duplicate > 0
    [(in_raw,)] = query("select count(*) from raw.one_stop__dossier")
    assert [(in_raw,)] == query("select sum(rows_loaded) from ops.load")


def test_without_the_room_aside_half_an_original_would_stand_under_a_final_name(
    full: Settings, loader: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard taken away: bytes written straight into the store, and nobody to clear up."""

    def straight(blocks: Iterator[bytes], root: str, source: str, suffix: str) -> landing.Landed:
        path = Path(root) / source / f"original{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb", buffering=0) as target:
            for block in blocks:
                while block:
                    block = block[target.write(block) :]
        return landing.Landed(path.as_uri(), "0" * 64, path.stat().st_size)

    [big] = Path(full.inbox).rglob("ho-so_20240429_*")
    with pytest.raises(OSError, match="No space left"):
        straight(iter([big.read_bytes()]), full.landing, "one_stop", ".csv")
    assert 0 < _archived(full.landing)[0] < big.stat().st_size


def test_a_pull_that_cannot_be_kept_is_a_failure_of_each_dataset(
    full: Settings, province: Path, small_disk: Path, loader: Engine, query: Callable[..., list[tuple]]
) -> None:
    (small_disk / "more").write_bytes(b"x" * 190_000)
    with serve(province) as player:
        told = {"portal_url": player.url, "portal_username": player.account.username}
        told |= {"portal_password": Settings(portal_password=player.account.password).portal_password}
        told |= {"portal_unit": player.account.unit, "portal_dstcode": player.account.dstcode}
        told |= {"portal_calls_per_second": 5000}
        outcomes = sources.load_source(full.model_copy(update=told), loader, "portal")
        failed = {outcome.dataset for outcome in outcomes if outcome.outcome == "failed"}
        assert failed
        assert {name for (name,) in query("select dataset from ops.arrival where outcome = 'failed'")} == failed
        (small_disk / "more").unlink()
        subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
        outcomes = sources.load_source(full.model_copy(update=told), loader, "portal")
    assert {outcome.outcome for outcome in outcomes} <= {"new", "repeat"}
    assert len({outcome.dataset for outcome in outcomes}) == 7
