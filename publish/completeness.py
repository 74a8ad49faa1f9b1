"""Complete or not: what each department has sent for a cut-off, in `ops.delivery`.

What is expected comes from the contracts, what came from the ledger. A file counts for a cut-off when its day lies in
the stretch that the contract's frequency gives it: a quarterly workbook in the last three months of the period, so that
the one of the first quarter does not pass for that of the half-year. Exports must cover every day of the period. A feed
is fetched, nobody sends it: it is there, or it failed on the way.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, text

from cchc.periods import LOCAL_ZONE, ReportingPeriod, end_of_day
from cchc.progress import vietnamese
from publish.contacts import Contact
from publish.feedback_ledger import Release, Sent, everything_sent, newest_workbooks, slugs, sources
from publish.sheet_style import day

ACCEPTED, WITH_REJECTS = "accepted", "accepted_with_rejects"
PARTIAL, REFUSED, FAILED, NOT_RECEIVED = "partial", "refused", "failed", "not_received"
STATUS_NAMES = {
    ACCEPTED: "Đã nhận",
    WITH_REJECTS: "Đã nhận, có dòng bị loại",
    PARTIAL: "Mới nhận một phần",
    REFUSED: "Bị từ chối",
    FAILED: "Chưa đọc được",
    NOT_RECEIVED: "Chưa nhận",
}
_DAY = timedelta(days=1)
_EXPORT_DAYS = re.compile(r"_(\d{4})(\d{2})(\d{2})_(\d{4})(\d{2})(\d{2})\.csv", re.ASCII)
_BEGAN = text("select min(arrived_at) from ops.arrival")


@dataclass(frozen=True)
class Delivery:
    """One dataset that a department owes for a period, as one row of ops.delivery.

    `is_late` is None where nobody can say: for what came due before this warehouse received its first file.
    """

    period_id: str
    source: str
    dataset: str
    department: str
    source_name: str
    dataset_name: str
    expected: str
    due_on: date
    status: str
    file_name: str | None = None
    file_version: int | None = None
    as_of_on: date | None = None
    received_at: datetime | None = None
    counted_file_name: str | None = None
    rejected_row_count: int = 0
    reason: str | None = None
    is_late: bool | None = None

    @property
    def is_complete(self) -> bool:
        """It came and all of it counts."""
        return self.status == ACCEPTED

    @property
    def is_fetched(self) -> bool:
        """The warehouse fetches it itself; the department has no file to send."""
        return _contract(self.source).is_feed

    @property
    def folder(self) -> str:
        """The folder of the inbox that its files go to; blank for a feed."""
        return _contract(self.source).folder


_COLUMNS = [*(field.name for field in fields(Delivery)), "contact", "checked_at"]
_INSERT = text(
    f"insert into ops.delivery ({', '.join(_COLUMNS)}) values ({', '.join(f':{name}' for name in _COLUMNS)})"
)


def deliveries(connection: Connection, period: ReportingPeriod, now: datetime) -> list[Delivery]:
    """Every dataset of every contract for a period, as it stands; `now` (with a zone) only judges what is late.

    In the order of department, source, dataset.
    """
    began = connection.execute(_BEGAN).scalar_one()
    found = []
    for sent in everything_sent(connection, period.from_on, period.to_on):
        tell = {"workbook": _workbook, "csv": _export}.get(sent.source.reader, _feed)
        for dataset in sent.source.sheets:
            known = {
                "period_id": period.id,
                "source": sent.source.name,
                "dataset": dataset,
                "department": sent.source.owner,
                "source_name": sent.source.title,
                "dataset_name": sent.source.dataset_names[dataset],
                "due_on": period.to_on,
            }
            told = tell(sent, dataset, period)
            found.append(Delivery(**known, **told, is_late=_is_late(sent, told, period, began, now)))
    order = {name: place for place, name in enumerate(sorted(slugs(), key=lambda name: slugs()[name]))}
    return sorted(found, key=lambda delivery: (order[delivery.department], delivery.is_fetched, delivery.source))


def keep(
    connection: Connection, found: Iterable[Delivery], contacts: Mapping[str, Sequence[Contact]], now: datetime
) -> None:
    """Write a period's rows of ops.delivery anew, in the caller's transaction."""
    rows = [
        asdict(delivery)
        | {"contact": "; ".join(map(str, contacts.get(delivery.department, ()))) or None, "checked_at": now}
        for delivery in found
    ]
    # two that check at once: the second one's rows replace the first one's
    connection.execute(text("select pg_advisory_xact_lock(hashtext('delivery'))"))
    connection.execute(
        text("delete from ops.delivery where period_id = any(:ids)"), {"ids": [row["period_id"] for row in rows]}
    )
    connection.execute(_INSERT, rows)


def by_department(found: Iterable[Delivery]) -> dict[str, list[Delivery]]:
    """{department: its deliveries}, both in the order of the list."""
    grouped: dict[str, list[Delivery]] = defaultdict(list)
    for delivery in found:
        grouped[delivery.department].append(delivery)
    return dict(grouped)


@cache
def _contract(name: str) -> Any:
    return next(source for source in sources() if source.name == name)


def expected_from(period: ReportingPeriod, every_months: int) -> date:
    """The first day that a file for the period may speak of: its last `every_months` months of the 15th to the 14th."""
    month = period.to_on.year * 12 + period.to_on.month - 1 - every_months
    return max(period.from_on, date(month // 12, month % 12 + 1, 15))


def _is_late(
    sent: Sent, told: Mapping[str, Any], period: ReportingPeriod, began: datetime | None, now: datetime
) -> bool | None:
    received = told.get("received_at")
    if sent.source.is_feed:
        return None if received is None else now - received > timedelta(days=sent.source.fresh_days)
    due = end_of_day(period.to_on)
    if began is not None and began > due:
        return None
    return (received if told["status"] in (ACCEPTED, WITH_REJECTS) else now) > due


def _workbook(sent: Sent, dataset: str, period: ReportingPeriod) -> dict[str, Any]:
    source = sent.source
    newest, in_force = (chosen[dataset] for chosen in newest_workbooks(sent))
    told: dict[str, Any] = {
        "expected": f"Tệp {source.dataset}_<ngày số liệu>.xlsx, trang «{source.sheets[dataset]}»,"
        f" vào thư mục {source.folder}",
        "counted_file_name": in_force[1].name if in_force else None,
    }
    first = expected_from(period, source.every_months)
    if newest is None or newest[0][0] < first:
        reason = "Chưa có tệp nào" if newest is None else f"Mới có tệp đến ngày {day(newest[0][0])}"
        return told | {"status": NOT_RECEIVED, "reason": f"{reason}; cần tệp có ngày số liệu từ {day(first)}"}
    (as_of_on, version, _), release = newest
    return told | _of_release(sent, release) | {"file_version": version, "as_of_on": as_of_on}


def _of_release(sent: Sent, release: Release) -> dict[str, Any]:
    load = sent.ledger.loads.get(release.load_id)
    rejected = load["rows_rejected"] if load is not None else 0
    accepted = WITH_REJECTS if rejected else ACCEPTED
    return {
        "status": {"accepted": accepted, "refused": REFUSED}.get(release.kind, FAILED),
        "file_name": release.name,
        "received_at": release.received_at,
        "rejected_row_count": rejected,
        "reason": _rejects(rejected) if release.kind == "accepted" else release.message or None,
    }


def _rejects(count: int) -> str | None:
    return f"{vietnamese(count)} dòng bị loại" if count else None


def _export(sent: Sent, dataset: str, period: ReportingPeriod) -> dict[str, Any]:
    """Exports overlap and each counts, so together they must cover the period's days."""
    wanted = _days(period.from_on, period.to_on)
    missing, rejected, covered_to = set(wanted), 0, None
    newest: tuple[Release, date] | None = None
    refused: list[tuple[Release, set[date]]] = []
    counted: set[int] = set()
    for (about, _), releases in sent.arrivals.items():
        for release in releases:
            load = sent.ledger.loads.get(release.load_id)
            # what was refused for its name speaks of no dataset and of no days
            days = _covered(release, load) & wanted if load is not None and about == dataset else set()
            if not days or release.kind == "failed":
                continue
            if newest is None or release.received_at > newest[0].received_at:
                newest = release, max(days)
            if release.kind == "refused":
                refused.append((release, days))
                continue
            missing -= days
            covered_to = max(covered_to or max(days), max(days))
            if release.load_id not in counted:
                counted.add(release.load_id)
                rejected += load["rows_rejected"]
    told: dict[str, Any] = {
        "expected": f"Tệp xuất {sent.source.title[:1].lower()}{sent.source.title[1:]} phủ đủ các ngày từ"
        f" {day(period.from_on)} đến {day(period.to_on)}, vào thư mục {sent.source.folder}",
        "rejected_row_count": rejected,
    }
    if newest is None:
        return told | {"status": NOT_RECEIVED, "reason": "Chưa có tệp nào của kỳ"}
    told |= {"file_name": newest[0].name, "as_of_on": covered_to, "received_at": newest[0].received_at}
    # days of a refused file that came since in another one are no longer missed
    turned_away = [release for release, days in refused if days & missing]
    said = [f"{release.name}: {release.message}" for release in turned_away]
    said += [f"Còn thiếu hồ sơ của các ngày: {_stretches(missing)}"] if missing else []
    said += [_rejects(rejected)] if rejected else []
    status = ACCEPTED if not rejected else WITH_REJECTS
    if missing:
        status = REFUSED if turned_away else PARTIAL
    return told | {"status": status, "reason": "; ".join(said) or None}


