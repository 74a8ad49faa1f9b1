"""Department workbooks in the inbox: found by name, landed, read sheet by sheet, loaded in one transaction."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import Engine

from cchc import progress
from cchc.settings import Settings
from extract import ledger
from extract.agencies import AgencyNames, listed_agencies
from extract.check import Warned
from extract.contract import Contract, Table, contracts
from extract.csv_reader import UnreadableFile
from extract.exports import InboxFile, list_inbox
from extract.landing import Landed, land
from extract.ledger import LoadOutcome
from extract.loader import Arrived, Batch, load_within, transaction
from extract.workbook_file import Limits, Workbook, too_large
from extract.workbook_reader import needs_agencies, read_sheet, sheet_of

# what an arrival names when it is about the file, not about one of its sheets
WHOLE_FILE = "*"

_NAME = re.compile(
    r"(?P<dataset>[^_]+)_(?P<day>\d{4}-\d{2}-\d{2})(?:_v(?P<version>[1-9]\d{0,5}))?\.(?P<ending>xlsx|xlsm|xls|ods)",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True)
class WorkbookName:
    """What a workbook's file name says."""

    dataset: str
    as_of: date
    version: int
    ending: str


def workbook_name(name: str) -> WorkbookName | None:
    """`bien-che_2024-06-14_v2.xlsx` taken apart; None when the name does not fit or the day is no day."""
    match = _NAME.fullmatch(unicodedata.normalize("NFC", name).strip())
    if match is None:
        return None
    try:
        day = date.fromisoformat(match["day"])
    except ValueError:
        return None
    return WorkbookName(match["dataset"].lower(), day, int(match["version"] or 1), match["ending"].lower())


def load_workbooks(settings: Settings, engine: Engine, contract: Contract) -> list[LoadOutcome]:
    """Land and load every file of one department's dataset; a bad file does not stop the others."""
    files = [f for f in list_inbox(settings.inbox, contract.custom("department")) if _is_ours(f.name, contract)]
    outcomes = []
    with progress.bar(f"Nạp {contract.name}", len(files), unit="tệp") as bar:
        for file in files:
            bar.description = file.name
            outcomes += _load_file(settings, engine, contract, file)
            bar.advance()
        bar.description = f"Nạp {contract.name}"
    return outcomes


def _is_ours(name: str, contract: Contract) -> bool:
    """This dataset's files; those that fit no dataset of the department are told of once, by its first dataset."""
    siblings = [
        other.custom("dataset")
        for other in contracts().values()
        if other.custom("department") == contract.custom("department")
    ]
    key = unicodedata.normalize("NFC", name).strip().lower()
    # the longest name that fits, since one dataset's may begin with another's
    fitting = [dataset for dataset in siblings if re.match(rf"{re.escape(dataset)}(?![a-z0-9-])", key)]
    return (max(fitting, key=len) if fitting else siblings[0]) == contract.custom("dataset")


def _load_file(settings: Settings, engine: Engine, contract: Contract, file: InboxFile) -> list[LoadOutcome]:
    connection = engine.raw_connection()
    try:
        if file.byte_count > settings.max_workbook_bytes:
            # not even archived: who sends that much may send it without end
            reason = too_large(file.byte_count, settings.max_workbook_bytes)
            return [_note(connection, _whole(contract, file.name, "refused", reason), None)]
        named = workbook_name(file.name)
        ending = f".{named.ending}" if named else ".bin"
        landed = land(file.blocks(), settings.landing, contract.name, ending)
        if named is None or named.dataset != contract.custom("dataset"):
            reason = (
                f"Tên tệp không đúng mẫu {contract.custom('dataset')}_<ngày số liệu>.xlsx (ngày viết yyyy-MM-dd; "
                f"bản sửa thêm _v2, _v3 trước đuôi tệp)"
            )
            return [_note(connection, _whole(contract, file.name, "refused", reason), landed.digest)]
        return load_workbook(settings, connection, contract, file.name, named.as_of, landed)
    except OSError as error:
        # the inbox or the landing store, not the file's content: nothing was loaded, the next run tries again
        problem = f"Không đọc hoặc không lưu được tệp: {error.strerror or type(error).__name__}"
        return [_note(connection, _whole(contract, file.name, "failed", problem), None)]
    finally:
        connection.close()


