"""The stand-in province against an independent reader of what it wrote.

`recount` reads the exports with the standard library alone, rejects what the contract rejects, and counts by
the contract's rules, one dossier at a time. `python test_province.py FOLDER` checks a province of any size.
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import hashlib
import json
import re
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest
import zstandard

from sample.province import write_province

SCALE = 0.02
PERIOD = "2024-H1"

# As printed in the appendix of the report for the first half of 2024.
PUBLISHED = {
    "3/1.2": 284,
    "3/1.3": 301,
    "3/1.4": 1_740,
    "3/1.4.1": 1_351,
    "3/1.4.2": 272,
    "3/1.4.3": 117,
    "3/2.1": 99,
    "3/2.2": 100,
    "3/2.3": 0,
    "3/3.1.1": 54_328,
    "3/3.1.2": 54_148,
    "3/3.2.1": 39_815,
    "3/3.2.2": 39_743,
    "3/3.3.1": 113_845,
    "3/3.3.2": 113_832,
    "3/3.4.1": 1,
    "3/3.4.2": 0,
    "7/6.1.1": 1_007,
    "7/6.1.2": 1_007,
    "7/6.2.1": 448,
    "7/6.2.2": 406,
    "7/6.3.1": 82_892,
    "7/6.3.2": 69_778,
    "7/6.4.1": 126_114,
    "7/6.4.2": 123_240,
    "7/6.5.1": 389,
    "7/6.5.2": 389,
}
TIMES = (
    "NgayNopHoSo",
    "NgayTiepNhan",
    "NgayHenTra",
    "NgayKetThucXuLy",
    "NgayTra",
    "NgayYeuCauBoSung",
    "ThoiDiemCapNhat",
)
CODES = {
    "KenhThucHien": "1 2 3",
    "MucDo": "2 3 4",
    "LoaiDoiTuong": "1 2 3 4",
    "TrangThaiHoSo": "1 2 3 4 5 6 7 8 9 10",
    "DuocThanhToanTrucTuyen": "0 1 3",
    "KenhThanhToan": "DVCQG TINH KHAC",
    "HoSoCoThanhPhanSoHoa": "0 1",
    "CoKetQuaDienTu": "0 1",
    "NoiNopHoSo": "1 2",
    "DaXoa": "0 1",
}
REQUIRED = ("MaHoSo", "MaTTHC", "MaDonVi", "KenhThucHien", "TrangThaiHoSo", "ThoiDiemCapNhat")
DOSSIER_NUMBER = re.compile(r"(H31\.\d\d(\.\d\d)?|000\.00\.\d\d\.H31)-\d{6}-\d{5}")


# --- reading -----------------------------------------------------


class Rejected(Exception):
    """The record is rejected; the message is the reason."""


def unpacked(path: Path) -> bytes:
    data = path.read_bytes()
    if path.suffix == ".gz":
        return gzip.decompress(data)
    if path.suffix == ".zst":
        return zstandard.ZstdDecompressor().decompressobj().decompress(data)
    return data


def records(data: bytes) -> Iterator[bytes]:
    """Records as bytes: a line break inside quotes does not end one."""
    pending = b""
    for line in data.removeprefix(b"\xef\xbb\xbf").splitlines(keepends=True):
        pending += line
        if pending.count(b'"') % 2 == 0:
            yield pending
            pending = b""
    assert not pending, "an open quote at the end of the file"


def moment(text: str) -> dt.datetime | None:
    if not text:
        return None
    if not re.fullmatch(r"\d{14}", text):
        raise Rejected("unparsable_time")
    parts = [int(text[:4]), *(int(text[i : i + 2]) for i in range(4, 14, 2))]
    try:
        return dt.datetime(*parts)
    except ValueError:
        raise Rejected("unparsable_time") from None


def checked(raw: bytes, header: list[str]) -> dict[str, object]:
    """One record by the rules of the contract."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Rejected("not_utf8") from None
    (values,) = csv.reader([text]) if "\n" not in text.rstrip("\r\n") else csv.reader(text.splitlines(keepends=True))
    if len(values) != len(header):
        raise Rejected("wrong_field_count")
    row: dict[str, object] = dict(zip(header, values, strict=True))
    needed = list(REQUIRED)
    if row["TrangThaiHoSo"] not in ("1", "3"):
        needed.append("NgayTiepNhan")
    if row["TrangThaiHoSo"] in ("9", "10"):
        needed.append("NgayKetThucXuLy")
    if not all(row[name] for name in needed):
        raise Rejected("missing_required")
    if not DOSSIER_NUMBER.fullmatch(str(row["MaHoSo"])):
        raise Rejected("unknown_dossier_shape")
    for name, allowed in CODES.items():
        if row[name] and row[name] not in allowed.split():
            raise Rejected("bad_code")
    for name in ("SoLanBoSung", "LePhi"):
        if row[name] and not re.fullmatch(r"-?\d+", str(row[name])):
            raise Rejected("unparsable_number")
    if str(row["LePhi"]).startswith("-"):
        raise Rejected("negative_fee")
    for name in TIMES:
        row[name] = moment(str(row[name]))
    if row["NgayTiepNhan"] and row["NgayTiepNhan"] > row["ThoiDiemCapNhat"]:
        raise Rejected("reception_after_version")
    if row["NgayKetThucXuLy"] and row["NgayTiepNhan"] and row["NgayKetThucXuLy"] < row["NgayTiepNhan"]:
        raise Rejected("finish_before_reception")
    return row


