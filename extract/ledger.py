"""The ledger: what arrived, what was loaded, what was turned away and why. Every row read is accounted for."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import psycopg2.extensions

from cchc.warehouse import code_version
from extract.check import Fault, Warned
from extract.landing import Landed

Connection = psycopg2.extensions.connection


@dataclass
class LoadOutcome:
    """What became of one file or pull. `outcome` as in ops.arrival: new, repeat, refused, failed or skipped."""

    source: str
    dataset: str
    name: str
    outcome: str
    message: str = ""
    load_id: int | None = None
    rows_read: int = 0
    rows_loaded: int = 0
    rows_rejected: int = 0
    rows_duplicate: int = 0
    rows_held: int = 0
    warning_count: int = 0

    @property
    def needs_attention(self) -> bool:
        """True when a person must read it."""
        return self.outcome in ("refused", "failed") or self.rows_rejected > 0 or self.warning_count > 0

    def assert_balanced(self) -> None:
        parts = self.rows_loaded + self.rows_rejected + self.rows_duplicate + self.rows_held
        if self.rows_read != parts:
            raise AssertionError(
                f"{self.name}: {self.rows_read} rows read but loaded {self.rows_loaded} "
                f"+ rejected {self.rows_rejected} + duplicate {self.rows_duplicate} + held {self.rows_held} = {parts}"
            )


class Quarantine:
    """Rejected rows of one load, kept beside memory until the load knows whether it stands."""

    def __init__(self) -> None:
        self._spool = tempfile.SpooledTemporaryFile(  # noqa: SIM115
            max_size=1 << 20, mode="w+", encoding="utf-8", newline=""
        )
        self._writer = csv.writer(self._spool)

    def __enter__(self) -> Quarantine:
        return self

    def __exit__(self, *exc: object) -> None:
        self._spool.close()

    def add(self, row: int, faults: list[Fault], sheet: str = "", cell: str | None = None) -> None:
        """One rejected row; the first fault names it, all of them are kept."""
        first = faults[0]
        details = [
            {"column": f.column, "value": f.value, "code": f.code, "reason": f.reason}
            | ({"cell": f.cell} if f.cell else {})
            for f in faults
        ]
        named = (first.column, first.value, first.code, first.reason)
        self._writer.writerow((row, sheet, cell, *named, json.dumps(details, ensure_ascii=False)))

    def write(self, connection: Connection, load_id: int) -> None:
        """Copy them into ops.rejected_row."""
        self._spool.seek(0)
        with connection.cursor() as cursor:
            cursor.execute("create temporary table rejected (like ops.rejected_row including defaults) on commit drop")
            cursor.execute("alter table rejected alter column load_id drop not null")
            cursor.copy_expert(
                "copy rejected (row_number, sheet, cell, column_name, value, reason_code, reason, faults) "
                "from stdin with (format csv, force_not_null (sheet))",
                self._spool,
            )
            cursor.execute(
                "insert into ops.rejected_row "
                "select %s, row_number, sheet, cell, column_name, value, reason_code, reason, faults from rejected",
                (load_id,),
            )
            cursor.execute("drop table rejected")


def lock_digest(connection: Connection, digest: str) -> None:
    """Let one process at a time load these bytes, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", (digest,))


def earlier_load(
    connection: Connection, outcome: LoadOutcome, digest: str, contract_version: str, max_reject_share: float
) -> tuple[int, str, str | None] | None:
    """(load_id, status, reason) of a load of the same bytes that makes another one needless, or None.

    A refusal is final only for the same name (its ending says how to read the bytes), contract version and allowed
    share of rejects: when one of them is another, the bytes get another try.
    """
    refused_id = refusal_id_of(outcome, digest, contract_version, max_reject_share)
    with connection.cursor() as cursor:
        cursor.execute(
            "select load_id, status, refused_reason from ops.load where source = %s and dataset = %s and digest = %s "
            "and (status = 'loaded' or load_id = %s) order by status limit 1",
            (outcome.source, outcome.dataset, digest, refused_id),
        )
        return cursor.fetchone()


def load_id_of(source: str, dataset: str, digest: str, contract_version: str, *more: str) -> int:
    """The id of a load, made from what is loaded: the same bytes have it in every warehouse, whatever came before.

    62 bits of SHA-256; two loads that share one by chance would break the ledger's primary key, not mix.
    """
    name = "\0".join((source, dataset, digest, contract_version, *more))
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) >> 2


def refusal_id_of(outcome: LoadOutcome, digest: str, contract_version: str, max_reject_share: float) -> int:
    """The id of a refusal, made from all that it depends on."""
    return load_id_of(
        outcome.source, outcome.dataset, digest, contract_version, "refused", outcome.name, repr(max_reject_share)
    )


def write_load(
    connection: Connection,
    outcome: LoadOutcome,
    landed: Landed,
    contract_version: str,
    covers: tuple[date, date] | None,
    started_at: datetime,
    warnings: Iterable[tuple[str, Warned]],
) -> None:
    """The load's row in the ledger and its warnings, in the transaction of its rows."""
    outcome.assert_balanced()
    first, last = covers or (None, None)
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into ops.load (load_id, source, dataset, digest, contract_version, status, refused_reason,"
            " covers_from_on, covers_to_on, rows_read, rows_loaded, rows_rejected, rows_duplicate, rows_held,"
            " byte_count, landing_uri, code_version, started_at, finished_at) "
            "values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, clock_timestamp())",
            (
                outcome.load_id,
                outcome.source,
                outcome.dataset,
                landed.digest,
                contract_version,
                "refused" if outcome.outcome == "refused" else "loaded",
                outcome.message if outcome.outcome == "refused" else None,
                first,
                last,
                outcome.rows_read,
                outcome.rows_loaded,
                outcome.rows_rejected,
                outcome.rows_duplicate,
                outcome.rows_held,
                landed.byte_count,
                landed.uri,
                code_version(),
                started_at,
            ),
        )
        for code, warned in warnings:
            outcome.warning_count += 1
            cursor.execute(
                "insert into ops.load_warning (load_id, code, column_name, row_count, first_row, message) "
                "values (%s, %s, %s, %s, %s, %s)",
                (outcome.load_id, code, warned.column, warned.row_count, warned.first_row, warned.message),
            )


def write_arrival(connection: Connection, outcome: LoadOutcome, digest: str | None) -> None:
    """That something arrived, in whatever way it ended."""
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into ops.arrival (source, dataset, name, digest, load_id, outcome, message) "
            "values (%s, %s, %s, %s, %s, %s, %s)",
            (
                outcome.source,
                outcome.dataset,
                outcome.name,
                digest,
                outcome.load_id,
                outcome.outcome,
                outcome.message or None,
            ),
        )


def copy_rows(connection: Connection, table: str, columns: list[str], data: io.BytesIO) -> None:
    """COPY one batch of CSV bytes into a raw table."""
    with connection.cursor() as cursor:
        names = ", ".join(f'"{column}"' for column in columns)
        cursor.copy_expert(f"copy raw.{table} ({names}) from stdin with (format csv)", data)
