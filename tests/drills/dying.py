"""A program that does one step of the product in children that die by SIGKILL, each at a later point than the last.

`dying.py load|publish [careless]`, settings in the environment. A point is: before a statement, in the middle of a
COPY, before and after a commit, before a file of the landing store changes. After each death it says on stdout, as
JSON lines, what was left (`nothing`, `some` whole loads, `all` or `torn`). That the next run ends as the undisturbed
one did is said by `again` of a publication; of a load the next child fails if it does not.

`careless` takes the guard away, the one transaction: COPY into raw and each rename are committed at once.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg2.extensions
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from cchc import transform, warehouse
from cchc.settings import Settings

SCHEMAS = transform.PUBLISHED_SCHEMAS
TABLES = [f"{schema}.t{number}" for schema in SCHEMAS for number in range(2)]
SOURCES = ("one_stop", "thu_hut_dau_tu")
RESULT = transform.BuildResult("run", 1, 1, [], 0.1)
# what a load leaves in the ledger, but for the times and the code of it
LEDGER = {
    "ops.load": "to_jsonb(t) - 'started_at' - 'finished_at' - 'code_version'",
    "ops.rejected_row": "to_jsonb(t)",
    "ops.load_warning": "to_jsonb(t)",
}


class Points:
    """Counts the points a child has reached and dies at the wanted one; their names go through a pipe."""

    def __init__(self, wanted: int, pipe: int) -> None:
        self._wanted, self._pipe, self._count = wanted, pipe, 0

    def reach(self, name: str) -> None:
        self._count += 1
        if self._count == self._wanted:
            os.write(self._pipe, name.encode())
            os.kill(os.getpid(), signal.SIGKILL)


class _Breaking:
    """A file of which the first half is sent before the point is reached."""

    def __init__(self, file: Any, points: Points) -> None:
        content = file.read()
        content = content.encode() if isinstance(content, str) else content
        half = len(content) // 2
        self._parts, self._points, self._sent = [io.BytesIO(content[:half]), io.BytesIO(content[half:])], points, False

    def read(self, size: int = -1) -> bytes:
        if found := self._parts[0].read(size):
            return found
        if not self._sent:
            self._sent = True
            self._points.reach("in the middle of COPY")
        return self._parts[1].read(size)


def watch(points: Points, landing: Path, careless: bool) -> None:
    """Make every statement, commit and change of a landed file of this process a point."""

    class Cursor(psycopg2.extensions.cursor):
        def execute(self, query, parameters=None):
            query = str(query) if isinstance(query, str) else query.decode()
            points.reach(f"before {query.strip()[:60]}")
            super().execute(query, parameters)
            if careless and "rename to" in query:
                self.connection.commit()

        def copy_expert(self, query, file, size=8192):
            points.reach(f"before {query[:60]}")
            super().copy_expert(query, _Breaking(file, points), size)
            if careless and query.startswith("copy raw"):
                self.connection.commit()

    class Connection(psycopg2.extensions.connection):
        def cursor(self, *args, **options):
            return super().cursor(*args, **{"cursor_factory": Cursor} | options)

        def commit(self) -> None:
            points.reach("before commit")
            super().commit()
            points.reach("after commit")

    create_engine = warehouse.create_engine

    def create(url, **options):
        options["connect_args"] = options["connect_args"] | {"connection_factory": Connection}
        return create_engine(url, **options)

    def audit(event: str, arguments: tuple) -> None:
        if event in ("open", "os.rename", "os.remove", "os.mkdir", "os.chmod") and str(landing) in str(arguments[0]):
            points.reach(f"before {event} {re.sub('[0-9a-f]{8,}', '…', str(arguments[0])[len(str(landing)) :])}")

    warehouse.create_engine = create
    sys.addaudithook(audit)
    if careless:
        # nothing to lock for once each rename stands alone
        transform._lock_published = lambda connection: None


def child(
    step: Callable[[], None], wanted: int, landing: Path, careless: bool, before: Callable[[], None] | None = None
) -> str | None:
    """Run a step in a child that dies at a point; returns the point's name, None when it came to its end.

    `before` is done by the child first, unwatched.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        signal.alarm(60)
        try:
            if before is not None:
                before()
            watch(Points(wanted, writing), landing, careless)
            step()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        name = pipe.read()
    status = os.waitpid(pid, 0)[1]
    if os.WIFSIGNALED(status):
        return name
    assert os.WEXITSTATUS(status) == 0, "the step failed by itself"
    return None