def load_workbook(
    settings: Settings, connection: ledger.Connection, contract: Contract, name: str, as_of: date, landed: Landed
) -> list[LoadOutcome]:
    """Load a landed workbook: all sheets in one transaction, or one refusal of the whole file."""
    agencies = AgencyNames(listed_agencies(connection, as_of), as_of)
    connection.rollback()
    if agencies.is_empty and any(needs_agencies(table) for table in contract.tables):
        problem = "Chưa có danh mục cơ quan của Cổng DVC nên chưa kiểm tra được tên cơ quan; lần chạy sau sẽ nạp lại"
        return [_note(connection, _whole(contract, name, "failed", problem), landed.digest)]
    limits = Limits(settings.max_workbook_bytes, settings.max_unpacked_bytes)
    opened: list[Workbook] = []

    def workbook() -> Workbook:
        # only when a sheet is new: the same bytes again are not read
        if not opened:
            with landed.open() as stored:
                opened.append(Workbook(stored.read(), limits))
        return opened[0]

    if not _is_loaded(connection, contract, landed):
        try:
            workbook()
        except UnreadableFile as error:
            return [_refuse(connection, contract, name, as_of, landed, str(error), limits)]
    outcomes = []
    with transaction(connection):
        for table in contract.tables:
            warnings: dict[tuple[str, str], Warned] = {}
            outcomes.append(
                load_within(
                    connection,
                    Arrived(contract, table, name, landed, (as_of, as_of)),
                    lambda table=table, warnings=warnings: _batches(workbook(), contract, table, agencies, warnings),
                    # row by row: one wrong row does not hold the department's others, but no good row at all does
                    max_reject_share=1,
                    refuse_without_good_rows=True,
                    warnings=warnings,
                )
            )
    return outcomes


def _batches(
    workbook: Workbook,
    contract: Contract,
    table: Table,
    agencies: AgencyNames,
    warnings: dict[tuple[str, str], Warned],
) -> Iterator[Batch]:
    sheet = workbook.sheet(sheet_of(workbook, table))
    found = read_sheet(sheet, table, contract, agencies)
    warnings.update(found.warnings)
    yield found.batch


def _is_loaded(connection: ledger.Connection, contract: Contract, landed: Landed) -> bool:
    """Every sheet of these bytes is in the warehouse."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(distinct dataset) from ops.load where source = %s and digest = %s and status = 'loaded'",
            (contract.name, landed.digest),
        )
        [count] = cursor.fetchone()
    connection.rollback()
    return count == len(contract.tables)


def _refuse(
    connection: ledger.Connection,
    contract: Contract,
    name: str,
    as_of: date,
    landed: Landed,
    reason: str,
    limits: Limits,
) -> LoadOutcome:
    """Note that a file is no workbook; the same bytes under the same name are refused once in the ledger."""
    outcome = _whole(contract, name, "refused", reason)
    limit = f"{limits.file}/{limits.unpacked}"
    outcome.load_id = ledger.load_id_of(
        contract.name, WHOLE_FILE, landed.digest, contract.version, "refused", name, limit
    )
    with transaction(connection):
        ledger.lock_digest(connection, landed.digest)
        with connection.cursor() as cursor:
            cursor.execute("select 1 from ops.load where load_id = %s", (outcome.load_id,))
            is_known = cursor.fetchone() is not None
        if not is_known:
            ledger.write_load(
                connection, outcome, landed, contract.version, (as_of, as_of), datetime.now(UTC), warnings=()
            )
        ledger.write_arrival(connection, outcome, landed.digest)
    return outcome


def _whole(contract: Contract, name: str, outcome: str, message: str) -> LoadOutcome:
    return LoadOutcome(contract.name, WHOLE_FILE, name, outcome, message)


def _note(connection: ledger.Connection, outcome: LoadOutcome, digest: str | None) -> LoadOutcome:
    ledger.write_arrival(connection, outcome, digest)
    connection.commit()
    return outcome
