"""Retention: what is old goes and is noted; what is young, signed or not ours stays."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from cchc import backup
from cchc.settings import Settings
from extract import retention
from extract.landing import Landed, land

NOW = datetime(2036, 1, 15, tzinfo=UTC)
OLD, YOUNG = "2024-06-14", "2027-06-14"
Query = Callable[..., list[tuple]]


class Store:
    """A landing store and a ledger that know of each other."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self.settings = settings
        self._engine = engine
        self._count = 0

    def original(self, name: str, day: str = OLD, arrived: str | None = None, **load: object) -> Landed:
        """Land a file whose data is about `day`, loaded at `arrived` (default: that day)."""
        landed = land(iter([name.encode()]), self.settings.landing, load.get("source", "bien_che"), ".xlsx")
        self._count += 1
        values = {
            "id": self._count,
            "source": "bien_che",
            "dataset": "cong_chuc",
            "status": "loaded",
            "reason": None,
            "digest": landed.digest,
            "uri": landed.uri,
            "day": day,
            "arrived": arrived or day,
        } | load
        if values["status"] == "refused":
            values["reason"] = "hỏng"
        self.execute(
            "insert into ops.load (load_id, source, dataset, digest, contract_version, status, refused_reason, "
            "covers_from_on, covers_to_on, rows_read, rows_loaded, rows_rejected, rows_duplicate, byte_count, "
            "landing_uri, code_version, started_at, finished_at) values (:id, :source, :dataset, :digest, '1', "
            ":status, :reason, :day, :day, 0, 0, 0, 0, 1, :uri, 'v', :arrived, :arrived)",
            **values,
        )
        return landed

    def sign(self, load_ids: list[int], named: list[int]) -> None:
        """A report was signed when the warehouse held `load_ids`; its figures name the loads `named`."""
        self.execute(
            "insert into ops.publication (code_version, load_ids, report_requests, test_count, warning_count) "
            "values ('v', :ids, '{}', 1, 0)",
            ids=load_ids,
        )
        self.execute(
            "insert into ops.submission (period_id, version, submitted_by, as_of_at, publication_id, file_digests) "
            "select '2024-H1', 1, 'A', now(), max(publication_id), '{}' from ops.publication"
        )
        self.execute(
            "insert into ops.submitted_figure (submission_id, figure_key, label, status, load_ids) "
            "select max(submission_id), '1/1', 'x', 'ok', :ids from ops.submission",
            ids=named,
        )

    def execute(self, statement: str, **values: object) -> None:
        with self._engine.begin() as connection:
            connection.execute(text(statement), values)

    @property
    def digests(self) -> set[str]:
        return {path.stem for path in Path(self.settings.landing).rglob("*") if path.is_file()}


@pytest.fixture
def store(settings: Settings, engine: Engine) -> Store:
    return Store(settings, engine)


def _gone(found: list[retention.Original]) -> set[str]:
    return {original.digest for original in found}


def test_what_is_old_goes_is_noted_and_its_ledger_entry_stays(store: Store, loader: Engine, query: Query) -> None:
    old, young = store.original("old"), store.original("young", YOUNG)
    assert _gone(retention.expired(store.settings, loader, NOW)) == {old.digest}
    assert store.digests == {old.digest, young.digest}  # nobody has deleted anything yet
    assert query("select count(*) from ops.original_deletion") == [(0,)]
    assert _gone(retention.delete_expired(store.settings, loader, NOW)) == {old.digest}
    assert store.digests == {young.digest}
    [(source, digest, uri, years, by, at)] = query(
        "select source, digest, landing_uri, kept_years, deleted_by, deleted_at from ops.original_deletion"
    )
    assert (source, digest, uri, years) == ("bien_che", old.digest, old.uri, 10)
    assert "@" in by
    assert at is not None
    assert query("select count(*) from ops.load") == [(2,)]
    assert retention.delete_expired(store.settings, loader, NOW) == []


def test_the_years_are_a_setting(store: Store, loader: Engine) -> None:
    young = store.original("young", YOUNG)
    settings = store.settings.model_copy(update={"retention_years": 5})
    assert _gone(retention.expired(settings, loader, NOW)) == {young.digest}


