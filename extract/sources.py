"""Every source by its name: what the command line and the DAGs call."""

from __future__ import annotations

from sqlalchemy import Engine

from cchc import warehouse
from cchc.settings import Settings
from extract.contract import contracts, create_raw_tables
from extract.exports import load_exports
from extract.feeds import load_portal
from extract.ledger import LoadOutcome

_READERS = {"csv": load_exports, "portal": load_portal}


class UnknownSource(ValueError):
    """A source that no contract names."""


def prepare(engine: Engine) -> None:
    """Bring an empty or older warehouse up to date: migrations, then the raw tables that contracts name."""
    warehouse.migrate(engine)
    with engine.begin() as connection:
        create_raw_tables(connection)


def load_source(settings: Settings, engine: Engine, name: str) -> list[LoadOutcome]:
    """Load what is new of one source. `engine` acts as loader. Bad input is an outcome, not an exception."""
    try:
        contract = contracts()[name]
    except KeyError:
        raise UnknownSource(f"không có nguồn «{name}»; các nguồn: {', '.join(contracts())}") from None
    return _READERS[contract.tables[0].custom("reader")](settings, engine, contract)
