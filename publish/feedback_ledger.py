"""What the ledger holds against each department: refusals, rejected rows and warnings of its newest files of a period.

A department is the owner that a contract names. Only the newest version of a sheet within the period speaks: what a
later version mended is no longer complained about. What failed on our side (a feed that is down, a list that has not
come yet) is nobody's fault out there and gives no finding.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

import yaml
from sqlalchemy import Connection, text

from cchc.progress import vietnamese
from cchc.settings import PROJECT_ROOT
from publish.figures import DataWarning

# A slip is read by people: so many rows of one sheet are marked, so many of them listed on the first page.
MOST_MARKED_ROWS = 2000
MOST_LISTED = 200
WHOLE_FILE = "*"

_CONTRACTS = PROJECT_ROOT / "extract" / "contracts"
# Of one name the newest arrival of each kind counts: bytes that were accepted stay in force when worse ones follow.
_ARRIVALS = text("""
    with named as (
        select
            arrival_id, source, dataset, name, digest, load_id, message, arrived_at,
            case when outcome in ('new', 'repeat') then 'accepted' else outcome end as kind,
            min(arrived_at) over (partition by source, name, digest) as received_at
        from ops.arrival
        where source = any(:sources) and outcome <> 'skipped'
    )

    select distinct on (source, dataset, name, kind) *
    from named
    order by source, dataset, name, kind, arrived_at desc, arrival_id desc
""")
# The inbox is listed anew by every run, so a file that is gone stays silent while others come twice.
_GONE = text("""
    select exists (
        select from ops.arrival
        where source = :source and arrived_at > :arrived_at
        group by dataset, name
        having count(*) > 1
    )
""")
_LOADS = text("""
    select load_id, source, dataset, landing_uri, covers_from_on, covers_to_on, rows_rejected, finished_at
    from ops.load
    where load_id = any(:load_ids) or (status = 'loaded' and source = any(:feeds))
""")
_WARNINGS = text("""
    select load_id, code, column_name, row_count, first_row, message
    from ops.load_warning
    where load_id = any(:load_ids)
    order by load_id, code collate "C", column_name collate "C"
""")
_REJECTED = text("""
    select load_id, row_number, faults
    from (
        select *, row_number() over (partition by load_id order by sheet, row_number) as place
        from ops.rejected_row
        where load_id = any(:load_ids)
    ) as numbered
    where place <= :most
    order by load_id, place