# --- counting -----------------------------------------------------


@dataclass
class Reading:
    """How an export may be read: the defaults are the contract, the rest are mistakes real systems make."""

    as_of_to_on: bool = True
    heed_deletion: bool = True
    later_line_wins: bool = True
    later_end_wins: bool = True
    reject_faulty: bool = True
    service_of_the_day: bool = True
    withdrawn_is_settled: bool = False
    one_procedure_in_three_spellings: bool = True


@dataclass
class Recount:
    figures: dict[str, int]
    balance: dict[str, dict[str, int]]
    reasons: Counter[str]
    share_rejected: dict[str, float]
    warnings: Counter[str] = field(default_factory=Counter)


def day_of(text: str) -> dt.date | None:
    return dt.datetime.strptime(text, "%d/%m/%Y").date() if text else None


def number_of(code: str, reading: Reading) -> str:
    return ".".join(code.split(".")[:2]) if reading.one_procedure_in_three_spellings else code


def read_exports(folder: Path, reading: Reading) -> tuple[dict[str, dict], Counter[str], dict[str, float]]:
    """Versions by dossier and moment, the winner of each conflict, and what was rejected."""
    dossiers: dict[str, dict[dt.datetime, tuple]] = {}
    reasons: Counter[str] = Counter()
    share: dict[str, float] = {}
    for path in sorted((folder / "inbox" / "mot-cua").iterdir()):
        ends = path.name.split("_")[2][:8]
        lines = records(unpacked(path))
        header = next(lines).decode().rstrip("\r\n").split(",")
        read = rejected = 0
        for line, raw in enumerate(lines):
            read += 1
            try:
                row = checked(raw, header)
            except Rejected as reason:
                rejected += 1
                reasons[str(reason)] += 1
                if reading.reject_faulty:
                    continue
                try:
                    row = dict(zip(header, next(csv.reader([raw.decode()])), strict=True))
                    row.update({name: moment(row[name]) for name in TIMES})
                except (Rejected, UnicodeDecodeError, ValueError):
                    continue
                if row["ThoiDiemCapNhat"] is None:
                    continue
            order = (
                (ends if reading.later_end_wins else "", path.name if reading.later_end_wins else ""),
                line if reading.later_line_wins else -line,
            )
            kept = tuple(
                row[name]
                for name in (
                    *(
                        "MaTTHC",
                        "MaDonVi",
                        "KenhThucHien",
                        "MucDo",
                        "TrangThaiHoSo",
                        "NgayTiepNhan",
                        "NgayHenTra",
                    ),
                    *("NgayKetThucXuLy", "DaXoa"),
                )
            )
            versions = dossiers.setdefault(str(row["MaHoSo"]), {})
            if row["ThoiDiemCapNhat"] not in versions or versions[row["ThoiDiemCapNhat"]][0] < order:
                versions[row["ThoiDiemCapNhat"]] = (order, kept)
        share[path.name] = rejected / read
    return dossiers, reasons, share


