"""The one-stop exports: monthly files that overlap, one late file, odd and faulty rows as in a real province.

Well-formed rows are written by polars in slices; the few faulty records are put between the slices as raw
bytes. Faulty rows are always extra: a reader that rejects them all arrives at the expected figures.
"""

from __future__ import annotations

import calendar
import csv
import datetime as dt
import gzip
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import numpy as np
import polars as pl
import zstandard

from cchc.periods import ReportingPeriod
from sample.dossiers import DAY, NEVER, Dossiers, Versions, days_since_epoch

COLUMNS = [
    "MaHoSo",
    "MaTTHC",
    "MaLinhVuc",
    "MaDonVi",
    "DonViXuLy",
    "KenhThucHien",
    "MucDo",
    "LoaiDoiTuong",
    "ChuHoSo",
    "SoGiayToChuHoSo",
    "SoDienThoai",
    "Email",
    "DiaChi",
    "NgayNopHoSo",
    "NgayTiepNhan",
    "NgayHenTra",
    "NgayKetThucXuLy",
    "NgayTra",
    "NgayYeuCauBoSung",
    "TrangThaiHoSo",
    "SoLanBoSung",
    "LePhi",
    "DuocThanhToanTrucTuyen",
    "KenhThanhToan",
    "HoSoCoThanhPhanSoHoa",
    "CoKetQuaDienTu",
    "NoiNopHoSo",
    "DaXoa",
    "ThoiDiemCapNhat",
]
EXTRA_COLUMN = "GhiChuNoiBo"
CARRIED_EXPORT_DAYS = 44
OVERLAP_DAYS = 2
LATE_DAYS = 5

Record = dict[str, str]


@dataclass
class Export:
    """One export file and what is odd about it."""

    from_on: dt.date
    to_on: dt.date
    suffix: str = ".csv"
    line_end: str = "\n"
    byte_order_mark: bool = False
    reordered: bool = False
    extra_column: bool = False
    late: bool = False
    columns: list[str] = field(default_factory=lambda: list(COLUMNS))

    @property
    def name(self) -> str:
        return f"ho-so_{self.from_on:%Y%m%d}_{self.to_on:%Y%m%d}{self.suffix}"


@dataclass(frozen=True)
class WrittenExport:
    """What the manifest tells about a file."""

    name: str
    rows: int
    faulty: dict[str, int]
    repeated: int
    conflicting: int
    late: bool


def plan_exports(period: ReportingPeriod) -> list[Export]:
    """One export before the period, one a month (some reach back), the last beyond the cut-off, one late."""
    one_day = dt.timedelta(days=1)
    plan = [Export(period.from_on - one_day * CARRIED_EXPORT_DAYS, period.from_on - one_day)]
    start = period.from_on
    while start <= period.to_on:
        end = start.replace(day=calendar.monthrange(start.year, start.month)[1])
        overlap = one_day * OVERLAP_DAYS if len(plan) % 2 == 0 else one_day * 0
        plan.append(Export(start - overlap, end))
        start = end + one_day
    count = len(plan)
    plan[1 % count].line_end = "\r\n"
    plan[2 % count].suffix = ".csv.gz"
    plan[3 % count].suffix = ".csv.zst"
    plan[4 % count].byte_order_mark = True
    plan[5 % count].reordered = True
    plan[6 % count].extra_column = True
    middle = period.from_on + (period.to_on - period.from_on) // 2
    plan.append(Export(middle, middle + one_day * (LATE_DAYS - 1), late=True))
    return plan


