"""Databases that are migrated in place."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from sqlalchemy.engine import URL

from cchc import warehouse


@pytest.fixture
def empty(empty_database: URL) -> Iterator[Engine]:
    """A database with nothing in it, as its administrator."""
    with warehouse.engine_on(empty_database) as opened:
        yield opened


@pytest.fixture
def migrated(empty: Engine, empty_database: URL) -> URL:
    """Migrated in place: rights on the database itself are not copied from a template."""
    warehouse.migrate(empty)
    return empty_database