def recount(folder: Path, reading: Reading | None = None, as_of: dt.date | None = None) -> Recount:
    """Every figure that the exports decide, by the contract's rules; as known at the end of `as_of`."""
    reading = reading or Reading()
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    low, high = dt.date.fromisoformat(manifest["from_on"]), dt.date.fromisoformat(manifest["to_on"])
    levels = {a["MADONVI"]: a["CAPDONVI"] for a in json.loads((folder / "portal/agencies.json").read_text("utf-8"))}
    services: dict[str, list[tuple[dt.date, dt.date | None, str, int]]] = {}
    for s in json.loads((folder / "portal/services.json").read_text("utf-8")):
        services.setdefault(number_of(s["MATTHC"], reading), []).append(
            (day_of(s["NGAYHIEULUC"]), day_of(s["NGAYHETHIEULUC"]), s["MADVC"], s["MUCDO"])
        )
    dossiers, reasons, share = read_exports(folder, reading)
    balance: dict[str, Counter[str]] = {}
    figures: Counter[str] = Counter()
    warnings: Counter[str] = Counter()
    with_dossier, with_online = set(), set()
    for versions in dossiers.values():
        moments = sorted(m for m in versions if m.date() <= (as_of or high) or not reading.as_of_to_on)
        if not moments:
            continue
        procedure, agency, channel, told, status, received_at, due_at, finished_at, deleted = versions[moments[-1]][1]
        if (deleted == "1" and reading.heed_deletion) or status in ("1", "3") or received_at is None:
            continue
        received = received_at.date()
        due = due_at.date() if due_at else None
        finished = finished_at.date() if finished_at else None
        withdrawn = None
        if status == "7":
            withdrawn = finished
            if withdrawn is None:
                for m in reversed(moments):
                    if versions[m][1][4] != "7":
                        break
                    withdrawn = m.date()
        settled = finished if status in ("9", "10") or (status == "7" and reading.withdrawn_is_settled) else None
        over = settled or withdrawn
        counts = balance.setdefault(levels.get(agency, "unknown"), Counter())
        if low <= received <= high:
            counts["received"] += 1
            on = received if reading.service_of_the_day else high
            known = services.get(number_of(procedure, reading), [])
            service, mucdo = next(
                ((code, level) for since, until, code, level in known if since <= on and (not until or on < until)),
                (None, 0),
            )
            if mucdo in (3, 4):
                with_dossier.add(service)
                if channel == "2":
                    with_online.add(service)
            mucdo = int(told) if told else mucdo
            for code, wanted in (("3", 4), ("4", 3)):
                figures[f"7/6.{code}.1"] += mucdo == wanted
                figures[f"7/6.{code}.2"] += mucdo == wanted and channel == "2"
            if due and due < received:
                warnings["due_before_reception"] += 1
            if told == "2" and channel == "2" and status in ("9", "10"):
                warnings["finished_online_information_only"] += 1
            if not known and agency in levels:
                warnings["no_service"] += 1
        elif received < low and not (over and over < low):
            counts["carried_over"] += 1
        else:
            continue
        if settled and low <= settled <= high:
            counts["settled"] += 1
            counts["on_day" if due in (None, settled) else "early" if settled < due else "late"] += 1
        elif withdrawn and low <= withdrawn <= high:
            counts["withdrawn"] += 1
        elif status in ("5", "6", "8"):
            counts["open_paused"] += 1
        elif due and due < high:
            counts["open_overdue"] += 1
        else:
            counts["open_in_time"] += 1
    for level in ("1", "2", "3"):
        counts = balance.get(level, Counter())
        figures[f"3/3.{level}.1"] = counts["settled"]
        figures[f"3/3.{level}.2"] = counts["early"] + counts["on_day"]
    figures["7/6.2.1"], figures["7/6.2.2"] = len(with_dossier), len(with_online)
    return Recount(dict(figures), {k: dict(v) for k, v in balance.items()}, reasons, share, warnings)