class ExportWriter:
    """Writes the planned exports of one set of dossiers."""

    def __init__(self, plan: list[Export], dossiers: Dossiers, versions: Versions, rng: np.random.Generator) -> None:
        self.plan, self.dossiers, self.versions, self.rng = plan, dossiers, versions, rng
        self.faults = _fault_cycle()
        self.fault_serial = 0
        day = versions.moment // DAY
        self.members = [
            (day >= days_since_epoch(export.from_on)) & (day <= days_since_epoch(export.to_on)) for export in plan
        ]
        self._hold_back(day)
        self.copies = np.sum(self.members, axis=0)
        # The file that has the last word on a version: the one that ends last.
        self.winner = np.full(len(versions), -1)
        for position in sorted(range(len(plan)), key=lambda i: plan[i].to_on):
            self.winner[self.members[position]] = position

    def _hold_back(self, day: np.ndarray) -> None:
        """Some versions of the late file's days are in no other file, some in both."""
        late = len(self.plan) - 1
        there = self.members[late]
        luck = self.rng.random(len(day))
        only_late = there & (luck < 0.3)
        self.members[late] = there & (luck < 0.55)
        for position in range(late):
            self.members[position] = self.members[position] & ~only_late

    def write(self, position: int, folder: Path) -> WrittenExport:
        """Write one export into `folder`."""
        export = self.plan[position]
        rng = self.rng
        rows = np.flatnonzero(self.members[position])
        settled = self.versions.status[rows] == 10
        # Older content that a file with a later end date overrules.
        lost = np.flatnonzero((self.winner[rows] != position) & settled)
        wrong_here = rng.permutation(lost)[:3]
        # A wrong line that a later line of this file overrules.
        kept = np.setdiff1d(np.flatnonzero(settled), wrong_here)
        corrected = np.sort(rng.permutation(kept)[: min(8, len(kept) // 50 + 1)])
        repeated = np.sort(rng.permutation(np.setdiff1d(kept, corrected))[: max(2, len(rows) // 1_000)])
        stray = self._stray(position) if position == 1 else np.empty(0, dtype=np.int64)

        # Even places are the rows themselves; an odd place is a copy some lines after or before its row.
        place = 2 * np.arange(len(rows))
        after = place[repeated] + 2 * rng.integers(0, 300, len(repeated)) + 1
        ahead = place[corrected] - 2 * rng.integers(0, 40, len(corrected)) - 1
        index = np.concatenate([rows, rows[repeated], rows[corrected], stray])
        order = np.concatenate([place, after, ahead, np.full(len(stray), 2 * len(rows))])
        wrong = np.zeros(len(index), dtype=bool)
        wrong[wrong_here] = True
        wrong[len(rows) + len(repeated) :][: len(corrected)] = True
        sequence = np.argsort(order, kind="stable")
        frame = self._frame(index[sequence], wrong[sequence])
        if export.reordered:
            export.columns = [*reversed(COLUMNS[:14]), *COLUMNS[14:]]
        if export.extra_column:
            export.columns = [*COLUMNS[:5], EXTRA_COLUMN, *COLUMNS[5:]]
            frame = frame.with_columns(pl.lit("đã kiểm tra, lưu kho").alias(EXTRA_COLUMN))
        frame = frame.select(export.columns)
        faulty = [] if export.late else self._faulty(export, frame)
        self._write_file(export, folder / export.name, frame, [raw for _, raw in faulty])
        reasons: dict[str, int] = {}
        for reason, _ in faulty:
            reasons[reason] = reasons.get(reason, 0) + 1
        return WrittenExport(
            export.name,
            len(frame) + len(faulty),
            reasons,
            len(repeated) + len(stray),
            len(corrected) + len(wrong_here),
            export.late,
        )

    def _stray(self, position: int) -> np.ndarray:
        """Rows outside the range of the file's name; they repeat what their own file says."""
        there = ~self.members[position] & (self.copies == 1) & (self.winner != len(self.plan) - 1)
        return np.flatnonzero(there)[-2:]

    def _frame(self, index: np.ndarray, wrong: np.ndarray) -> pl.DataFrame:
        """Rows as the export writes them; a wrong one says that a settled dossier is still in process."""
        versions = self.versions.take(index)
        status = np.where(wrong, 4, versions.status).astype(np.int8)
        over = status >= 9
        static = self.dossiers.static[pl.Series(versions.dossier.astype(np.uint32))]
        stamps = {
            "NgayNopHoSo": static["NgayNopHoSo"].to_numpy(),
            "NgayTiepNhan": versions.received,
            "NgayHenTra": versions.due,
            "NgayKetThucXuLy": np.where(wrong, NEVER, versions.finished),
            "NgayTra": np.where(wrong, NEVER, versions.handed_over),
            "NgayYeuCauBoSung": versions.supplement,
            "ThoiDiemCapNhat": versions.moment,
        }
        return static.with_columns(
            *[_stamp(values).alias(name) for name, values in stamps.items()],
            pl.Series("TrangThaiHoSo", status),
            pl.Series("SoLanBoSung", versions.supplements),
            pl.when(pl.Series(over)).then(pl.col("KetQuaDienTu")).alias("CoKetQuaDienTu"),
            pl.when(pl.Series(versions.deleted)).then(1).when(pl.Series(over)).then(0).alias("DaXoa"),
        )

    # --- faulty records ---------------------------------------------

    def _faulty(self, export: Export, frame: pl.DataFrame) -> list[tuple[str, bytes]]:
        """Records that the contract rejects; each would change a figure if it were loaded."""
        count = min(30, max(min(6, len(frame) // 40), int(len(frame) * 0.004)))
        over = frame.filter((pl.col("TrangThaiHoSo") == 10) & (pl.col("DaXoa") == 0) & pl.col("LePhi").is_not_null())
        if over.is_empty():
            return []
        picks = self.rng.integers(0, len(over), count)
        made = []
        for pick in picks:
            values = over.row(int(pick), named=True)
            record = {name: "" if values[name] is None else str(values[name]) for name in export.columns}
            self.fault_serial += 1
            record["MaHoSo"] = f"{record['MaDonVi']}-{record['NgayNopHoSo'][2:8]}-{90_000 + self.fault_serial}"
            reason, spoil = next(self.faults)
            spoil(record)
            made.append((reason, _raw(reason, record, export, self.fault_serial)))
        return made

    # --- bytes ---------------------------------------------

    def _write_file(self, export: Export, path: Path, frame: pl.DataFrame, raw: list[bytes]) -> None:
        cuts = np.sort(self.rng.integers(0, len(frame) + 1, len(raw)))
        bounds = [0, *cuts.tolist(), len(frame)]
        with _opened(path) as out:
            if export.byte_order_mark:
                out.write(b"\xef\xbb\xbf")
            out.write((",".join(export.columns) + export.line_end).encode())
            for position, (low, high) in enumerate(pairwise(bounds)):
                if high > low:
                    buffer = io.BytesIO()
                    frame.slice(low, high - low).write_csv(
                        buffer, include_header=False, line_terminator=export.line_end
                    )
                    out.write(buffer.getbuffer())
                if position < len(raw):
                    out.write(raw[position])


def _stamp(seconds: np.ndarray) -> pl.Expr:
    """yyyyMMddHHmmss as a whole number; arithmetic is many times faster than formatting."""
    moment = pl.from_epoch(pl.lit(pl.Series(seconds)), time_unit="s")
    date = moment.dt.year().cast(pl.Int64) * 10_000 + moment.dt.month().cast(pl.Int64) * 100 + moment.dt.day()
    time = pl.lit(pl.Series(seconds)) % DAY
    clock = (time // 3_600) * 10_000 + (time // 60) % 60 * 100 + time % 60
    return pl.when(pl.lit(pl.Series(seconds != NEVER))).then(date * 1_000_000 + clock)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """A file whose bytes depend on its content alone: no name and no time in the gzip header."""
    with path.open("wb") as plain:
        if path.suffix == ".gz":
            with gzip.GzipFile(filename="", mode="wb", fileobj=plain, compresslevel=4, mtime=0) as packed:
                yield packed
        elif path.suffix == ".zst":
            with zstandard.ZstdCompressor(level=3).stream_writer(plain, closefd=False) as packed:
                yield packed
        else:
            yield plain


def _shift(record: Record, name: str, onto: str, delta: dt.timedelta) -> None:
    moment = dt.datetime.strptime(record[onto], "%Y%m%d%H%M%S") + delta
    record[name] = moment.strftime("%Y%m%d%H%M%S")


def _set(name: str, value: str) -> Callable[[Record], None]:
    return lambda record: record.__setitem__(name, value)


def _received_later(record: Record) -> None:
    """Received after the moment of the version, still in process, so that nothing else is wrong."""
    record.update(TrangThaiHoSo="4", NgayKetThucXuLy="", NgayTra="")
    _shift(record, "NgayTiepNhan", "ThoiDiemCapNhat", dt.timedelta(days=1))
    _shift(record, "NgayHenTra", "NgayTiepNhan", dt.timedelta(days=5))


def _finished_earlier(record: Record) -> None:
    _shift(record, "NgayKetThucXuLy", "NgayTiepNhan", dt.timedelta(days=-2))


def _nothing(record: Record) -> None:
    """The record stays as it is; its bytes are spoilt when it is written."""


FAULTS: dict[str, list[Callable[[Record], None]]] = {
    "bad_code": [
        _set("TrangThaiHoSo", "11"),
        _set("KenhThucHien", "4"),
        _set("MucDo", "1"),
        _set("LoaiDoiTuong", "5"),
        _set("DuocThanhToanTrucTuyen", "2"),
        _set("KenhThanhToan", "MOMO"),
        _set("NoiNopHoSo", "3"),
        _set("DaXoa", "2"),
    ],
    "unparsable_time": [
        _set("NgayTiepNhan", "20240230080000"),
        _set("ThoiDiemCapNhat", "2024-03-01 08:00:00"),
        _set("NgayHenTra", "12:30"),
        _set("NgayKetThucXuLy", "20240310256000"),
    ],
    "wrong_field_count": [_nothing],
    "not_utf8": [_nothing],
    "finish_before_reception": [_finished_earlier],
    "reception_after_version": [_received_later],
    "negative_fee": [_set("LePhi", "-20000")],
    "missing_required": [
        _set("MaDonVi", ""),
        _set("ThoiDiemCapNhat", ""),
        _set("NgayTiepNhan", ""),
        _set("NgayKetThucXuLy", ""),
        _set("MaHoSo", ""),
        _set("MaTTHC", ""),
        _set("KenhThucHien", ""),
        _set("TrangThaiHoSo", ""),
    ],
    "unknown_dossier_shape": [_set("MaHoSo", "HS-2024/000123"), _set("MaHoSo", "31_05_00012")],
    "unparsable_number": [_set("LePhi", "50.000đ"), _set("SoLanBoSung", "hai")],
}


def _fault_cycle() -> Iterator[tuple[str, Callable[[Record], None]]]:
    """Every reason in turn, and within a reason every variant in turn."""
    turn = 0
    while True:
        for reason, variants in FAULTS.items():
            yield reason, variants[turn % len(variants)]
        turn += 1


def _raw(reason: str, record: Record, export: Export, serial: int) -> bytes:
    marker = "\N{REPLACEMENT CHARACTER}"
    if reason == "not_utf8":
        record["ChuHoSo"] = marker
    values = [record[name] for name in export.columns]
    if reason == "wrong_field_count":
        values = values[:-1] if serial % 2 else [*values, "thừa"]
    text = io.StringIO()
    csv.writer(text, lineterminator=export.line_end).writerow(values)
    # A name typed in the old TCVN3 code page.
    return text.getvalue().encode().replace(marker.encode(), b"Nguy\xd4n V\xa8n \xb8nh")
