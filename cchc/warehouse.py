"""The warehouse: where it is, who one is in it, and its migrations."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url

from cchc import embedded
from cchc.settings import PROJECT_ROOT, Settings

MIGRATIONS = PROJECT_ROOT / "sql"
# one number for all migrations of this product: two processes that migrate wait for each other
_MIGRATION_LOCK = 0x63636863


@contextmanager
def available(settings: Settings) -> Iterator[URL]:
    """The warehouse's URL while the block runs; starts the embedded server when none is configured."""
    if settings.warehouse_url is not None:
        yield make_url(settings.warehouse_url.get_secret_value()).set(drivername="postgresql+psycopg2")
    else:
        with embedded.running(settings.var / "postgres") as url:
            yield make_url(url)


@contextmanager
def engine(settings: Settings, role: str | None = None) -> Iterator[Engine]:
    """An engine on the warehouse whose connections act as `role` (owner, loader, transformer, bi_reader)."""
    with available(settings) as url, engine_on(url, role) as opened:
        yield opened


@contextmanager
def engine_on(url: URL, role: str | None = None) -> Iterator[Engine]:
    """Like `engine`, on a URL that is already known."""
    opened = create_engine(url, pool_pre_ping=True, connect_args={"application_name": f"cchc {role or ''}".strip()})
    if role is not None:

        @event.listens_for(opened, "connect")
        def _become(connection, _record) -> None:  # noqa: ANN001
            with connection.cursor() as cursor:
                cursor.execute(f'set role "{role}"')
            connection.commit()

    try:
        yield opened
    finally:
        opened.dispose()


def migrate(opened: Engine, folder: Path = MIGRATIONS) -> list[str]:
    """Apply the numbered SQL files not yet applied, each in a transaction, and return their names.

    Safe to run twice and by two processes at once. A file that was changed after it had been applied raises ValueError.
    """
    applied_now = []
    with opened.connect() as connection:
        connection.execute(text("select pg_advisory_lock(:key)"), {"key": _MIGRATION_LOCK})
        connection.commit()
        try:
            known = _applied(connection)
            connection.commit()
            for path in sorted(folder.glob("[0-9]*.sql")):
                script = path.read_text()
                digest = hashlib.sha256(script.encode()).hexdigest()
                if path.name in known:
                    if known[path.name] != digest:
                        raise ValueError(f"{path.name} was changed after it had been applied; write a new migration")
                    continue
                connection.exec_driver_sql(script.replace("%", "%%"))
                connection.execute(
                    text("insert into migration.applied (name, digest) values (:name, :digest)"),
                    {"name": path.name, "digest": digest},
                )
                connection.commit()
                applied_now.append(path.name)
        finally:
            connection.rollback()
            connection.execute(text("select pg_advisory_unlock(:key)"), {"key": _MIGRATION_LOCK})
            connection.commit()
    return applied_now


def _applied(connection: Connection) -> dict[str, str]:
    connection.execute(text("create schema if not exists migration"))
    connection.execute(
        text(
            "create table if not exists migration.applied "
            "(name text primary key, digest text not null, applied_at timestamptz not null default clock_timestamp())"
        )
    )
    return dict(connection.execute(text("select name, digest from migration.applied")).all())


def dbt_environment(url: URL) -> dict[str, str]:
    """What dbt's profile reads: the warehouse's address, from its URL."""
    return {
        "CCHC_DBT_HOST": url.host or "",
        "CCHC_DBT_PORT": str(url.port or 5432),
        "CCHC_DBT_USER": url.username or "",
        "CCHC_DBT_PASSWORD": url.password or "",
        "CCHC_DBT_DBNAME": url.database or "",
    }


def code_version(root: Path = PROJECT_ROOT) -> str:
    """The commit this code is at, or the package's version where there is no repository."""
    from cchc import __version__

    head = root / ".git" / "HEAD"
    if not head.is_file():
        return os.environ.get("CCHC_CODE_VERSION", __version__)
    content = head.read_text().strip()
    if not content.startswith("ref: "):
        return content
    name = content.removeprefix("ref: ")
    reference, packed = root / ".git" / name, root / ".git" / "packed-refs"
    if reference.is_file():
        return reference.read_text().strip()
    # where git keeps references after it has tidied up
    lines = packed.read_text().splitlines() if packed.is_file() else []
    return next((line.split(" ")[0] for line in lines if line.endswith(f" {name}")), __version__)
