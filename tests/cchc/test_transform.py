"""Write, audit, publish: readers see one version or the next, never a mix, never a version that failed its tests."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ProgrammingError

from cchc import transform, warehouse
from cchc.periods import LOCAL_ZONE
from cchc.settings import Settings

RESULT = transform.BuildResult("run", 1, 1, [], 0.1)
SCHEMAS = transform.PUBLISHED_SCHEMAS
# many names in one statement: the more there are, the likelier a swap falls between two of them
TABLES = [f"{schema}.t{number}" for number in range(8) for schema in SCHEMAS]
READ_ALL = f"select array[{', '.join(f'(select v from {table})' for table in TABLES)}]"


@pytest.fixture
def transformer(migrated: URL) -> Iterator[Engine]:
    with warehouse.engine_on(migrated, "transformer") as opened:
        yield opened


@pytest.fixture
def reader(migrated: URL) -> Iterator[Engine]:
    with warehouse.engine_on(migrated, "bi_reader") as opened:
        yield opened


def _build(transformer: Engine, version: int) -> None:
    """What dbt leaves behind, without dbt."""
    statements = [f"create schema {schema}_build" for schema in SCHEMAS]
    statements += [f"create table {table.replace('.', '_build.')} as select {version} as v" for table in TABLES]
    with transformer.begin() as connection:
        connection.exec_driver_sql("; ".join(statements))


def _publish(transformer: Engine, version: int) -> None:
    _build(transformer, version)
    _put_in_place(transformer, version)


def _put_in_place(transformer: Engine, *load_ids: int, result: transform.BuildResult = RESULT) -> None:
    with transform.building(transformer) as connection:
        transform.publish(connection, list(load_ids), result)


def _seen(connection: Connection) -> set[int]:
    return set(connection.execute(text(READ_ALL)).scalar())


def _schemas(opened: Engine) -> set[str]:
    with opened.connect() as connection:
        statement = "select nspname from pg_namespace where nspname ~ '^(reference|marts|reporting)'"
        return set(connection.execute(text(statement)).scalars())


@contextmanager
def _reading(reader: Engine, count: int) -> Iterator[tuple[list[set[int]], list[float], list[Exception]]]:
    """Readers that never pause; what they saw, how long each statement took, their errors."""
    seen: list[set[int]] = []
    seconds: list[float] = []
    errors: list[Exception] = []
    stop = threading.Event()

    def work() -> None:
        with reader.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            while not stop.is_set():
                started = time.monotonic()
                try:
                    seen.append(_seen(connection))
                except Exception as error:
                    errors.append(error)
                    return
                seconds.append(time.monotonic() - started)

    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield seen, seconds, errors
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_a_first_publication_needs_no_old_version(transformer: Engine, reader: Engine) -> None:
    _publish(transformer, 1)
    with reader.connect() as connection:
        assert _seen(connection) == {1}
    assert _schemas(transformer) == set(SCHEMAS)


def test_readers_see_one_version_in_a_statement_and_no_error(transformer: Engine, reader: Engine) -> None:
    _publish(transformer, 0)
    with _reading(reader, 2) as (seen, _, errors):
        for version in range(1, 41):
            _publish(transformer, version)
    assert errors == []
    assert len(seen) > 40
    assert [versions for versions in seen if len(versions) != 1] == []
    assert len({version for versions in seen for version in versions}) > 10
    with reader.connect() as connection:
        assert _seen(connection) == {40}
    assert _schemas(transformer) == set(SCHEMAS)


def test_somebody_who_reads_for_long_stops_neither_the_publication_nor_other_readers(
    transformer: Engine, reader: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transform, "_SWAP_ATTEMPTS", 3)
    _publish(transformer, 1)
    _build(transformer, 2)
    with reader.connect() as long, _reading(reader, 2) as (seen, seconds, errors):
        assert _seen(long) == {1}
        while not seen and not errors:
            time.sleep(0.01)
        _put_in_place(transformer, 2)
        with reader.connect() as other:
            assert _seen(other) == {2}
        # what the long transaction reads is still there, and it can go on
        assert sum("_old_" in schema for schema in _schemas(transformer)) == len(SCHEMAS)
        assert _seen(long) == {2}
        long.rollback()
    assert errors == []
    assert {1} in seen
    assert {2} in seen
    assert max(seconds) < 1
    _publish(transformer, 3)
    assert _schemas(transformer) == set(SCHEMAS)


@pytest.mark.parametrize("missing", SCHEMAS)
def test_an_incomplete_build_changes_nothing(transformer: Engine, reader: Engine, missing: str) -> None:
    _publish(transformer, 1)
    _build(transformer, 2)
    with transformer.begin() as connection:
        connection.execute(text(f"drop schema {missing}_build cascade"))
    with pytest.raises(ProgrammingError, match=f"{missing}_build"):
        _put_in_place(transformer, 2)
    with reader.connect() as connection:
        assert _seen(connection) == {1}
    with transformer.connect() as connection:
        assert connection.execute(text("select load_ids from ops.publication")).scalars().all() == [[1]]


def test_a_publication_that_cannot_be_written_down_does_not_happen(
    transformer: Engine, reader: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    _publish(transformer, 1)

    def fail(*_: object) -> None:
        raise ConnectionError("gone")

    monkeypatch.setattr(transform, "_note_publication", fail)
    with pytest.raises(ConnectionError):
        _publish(transformer, 2)
    with reader.connect() as connection:
        assert _seen(connection) == {1}


def test_a_publication_is_written_down_with_its_loads_and_requests(transformer: Engine) -> None:
    moment = datetime(2024, 6, 14, 23, 59, 59, tzinfo=LOCAL_ZONE)
    transform.request_report(transformer, "2024-H1", datetime(2024, 6, 5, tzinfo=LOCAL_ZONE))
    transform.request_report(transformer, "2024-H1", moment)
    _build(transformer, 1)
    _put_in_place(transformer, 3, 5, result=transform.BuildResult("run", 7, 11, ["w"], 0.1))
    with transformer.connect() as connection:
        row = connection.execute(
            text("select load_ids, report_requests, test_count, warning_count, code_version from ops.publication")
        ).one()
    assert row[0] == [3, 5]
    assert {period: datetime.fromisoformat(at) for period, at in row[1].items()} == {"2024-H1": moment}
    assert tuple(row[2:]) == (11, 1, warehouse.code_version())


def test_a_second_build_waits_for_the_first_and_a_failed_one_lets_go(transformer: Engine) -> None:
    order = []

    def second() -> None:
        with transform.building(transformer):
            order.append("second")

    thread = threading.Thread(target=second)
    with pytest.raises(ValueError, match="first failed"), transform.building(transformer):
        thread.start()
        time.sleep(0.3)
        order.append("first")
        raise ValueError("first failed")
    thread.join(10)
    assert order == ["first", "second"]


# --- with dbt itself


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny dbt project with the profile and the schema names of the real one."""
    folder = tmp_path / "dbt"
    (folder / "models").mkdir(parents=True)
    (folder / "seeds").mkdir()
    (folder / "tests").mkdir()
    (folder / "macros").mkdir()
    shutil.copy(transform.PROJECT / "profiles.yml", folder)
    shutil.copy(transform.PROJECT / "macros" / "generate_schema_name.sql", folder / "macros")
    (folder / "dbt_project.yml").write_text(
        "name: tiny\nversion: '1.0'\nprofile: cchc\nseeds: {tiny: {+schema: reference}}\n"
        "models: {tiny: {+materialized: table, +schema: marts}}\n"
        "vars: {schema_suffix: \"{{ env_var('CCHC_DBT_SCHEMA_SUFFIX', '_build') }}\"}\n"
    )
    (folder / "seeds" / "code.csv").write_text("v\n1\n")
    (folder / "models" / "int_load.sql").write_text("{{ config(schema='intermediate') }} select load_id from ops.load")
    (folder / "models" / "rpt_thing.sql").write_text(
        "{{ config(schema='reporting') }} select v from {{ ref('fct_thing') }}"
    )
    (folder / "tests" / "warns.sql").write_text(
        "{{ config(severity='warn') }} select v from {{ ref('fct_thing') }} where v = 1"
    )
    (folder / "tests" / "not_two.sql").write_text("select v from {{ ref('fct_thing') }} where v = 2")
    monkeypatch.setattr(transform, "PROJECT", folder)
    # dbt reads the environment of this process
    for name in ("HOST", "PORT", "USER", "PASSWORD", "DBNAME", "SCHEMA_SUFFIX"):
        monkeypatch.setenv(f"CCHC_DBT_{name}", "")
    return folder