""")
_NAME = re.compile(
    r"(?P<dataset>[^_]+)_(?P<day>\d{4}-\d{2}-\d{2})(?:_v(?P<version>[1-9]\d{0,5}))?\.(?:xlsx|xlsm|xls|ods)",
    re.IGNORECASE | re.ASCII,
)
_TOTAL = re.compile(r"; (?=Ô tổng [A-Z]+[0-9]+ )")
_TOTAL_CELL = re.compile(r"Ô tổng (?P<cell>[A-Z]{1,3}[0-9]+) (?:.*\) ghi (?P<value>[-0-9.,]+) nhưng )?")
_COLUMN_LETTER = re.compile(r" \(cột ([A-Z]{1,3})\) ")
# A column too many, or an optional one too few, is how people's tables look: alone it asks nobody for anything.
_HARMLESS = ("unknown_column", "missing_column")
# Warnings of the report that name no department, and the source whose owner can act on them.
_SOURCE_OF_WARNING = {
    "one_stop_gap": "one_stop",
    "unknown_agency": "one_stop",
    "unknown_procedure": "one_stop",
    "procedure_without_level": "portal",
    "unknown_investment_project": "budget",
}
# What the ledger itself says better, with cells and file by file, and what is ours to mend.
_NOT_FOR_DEPARTMENTS = ("refused_workbook", "rejected_rows", "stale_source")


@dataclass(frozen=True)
class Finding:
    """One thing to correct, or to look at: where it is, what is wrong, by the code of the rule it breaks.

    `cell` is an address (`C37`); `column_letter` stands for the header of a column whose row the ledger does not know.
    """

    code: str
    problem: str
    column: str = ""
    value: str = ""
    cell: str = ""
    column_letter: str = ""
    line: int | None = None
    is_warning: bool = False
    row_count: int = 1


@dataclass
class Part:
    """One sheet of one file, one export or one service of a feed, with what is wrong in it.

    `landing_uri` is where its original lies, of workbooks alone: exports hold personal data and stay where they are.
    `rejected_count` counts rows, all of them; `findings` stop at MOST_MARKED_ROWS of them.
    """

    file_name: str
    sheet: str = ""
    landing_uri: str = ""
    rejected_count: int = 0
    findings: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)

    @property
    def is_wrong(self) -> bool:
        return bool(self.findings)


@dataclass(frozen=True)
class ReceivedFile:
    """A file of the department in the period: what became of it and what counts now, in sentences."""

    name: str
    covers: str
    received_at: datetime
    result: str
    counted: str
    folder: str = ""
    send_as: str = ""


@dataclass
class Department:
    """All that one department must know."""

    name: str
    slug: str
    files: list[ReceivedFile] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    feeds: list[str] = field(default_factory=list)

    @property
    def is_wrong(self) -> bool:
        return bool(self.remarks) or any(part.is_wrong for part in self.parts)


@dataclass(frozen=True)
class SourceContract:
    """What a contract says of one source."""

    name: str
    owner: str
    title: str
    reader: str
    folder: str
    dataset: str
    sheets: dict[str, str]
    dataset_names: dict[str, str]
    # how often a file is due: 0 for what comes every day
    every_months: int
    fresh_days: int
    # a pull brings only what changed since the one before
    incremental: frozenset[str]

    @property
    def is_feed(self) -> bool:
        return self.reader not in ("workbook", "csv")


@dataclass(frozen=True)
class Release:
    """A file's newest arrival with one sheet."""

    name: str
    kind: str
    load_id: int | None
    message: str
    digest: str | None
    arrived_at: datetime
    received_at: datetime
    order: tuple[Any, ...] = ()


@dataclass
class Ledger:
    """The ledger's rows that this period needs."""

    loads: dict[int, Any]
    warnings: dict[int, list[Any]]
    rejected: dict[int, list[Any]]


@dataclass
class Sent:
    """What came from one source, for a period whose days are `from_on` to `cut_off_on`."""

    connection: Connection
    source: SourceContract
    arrivals: dict[tuple[str, str], list[Release]]
    ledger: Ledger
    from_on: date
    cut_off_on: date


def departments(
    connection: Connection, from_on: date, cut_off_on: date, warnings: Iterable[DataWarning]
) -> list[Department]:
    """Every department that owns a source, in the order of its name; both days belong to the period.

    `warnings` are those of the report: a department hears of those that name it.
    """
    found = {owner: Department(owner, slug) for owner, slug in slugs().items()}
    for sent in everything_sent(connection, from_on, cut_off_on):
        tell = {"workbook": _workbooks, "csv": _exports}.get(sent.source.reader, _feed)
        tell(found[sent.source.owner], sent)
    owner_of = {source.name: source.owner for source in sources()}
    for warning in warnings:
        if warning.code in _NOT_FOR_DEPARTMENTS:
            continue
        asked = owner_of.get(_SOURCE_OF_WARNING.get(warning.code, ""))
        for department in found.values():
            # a cross-check names both sides, each in brackets behind its file
            if department.name == asked or f"({department.name})" in warning.message:
                department.remarks.append(warning.message)
    return sorted(found.values(), key=lambda department: department.slug)


def everything_sent(connection: Connection, from_on: date, cut_off_on: date) -> list[Sent]:
    """What came from each source, for a period whose days are `from_on` to `cut_off_on`."""
    known = sources()
    arrivals = _arrivals(connection, known)
    ledger = _read(connection, arrivals, [source.name for source in known if source.is_feed])
    return [Sent(connection, source, arrivals[source.name], ledger, from_on, cut_off_on) for source in known]


