"""Every source by its name: what the command line and the DAGs call."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine, text

from cchc import warehouse
from cchc.settings import Settings
from extract.contract import Contract, contracts, create_raw_tables
from extract.exports import load_exports
from extract.feeds import load_budget, load_portal
from extract.ledger import LoadOutcome
from extract.workbooks import load_workbooks

_LOADERS = {"csv": load_exports, "portal": load_portal, "budget": load_budget, "workbook": load_workbooks}


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
    return _LOADERS[_reader_of(contract)](settings, engine, contract)


def known_arrivals(engine: Engine, sources: Sequence[str]) -> int:
    """How many different things these sources have brought so far; the same file again does not count again."""
    with engine.connect() as connection:
        return connection.execute(
            text(
                "select count(*) from (select distinct source, dataset, name, digest, outcome = 'refused' "
                "from ops.arrival where source = any(:sources) and outcome in ('new', 'repeat', 'refused')) as known"
            ),
            {"sources": list(sources)},
        ).scalar_one()


def read_with(reader: str) -> list[str]:
    """The sources that one reader reads, in the order in which they load: csv, portal, budget or workbook."""
    return [name for name, contract in contracts().items() if _reader_of(contract) == reader]


def inbox_folders(reader: str) -> list[str]:
    """The folders of the inbox into which files for one reader arrive."""
    found = [contracts()[name] for name in read_with(reader)]
    return sorted({c.tables[0].custom("folder") or c.custom("department") for c in found})


def _reader_of(contract: Contract) -> str:
    return contract.tables[0].custom("reader")
