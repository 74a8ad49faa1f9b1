"""The true answers, counted from the dossiers and the portal's documents as they were made.

Straight counting, rule by rule, that shares nothing with the warehouse.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np

from sample.dossiers import DAY, IN_PERIOD, NEVER, ONLINE, Dossiers, Versions, Window, days_since_epoch
from sample.procedures import Catalogue

Document = dict[str, Any]
MEASURES = (
    "received",
    "carried_over",
    "settled",
    "early",
    "on_day",
    "late",
    "withdrawn",
    "open_paused",
    "open_overdue",
    "open_in_time",
)
LEVEL_NAMES = {1: "1", 2: "2", 3: "3", 0: "unknown"}


def _day(text: str) -> dt.date | None:
    return dt.datetime.strptime(text, "%d/%m/%Y").date() if text else None


def _valid(item: Document, on: dt.date) -> bool:
    starts, ends = _day(item["NGAYHIEULUC"]), _day(item["NGAYHETHIEULUC"])
    return starts is not None and starts <= on and (ends is None or on < ends)


def _number(code: str) -> str:
    """`1.004194.H31`, `1.004194.000.00.00.H31` and `1.004194` are one procedure."""
    return ".".join(code.split(".")[:2])


def count_portal(documents: dict[str, Sequence[Document]], from_on: dt.date, to_on: dt.date) -> dict[str, int]:
    """Figures that come from the portal alone, by `form/code`."""
    in_force: dict[str, Document] = {}
    for item in documents["procedure_details"]:
        if _valid(item, to_on) and (item["TRANGTHAI"] == "1" or item["NGAYHETHIEULUC"]):
            in_force[_number(item["MATTHC"])] = item
    levels = [min(int(entry["CAPTHUCHIEN"]) for entry in item["CAPTHUCHIEN"]) for item in in_force.values()]
    kinds = [{entry["LOAI"] for entry in item["TTHCLIENTHONG"]} for item in in_force.values()]
    services = [s for s in documents["services"] if _valid(s, to_on) and _number(s["MATTHC"]) in in_force]
    eligible = [s for s in services if s["DUDIEUKIENTOANTRINH"] == "1"]
    payable = {_number(s["MATTHC"]) for s in services if s["THANHTOANTRUCTUYEN"] == "1"}
    with_fee = {
        number
        for number, item in in_force.items()
        if any(
            fee["SOTIEN"] > 0
            for way in item["CACHTHUCTHUCHIEN"]
            for span in way["THOIGIAN"]
            for fee in span["PHILEPHI"]
        )
    }
    published: dict[str, set[str]] = {"1": set(), "2": set(), "3": set()}
    for decision in documents["decisions"]:
        signed = _day(decision["NGAYQUYETDINH"])
        if signed is not None and from_on <= signed <= to_on:
            for entry in decision["TTHC"]:
                published[entry["HINHTHUC"]].add(_number(entry["MATTHC"]))
    regulation = [f for f in documents["feedback"] if f["PHANLOAI"] == "QDHC"]
    received = [
        f
        for f in regulation
        if _day(f["NGAYTIEPNHAN"]) <= to_on and not (_day(f["NGAYXULYXONG"]) and _day(f["NGAYXULYXONG"]) < from_on)
    ]
    settled = [f for f in received if _day(f["NGAYXULYXONG"]) and _day(f["NGAYXULYXONG"]) <= to_on]
    return {
        "3/1.2": len(published["1"]),
        "3/1.3": len(published["3"]),
        "3/1.4": len(in_force),
        "3/1.4.1": levels.count(1),
        "3/1.4.2": levels.count(2),
        "3/1.4.3": levels.count(3),
        "3/2.1": sum("CUNGCAP" in kind for kind in kinds),
        "3/2.2": sum("CACCAP" in kind for kind in kinds),
        "3/2.3": sum(item["PHIDIAGIOI"] == "1" for item in in_force.values()),
        "3/3.4.1": len(received),
        "3/3.4.2": len(settled),
        "7/6.1.1": len(eligible),
        "7/6.1.2": sum(s["MUCDO"] == 4 for s in eligible),
        "7/6.5.1": len(with_fee),
        "7/6.5.2": len(with_fee & payable),
    }


def count_portal_text(documents: dict[str, Sequence[Document]], from_on: dt.date, to_on: dt.date) -> dict[str, int]:
    """Figures of the report's text that come from the portal."""
    in_force = {
        _number(item["MATTHC"]): item
        for item in documents["procedure_details"]
        if _valid(item, to_on) and (item["TRANGTHAI"] == "1" or item["NGAYHETHIEULUC"])
    }
    services = [
        s
        for s in documents["services"]
        if _valid(s, to_on) and _number(s["MATTHC"]) in in_force and s["MUCDO"] in (3, 4)
    ]
    decisions = [d for d in documents["decisions"] if from_on <= _day(d["NGAYQUYETDINH"]) <= to_on]
    groups = {e["MANHOM"] for item in in_force.values() for e in item["TTHCLIENTHONG"] if e["MANHOM"]}
    vertical = [item["NGANHDOC"] for item in in_force.values()]
    return {
        "publication_decisions": len(decisions),
        "procedures_amended": len({_number(e["MATTHC"]) for d in decisions for e in d["TTHC"] if e["HINHTHUC"] == "2"}),
        "online_services": len(services),
        "online_services_full": sum(s["MUCDO"] == 4 for s in services),
        "online_services_partial": sum(s["MUCDO"] == 3 for s in services),
        "services_on_national_portal": sum(s["TICHHOPDVCQG"] == "1" for s in services),
        "joined_up_groups": len(groups),
        "vertical_police": vertical.count("CONGAN"),
        "vertical_social_insurance": vertical.count("BHXH"),
        "vertical_electricity": vertical.count("DIENLUC"),
    }


