"""The feeds on their way into the warehouse: pull, land, load, dataset by dataset."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any

import httpx
import polars as pl
from sqlalchemy import Engine, text

from cchc import progress
from cchc.periods import LOCAL_ZONE, ReportingPeriod
from cchc.settings import Settings
from extract import budget, ledger, portal
from extract.check import Checker, Fault, Warned
from extract.contract import Column, Contract, Table
from extract.landing import Landed, land
from extract.ledger import LoadOutcome
from extract.loader import Arrived, Batch, load
from extract.privacy import label, shown
from extract.pulled import LandedPull
from extract.transport import FeedError

Parse = Callable[[bytes, str], Iterator[tuple[int, dict[str, Any]]]]

# cells of rows in the contract's order, by key
HeldRows = Mapping[tuple[str | None, ...], tuple[str | None, ...]]

_INTEGER = re.compile(r"-?[0-9]{1,18}")
# whole dong; 50.000 could be fifty or fifty thousand, and is neither
_NUMBER = re.compile(r"-?[0-9]{1,15}([.]00?)?")
# JSON can spell what no database text can hold: NUL and halves of surrogate pairs
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")

# a pull that ended after midnight may have asked before it
_LONGEST_PULL = timedelta(hours=6)

# What the warehouse has of each procedure: its entry in the list that was in force when its details came, and the day.
_KNOWN_PROCEDURES = text("""
    with seen as (
        select load_id, dataset, max(arrived_at) as arrived_at
        from ops.arrival
        where source = 'portal' and dataset in ('procedure', 'procedure_list') and load_id is not null
            and outcome in ('new', 'repeat')
        group by load_id, dataset
    ),

    details as (
        select seen.load_id, seen.arrived_at, before.load_id as list_load_id
        from seen
        cross join lateral (
            select arrival.load_id
            from ops.arrival
            where source = 'portal' and dataset = 'procedure_list' and load_id is not null
                and outcome in ('new', 'repeat') and arrived_at <= seen.arrived_at
            order by arrived_at desc
            limit 1
        ) as before
        where seen.dataset = 'procedure'
    )

    select distinct on (details.arrived_at, detail.matthc)
        detail.matthc as code, entry.tentthc, entry.trangthai, entry.ngaycapnhat, details.arrived_at
    from details
    inner join raw.portal__procedure as detail on details.load_id = detail._load_id
    left join raw.portal__procedure_list as entry
        on details.list_load_id = entry._load_id
        -- 1.004194.H31, 1.004194.000.00.00.H31 and 1.004194 are one procedure
        and upper(regexp_replace(detail.matthc, '^([0-9]+[.][0-9]+)([.]000[.]00[.]00)?([.]H[0-9]+)?$', '\\1', 'i'))
        = upper(regexp_replace(entry.matthc, '^([0-9]+[.][0-9]+)([.]000[.]00[.]00)?([.]H[0-9]+)?$', '\\1', 'i'))
    order by details.arrived_at, detail.matthc, entry._row desc