@pytest.mark.parametrize(("now", "goes"), [("2034-06-14T17:00Z", False), ("2034-06-14T17:01Z", True)])
def test_the_day_of_the_data_is_kept_to_its_end_in_the_province(
    store: Store, loader: Engine, now: str, goes: bool
) -> None:
    store.original("old", "2024-06-14")
    assert bool(retention.expired(store.settings, loader, datetime.fromisoformat(now))) == goes


def test_old_data_that_came_lately_and_came_again_lately_stays(store: Store, loader: Engine) -> None:
    store.original("late", OLD, arrived=YOUNG)
    again = store.original("again", OLD)
    store.execute(
        "insert into ops.arrival (source, dataset, name, digest, load_id, outcome, arrived_at) "
        "values ('bien_che', 'cong_chuc', 'n', :digest, 2, 'repeat', :at)",
        digest=again.digest,
        at=YOUNG,
    )
    assert retention.expired(store.settings, loader, NOW) == []


def test_what_a_signed_report_rests_on_stays_for_ever(store: Store, loader: Engine) -> None:
    named = store.original("named")
    superseded = store.original("superseded")
    listed = store.original("agencies", source="portal", dataset="agency")
    refused = store.original("refused", source="portal", dataset="field", status="refused")
    later = store.original("later", source="portal", dataset="service")
    store.sign([1, 2, 3, 4], [1])
    gone = _gone(retention.delete_expired(store.settings, loader, NOW.replace(year=2124)))
    assert gone == {superseded.digest, refused.digest, later.digest}
    assert store.digests == {named.digest, listed.digest}


def test_a_file_that_the_ledger_does_not_know_counts_from_when_it_was_written(store: Store, loader: Engine) -> None:
    orphan = land(iter([b"orphan"]), store.settings.landing, "bien_che", ".xlsx")
    assert retention.expired(store.settings, loader) == []
    assert _gone(retention.expired(store.settings, loader, datetime.now(UTC).replace(year=2099, day=1))) == {
        orphan.digest
    }


def test_what_is_not_an_original_is_left_alone(store: Store, loader: Engine) -> None:
    landing = Path(store.settings.landing)
    others = [landing / "README", landing / "bien_che" / "ab" / ("cd" * 32), landing / "bien_che" / "notes.xlsx"]
    for path in others:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"mine")
    retention.delete_expired(store.settings, loader, NOW.replace(year=2124))
    assert all(path.exists() for path in others)


def test_a_run_that_was_killed_after_the_note_is_finished_without_a_second_note(
    store: Store, loader: Engine, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = store.original("old")
    local = type(retention.url_to_fs(store.settings.landing)[0])

    def refuse(_self: object, _path: str) -> None:
        raise PermissionError("read-only")

    with monkeypatch.context() as patched:
        patched.setattr(local, "rm_file", refuse)
        with pytest.raises(PermissionError):
            retention.delete_expired(store.settings, loader, NOW)
    assert query("select count(*) from ops.original_deletion") == [(1,)]
    assert store.digests == {old.digest}
    retention.delete_expired(store.settings, loader, NOW)
    assert query("select count(*) from ops.original_deletion") == [(1,)]
    assert store.digests == set()


def test_a_backup_that_is_being_written_is_waited_for(store: Store, engine: Engine, loader: Engine) -> None:
    old = store.original("old")
    with engine.connect() as writer:
        writer.execute(text("select pg_advisory_lock(:key)"), {"key": backup.ORIGINALS_LOCK})
        thread = threading.Thread(target=retention.delete_expired, args=(store.settings, loader, NOW))
        thread.start()
        time.sleep(0.5)
        assert store.digests == {old.digest}
        writer.execute(text("select pg_advisory_unlock(:key)"), {"key": backup.ORIGINALS_LOCK})
        thread.join(10)
    assert store.digests == set()


@pytest.mark.parametrize("statement", ["delete from", "truncate", "update"])
def test_a_note_cannot_be_taken_back(store: Store, loader: Engine, statement: str) -> None:
    store.original("old")
    retention.delete_expired(store.settings, loader, NOW)
    change = f"{statement} ops.original_deletion" + (" set deleted_by = 'z'" if statement == "update" else "")
    with pytest.raises(DBAPIError, match="permission denied"), loader.begin() as connection:
        connection.execute(text(change))