@pytest.fixture
def build(project: Path, tmp_path: Path, transformer: Engine, migrated: URL) -> Callable[[str], transform.BuildResult]:
    """Build and publish the tiny project with a model's SQL."""

    def run(model: str) -> transform.BuildResult:
        (project / "models" / "fct_thing.sql").write_text(model)
        settings = Settings(var=tmp_path / "var")
        return transform.build_and_publish(settings, transformer, migrated)

    return run


def test_the_loads_of_a_publication_are_those_that_its_models_have_read(
    build: Callable[[str], transform.BuildResult], transformer: Engine, empty: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(load_id: int) -> None:
        columns = "load_id, source, dataset, digest, contract_version, status, rows_read, rows_loaded, rows_rejected, "
        columns += "rows_duplicate, byte_count, landing_uri, code_version, started_at, finished_at"
        values = f"{load_id}, 's', 'd', repeat('a', 60) || lpad('{abs(load_id)}', 4, '0'), '1', 'loaded', 0, 0, 0, 0, "
        values += "0, 'x', 'x', now(), now()"
        with empty.begin() as connection:
            connection.execute(text(f"insert into ops.load ({columns}) values ({values})"))

    dbt_build = transform.build

    def while_loads_go_on(*arguments: object) -> transform.BuildResult:
        load(2)
        result = dbt_build(*arguments)
        load(3)
        return result

    load(1)
    monkeypatch.setattr(transform, "build", while_loads_go_on)
    build("select 1 as v")
    with transformer.connect() as connection:
        assert connection.execute(text("select load_ids from ops.publication")).scalars().all() == [[1, 2]]


def _published(reader: Engine) -> list[tuple]:
    with reader.connect() as connection:
        statement = "select f.v, r.v from marts.fct_thing f cross join reporting.rpt_thing r cross join reference.code"
        return [tuple(row) for row in connection.execute(text(statement))]


def test_only_a_green_build_is_published(
    build: Callable[[str], transform.BuildResult], transformer: Engine, reader: Engine, empty: Engine, project: Path
) -> None:
    with transformer.begin() as connection:
        # what a build that was killed and a publication that was killed leave behind
        connection.execute(text("create schema marts_build; create table marts_build.junk (a text)"))
        connection.execute(text("create schema reporting_old_1234abcd; create table reporting_old_1234abcd.junk ()"))

    result = build("select 1 as v")
    assert (result.model_count, result.test_count, result.warnings) == (4, 2, ["warns: 1 dòng"])
    assert _published(reader) == [(1, 1)]
    assert _schemas(transformer) == set(SCHEMAS)
    with transformer.connect() as connection:
        assert connection.execute(text("select to_regclass('marts.junk')")).scalar() is None

    with pytest.raises(transform.BuildFailed, match="not_two") as failure:
        build("select 2 as v")
    assert "bản đã công bố được giữ nguyên" in str(failure.value)
    assert _published(reader) == [(1, 1)]

    with pytest.raises(transform.BuildFailed, match="fct_thing"):
        build("select 1 / 0 as v")
    with pytest.raises(transform.BuildFailed, match="dbt không chạy được"):
        build("select {{ ref('no_such_model') }}")
    assert _published(reader) == [(1, 1)]
    with empty.connect() as connection:
        assert connection.execute(text("select test_count, warning_count from ops.publication")).all() == [(2, 1)]
        kept = connection.execute(text("select status, count(*) from ops.dbt_result group by status")).all()
        assert {"success", "pass", "warn", "fail", "error", "skipped"} == {status for status, _ in kept}

    (project / "seeds" / "code.csv").write_text("v\n9\n")
    build("select 3 as v")
    assert _published(reader) == [(3, 3)]
    with reader.connect() as connection:
        assert connection.execute(text("select v from reference.code")).scalars().all() == [9]
    assert _schemas(transformer) == set(SCHEMAS)