def count_dossiers(
    dossiers: Dossiers,
    versions: Versions,
    catalogue: Catalogue,
    documents: dict[str, Sequence[Document]],
    window: Window,
) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    """Figures from the dossiers by `form/code`, and the balance of form 06a by level."""
    known = np.flatnonzero(versions.moment < window.cut_off)
    latest = np.full(len(dossiers), -1)
    # Versions stand in order of their moment, so the last one written wins.
    latest[versions.dossier[known]] = known
    seen = np.flatnonzero(latest >= 0)
    row = latest[seen]
    alive = ~versions.deleted[row] & ~np.isin(versions.status[row], (1, 3))
    seen, row = seen[alive], row[alive]
    status = versions.status[row]

    def day(moments: np.ndarray) -> np.ndarray:
        return np.where(moments == NEVER, NEVER, moments // DAY)

    received_on, due_on, finished_on = (
        day(versions.received[row]),
        day(versions.due[row]),
        day(versions.finished[row]),
    )
    low, high = window.from_day, window.to_day
    withdrawn_on = np.full(len(row), NEVER)
    runs = _withdrawal_days(versions, known, set(seen[(status == 7) & (finished_on == NEVER)].tolist()))
    for i in np.flatnonzero(status == 7):
        withdrawn_on[i] = finished_on[i] if finished_on[i] != NEVER else runs[int(seen[i])]
    has_result = np.isin(status, (9, 10)) & (finished_on != NEVER)
    settled = has_result & (finished_on >= low) & (finished_on <= high)
    withdrawn = (withdrawn_on != NEVER) & (withdrawn_on >= low) & (withdrawn_on <= high)
    over_before = (has_result & (finished_on < low)) | ((withdrawn_on != NEVER) & (withdrawn_on < low))
    received = (received_on >= low) & (received_on <= high)
    carried = (received_on < low) & ~over_before
    still_open = (received | carried) & ~settled & ~withdrawn
    paused = still_open & np.isin(status, (5, 6, 8))
    no_due = due_on == NEVER
    overdue = still_open & ~paused & ~no_due & (due_on < high)
    masks = {
        "received": received,
        "carried_over": carried,
        "settled": settled,
        "early": settled & ~no_due & (finished_on < due_on),
        "on_day": settled & (no_due | (finished_on == due_on)),
        "late": settled & ~no_due & (finished_on > due_on),
        "withdrawn": withdrawn,
        "open_paused": paused,
        "open_overdue": overdue,
        "open_in_time": still_open & ~paused & ~overdue,
    }
    level = dossiers.level[seen]
    balance = {"all": {name: int(mask.sum()) for name, mask in masks.items()}}
    for number, name in LEVEL_NAMES.items():
        balance[name] = {measure: int((mask & (level == number)).sum()) for measure, mask in masks.items()}

    figures = {}
    for number in (1, 2, 3):
        there = balance[str(number)]
        figures[f"3/3.{number}.1"] = there["settled"]
        figures[f"3/3.{number}.2"] = there["early"] + there["on_day"]
    index = seen[received]
    service, service_mucdo = _services_of(
        index, versions.received[row][received] // DAY, dossiers, catalogue, documents
    )
    mucdo = np.where(dossiers.explicit[index], dossiers.mucdo[index], service_mucdo)
    online = dossiers.channel[index] == ONLINE
    counted = np.isin(service_mucdo, (3, 4))
    figures["7/6.2.1"] = len(np.unique(service[counted]))
    figures["7/6.2.2"] = len(np.unique(service[counted & online]))
    for code, wanted in (("3", 4), ("4", 3)):
        figures[f"7/6.{code}.1"] = int((mucdo == wanted).sum())
        figures[f"7/6.{code}.2"] = int(((mucdo == wanted) & online).sum())
    return figures, balance


def count_dossiers_text(dossiers: Dossiers) -> dict[str, str]:
    """Rates of the report's text among the received dossiers, as fractions."""
    received = dossiers.origin == IN_PERIOD
    online_service = received & np.isin(dossiers.mucdo, (3, 4))
    department = dossiers.level == 1
    online = dossiers.channel == ONLINE
    digitised = dossiers.static["HoSoCoThanhPhanSoHoa"].to_numpy() == 1
    paid = dossiers.static["DuocThanhToanTrucTuyen"].to_numpy()

    def share(part: np.ndarray, whole: np.ndarray) -> str:
        return f"{int((part & whole).sum())}/{int(whole.sum())}"

    return {
        "online_dossier_rate": share(online, online_service),
        "online_dossier_rate_departments": share(online, online_service & department),
        "online_dossier_rate_districts_communes": share(online, online_service & ~department),
        "digitised_rate": share(digitised, received),
        "digitised_rate_departments": share(digitised, received & department),
        "digitised_rate_districts_communes": share(digitised, received & (dossiers.level > 1)),
        "online_payment_rate": share(paid == 1, received & (paid > 0)),
    }


def _withdrawal_days(versions: Versions, known: np.ndarray, wanted: set[int]) -> dict[int, int]:
    """Day of the first version of the last run of status 7."""
    days: dict[int, int] = {}
    chosen = known[np.isin(versions.dossier[known], np.fromiter(wanted, dtype=np.int64, count=len(wanted)))]
    for i in chosen:
        dossier = int(versions.dossier[i])
        if versions.status[i] == 7:
            days.setdefault(dossier, int(versions.moment[i] // DAY))
        else:
            days.pop(dossier, None)
    return days


def _services_of(
    index: np.ndarray,
    received_on: np.ndarray,
    dossiers: Dossiers,
    catalogue: Catalogue,
    documents: dict[str, Sequence[Document]],
) -> tuple[np.ndarray, np.ndarray]:
    """Service in force on the day of reception, as a running number (-1: none), and its level (0: none)."""
    by_procedure: dict[str, list[tuple[int, int, int, int]]] = {}
    far = days_since_epoch(dt.date(2999, 1, 1))
    for serial, item in enumerate(documents["services"]):
        ends = _day(item["NGAYHETHIEULUC"])
        span = (days_since_epoch(_day(item["NGAYHIEULUC"])), days_since_epoch(ends) if ends else far)
        by_procedure.setdefault(_number(item["MATTHC"]), []).append((*span, serial, item["MUCDO"]))
    service = np.full(len(index), -1)
    mucdo = np.zeros(len(index), dtype=np.int64)
    chosen = dossiers.procedure[index]
    order = np.argsort(chosen, kind="stable")
    for group in np.split(order, np.flatnonzero(np.diff(chosen[order])) + 1):
        if len(group) == 0 or chosen[group[0]] < 0:
            continue
        for starts, ends, serial, level in by_procedure.get(catalogue.procedures[chosen[group[0]]].number, []):
            there = group[(received_on[group] >= starts) & (received_on[group] < ends)]
            service[there], mucdo[there] = serial, level
    return service, mucdo


# Form, code, and how the value is made: a figure's key, a ratio of two, or nothing for a heading.
RATIOS = {
    "3/3.1": ("3/3.1.2", "3/3.1.1"),
    "3/3.2": ("3/3.2.2", "3/3.2.1"),
    "3/3.3": ("3/3.3.2", "3/3.3.1"),
    "3/3.4": ("3/3.4.2", "3/3.4.1"),
    "6/1": ("6/1.2", "6/1.1"),
    "7/6.1": ("7/6.1.2", "7/6.1.1"),
    "7/6.2": ("7/6.2.2", "7/6.2.1"),
    "7/6.3": ("7/6.3.2", "7/6.3.1"),
    "7/6.4": ("7/6.4.2", "7/6.4.1"),
    "7/6.5": ("7/6.5.2", "7/6.5.1"),
}
ORDER = [
    "3/1",
    "3/1.2",
    "3/1.3",
    "3/1.4",
    "3/1.4.1",
    "3/1.4.2",
    "3/1.4.3",
    "3/2",
    "3/2.1",
    "3/2.2",
    "3/2.3",
    "3/3",
    "3/3.1",
    "3/3.1.1",
    "3/3.1.2",
    "3/3.2",
    "3/3.2.1",
    "3/3.2.2",
    "3/3.3",
    "3/3.3.1",
    "3/3.3.2",
    "3/3.4",
    "3/3.4.1",
    "3/3.4.2",
    "6/1",
    "6/1.1",
    "6/1.2",
    "7/6",
    "7/6.1",
    "7/6.1.1",
    "7/6.1.2",
    "7/6.2",
    "7/6.2.1",
    "7/6.2.2",
    "7/6.3",
    "7/6.3.1",
    "7/6.3.2",
    "7/6.4",
    "7/6.4.1",
    "7/6.4.2",
    "7/6.5",
    "7/6.5.1",
    "7/6.5.2",
]


def expected_rows(figures: dict[str, int]) -> list[tuple[str, str, str]]:
    """Rows (form, code, value): headings are blank, ratios are exact fractions such as `54148/54328`."""
    rows = []
    for key in ORDER:
        form, _, code = key.partition("/")
        if key in RATIOS:
            top, bottom = (figures[part] for part in RATIOS[key])
            # 3.3.4 stays blank as long as nothing is settled.
            value = "" if bottom == 0 or (key == "3/3.4" and top == 0) else f"{top}/{bottom}"
        else:
            value = str(figures[key]) if key in figures else ""
        rows.append((form, code, value))
    return rows
