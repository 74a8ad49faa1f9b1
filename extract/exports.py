"""Exports in the inbox: CSV files that a system drops, named by the days they cover."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs
from sqlalchemy import Engine

from cchc import progress
from cchc.settings import Settings
from extract import ledger
from extract.check import Fault, Warned, file_range
from extract.contract import Contract, Table
from extract.csv_reader import REASONS, CsvReader, open_export
from extract.landing import Landed, land
from extract.ledger import LoadOutcome
from extract.loader import Arrived, Batch, load
from extract.privacy import Pseudonyms, pseudonym_key


@dataclass(frozen=True)
class InboxFile:
    """One file of a source's inbox folder."""

    name: str
    filesystem: AbstractFileSystem
    path: str
    byte_count: int
    # when it was last written, as its file system says it; None where it does not
    changed_at: object = None

    def blocks(self) -> Iterator[bytes]:
        """Its bytes, 1 MiB at a time."""
        # by path: as a URL, a name with :: or # in it would mean something else
        with self.filesystem.open(self.path, "rb") as stream:
            while block := stream.read(1 << 20):
                yield block


def load_exports(settings: Settings, engine: Engine, contract: Contract) -> list[LoadOutcome]:
    """Land and load every file of the source's inbox folder; a bad file does not stop the others."""
    table = contract.tables[0]
    files = list_inbox(settings.inbox, table.custom("folder"))
    pseudonyms = _pseudonyms(settings, table)
    outcomes = []
    total = sum(file.byte_count for file in files)
    with progress.bar(f"Nạp {contract.tables[0].business_name.lower()}", unit="dòng") as bar:
        done = 0
        for file in files:
            bar.description = file.name
            outcomes.append(_load_file(settings, engine, contract, table, file, pseudonyms, bar))
            done += file.byte_count
            if total and done:
                # rows still to come, judged by the bytes read so far
                bar.update(bar.completed, int(bar.completed * total / done))
        bar.update(bar.completed, bar.completed)
    return outcomes


def list_inbox(inbox: str, folder: str) -> list[InboxFile]:
    """The files of an inbox folder by name; hidden and unfinished ones (`.part`, `.tmp`, `~$`) are left alone."""
    filesystem, base = url_to_fs(inbox)
    path = f"{base}/{folder}"
    if not filesystem.exists(path):
        return []
    found = []
    for entry in filesystem.ls(path, detail=True):
        name = entry["name"].rsplit("/", 1)[-1]
        if entry["type"] == "file" and not name.startswith((".", "~$")) and not name.endswith((".part", ".tmp")):
            # a name that is not UTF-8 must still fit into the ledger
            readable = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            changed_at = entry.get("mtime") or entry.get("LastModified")
            found.append(InboxFile(readable, filesystem, entry["name"], entry["size"], changed_at))
    return sorted(found, key=lambda file: file.name)


def _pseudonyms(settings: Settings, table: Table) -> Pseudonyms | None:
    for column in table.columns:
        if column.custom("privacy") == "pseudonym":
            return Pseudonyms(pseudonym_key(settings), column.custom("placeholders", ()))
    return None


def _load_file(
    settings: Settings,
    engine: Engine,
    contract: Contract,
    table: Table,
    file: InboxFile,
    pseudonyms: Pseudonyms | None,
    bar: progress.Bar,
) -> LoadOutcome:
    covers = file_range(file.name, table.custom("filePattern"))
    connection = engine.raw_connection()
    try:
        landed = land(file.blocks(), settings.landing, contract.name, _suffix(file.name))
        if covers is None:
            # the name is at fault, not the bytes: under a right name they are welcome
            reason = "Tên tệp không đúng mẫu ho-so_<từ ngày>_<đến ngày>.csv (ngày viết yyyyMMdd)"
            refused = LoadOutcome(contract.name, table.name, file.name, "refused", reason)
            return _note(connection, refused, landed.digest)
        warnings: dict[tuple[str, str], Warned] = {}
        return load(
            connection,
            Arrived(contract, table, file.name, landed, covers),
            lambda: _batches(landed, file.name, table, warnings),
            pseudonyms=pseudonyms,
            max_reject_share=settings.max_reject_share,
            warnings=warnings,
            on_rows=bar.advance,
        )
    except OSError as error:
        # the inbox or the landing store, not the file's content: nothing was loaded, the next run tries again
        problem = f"Không đọc hoặc không lưu được tệp: {error.strerror or type(error).__name__}"
        return _note(connection, LoadOutcome(contract.name, table.name, file.name, "failed", problem), None)
    finally:
        connection.close()


def _note(connection: ledger.Connection, outcome: LoadOutcome, digest: str | None) -> LoadOutcome:
    ledger.write_arrival(connection, outcome, digest)
    connection.commit()
    return outcome


def _batches(landed: Landed, name: str, table: Table, warnings: dict[tuple[str, str], Warned]) -> Iterator[Batch]:
    row_count = 0
    with landed.open() as stored:
        reader = CsvReader(open_export(stored, name), table)
        for header in reader.header.unknown:
            warnings[("unknown_column", header)] = Warned(f"Cột «{header}» không có trong quy ước, được bỏ qua", header)
        for header in reader.header.missing_optional:
            warnings[("missing_column", header)] = Warned(f"Tệp không có cột {header} (không bắt buộc)", header)
        for block in reader.blocks():
            row_count += block.record_count
            faults = {row: [Fault(row, "", None, code, REASONS[code])] for row, code in block.broken}
            yield Batch(block.frame, faults)
    if row_count == 0:
        warnings[("no_rows", "")] = Warned("Tệp chỉ có dòng tiêu đề, không có hồ sơ nào")


def _suffix(name: str) -> str:
    return next((f".csv{ending}" for ending in (".gz", ".zst") if name.endswith(ending)), ".csv")