""")


def load_portal(settings: Settings, engine: Engine, contract: Contract) -> list[LoadOutcome]:
    """Pull every dataset of the portal and load what came; one that fails keeps its last good data and says so."""
    if settings.portal_url is None:
        return [_note(engine, LoadOutcome(contract.name, "*", contract.name, "skipped", "Chưa đặt CCHC_PORTAL_URL"))]
    limits = portal.PortalLimits(in_flight=settings.portal_calls_in_flight, per_second=settings.portal_calls_per_second)
    client = portal.PortalClient(
        settings.portal_url,
        settings.portal_username,
        settings.portal_password.get_secret_value(),
        settings.portal_unit,
        settings.portal_dstcode,
        limits,
    )
    today = datetime.now(LOCAL_ZONE).date()
    with client:
        pulls = portal.pull(client, known_procedures(engine), today, progress.bar)
        return _load_all(settings, engine, contract, pulls, portal.parse)


def load_budget(settings: Settings, engine: Engine, contract: Contract) -> list[LoadOutcome]:
    """Pull every dataset of the budget feed and load what came; one that fails keeps its last good data and says so."""
    if settings.budget_url is None:
        return [_note(engine, LoadOutcome(contract.name, "*", contract.name, "skipped", "Chưa đặt CCHC_BUDGET_URL"))]
    secret = settings.budget_client_secret.get_secret_value()
    try:
        client = budget.BudgetClient(settings.budget_url, settings.budget_client_id, secret)
    except (ValueError, httpx.InvalidURL):
        # not in the library's words: an address may hold a password
        problem = "CCHC_BUDGET_URL không phải địa chỉ http:// hoặc https:// (không kèm tên và mật khẩu)"
        return [_note(engine, LoadOutcome(contract.name, "*", contract.name, "failed", problem))]
    years = budget_years(engine, datetime.now(LOCAL_ZONE).date())
    with client:
        held = held_changes(engine, contract, years)
        pulls = budget.pull(client, years, held)
        since = {dataset: min(moments.values()) for dataset, moments in held.items()}
        with progress.bar("Lấy dữ liệu ngân sách", len(contract.tables)) as bar:
            return _load_all(settings, engine, contract, pulls, budget.parse, since, bar.advance)


def budget_years(engine: Engine, today: date) -> range:
    """Every budget year from the one before the first requested report's to the current one.

    Without gaps and with the year before, so that a voucher is still seen when a correction moves it into another year.
    """
    with engine.connect() as connection:
        requested = connection.execute(text("select period_id from ops.report_request")).scalars().all()
    years = [today.year, *(ReportingPeriod.parse(period_id).to_on.year for period_id in requested)]
    return range(min(years) - 1, max(years) + 1)


def held_changes(engine: Engine, contract: Contract, years: Iterable[int]) -> dict[str, dict[int, datetime]]:
    """By dataset and year, the local moment from which changes are news; a year never pulled is not in it.

    That is the newest change we hold, or the last pull's beginning when that was earlier: what changed on a page that
    had been read, while later pages were still on their way, is older than the newest change they brought.
    """
    held: dict[str, dict[int, datetime]] = {}
    with engine.connect() as connection:
        for table in contract.tables:
            if not any(column.name == "capnhatluc" for column in table.columns):
                continue
            newest = text(f"""
                select max(changes.newest) as changed_at, max(arrivals.newest) as arrived_at
                from ops.load
                left join lateral (
                    select max(capnhatluc) as newest from raw.{table.physical_name} where _load_id = load.load_id
                ) as changes on true
                left join lateral (
                    select max(arrived_at) as newest from ops.arrival
                    where arrival.load_id = load.load_id and outcome in ('new', 'repeat')
                ) as arrivals on true
                where source = :source and dataset = :dataset and status = 'loaded'
                    and :day between covers_from_on and covers_to_on
            """)
            for year in years:
                asked = {"source": contract.name, "dataset": table.name, "day": date(year, 1, 1)}
                row = connection.execute(newest, asked).one()
                if row.changed_at is not None and row.arrived_at is not None:
                    began_at = (row.arrived_at - _LONGEST_PULL).astimezone(LOCAL_ZONE).replace(tzinfo=None)
                    held.setdefault(table.name, {})[year] = min(row.changed_at, began_at)
    return held


def _load_all(
    settings: Settings,
    engine: Engine,
    contract: Contract,
    pulls: Iterable[LandedPull],
    parse: Parse,
    since: Mapping[str, datetime] = MappingProxyType({}),
    on_dataset: Callable[[int], None] = lambda count: None,
) -> list[LoadOutcome]:
    outcomes = []
    for pulled in pulls:
        table = contract.table(pulled.dataset)
        if pulled.content is not None:
            held = held_rows(engine, table, since[table.name]) if table.name in since else {}
            try:
                outcomes.append(_load(settings, engine, contract, table, pulled, parse, held))
            except OSError as error:
                # the landing store, not the feed: nothing was loaded, and the report must say that it is stale
                problem = f"Không lưu được dữ liệu đã lấy: {error.strerror or type(error).__name__}"
                failed = LoadOutcome(contract.name, table.name, pulled.service, "failed", problem)
                outcomes.append(_note(engine, failed))
        elif pulled.skipped:
            unchanged = LoadOutcome(contract.name, table.name, pulled.service, "repeat", "Không có thay đổi")
            outcomes.append(_note(engine, unchanged))
        if pulled.failure is not None:
            failed = LoadOutcome(contract.name, table.name, pulled.service, "failed", pulled.failure)
            outcomes.append(_note(engine, failed))
        on_dataset(1)
    return outcomes


def held_rows(engine: Engine, table: Table, since: datetime) -> HeldRows:
    """What the newest pulls brought of rows that changed at `since` or later, spelled as `_canonical` does."""
    columns = ", ".join(f"held.{column.name}" for column in table.columns)
    key = ", ".join(f"held.{name}" for name in table.key)
    newest = text(f"""
        select distinct on ({key}) {columns}
        from raw.{table.physical_name} as held
        inner join lateral (
            select max(arrived_at) as newest from ops.arrival
            where arrival.load_id = held._load_id and outcome in ('new', 'repeat')
        ) as arrivals on true
        where held.capnhatluc >= :since
        order by {key}, arrivals.newest desc, held._row desc
    """)
    with engine.connect() as connection:
        rows = [tuple(_canonical(cell) for cell in row) for row in connection.execute(newest, {"since": since})]
    places = [[column.name for column in table.columns].index(name) for name in table.key]
    return {tuple(row[place] for place in places): row for row in rows}


def known_procedures(engine: Engine) -> portal.PreviousPull:
    """What earlier pulls loaded, from the raw tables."""
    known = {}
    with engine.connect() as connection:
        for row in connection.execute(_KNOWN_PROCEDURES):
            fetched_on = (row.arrived_at - _LONGEST_PULL).astimezone(LOCAL_ZONE).date()
            known[portal.procedure_key(row.code)] = portal.KnownProcedure(
                row.tentthc, row.trangthai, row.ngaycapnhat, fetched_on
            )
    return portal.PreviousPull(known)


def _load(
    settings: Settings,
    engine: Engine,
    contract: Contract,
    table: Table,
    pulled: LandedPull,
    parse: Parse,
    held: HeldRows,
) -> LoadOutcome:
    landed = land(iter([pulled.content or b""]), settings.landing, contract.name, ".jsonl")
    warnings: dict[tuple[str, str], Warned] = {}
    for name, count in pulled.unknown_fields.items():
        field = label(name) or "không đọc được tên"
        warning = Warned(f"Trường {field} không có trong quy ước, được bỏ qua", field)
        warnings.setdefault(("unknown_field", field), warning).row_count += count
    connection = engine.raw_connection()
    try:
        return load(
            connection,
            Arrived(contract, table, pulled.service, landed, pulled.covers),
            lambda: batches(landed, table, warnings, parse, held),
            # one wrong row of a list keeps its last good version; only a list with no good row at all is refused,
            # and changes are no list
            max_reject_share=1,
            refuse_without_good_rows=not held,
            warnings=warnings,
        )
    finally:
        connection.close()


def batches(
    landed: Landed,
    table: Table,
    warnings: dict[tuple[str, str], Warned],
    parse: Parse = portal.parse,
    held: HeldRows = MappingProxyType({}),
) -> Iterator[Batch]:
    """The rows of a landed pull, one batch; needs no source.

    Of repeated rows the last stays; of a row that is rejected the first, so that a fault is told once however often
    pages and years repeat it. Rows that are `held` already are repeats too.
    """
    with landed.open() as stored:
        content = stored.read()
    faults: dict[int, list[Fault]] = {}
    rejected: set[str] = set()
    duplicate_count = 0
    rows: list[dict[str, Any]] = []
    try:
        for number, row in parse(content, table.name):
            wrong: list[Fault] = []
            cells = {c.name: _convert(row.get(c.header), c, number, wrong) for c in table.columns}
            if wrong:
                written = json.dumps([row.get(column.header) for column in table.columns], sort_keys=True)
                if written in rejected:
                    duplicate_count += 1
                    continue
                rejected.add(written)
                faults[number] = wrong
            else:
                rows.append({"_row": number, **cells})
    except FeedError as error:
        raise AssertionError(f"{landed.uri} was landed from good answers: {error}") from error
    schema = {"_row": pl.Int64} | {column.name: pl.String for column in table.columns}
    # a repeat that cannot be read must not take the place of the row that can, so faults come before repeats
    unreadable = Checker(table).check(pl.DataFrame(rows, schema=schema, orient="row")).faults
    kept: dict[tuple[Any, ...], dict[str, Any]] = {}
    conflicts = Warned("Cùng mã nhưng nội dung khác nhau trong một lần lấy: dòng sau được tính")
    for row in rows:
        if row["_row"] in unreadable:
            # a row that the loader will reject is a repeat of its like only
            key = ("rejected", *(row[column.name] for column in table.columns))
            duplicate_count += key in kept
            kept.setdefault(key, row)
            continue
        key = tuple(row[name] for name in table.key)
        if key in kept:
            duplicate_count += 1
            if any(kept[key][name] != cell for name, cell in row.items() if name != "_row"):
                conflicts.add(pl.Series([row["_row"]]))
        kept[key] = row
    if conflicts.row_count:
        warnings[("conflicting_rows", "")] = conflicts
    texts = [row for row in kept.values() if row["_row"] in unreadable or not _is_held(row, table, held)]
    duplicate_count += len(kept) - len(texts)
    yield Batch(pl.DataFrame(texts, schema=schema, orient="row"), faults, duplicate_count)


def _is_held(row: dict[str, Any], table: Table, held: HeldRows) -> bool:
    cells = {c.name: _canonical(row[c.name], is_number=c.logical_type == "integer") for c in table.columns}
    return held.get(tuple(cells[name] for name in table.key)) == tuple(cells.values())


def _canonical(cell: object, *, is_number: bool = False) -> str | None:
    """A readable cell spelled in one way, whether it comes from a feed or from the warehouse."""
    if isinstance(cell, date):
        return cell.isoformat()
    if cell is None or (isinstance(cell, str) and not is_number):
        return cell
    return str(int(cell))


def _convert(value: object, column: Column, row: int, wrong: list[Fault]) -> str | None:
    """A cell as text for the checker; nested lists are checked here and become JSON."""
    if column.items is not None:
        return json.dumps(_nested(value, column, row, wrong), ensure_ascii=False)
    cell = _plain(value, column.header, row, wrong)
    return {"true": "1", "false": "0"}.get(cell.lower(), cell) if cell and column.type == "boolean" else cell


def _nested(value: object, column: Column, row: int, wrong: list[Fault], path: str = "") -> list[dict[str, object]]:
    place = f"{path}{column.header}"
    inner = [Column.model_validate(entry) for entry in (column.items or {})["properties"]]
    result = []
    for entry in value or []:
        if not isinstance(entry, dict):
            wrong.append(Fault(row, place, None, "not_an_object", f"{place} phải là danh sách đối tượng"))
            continue
        checked: dict[str, object] = {}
        for field in inner:
            convert = _nested_value if field.items is None else _nested
            checked[field.header] = convert(entry.get(field.header), field, row, wrong, f"{place}.")
        result.append(checked)
    return result


def _nested_value(value: object, column: Column, row: int, wrong: list[Fault], path: str) -> str | int | float | None:
    place = f"{path}{column.header}"
    cell = _plain(value, place, row, wrong)
    if cell is None:
        if column.required and value in (None, ""):
            wrong.append(Fault(row, place, None, "required", f"Thiếu {place} (bắt buộc)"))
        return None
    if column.valid_values is not None and cell not in column.valid_values:
        reason = f"{place} phải là một trong: {', '.join(column.valid_values)}"
        wrong.append(Fault(row, place, shown(cell, False), "not_in_list", reason))
        return None
    if column.type in ("smallint", "integer"):
        if not _INTEGER.fullmatch(cell):
            wrong.append(Fault(row, place, shown(cell, False), "not_a_number", f"{place} phải là số nguyên"))
            return None
        return int(cell)
    if column.type == "numeric":
        if not _NUMBER.fullmatch(cell):
            wrong.append(Fault(row, place, shown(cell, False), "not_a_number", f"{place} phải là số"))
            return None
        return int(cell.split(".")[0])
    return cell


def _plain(value: object, place: str, row: int, wrong: list[Fault]) -> str | None:
    """A single value as text, None when there is none or when it is a fault."""
    if isinstance(value, (list, dict)):
        wrong.append(Fault(row, place, None, "not_a_value", f"{place} phải là một giá trị đơn"))
        return None
    cell = _cell_text(value)
    if cell is not None and _UNSTORABLE.search(cell):
        wrong.append(Fault(row, place, None, "not_text", f"{place} chứa ký tự không hợp lệ"))
        return None
    return cell


def _cell_text(value: object) -> str | None:
    if value is None:
        return None
    return str(value).strip() or None


def _note(engine: Engine, outcome: LoadOutcome) -> LoadOutcome:
    connection = engine.raw_connection()
    try:
        ledger.write_arrival(connection, outcome, None)
        connection.commit()
    finally:
        connection.close()
    return outcome