def expected_figures(folder: Path) -> dict[str, str]:
    with (folder / "expected.csv").open(encoding="utf-8", newline="") as handle:
        return {f"{row['form']}/{row['code']}": row["value"] for row in csv.DictReader(handle)}


def expected_balance(folder: Path) -> dict[str, dict[str, int]]:
    with (folder / "expected_06a.csv").open(encoding="utf-8", newline="") as handle:
        return {row.pop("level"): {k: int(v) for k, v in row.items()} for row in csv.DictReader(handle)}


def assert_recount_is_expected(folder: Path) -> Recount:
    """The whole check: figures, balance and rejects of a written province of any size."""
    counted = recount(folder)
    expected = expected_figures(folder)
    assert {key: str(value) for key, value in counted.figures.items()} == {
        key: expected[key] for key in counted.figures
    }
    balance = expected_balance(folder)
    everything = balance.pop("all")
    for level, wanted in balance.items():
        got = counted.balance.get(level, {})
        assert {measure: got.get(measure, 0) for measure in wanted} == wanted, level
        still_open = wanted["open_paused"] + wanted["open_overdue"] + wanted["open_in_time"]
        assert wanted["received"] + wanted["carried_over"] == wanted["settled"] + wanted["withdrawn"] + still_open
    assert everything == {measure: sum(counts[measure] for counts in balance.values()) for measure in everything}
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert dict(counted.reasons) == manifest["faulty_rows"]
    return counted


# --- tests -----------------------------------------------------


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("province")
    write_province(folder, PERIOD, scale=SCALE)
    return folder


@pytest.fixture(scope="module")
def counted(province: Path) -> Recount:
    return recount(province)


def test_same_seed_gives_the_same_bytes(province: Path, tmp_path: Path) -> None:
    write_province(tmp_path, PERIOD, scale=SCALE)
    assert digests(tmp_path) == digests(province)


def test_another_seed_gives_other_data_and_the_same_totals(province: Path, tmp_path: Path) -> None:
    write_province(tmp_path, PERIOD, seed=7, scale=SCALE)
    here, there = digests(province), digests(tmp_path)
    changed = {name for name in here if here[name] != there[name]}
    assert {name for name in here if name.startswith("inbox/")} <= changed
    assert "portal/services.json" in changed
    assert expected_figures(tmp_path) == expected_figures(province)
    assert_recount_is_expected(tmp_path)


def test_recount_of_the_written_files_is_the_expected_answer(province: Path) -> None:
    assert_recount_is_expected(province)


@pytest.mark.parametrize(
    ("period_id", "scale"), [("2024-M06", 0.002), ("2024-Q1", 0.005), ("2025-H1", 0.01), ("2025-Y", 0.01)]
)
def test_other_periods_and_scales_close_too(period_id: str, scale: float, tmp_path: Path) -> None:
    write_province(tmp_path, period_id, seed=5, scale=scale)
    counted = assert_recount_is_expected(tmp_path)
    assert max(counted.share_rejected.values()) < 0.05
    # The totals are those of the scale whatever the period.
    assert counted.figures["3/3.1.1"] == int(54_328 * scale + 0.5)


def test_full_scale_has_the_published_totals(tmp_path: Path) -> None:
    try:
        summary = write_province(tmp_path, PERIOD, scale=1.0)
        assert {key: summary.expected[key] for key in PUBLISHED} == {k: str(v) for k, v in PUBLISHED.items()}
        assert summary.expected["3/3.1"] == "54148/54328"
        assert summary.expected["3/3.4"] == ""
        text = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))["text_figures"]
        assert (text["publication_decisions"], text["procedures_amended"]) == (61, 278)
        assert (text["online_services"], text["services_on_national_portal"]) == (1_650, 1_279)
        assert [text[f"vertical_{kind}"] for kind in ("police", "social_insurance", "electricity")] == [
            15,
            9,
            14,
        ]
        assert text["joined_up_groups"] == 4
    finally:
        shutil.rmtree(tmp_path / "inbox", ignore_errors=True)


