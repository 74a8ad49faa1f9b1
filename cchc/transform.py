"""Write, audit, publish: dbt builds and tests beside what readers see; only a green build is renamed into place."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from psycopg2.errors import LockNotAvailable
from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, OperationalError

from cchc import progress
from cchc.settings import PROJECT_ROOT, Settings
from cchc.warehouse import code_version, dbt_environment

PROJECT = PROJECT_ROOT / "dbt"
# what readers see, replaced as a whole; everything else dbt makes is its own business
PUBLISHED_SCHEMAS = ("reference", "marts", "reporting")
BUILD_SUFFIX = "_build"
_RETIRED_INFIX = "_old_"
_BUILD_LOCK = 0x63636862
# readers wait at most this long behind a swap that waits; many short attempts get through sooner than few long ones,
# since a swap and a reader may each hold a table that the other wants
_SWAP_LOCK_TIMEOUT, _SWAP_PAUSE, _SWAP_ATTEMPTS = "50ms", 0.1, 60


class BuildFailed(RuntimeError):
    """A model or a test failed; what readers see is untouched. The message names the first failures."""


@dataclass(frozen=True)
class BuildResult:
    """What one build did; `warnings` are tests of severity warn that found rows."""

    run_id: str
    model_count: int
    test_count: int
    warnings: list[str]
    seconds: float


def request_report(engine: Engine, period_id: str, as_of_at: datetime) -> None:
    """Have the marts compute a period, cut at a moment; a later request for the period replaces the earlier one."""
    with engine.begin() as connection:
        connection.execute(
            text(
                "insert into ops.report_request (period_id, as_of_at) values (:period, :moment) "
                "on conflict (period_id) do update set as_of_at = excluded.as_of_at, requested_at = clock_timestamp()"
            ),
            {"period": period_id, "moment": as_of_at},
        )


@contextmanager
def building(engine: Engine) -> Iterator[Connection]:
    """Alone with the build schemas: a second refresh waits here until the first has published or failed.

    Yields the connection that holds the lock. Only what goes through it is sure to be alone: when it is lost, the lock
    is lost too, and a second refresh may be at work in the same schemas.
    """
    with engine.connect() as connection:
        connection.execute(text("select pg_advisory_lock(:key)"), {"key": _BUILD_LOCK})
        connection.commit()
        try:
            yield connection
        finally:
            connection.rollback()
            try:
                connection.execute(text("select pg_advisory_unlock(:key)"), {"key": _BUILD_LOCK})
                connection.commit()
            except DBAPIError:
                # a connection that is gone holds nothing, and must not hide why the build failed
                connection.invalidate()


def build_and_publish(settings: Settings, engine: Engine, url: URL) -> BuildResult:
    """Build, test and put in place all that readers see. Raises BuildFailed and leaves the last good version."""
    with building(engine) as connection:
        try:
            with connection.begin():
                for schema in PUBLISHED_SCHEMAS:
                    connection.execute(text(f"drop schema if exists {schema}{BUILD_SUFFIX} cascade"))
            result = build(settings, engine, url)
            # what the models have read, not what there is: loads go on while dbt is at work
            with connection.begin():
                load_ids = connection.execute(text("select load_id from intermediate.int_load order by load_id"))
                used = list(load_ids.scalars())
            publish(connection, used, result)
        except OperationalError as error:
            if not error.connection_invalidated:
                raise
            raise BuildFailed(
                "Mất kết nối với kho dữ liệu trong lúc dựng; bản đã công bố được giữ nguyên, hãy chạy lại"
            ) from error
    return result


def build(settings: Settings, engine: Engine, url: URL) -> BuildResult:
    """`dbt build` in this process; every node's result is kept in ops.dbt_result."""
    from dbt.cli.main import dbtRunner

    os.environ.update(dbt_environment(url), CCHC_DBT_SCHEMA_SUFFIX=BUILD_SUFFIX)
    started = time.monotonic()
    with progress.bar("Dựng và kiểm tra kho dữ liệu (dbt)", unit="bước") as bar:

        def watch(event) -> None:  # noqa: ANN001
            if event.info.name == "LogStartLine":
                bar.update(bar.completed, event.data.total)
            elif event.info.name == "NodeFinished":
                bar.advance()

        work = settings.var / "dbt"
        done = dbtRunner(callbacks=[watch]).invoke(
            [
                "build",
                f"--project-dir={PROJECT}",
                f"--profiles-dir={PROJECT}",
                f"--target-path={work / 'target'}",
                f"--log-path={work / 'log'}",
                # unit tests guard the code, not the data: `make test` runs them
                "--exclude-resource-type=unit_test",
                # results are kept in ops.dbt_result; the manifest takes seconds to write, twice
                "--no-write-json",
                "--no-use-colors",
                "--quiet",
            ]
        )
        if done.exception is not None or done.result is None:
            raise BuildFailed(f"dbt không chạy được: {done.exception}")
        results = list(done.result.results)
        run_id = uuid.uuid4().hex
        _keep_results(engine, run_id, results)
        failed = [r for r in results if r.status in ("error", "fail")]
        if failed:
            shown = "\n".join(f"  {r.node.name}: {(r.message or '').strip()}" for r in failed[:10])
            raise BuildFailed(
                f"{len(failed)} mô hình hoặc kiểm tra không đạt; bản đã công bố được giữ nguyên:\n{shown}"
            )
    tests = [r for r in results if r.node.resource_type in ("test", "unit_test")]
    return BuildResult(
        run_id,
        len(results) - len(tests),
        len(tests),
        [f"{r.node.name}: {r.failures} dòng" for r in tests if r.status == "warn"],
        time.monotonic() - started,
    )