@cache
def sources() -> tuple[SourceContract, ...]:
    """The contracts as far as a slip needs them; a new one needs no code here."""
    return tuple(
        _source(yaml.safe_load(path.read_text(encoding="utf-8"))) for path in sorted(_CONTRACTS.glob("*.yaml"))
    )


def _source(contract: dict[str, Any]) -> SourceContract:
    tables = contract["schema"]
    terms = {entry["property"]: entry for entry in contract["slaProperties"]}
    return SourceContract(
        name=contract["name"],
        owner=contract["team"]["name"],
        title=contract["description"]["purpose"].rstrip("."),
        reader=_custom(contract, "reader") or _custom(tables[0], "reader"),
        folder=_custom(contract, "department") or _custom(tables[0], "folder") or "",
        dataset=_custom(contract, "dataset") or "",
        sheets={table["name"]: _custom(table, "sheet") or table["businessName"] for table in tables},
        dataset_names={table["name"]: table["businessName"] for table in tables},
        every_months=int(terms["frequency"]["value"]) if terms["frequency"]["unit"] == "m" else 0,
        fresh_days=int(terms["freshness"]["value"]),
        incremental=frozenset(
            table["name"]
            for table in tables
            if _custom(table, "emptyAllowed") or any(column["name"] == "capnhatluc" for column in table["properties"])
        ),
    )


def _custom(part: dict[str, Any], name: str) -> Any:
    return next((entry["value"] for entry in part.get("customProperties") or () if entry["property"] == name), None)


def slugs() -> dict[str, str]:
    """{department: file name}: its folder in the inbox where it has one of its own."""
    found: dict[str, str] = {}
    for source in sorted(sources(), key=lambda source: source.reader != "workbook"):
        own = source.folder if source.reader == "workbook" else _ascii(source.owner)
        found.setdefault(source.owner, own)
    return found


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFD", name.casefold().replace("đ", "d"))
    return "-".join(re.findall(r"[a-z0-9]+", "".join(sign for sign in plain if not unicodedata.combining(sign))))


def _arrivals(
    connection: Connection, known: Sequence[SourceContract]
) -> dict[str, dict[tuple[str, str], list[Release]]]:
    """{source: {(dataset, name): the newest of each kind, newest first}}"""
    found: dict[str, dict[tuple[str, str], list[Release]]] = defaultdict(lambda: defaultdict(list))
    rows = connection.execute(_ARRIVALS, {"sources": [source.name for source in known]}).mappings().all()
    for row in sorted(rows, key=lambda row: (row["arrived_at"], row["arrival_id"]), reverse=True):
        release = Release(
            name=row["name"],
            kind=row["kind"],
            load_id=row["load_id"],
            message=row["message"] or "",
            digest=row["digest"],
            arrived_at=row["arrived_at"],
            received_at=row["received_at"],
        )
        found[row["source"]][row["dataset"], row["name"]].append(release)
    return found


def _read(connection: Connection, arrivals: dict[str, dict[Any, list[Release]]], feeds: list[str]) -> Ledger:
    load_ids = [
        release.load_id
        for by_name in arrivals.values()
        for releases in by_name.values()
        for release in releases
        if release.load_id is not None
    ]
    loads = {
        row["load_id"]: row for row in connection.execute(_LOADS, {"load_ids": load_ids, "feeds": feeds}).mappings()
    }
    warnings, rejected = defaultdict(list), defaultdict(list)
    for row in connection.execute(_WARNINGS, {"load_ids": list(loads)}).mappings():
        warnings[row["load_id"]].append(row)
    with_rejects = [load_id for load_id, load in loads.items() if load["rows_rejected"]]
    for row in connection.execute(_REJECTED, {"load_ids": with_rejects, "most": MOST_MARKED_ROWS}).mappings():
        rejected[row["load_id"]].append(row)
    return Ledger(loads, warnings, rejected)