def test_every_reason_to_reject_occurs_and_stays_rare(counted: Recount, province: Path) -> None:
    assert set(counted.reasons) == {
        "bad_code",
        "unparsable_time",
        "unparsable_number",
        "wrong_field_count",
        "not_utf8",
        "finish_before_reception",
        "reception_after_version",
        "negative_fee",
        "missing_required",
        "unknown_dossier_shape",
    }
    assert max(counted.share_rejected.values()) < 0.02
    rows = json.loads((province / "manifest.json").read_text(encoding="utf-8"))["rows"]
    for path in (province / "inbox" / "mot-cua").iterdir():
        assert rows[f"inbox/mot-cua/{path.name}"] == sum(1 for _ in records(unpacked(path))) - 1


@pytest.mark.parametrize(
    "mistake",
    [
        {"as_of_to_on": False},
        {"heed_deletion": False},
        {"later_line_wins": False},
        {"later_end_wins": False},
        {"reject_faulty": False},
        {"service_of_the_day": False},
        {"withdrawn_is_settled": True},
        {"one_procedure_in_three_spellings": False},
    ],
    ids=lambda mistake: next(iter(mistake)),
)
def test_a_careless_reading_does_not_find_the_expected_answer(mistake: dict[str, bool], province: Path) -> None:
    careless = recount(province, Reading(**mistake))
    expected = expected_figures(province)
    balance = expected_balance(province)
    balance.pop("all")
    same_figures = all(str(value) == expected[key] for key, value in careless.figures.items())
    same_balance = all(
        {m: careless.balance.get(level, {}).get(m, 0) for m in wanted} == wanted for level, wanted in balance.items()
    )
    assert not (same_figures and same_balance)


def test_exports_hold_the_shapes_of_the_contract(province: Path) -> None:
    folder = province / "inbox" / "mot-cua"
    names = sorted(path.name for path in folder.iterdir())
    assert names[0] == "ho-so_20231101_20231214.csv"
    assert names[-1] == "ho-so_20240601_20240630.csv"
    assert sum(name.endswith(".csv.gz") for name in names) == 1
    assert sum(name.endswith(".csv.zst") for name in names) == 1
    content = {path.name: unpacked(path) for path in folder.iterdir()}
    assert sum(data.startswith(b"\xef\xbb\xbf") for data in content.values()) == 1
    assert sum(b"\r\n" in data for data in content.values()) == 1
    headers = [next(records(data)).decode().rstrip("\r\n").split(",") for data in content.values()]
    assert sum(header[0] != "MaHoSo" for header in headers) == 1
    assert sum(len(header) == 30 for header in headers) == 1
    assert {len(header) for header in headers} == {29, 30}
    everything = b"".join(content.values())
    assert '\n(đại diện hộ gia đình)"'.encode() in everything
    assert b"000000001" in everything
    ranges = sorted(tuple(name.split("_")[1:3]) for name in names)
    assert any(later[0] <= earlier[1][:8] for earlier, later in pairwise(ranges))


@dataclass
class Histories:
    """Versions of each dossier in order: moment, status, deleted, received, finished, procedure, agency."""

    of: dict[str, list[tuple]]

    def some(self, wanted: Callable[[list[tuple]], bool]) -> bool:
        return any(wanted(history) for history in self.of.values())


@pytest.fixture(scope="module")
def histories(province: Path) -> Histories:
    dossiers, _, _ = read_exports(province, Reading())
    return Histories(
        {
            number: [(m, int(k[4]), k[8] == "1", k[5], k[7], k[0], k[1]) for m, (_, k) in sorted(versions.items())]
            for number, versions in dossiers.items()
        }
    )


CUT_OFF = dt.datetime(2024, 6, 15)
FIRST = dt.datetime(2023, 12, 15)


