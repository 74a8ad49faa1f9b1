"""The landing store: as received, once, complete or not at all, for nobody else to read."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from extract.landing import land

CONTENT = [b"a,b\r\n", b"\xff\x00", b"x" * 3_000_000]
DIGEST = hashlib.sha256(b"".join(CONTENT)).hexdigest()


def files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def test_bytes_are_kept_as_received_under_their_digest(tmp_path: Path) -> None:
    landed = land(iter(CONTENT), str(tmp_path), "one_stop", ".csv")
    assert (landed.digest, landed.byte_count) == (DIGEST, 3_000_007)
    [path] = files(tmp_path)
    assert path == tmp_path / "one_stop" / DIGEST[:2] / f"{DIGEST}.csv"
    with landed.open() as stored:
        assert stored.read() == b"".join(CONTENT)


def test_the_same_bytes_are_kept_once(tmp_path: Path) -> None:
    first = land(iter(CONTENT), str(tmp_path), "one_stop", ".csv")
    stamp = files(tmp_path)[0].stat().st_mtime_ns
    assert land(iter([b"".join(CONTENT)]), str(tmp_path), "one_stop", ".csv") == first
    [path] = files(tmp_path)
    assert path.stat().st_mtime_ns == stamp


def test_an_original_that_lost_its_bytes_is_written_again(tmp_path: Path) -> None:
    land(iter(CONTENT), str(tmp_path), "one_stop", ".csv")
    [path] = files(tmp_path)
    path.write_bytes(b"")
    land(iter(CONTENT), str(tmp_path), "one_stop", ".csv")
    assert path.stat().st_size == 3_000_007


def test_a_source_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    def breaking() -> Iterator[bytes]:
        yield b"half"
        raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        land(breaking(), str(tmp_path), "one_stop", ".csv")
    assert files(tmp_path) == []


def test_only_the_owner_reads_it(tmp_path: Path) -> None:
    land(iter(CONTENT), str(tmp_path), "one_stop", ".csv")
    assert (tmp_path / "one_stop").stat().st_mode & 0o077 == 0


def test_what_a_killed_process_left_half_copied_is_removed_after_a_day(tmp_path: Path) -> None:
    folder = tmp_path / "one_stop"
    folder.mkdir()
    for name, age in ((".incoming-old", 2 * 86400), (".incoming-under-way", 60)):
        (folder / name).write_bytes(b"033090001234")
        os.utime(folder / name, (time.time() - age,) * 2)
    land(iter(CONTENT), str(tmp_path), "one_stop", ".csv")
    assert sorted(path.name for path in folder.iterdir() if path.is_file()) == [".incoming-under-way"]


def test_any_file_system_will_do() -> None:
    landed = land(iter(CONTENT), "memory://landing", "one_stop", ".csv")
    try:
        with landed.open() as stored:
            assert stored.read() == b"".join(CONTENT)
        assert land(iter(CONTENT), "memory://landing", "one_stop", ".csv") == landed
    finally:
        fsspec.filesystem("memory").rm("/landing", recursive=True)