def _covered(release: Release, load: Any) -> set[date]:
    days = _days(load["covers_from_on"], load["covers_to_on"]) if load["covers_from_on"] else set()
    # exports of two months without a dossier hold the same bytes and are one load: their names tell the days
    if match := _EXPORT_DAYS.search(release.name):
        numbers = [int(number) for number in match.groups()]
        with suppress(ValueError):
            days |= _days(date(*numbers[:3]), date(*numbers[3:]))
    return days


def _days(first: date, last: date) -> set[date]:
    return {first + n * _DAY for n in range((last - first).days + 1)}


def _stretches(days: set[date]) -> str:
    """`1/6/2024 đến 14/6/2024, 20/7/2024`"""
    found: list[list[date]] = []
    for one in sorted(days):
        if found and found[-1][1] + _DAY == one:
            found[-1][1] = one
        else:
            found.append([one, one])
    return ", ".join(day(first) if first == last else f"{day(first)} đến {day(last)}" for first, last in found)


def _feed(sent: Sent, dataset: str, _period: ReportingPeriod) -> dict[str, Any]:
    told: dict[str, Any] = {"expected": "Kho tự lấy hằng ngày qua dịch vụ chia sẻ dữ liệu"}
    releases = [r for (about, _), found in sent.arrivals.items() if about == dataset for r in found]
    if not releases:
        return told | {"status": NOT_RECEIVED, "reason": "Chưa lấy được lần nào; dịch vụ có thể chưa được cấu hình"}
    newest = max(releases, key=lambda release: release.arrived_at)
    accepted = max((r for r in releases if r.kind == "accepted"), key=lambda r: r.arrived_at, default=None)
    return (
        told
        | _of_release(sent, newest)
        | {
            "received_at": accepted.arrived_at if accepted else None,
            "as_of_on": accepted.arrived_at.astimezone(LOCAL_ZONE).date() if accepted else None,
            "counted_file_name": accepted.name if accepted else None,
        }
    )