# ------------------------------------------------------------------------------------------------------------ workbooks


def newest_workbooks(sent: Sent) -> tuple[dict[str, Any], dict[str, Any]]:
    """{dataset: (order, release) or None}, twice: of the period's newest files, and of the newest accepted ones."""
    newest, in_force = {}, {}
    for dataset in sent.source.sheets:
        releases = [
            (order, release)
            for (about, name), found in sent.arrivals.items()
            if about in (dataset, WHOLE_FILE)
            and (order := order_of(sent.source, name)) is not None
            and sent.from_on <= order[0] <= sent.cut_off_on
            for release in found
        ]
        newest[dataset] = max(releases, key=_newest_first, default=None)
        accepted = [entry for entry in releases if entry[1].kind == "accepted"]
        in_force[dataset] = max(accepted, key=_newest_first, default=None)
    return newest, in_force


def _workbooks(department: Department, sent: Sent) -> None:
    source, arrivals = sent.source, sent.arrivals
    newest, in_force = newest_workbooks(sent)
    by_file: dict[str, list[str]] = defaultdict(list)
    for dataset, entry in newest.items():
        if entry is not None and entry[1].kind != "failed":
            by_file[entry[1].name].append(dataset)
    for name, datasets in sorted(by_file.items()):
        parts = _parts_of_file(source, {dataset: newest[dataset][1] for dataset in datasets}, sent.ledger)
        department.parts += parts
        release = newest[datasets[0]][1]
        as_of, *_ = order_of(source, name)
        department.files.append(
            ReceivedFile(
                name=name,
                covers=_day(as_of),
                received_at=release.received_at,
                result=_result(parts),
                counted=_counted(source, name, datasets, in_force, any(part.rejected_count for part in parts)),
                folder=source.folder,
                send_as=_next_name(source, as_of, arrivals) if any(part.is_wrong for part in parts) else "",
            )
        )
    _tell_of_misnamed(department, sent, _next_name(source, sent.cut_off_on, arrivals))


_REFUSED = "Từ chối cả tệp"
_NOT_COUNTED = "Tệp này không được tính"


def _with_rejects(sentence: str, part: Part) -> str:
    return f"{sentence}, trừ các dòng bị loại" if part.rejected_count else sentence


def order_of(source: SourceContract, name: str) -> tuple[date, int, str] | None:
    """What makes one file of a dataset newer than another: its day, its version, its name; None when it is misnamed."""
    match = _NAME.fullmatch(unicodedata.normalize("NFC", name).strip())
    if match is None or match["dataset"].lower() != source.dataset:
        return None
    try:
        return date.fromisoformat(match["day"]), int(match["version"] or 1), name
    except ValueError:
        return None


def _newest_first(entry: tuple[tuple[date, int, str], Release]) -> tuple[Any, ...]:
    order, release = entry
    # one that could not be read stands for the name only while nothing else does
    return *order, release.kind != "failed", release.arrived_at


def _parts_of_file(source: SourceContract, releases: dict[str, Release], ledger: Ledger) -> list[Part]:
    parts: dict[str, Part] = {}
    for dataset, release in releases.items():
        load = ledger.loads.get(release.load_id)
        if load is None or load["dataset"] == WHOLE_FILE:
            # said once, though it stands for every sheet
            parts[""] = Part(release.name, findings=[Finding("refused_file", release.message)])
            continue
        sheet = source.sheets[dataset]
        parts[sheet] = Part(release.name, sheet, load["landing_uri"])
        if release.kind == "refused":
            parts[sheet].findings.append(Finding("refused_sheet", release.message))
        _add(parts[sheet], ledger, load)
    return list(parts.values())


