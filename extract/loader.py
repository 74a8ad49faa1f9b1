"""The loader: one file or pull, one transaction. Rows, rejects and ledger entry commit together or not at all."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

import polars as pl
import psycopg2

from cchc.progress import vietnamese
from extract import ledger
from extract.check import Checker, Fault, Warned
from extract.contract import Contract, Table
from extract.csv_reader import UnreadableFile
from extract.landing import Landed
from extract.ledger import Connection, LoadOutcome, Quarantine
from extract.privacy import Pseudonyms


@dataclass
class Batch:
    """Rows as a reader delivers them: text columns with `_row`; rows it turns away itself; how many it saw twice.

    `found` are faults in rows that are in the frame, for the checker to add to. A reader of sheets names the sheet and
    the letter of each column.
    """

    frame: pl.DataFrame
    faults: dict[int, list[Fault]] = field(default_factory=dict)
    duplicate_count: int = 0
    found: dict[int, list[Fault]] = field(default_factory=dict)
    sheet: str = ""
    letters: dict[str, str] = field(default_factory=dict)

    def placed(self, faults: list[Fault]) -> list[Fault]:
        """Faults with the cells they are in, in the order of the sheet's columns."""
        if not self.letters:
            return faults
        order = list(self.letters)
        known = [replace(f, cell=f"{self.letters[f.column]}{f.row}") if f.column in order else f for f in faults]
        return sorted(known, key=lambda fault: order.index(fault.column) if fault.column in order else len(order))


@dataclass
class Arrived:
    """A landed original on its way into the warehouse."""

    contract: Contract
    table: Table
    name: str
    landed: Landed
    covers: tuple[date, date] | None = None


@dataclass(frozen=True)
class _Limits:
    """When too much of an original is bad to load the rest."""

    max_reject_share: float
    refuse_without_good_rows: bool

    def hold_for(self, outcome: LoadOutcome) -> None:
        """Raises UnreadableFile for the department that sent it."""
        read, rejected = outcome.rows_read, outcome.rows_rejected
        # in whole rows, so that exactly the allowed share loads whatever a binary fraction makes of it
        if rejected * 10**9 > round(self.max_reject_share * 10**9) * read:
            share = f"{self.max_reject_share * 100:.6g}%".replace(".", ",")
            raise UnreadableFile(
                f"{vietnamese(rejected)} trong {vietnamese(read)} dòng bị loại, quá {share} cho phép; "
                "hãy sửa và gửi lại cả tệp"
            )
        if self.refuse_without_good_rows and rejected and not outcome.rows_loaded:
            raise UnreadableFile(f"Cả {vietnamese(rejected)} dòng đều bị loại")


def load(
    connection: Connection,
    arrived: Arrived,
    batches: Callable[[], Iterator[Batch]],
    *,
    pseudonyms: Pseudonyms | None = None,
    max_reject_share: float,
    refuse_without_good_rows: bool = False,
    warnings: dict[tuple[str, str], Warned] | None = None,
    on_rows: Callable[[int], None] = lambda count: None,
) -> LoadOutcome:
    """Load one original once, and note its arrival. Commits; any exception rolls everything back and is raised.

    `batches` is called only when the bytes are new; it may raise UnreadableFile, which refuses the original whole.
    `warnings` are further ones, found by the reader while `batches` runs.
    """
    with transaction(connection):
        return load_within(
            connection,
            arrived,
            batches,
            pseudonyms=pseudonyms,
            max_reject_share=max_reject_share,
            refuse_without_good_rows=refuse_without_good_rows,
            warnings=warnings,
            on_rows=on_rows,
        )


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """Commit at the end, or roll everything back and raise."""
    try:
        yield
        connection.commit()
    except BaseException:
        # a connection that is gone has rolled back already, and must not hide why
        with suppress(psycopg2.Error):
            connection.rollback()
        raise


def load_within(
    connection: Connection,
    arrived: Arrived,
    batches: Callable[[], Iterator[Batch]],
    *,
    pseudonyms: Pseudonyms | None = None,
    max_reject_share: float,
    refuse_without_good_rows: bool = False,
    warnings: dict[tuple[str, str], Warned] | None = None,
    on_rows: Callable[[int], None] = lambda count: None,
) -> LoadOutcome:
    """Like `load`, in the caller's transaction: several tables of one original come together or not at all."""
    outcome = LoadOutcome(arrived.contract.name, arrived.table.name, arrived.name, "new")
    found = warnings if warnings is not None else {}
    ledger.lock_digest(connection, arrived.landed.digest)
    earlier = ledger.earlier_load(
        connection, outcome, arrived.landed.digest, arrived.contract.version, max_reject_share
    )
    if earlier is not None:
        outcome.load_id, status, reason = earlier
        outcome.outcome = "repeat" if status == "loaded" else "refused"
        outcome.message = reason or ""
    else:
        limits = _Limits(max_reject_share, refuse_without_good_rows)
        _load_new(connection, arrived, batches, outcome, pseudonyms, limits, found, on_rows)
    ledger.write_arrival(connection, outcome, arrived.landed.digest)
    return outcome


