"""Exports for the tests of this room: rows that hold every rule, files in an inbox, loads into a real warehouse."""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from cchc.settings import Settings
from extract.contract import contracts
from extract.exports import load_exports
from extract.ledger import LoadOutcome

NAME = "ho-so_20240101_20240131.csv"
GOOD_ROW = {
    "MaHoSo": "H31.05-240115-00012",
    "MaTTHC": "1.004190.H31",
    "MaLinhVuc": "G03-GD10",
    "MaDonVi": "H31.05",
    "DonViXuLy": "Sở Văn hóa, Thể thao và Du lịch",
    "KenhThucHien": "2",
    "MucDo": "4",
    "LoaiDoiTuong": "1",
    "ChuHoSo": "Nguyễn Văn Ánh",
    "SoGiayToChuHoSo": "033090001234",
    "SoDienThoai": "0912345678",
    "Email": "anh.nguyen@thu-dien-tu.vn",
    "DiaChi": "Số 5, đường Điện Biên, Hưng Yên",
    "NgayNopHoSo": "20240115080000",
    "NgayTiepNhan": "20240115083000",
    "NgayHenTra": "20240125170000",
    "NgayKetThucXuLy": "20240120100000",
    "NgayTra": "20240120110000",
    "NgayYeuCauBoSung": "",
    "TrangThaiHoSo": "10",
    "SoLanBoSung": "0",
    "LePhi": "50000",
    "DuocThanhToanTrucTuyen": "1",
    "KenhThanhToan": "DVCQG",
    "HoSoCoThanhPhanSoHoa": "1",
    "CoKetQuaDienTu": "0",
    "NoiNopHoSo": "1",
    "DaXoa": "",
    "ThoiDiemCapNhat": "20240120110000",
}
Rows = list[dict[str, str]]


class Exports:
    """Writes exports and loads them, as an inbox and a scheduler would."""

    def __init__(self, settings: Settings, loader: Engine) -> None:
        self.settings = settings
        self._loader = loader
        self.folder = Path(settings.inbox) / "mot-cua"
        self.folder.mkdir(parents=True)

    def reconnect(self) -> None:
        self._loader.dispose()

    @staticmethod
    def rows(count: int, first: int = 1, **changes: str) -> Rows:
        return [GOOD_ROW | {"MaHoSo": f"H31.05-240115-{first + i:05d}"} | changes for i in range(count)]

    @staticmethod
    def content(rows: Rows, columns: list[str] | None = None, **dialect: Any) -> bytes:
        target = io.StringIO()
        columns = columns or list(GOOD_ROW)
        writer = csv.writer(target, **dialect)
        writer.writerow(columns)
        writer.writerows([row.get(column, "") for column in columns] for row in rows)
        return target.getvalue().encode()

    def drop(self, content: bytes | Rows, name: str = NAME) -> Path:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else self.content(content))
        return path

    def load_all(self, **changes: object) -> list[LoadOutcome]:
        settings = self.settings.model_copy(update=changes)
        return load_exports(settings, self._loader, contracts()["one_stop"])

    def load(self, content: bytes | Rows, name: str = NAME, **changes: object) -> LoadOutcome:
        """Drop one file and load it alone."""
        path = self.drop(content, name)
        [outcome] = self.load_all(**changes)
        path.unlink()
        return outcome


@pytest.fixture
def exports(settings: Settings, loader: Engine) -> Exports:
    return Exports(settings, loader)


@pytest.fixture
def everything(query: Callable[..., list[tuple]]) -> Callable[[], str]:
    """All that the warehouse holds, every column of every table as one text."""

    def read() -> str:
        tables = query(
            "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname in ('raw', 'ops')"
        )
        assert len(tables) > 10
        return "\n".join(row[0] for (table,) in tables for row in query(f"select t::text from {table} as t"))

    return read


@pytest.fixture
def all_logs(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Every log record of every library, down to DEBUG."""
    with caplog.at_level(logging.DEBUG):
        yield caplog