def _add(part: Part, ledger: Ledger, load: Any) -> None:
    """What the ledger holds against one load."""
    part.rejected_count = load["rows_rejected"]
    for row in ledger.rejected[load["load_id"]]:
        for fault in row["faults"]:
            part.findings.append(
                Finding(
                    code=fault["code"],
                    problem=fault["reason"],
                    column=fault["column"] or "",
                    value=fault["value"] or "",
                    cell=fault.get("cell") or "",
                    line=row["row_number"],
                )
            )
    warnings = ledger.warnings[load["load_id"]]
    is_renamed = {row["code"] for row in warnings}.issuperset(_HARMLESS)
    for row in warnings:
        told = part.notes if row["code"] in _HARMLESS and not is_renamed else part.findings
        told += _warned(row)


def _warned(row: Any) -> list[Finding]:
    """A warning of the ledger; one of several totals, each with its cell, becomes as many."""
    code, message = row["code"], row["message"]
    letter = _COLUMN_LETTER.search(message) if code == "unknown_column" else None
    found = []
    for sentence in _TOTAL.split(message):
        cell = _TOTAL_CELL.match(sentence)
        found.append(
            Finding(
                code=code,
                problem=sentence,
                column="" if code == "missing_column" else row["column_name"],
                value=(cell["value"] or "") if cell else "",
                cell=cell["cell"] if cell else "",
                column_letter=letter[1] if letter else "",
                line=row["first_row"],
                is_warning=True,
                row_count=1 if cell else row["row_count"],
            )
        )
    return found


def _result(parts: list[Part]) -> str:
    if any(finding.code == "refused_file" for part in parts for finding in part.findings):
        return _REFUSED
    said = []
    refused = [part for part in parts if any(finding.code == "refused_sheet" for finding in part.findings)]
    if refused:
        said.append("Không nhận trang " + ", ".join(f"«{part.sheet}»" for part in refused))
    rejected = sum(part.rejected_count for part in parts if part not in refused)
    if rejected:
        said.append(f"{vietnamese(rejected)} dòng bị loại")
    warned = sum(finding.is_warning for part in parts for finding in part.findings)
    if warned:
        said.append(f"{vietnamese(warned)} điểm cần xem lại")
    return "; ".join(said) if said else "Không có lỗi"


def _counted(
    source: SourceContract, name: str, datasets: list[str], in_force: dict[str, Any], with_rejects: bool
) -> str:
    """Which version the report counts, sheet by sheet only where sheets differ."""
    names: dict[str | None, list[str]] = defaultdict(list)
    for dataset in datasets:
        entry = in_force[dataset]
        names[entry[1].name if entry else None].append(source.sheets[dataset])
    said = []
    for counted, sheets in names.items():
        where = "" if len(names) == 1 else "Trang " + ", ".join(f"«{sheet}»" for sheet in sheets) + ": "
        if counted == name:
            sentence = "tính bản này, trừ các dòng bị loại" if with_rejects else "tính bản này"
        elif counted is None:
            sentence = "chưa có số liệu nào trong kỳ"
        else:
            sentence = f"vẫn tính bản {counted}"
        said.append(where + sentence)
    text_of_all = "; ".join(said)
    return text_of_all[:1].upper() + text_of_all[1:]


def _day(day: date) -> str:
    return f"{day.day}/{day.month}/{day.year}"


def _next_name(source: SourceContract, as_of: date, arrivals: dict[tuple[str, str], list[Release]]) -> str:
    """The name no version of that day has yet."""
    versions = [order[1] for _, name in arrivals if (order := order_of(source, name)) is not None and order[0] == as_of]
    stem = f"{source.dataset}_{as_of.isoformat()}"
    return f"{stem}_v{max(versions) + 1}.xlsx" if versions else f"{stem}.xlsx"