def _pairs(history: list[tuple]) -> list[tuple[tuple, tuple]]:
    return list(pairwise(history))


TRAPS: dict[str, Callable[[list[tuple]], bool]] = {
    "reopened": lambda h: any(a[1] == 10 and b[1] == 4 and b[4] is None for a, b in _pairs(h)),
    "reopened after the cut-off": lambda h: any(a[1] >= 9 and b[1] == 4 and b[0] >= CUT_OFF for a, b in _pairs(h)),
    "withdrawn with a date": lambda h: h[-1][1] == 7 and h[-1][4] is not None,
    "withdrawn without a date": lambda h: h[-1][1] == 7 and h[-1][4] is None,
    "withdrawn again": lambda h: any(a[1] == 7 and b[1] == 4 for a, b in _pairs(h)) and h[-1][1] == 7,
    "stopped with a date": lambda h: any(v[1] == 8 and v[4] is not None for v in h),
    "refused": lambda h: h[-1][1] == 3,
    "refused, with a date of reception": lambda h: h[-1][1] == 3 and h[-1][3] is not None,
    "newly filed": lambda h: h[-1][1] == 1,
    "deleted": lambda h: h[-1][2],
    "deleted and back": lambda h: any(a[2] and not b[2] and b[0] < CUT_OFF for a, b in _pairs(h)),
    "back after the cut-off": lambda h: any(a[2] and a[0] < CUT_OFF <= b[0] for a, b in _pairs(h)),
    "deleted after the cut-off": lambda h: h[-1][2] and h[-1][0] >= CUT_OFF,
    "midnight of the first day": lambda h: h[-1][3] == FIRST,
    "half past eleven of the last day": lambda h: h[-1][4] == dt.datetime(2024, 6, 14, 23, 30),
    "finished after the period": lambda h: h[0][0] < CUT_OFF and h[-1][4] is not None and h[-1][4] >= CUT_OFF,
    "tomorrow's date": lambda h: any(v[0] < CUT_OFF and v[4] is not None and v[4] >= CUT_OFF for v in h),
    "first seen after the cut-off": lambda h: h[0][0] >= CUT_OFF,
    "code with suffix": lambda h: h[0][5].endswith(".H31") and ".000." not in h[0][5],
    "long code": lambda h: h[0][5].endswith(".000.00.00.H31"),
    "bare code": lambda h: h[0][5].count(".") == 1,
    "unknown agency": lambda h: h[0][6] == "H31.99",
}


@pytest.mark.parametrize("trap", TRAPS)
def test_traps_are_there(trap: str, histories: Histories) -> None:
    assert histories.some(TRAPS[trap])


def test_warnings_are_there(counted: Recount, histories: Histories) -> None:
    assert counted.warnings["due_before_reception"] > 0
    assert counted.warnings["finished_online_information_only"] > 0
    assert counted.warnings["no_service"] > 0
    assert any(number.startswith("000.00.") for number in histories.of)


def test_portal_documents_have_the_fields_of_the_contract(province: Path) -> None:
    fields = {
        "agencies": "MADONVI TENDONVI CAPDONVI MADONVICHA MADIABAN NGAYHIEULUC NGAYHETHIEULUC MADONVIKETHUA",
        "fields": "MALINHVUC TENLINHVUC MANGANH",
        "procedures": "MATTHC TENTTHC TRANGTHAI NGAYCAPNHAT",
        "procedure_details": "MATTHC TENTTHC MACOQUANCONGBO TRANGTHAI NGAYHIEULUC NGAYHETHIEULUC "
        "LINHVUCTHUCHIEN CAPTHUCHIEN CACHTHUCTHUCHIEN TTHCLIENTHONG PHIDIAGIOI NGANHDOC",
        "services": "MADVC MATTHC MUCDO DUDIEUKIENTOANTRINH TICHHOPDVCQG THANHTOANTRUCTUYEN NGAYHIEULUC NGAYHETHIEULUC",
        "decisions": "IDQDCB SOQUYETDINH NGAYQUYETDINH TTHC",
        "feedback": "MAPAKN NGAYTIEPNHAN PHANLOAI MADONVI NGAYXULYXONG TRANGTHAI",
    }
    for name, wanted in fields.items():
        items = json.loads((province / "portal" / f"{name}.json").read_text(encoding="utf-8"))
        assert items
        assert all(list(item) == wanted.split() for item in items), name
        key = wanted.split()[0]
        assert len({item[key] for item in items}) == len(items), name
        for item in items:
            for field_name, value in item.items():
                if field_name.startswith("NGAY") and value:
                    assert re.fullmatch(r"\d\d/\d\d/\d{4}", value)