def deaths(step: Callable[[], None], prepare: Callable[[], None], landing: Path, careless: bool) -> Iterator[str]:
    """The points of a step, after a child has died there and the server has noticed."""
    wanted = 1
    while True:
        prepare()
        name = child(step, wanted, landing, careless)
        if name is None:
            return
        yield name
        wanted += 1


class Drill:
    def __init__(self, careless: bool) -> None:
        self.settings = Settings()
        self.url = make_url(self.settings.warehouse_url.get_secret_value())
        self.landing = Path(self.settings.landing)
        self.careless = careless
        self.whole: dict[str, list[str]] | None = None

    def engine(self, role: str | None = None):
        return warehouse.engine_on(self.url, role)

    def wait_for_rollback(self, engine: Engine) -> None:
        """Until the server has noticed that the child is gone."""
        deadline = time.monotonic() + 30
        with engine.connect() as connection:
            alive = text("select count(*) from pg_stat_activity where application_name in (:loader, :transformer)")
            while connection.execute(alive, {"loader": "cchc loader", "transformer": "cchc transformer"}).scalar():
                assert time.monotonic() < deadline, "the killed child still has a connection"
                connection.rollback()
                time.sleep(0.01)

    # --- loads

    def load(self) -> None:
        with self.engine("loader") as engine:
            # in the child alone: what it reads files with does not survive a fork
            from extract import sources

            for source in SOURCES:
                sources.load_source(self.settings, engine, source)

    def load_again(self) -> None:
        """What a child does before it dies: end what the child before it had begun, and clear the table."""
        self.load()
        if self.whole is not None and not self.careless:
            assert self.loaded() == self.whole, "the next load did not end right"
        self.forget()

    def forget(self) -> None:
        with self.engine() as engine, engine.begin() as connection:
            connection.exec_driver_sql(f"truncate {', '.join(self._raw_tables(connection))}, ops.load cascade")
        shutil.rmtree(self.landing, ignore_errors=True)

    @staticmethod
    def _raw_tables(connection) -> list[str]:
        return list(
            connection.execute(text("select 'raw.' || tablename from pg_tables where schemaname = 'raw'")).scalars()
        )

    def loaded(self) -> dict[str, list[str]]:
        """Raw rows and ledger as text."""
        with self.engine() as engine:
            self.wait_for_rollback(engine)
            with engine.connect() as connection:
                wanted = LEDGER | dict.fromkeys(self._raw_tables(connection), "to_jsonb(t)")
                return {
                    table: sorted(connection.execute(text(f"select ({content})::text from {table} as t")).scalars())
                    for table, content in wanted.items()
                }

    def drill_load(self) -> Iterator[dict[str, Any]]:
        self.forget()
        assert child(self.load, 0, self.landing, careless=False) is None
        self.whole = whole = self.loaded()
        assert len(whole["ops.load"]) >= 3, "several loads"
        assert whole["ops.rejected_row"], "with rejects"
        wanted = 1
        while point := child(self.load, wanted, self.landing, self.careless, self.load_again):
            left = self.loaded()
            landed_whole = all(
                hashlib.sha256(path.read_bytes()).hexdigest() == path.name[:64]
                for path in self.landing.rglob("*")
                if path.is_file() and not path.name.startswith(".incoming-")
            )
            verdict = "nothing" if not any(left.values()) else "all" if left == whole else self._judge(left, whole)
            yield {"point": point, "left": verdict, "landed": landed_whole}
            if self.careless:
                if verdict == "torn":
                    return
                self.forget()
            wanted += int(os.environ.get("DRILL_STRIDE", "8"))

    @staticmethod
    def _judge(left: dict[str, list[str]], whole: dict[str, list[str]]) -> str:
        """Some loads of several: `some` when each of them is there with all its rows and no others."""
        loads = {json.loads(load)["load_id"] for load in left["ops.load"]}

        def of(table: str, rows: list[str]) -> list[str]:
            key = "load_id" if table.startswith("ops.") else "_load_id"
            return [row for row in rows if json.loads(row)[key] in loads]

        return "some" if all(left[table] == of(table, rows) for table, rows in whole.items()) else "torn"

    # --- publications

    def build(self, version: int) -> None:
        with self.engine("transformer") as engine, engine.begin() as connection:
            statements = [f"drop schema if exists {schema}_build cascade" for schema in SCHEMAS]
            statements += [f"create schema {schema}_build" for schema in SCHEMAS]
            statements += [f"create table {table.replace('.', '_build.')} as select {version} as v" for table in TABLES]
            statements += ["create schema if not exists intermediate"]
            statements += ["create table if not exists intermediate.int_load as select load_id from ops.load"]
            connection.exec_driver_sql("; ".join(statements))

    def publish(self) -> None:
        with self.engine("transformer") as engine, transform.building(engine) as connection:
            transform.publish(connection, [2], RESULT)

    def one_more(self) -> None:
        """The next refresh, from its beginning to its end; version 3."""
        build, transform.build = transform.build, lambda *_: self.build(3) or RESULT
        with self.engine("transformer") as engine:
            transform.build_and_publish(self.settings, engine, self.url)
        transform.build = build

    def start_over(self) -> None:
        with self.engine("transformer") as engine:
            with engine.begin() as connection:
                for name in self.schemas(connection):
                    connection.exec_driver_sql(f"drop schema {name} cascade")
            self.build(1)
            with transform.building(engine) as connection:
                transform.publish(connection, [1], RESULT)
        with self.engine() as engine, engine.begin() as connection:
            connection.exec_driver_sql("delete from ops.publication")
        self.build(2)

    @staticmethod
    def schemas(connection) -> set[str]:
        statement = text("select nspname from pg_namespace where nspname ~ '^(reference|marts|reporting)'")
        return set(connection.execute(statement).scalars())

    def seen(self) -> tuple[set[int | None], int]:
        """What a reader sees of every table, and how many publications the ledger knows."""
        with self.engine() as engine:
            self.wait_for_rollback(engine)
            with engine.connect() as connection:
                schemas = self.schemas(connection)
                published = [table for table in TABLES if table.split(".")[0] in schemas]
                versions = {connection.execute(text(f"select v from {table}")).scalar() for table in published}
                versions |= {None} if len(published) < len(TABLES) else set()
                return versions, connection.execute(text("select count(*) from ops.publication")).scalar()

    def drill_publish(self) -> Iterator[dict[str, Any]]:
        # rights on a database are not copied with it
        with self.engine() as engine, engine.begin() as connection:
            connection.exec_driver_sql(f'grant create, temporary on database "{self.url.database}" to transformer')
        for point in deaths(self.publish, self.start_over, self.landing, self.careless):
            seen = self.seen()
            verdict = {repr(({1}, 0)): "nothing", repr(({2}, 1)): "all"}.get(repr(seen), "torn")
            if self.careless:
                yield {"point": point, "left": verdict}
                if verdict == "torn":
                    return
                continue
            self.one_more()
            with self.engine() as engine, engine.connect() as connection:
                tidy = self.schemas(connection) == set(SCHEMAS)
            yield {"point": point, "left": verdict, "again": self.seen()[0] == {3} and tidy}


if __name__ == "__main__":
    drill = Drill(careless="careless" in sys.argv[2:])
    for found in {"load": drill.drill_load, "publish": drill.drill_publish}[sys.argv[1]]():
        print(json.dumps(found, ensure_ascii=False), flush=True)