def publish(connection: Connection, load_ids: list[int], result: BuildResult) -> None:
    """Rename the built schemas into place, all of them in one transaction that waits at most briefly for readers.

    `connection` is the one that `building` yields. After a crash of the server it is dead, so that a build whose
    unlogged tables the crash has emptied is never published.
    """
    for attempt in range(1, _SWAP_ATTEMPTS + 1):
        # somebody who reads for hours must not stop a publication: the last attempt goes past them
        wait_for_readers = attempt < _SWAP_ATTEMPTS
        try:
            with connection.begin():
                _swap(connection, wait_for_readers)
                _note_publication(connection, load_ids, result)
            break
        except OperationalError as error:
            # a reader in a long transaction; queueing behind it would make every other reader wait behind us
            if not isinstance(error.orig, LockNotAvailable) or not wait_for_readers:
                raise
            time.sleep(_SWAP_PAUSE)
    _drop_retired(connection)


def _swap(connection: Connection, wait_for_readers: bool) -> None:
    connection.execute(text(f"set local lock_timeout = '{_SWAP_LOCK_TIMEOUT}'"))
    existing = set(connection.execute(text("select nspname from pg_namespace")).scalars())
    if wait_for_readers:
        _lock_published(connection)
    retired = uuid.uuid4().hex[:8]
    for schema in PUBLISHED_SCHEMAS:
        fresh = f"{schema}{BUILD_SUFFIX}"
        connection.execute(text(f"grant usage on schema {fresh} to bi_reader"))
        connection.execute(text(f"grant select on all tables in schema {fresh} to bi_reader"))
        if schema in existing:
            connection.execute(text(f"alter schema {schema} rename to {schema}{_RETIRED_INFIX}{retired}"))
        connection.execute(text(f"alter schema {fresh} rename to {schema}"))


def _lock_published(connection: Connection) -> None:
    # PostgreSQL resolves the names of a statement one by one, so a bare rename can fall between two of them and the
    # statement joins two versions (measured: 1 swap in 100 under load). A statement that finds a table locked looks its
    # name up again once the lock is gone. Views are left out: locking one would lock the sources behind it.
    tables = connection.execute(
        text(
            "select format('%I.%I', n.nspname, c.relname) from pg_class c "
            "join pg_namespace n on n.oid = c.relnamespace "
            "where n.nspname = any(:schemas) and c.relkind in ('r', 'p') order by 1"
        ),
        {"schemas": list(PUBLISHED_SCHEMAS)},
    ).scalars()
    if names := ", ".join(tables):
        connection.exec_driver_sql(f"lock table {names.replace('%', '%%')} in access exclusive mode")


def _drop_retired(connection: Connection) -> None:
    """Drop versions that were replaced; one that is still being read stays until the next publication."""
    pattern = f"^({'|'.join(PUBLISHED_SCHEMAS)}){_RETIRED_INFIX}"
    with connection.begin():
        names = list(
            connection.execute(text("select nspname from pg_namespace where nspname ~ :p"), {"p": pattern}).scalars()
        )
    for name in names:
        try:
            with connection.begin():
                connection.execute(text(f"set local lock_timeout = '{_SWAP_LOCK_TIMEOUT}'"))
                connection.execute(text(f'drop schema "{name}" cascade'))
        except OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable):
                raise


def _note_publication(connection: Connection, load_ids: list[int], result: BuildResult) -> None:
    requests = connection.execute(text("select period_id, as_of_at from ops.report_request order by period_id"))
    connection.execute(
        text(
            "insert into ops.publication "
            "(code_version, load_ids, report_requests, test_count, warning_count, dbt_run_id) "
            "values (:version, :loads, cast(:requests as jsonb), :tests, :warnings, :run)"
        ),
        {
            "version": code_version(),
            "loads": load_ids,
            "requests": json.dumps({period: moment.isoformat() for period, moment in requests}),
            "tests": result.test_count,
            "warnings": len(result.warnings),
            "run": result.run_id,
        },
    )


def _keep_results(engine: Engine, run_id: str, results: list) -> None:
    rows = [
        {
            "run": run_id,
            "node": r.node.unique_id,
            "status": str(r.status),
            "seconds": round(r.execution_time, 3),
            "failures": r.failures,
            "message": (r.message or "")[:2000],
        }
        for r in results
    ]
    if rows:
        with engine.begin() as connection:
            connection.execute(
                text(
                    "insert into ops.dbt_result (run_id, node_id, status, seconds, failure_count, message) "
                    "values (:run, :node, :status, :seconds, :failures, :message)"
                ),
                rows,
            )
