"""The watch on the inbox: real files, a real event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cchc.settings import get_settings

SECONDS = 0.02


@pytest.fixture
def inbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CCHC_INBOX", str(tmp_path))
    get_settings.cache_clear()
    yield tmp_path
    get_settings.cache_clear()


@pytest.fixture
def trigger(airflow: Path, inbox: Path):
    from dags.inbox_trigger import InboxTrigger

    return InboxTrigger


async def _next(events: AsyncIterator, seconds: float = 5) -> int | None:
    """How many files the next event speaks of; None when none comes."""
    try:
        return (await asyncio.wait_for(asyncio.shield(events.pending), seconds)).payload["new_files"]
    except TimeoutError:
        return None


class Events:
    """The events of a trigger, one at a time, whether or not somebody waits."""

    def __init__(self, trigger) -> None:
        self._run = trigger.run()
        self._arm()

    def _arm(self) -> None:
        self.pending = asyncio.ensure_future(anext(self._run))

    async def next(self, seconds: float = 5) -> int | None:
        found = await _next(self, seconds)
        if found is not None:
            self._arm()
        return found

    async def close(self) -> None:
        self.pending.cancel()
        await asyncio.gather(self.pending, return_exceptions=True)
        await self._run.aclose()


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def test_what_lies_there_and_what_arrives_is_told_once(trigger, inbox: Path) -> None:
    async def watch() -> list[int | None]:
        _write(inbox / "mot-cua" / "ho-so_20240101_20240131.csv", "a")
        events = Events(trigger("csv", SECONDS))
        told = [await events.next(), await events.next(0.3)]
        _write(inbox / "mot-cua" / "ho-so_20240201_20240229.csv", "b")
        told.append(await events.next())
        # the same name with other content is news, another department's folder is not
        _write(inbox / "mot-cua" / "ho-so_20240201_20240229.csv", "corrected")
        told.append(await events.next())
        _write(inbox / "so-noi-vu" / "bien-che_2024-06-14.xlsx", "c")
        told.append(await events.next(0.3))
        await events.close()
        return told

    assert asyncio.run(watch()) == [1, None, 1, 1, None]


def test_workbooks_of_every_department_are_watched(trigger, inbox: Path) -> None:
    async def watch() -> int | None:
        events = Events(trigger("workbook", SECONDS))
        _write(inbox / "so-noi-vu" / "bien-che_2024-06-14.xlsx", "c")
        _write(inbox / "so-tu-phap" / "van-ban-qppl_2024-06-14.xlsx", "c")
        count = 0
        while count < 2:
            count += await events.next() or 99
        await events.close()
        return count

    assert asyncio.run(watch()) == 2


def test_a_file_that_still_grows_or_is_unfinished_is_not_told(trigger, inbox: Path) -> None:
    async def watch() -> tuple[int | None, int | None]:
        path = inbox / "mot-cua" / "ho-so_20240101_20240131.csv"
        _write(path.with_suffix(".part"), "x")
        events = Events(trigger("csv", SECONDS))
        quiet = None
        for size in range(40):
            _write(path, "x" * size)
            quiet = quiet or await events.next(SECONDS / 4)
        still = await events.next()
        await events.close()
        return quiet, still

    assert asyncio.run(watch()) == (None, 1)


def test_an_inbox_that_cannot_be_listed_does_not_end_the_watch(trigger, inbox: Path, monkeypatch) -> None:
    watched = trigger("csv", SECONDS)
    listing, failures = watched._listing, iter([OSError("gone")] * 3)

    def unreachable_at_first() -> frozenset:
        for failure in failures:
            raise failure
        return listing()

    monkeypatch.setattr(watched, "_listing", unreachable_at_first)
    _write(inbox / "mot-cua" / "ho-so_20240101_20240131.csv", "a")

    async def watch() -> int | None:
        events = Events(watched)
        told = await events.next()
        await events.close()
        return told

    assert asyncio.run(watch()) == 1


def test_the_triggerer_can_make_it_anew(trigger) -> None:
    from airflow.sdk.module_loading import import_string

    path, arguments = trigger("csv", 30).serialize()
    assert import_string(path) is trigger
    assert trigger(**arguments).serialize() == (path, arguments)