def _load_new(
    connection: Connection,
    arrived: Arrived,
    batches: Callable[[], Iterator[Batch]],
    outcome: LoadOutcome,
    pseudonyms: Pseudonyms | None,
    limits: _Limits,
    warnings: dict[tuple[str, str], Warned],
    on_rows: Callable[[int], None],
) -> None:
    started_at = datetime.now(UTC)
    outcome.load_id = ledger.load_id_of(
        outcome.source, outcome.dataset, arrived.landed.digest, arrived.contract.version
    )
    checker = Checker(arrived.table, pseudonyms, arrived.covers)
    with Quarantine() as quarantine:
        with connection.cursor() as cursor:
            cursor.execute("savepoint rows")
        try:
            _copy_batches(connection, arrived.table, batches, outcome, checker, quarantine, on_rows)
            limits.hold_for(outcome)
            _drop_repeated_rows(connection, arrived.table, outcome, warnings)
        except UnreadableFile as error:
            with connection.cursor() as cursor:
                cursor.execute("rollback to savepoint rows")
            outcome.load_id = ledger.refusal_id_of(
                outcome, arrived.landed.digest, arrived.contract.version, limits.max_reject_share
            )
            outcome.outcome = "refused"
            outcome.message = str(error)
            outcome.rows_loaded = outcome.rows_duplicate = 0
            outcome.rows_held = outcome.rows_read - outcome.rows_rejected
        found = warnings | checker.warnings
        ledger.write_load(
            connection,
            outcome,
            arrived.landed,
            arrived.contract.version,
            arrived.covers,
            started_at,
            [(code, warned) for (code, _), warned in sorted(found.items())],
        )
        quarantine.write(connection, outcome.load_id)


def _copy_batches(
    connection: Connection,
    table: Table,
    batches: Callable[[], Iterator[Batch]],
    outcome: LoadOutcome,
    checker: Checker,
    quarantine: Quarantine,
    on_rows: Callable[[int], None],
) -> None:
    """Check batch after batch while the one before is on its way to the server."""
    columns = ["_load_id", "_row", *(column.name for column in table.stored_columns)]
    load_id = pl.lit(outcome.load_id).alias("_load_id")
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="copy") as sender:
        sending: Future[None] | None = None
        for batch in batches():
            checked = checker.check(batch.frame, batch.found)
            rejected = {**batch.faults, **checked.faults}
            for row in sorted(rejected):
                faults = batch.placed(rejected[row])
                quarantine.add(row, faults, batch.sheet, faults[0].cell)
            outcome.rows_read += batch.frame.height + len(batch.faults) + batch.duplicate_count
            outcome.rows_rejected += len(rejected)
            outcome.rows_duplicate += batch.duplicate_count
            outcome.rows_loaded += checked.good.height
            data = io.BytesIO()
            checked.good.select(load_id, *columns[1:]).write_csv(
                data, include_header=False, datetime_format="%Y-%m-%d %H:%M:%S%.f"
            )
            data.seek(0)
            if sending is not None:
                sending.result()
            sending = sender.submit(ledger.copy_rows, connection, table.physical_name, columns, data)
            on_rows(batch.frame.height + len(batch.faults) + batch.duplicate_count)
        if sending is not None:
            sending.result()


def _drop_repeated_rows(
    connection: Connection, table: Table, outcome: LoadOutcome, warnings: dict[tuple[str, str], Warned]
) -> None:
    """Of rows with one key the last one of the file stays; the others count as duplicates."""
    if table.custom("reader") != "csv":
        return  # small enough for its reader to have seen to it
    with connection.cursor() as cursor:
        cursor.execute(
            "select dropped_count, conflict_count, first_conflict_row from ops.drop_repeated_rows(%s, %s, %s)",
            (table.physical_name, outcome.load_id, table.key),
        )
        dropped, conflicts, first_row = cursor.fetchone()
    outcome.rows_loaded -= dropped
    outcome.rows_duplicate += dropped
    if conflicts:
        keys = ", ".join(table.column(name).header for name in table.key)
        message = f"Cùng {keys} nhưng nội dung khác nhau: dòng sau được tính"
        warnings[("conflicting_rows", keys)] = Warned(message, keys, conflicts, first_row)