def _tell_of_misnamed(department: Department, sent: Sent, send_as: str = "") -> None:
    """Files refused for their name that still lie there and whose bytes did not come under a right one since."""
    accepted = {r.digest for found in sent.arrivals.values() for r in found if r.kind == "accepted"}
    for (_, name), releases in sorted(sent.arrivals.items()):
        release = releases[0]
        is_misnamed = release.kind == "refused" and release.load_id is None and order_of(sent.source, name) is None
        if not is_misnamed or release.digest in accepted:
            continue
        asked = {"source": sent.source.name, "arrived_at": release.arrived_at}
        if sent.connection.execute(_GONE, asked).scalar_one():
            continue
        department.parts.append(Part(name, findings=[Finding("wrong_name", release.message)]))
        department.files.append(
            ReceivedFile(name, "không rõ", release.received_at, _REFUSED, _NOT_COUNTED, sent.source.folder, send_as)
        )


# ---------------------------------------------------------------------------------------------------- exports and feeds


def _exports(department: Department, sent: Sent) -> None:
    """Exports of a system whose days touch the period; each speaks for itself, since they overlap."""
    source, arrivals, ledger = sent.source, sent.arrivals, sent.ledger
    accepted = [r for found in arrivals.values() for r in found if r.kind == "accepted"]
    for (_, name), releases in sorted(arrivals.items()):
        release = next((r for r in releases if r.kind != "failed"), None)
        load = ledger.loads.get(release.load_id) if release else None
        if load is None or load["covers_to_on"] < sent.from_on or load["covers_from_on"] > sent.cut_off_on:
            continue
        part = Part(name)
        if release.kind == "refused":
            if _is_covered(load, [r for r in accepted if r.received_at > release.received_at], ledger):
                continue
            part.findings.append(Finding("refused_file", release.message))
        _add(part, ledger, load)
        if not part.is_wrong:
            continue
        department.parts.append(part)
        department.files.append(
            ReceivedFile(
                name=name,
                covers=f"{_day(load['covers_from_on'])} đến {_day(load['covers_to_on'])}",
                received_at=release.received_at,
                result=_result([part]),
                counted=_NOT_COUNTED if release.kind == "refused" else _with_rejects("Tính tệp này", part),
                folder=source.folder,
                send_as=name,
            )
        )
    _tell_of_misnamed(department, sent)


def _is_covered(load: Any, accepted: list[Release], ledger: Ledger) -> bool:
    """Every day of a refused export has come since in others."""
    days: set[date] = set()
    for release in accepted:
        other = ledger.loads[release.load_id]
        count = (other["covers_to_on"] - other["covers_from_on"]).days + 1
        days.update(other["covers_from_on"] + timedelta(days=n) for n in range(count))
    count = (load["covers_to_on"] - load["covers_from_on"]).days + 1
    return all(load["covers_from_on"] + timedelta(days=n) in days for n in range(count))


def _feed(department: Department, sent: Sent) -> None:
    """The newest pull of each service; of one that brings only changes every pull, since no later one repeats a row."""
    source, ledger = sent.source, sent.ledger
    for (dataset, name), releases in sorted(sent.arrivals.items()):
        newest = releases[0]
        part = Part(name, source.sheets.get(dataset, ""))
        if newest.kind == "refused":
            part.findings.append(Finding("refused_pull", newest.message))
        accepted = next((release for release in releases if release.kind == "accepted"), None)
        load_ids = [accepted.load_id] if accepted else []
        if dataset in source.incremental:
            pulls = [x for x in ledger.loads.values() if (x["source"], x["dataset"]) == (source.name, dataset)]
            load_ids = [x["load_id"] for x in sorted(pulls, key=lambda x: x["finished_at"])]
        for load_id in load_ids:
            earlier = part.rejected_count
            _add(part, ledger, ledger.loads[load_id])
            part.rejected_count += earlier
        if not part.is_wrong:
            continue
        department.parts.append(part)
        if source.title not in department.feeds:
            department.feeds.append(source.title)
        department.files.append(
            ReceivedFile(
                name=name,
                covers="lần lấy gần nhất",
                received_at=newest.received_at,
                result=_result([part]).replace(_REFUSED, "Không nhận"),
                counted=_with_rejects("Tính lần lấy gần nhất", part) if accepted else "Chưa có số liệu",
            )
        )