def test_agencies_are_those_of_the_day(province: Path) -> None:
    listed = json.loads((province / "portal" / "agencies.json").read_text(encoding="utf-8"))
    codes = {item["MADONVI"] for item in listed}

    def valid(on: dt.date) -> Counter[str]:
        return Counter(
            item["CAPDONVI"]
            for item in listed
            if day_of(item["NGAYHIEULUC"]) <= on and (not item["NGAYHETHIEULUC"] or on < day_of(item["NGAYHETHIEULUC"]))
        )

    # Twenty departments and the province's own entry.
    assert valid(dt.date(2024, 6, 14)) == {"1": 21, "2": 10, "3": 161}
    assert valid(dt.date(2024, 11, 1))["3"] == 139
    assert valid(dt.date(2025, 7, 1)) == {"1": 21, "3": 104}
    for item in listed:
        assert not item["MADONVICHA"] or item["MADONVICHA"] in codes
        heirs = item["MADONVIKETHUA"].split(",") if item["MADONVIKETHUA"] else []
        assert set(heirs) <= codes
        if item["CAPDONVI"] == "3" and item["NGAYHETHIEULUC"]:
            assert heirs


def test_a_finished_folder_is_left_alone(tmp_path: Path) -> None:
    first = write_province(tmp_path, "2024-M06", scale=0.002)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    again = write_province(tmp_path, "2024-M06", scale=0.002)
    assert (first.written, again.written) == (True, False)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == before
    assert again.expected == first.expected


def test_a_damaged_or_other_folder_is_written_anew(tmp_path: Path) -> None:
    other_source = tmp_path / "inbox" / "so-nganh" / "bao-cao.xlsx"
    other_source.parent.mkdir(parents=True)
    other_source.write_bytes(b"not ours")
    write_province(tmp_path, "2024-M06", scale=0.002)
    whole = digests(tmp_path)
    export = next((tmp_path / "inbox" / "mot-cua").glob("*.csv"))
    export.write_bytes(b"cut short")
    assert write_province(tmp_path, "2024-M06", scale=0.002).written
    assert digests(tmp_path) == whole
    # Another period replaces the files of the first and nothing else.
    write_province(tmp_path, "2024-M05", scale=0.002)
    names = {path.name for path in (tmp_path / "inbox" / "mot-cua").iterdir()}
    assert names == {
        Path(name).name for name in write_province(tmp_path, "2024-M05", scale=0.002).rows if "inbox/mot-cua" in name
    }
    assert other_source.read_bytes() == b"not ours"


def test_a_failed_run_leaves_no_manifest_and_is_repaired(tmp_path: Path) -> None:
    def stop(description: str, done: int, total: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_province(tmp_path, "2024-M06", scale=0.002, progress=stop)
    assert list(tmp_path.iterdir()) == []
    steps: list[tuple[int, int]] = []
    write_province(tmp_path, "2024-M06", scale=0.002, progress=lambda _, done, total: steps.append((done, total)))
    assert steps == [(done, steps[0][1]) for done in range(len(steps))]
    assert steps[-1][0] == steps[-1][1]


@pytest.mark.parametrize("scale", [0.0, -1.0, 0.001])
def test_a_scale_too_small_is_refused(scale: float, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="too small"):
        write_province(tmp_path, PERIOD, scale=scale)


if __name__ == "__main__":
    checked_folder = Path(sys.argv[1])
    result = assert_recount_is_expected(checked_folder)
    print(result.figures, result.balance, result.warnings, sep="\n")
