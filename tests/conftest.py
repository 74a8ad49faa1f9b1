"""What tests share: a real PostgreSQL, migrated databases that cost a copy, settings of their own, no internet."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL, make_url

from cchc import embedded, warehouse
from cchc.settings import Settings
from extract import sources

_numbers = itertools.count(1)
_connect = socket.socket.connect


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that reaches for the network fails there."""

    def connect(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address}")
        _connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[URL]:
    """The embedded server, one for the session (and for each worker)."""
    with embedded.running(tmp_path_factory.mktemp("postgres")) as url:
        yield make_url(url)


@pytest.fixture(scope="session")
def template(server: URL) -> str:
    """A database with migrations and raw tables, to copy from."""
    name = "cchc_template"
    _execute(server, f"create database {name}")
    opened = create_engine(server.set(database=name))
    sources.prepare(opened)
    opened.dispose()
    return name


@pytest.fixture
def empty_database(server: URL) -> Iterator[URL]:
    """A database with nothing in it."""
    yield from _database(server, "template0")


@pytest.fixture
def warehouse_url(server: URL, template: str) -> Iterator[URL]:
    """A migrated warehouse of its own for each test."""
    yield from _database(server, template)


@pytest.fixture
def engine(warehouse_url: URL) -> Iterator[Engine]:
    """The migrated warehouse, as its administrator."""
    with warehouse.engine_on(warehouse_url) as opened:
        yield opened


@pytest.fixture
def loader(warehouse_url: URL) -> Iterator[Engine]:
    """The migrated warehouse, as loader."""
    with warehouse.engine_on(warehouse_url, "loader") as opened:
        yield opened


@pytest.fixture
def settings(tmp_path: Path, warehouse_url: URL) -> Settings:
    """Settings whose every folder is in the test's own."""
    return Settings(
        var=tmp_path / "var",
        warehouse_url=warehouse_url.render_as_string(hide_password=False),
        inbox=str(tmp_path / "inbox"),
        landing=str(tmp_path / "landing"),
        out=str(tmp_path / "out"),
        pseudonym_key="k" * 40,
    )


@pytest.fixture
def query(engine: Engine) -> Callable[..., list[tuple]]:
    """Ask the warehouse: query("select …", name=value) → rows."""

    def ask(statement: str, **parameters: object) -> list[tuple]:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(statement), parameters)]

    return ask


def _database(server: URL, template: str) -> Iterator[URL]:
    name = f"test_{next(_numbers)}"
    _execute(server, f"create database {name} template {template}")
    yield server.set(database=name)
    _execute(server, f"drop database {name} with (force)")


def _execute(server: URL, statement: str) -> None:
    opened = create_engine(server, isolation_level="AUTOCOMMIT")
    with opened.connect() as connection:
        connection.execute(text(statement))
    opened.dispose()
