"""Contracts as data: complete, consistent, and the source of the raw tables."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydantic import ValidationError
from sqlalchemy import Engine

from extract.check import Checker
from extract.contract import FOLDER, Table, contracts, create_raw_tables, read
from extract.privacy import Pseudonyms

Query = Callable[..., list[tuple]]
TABLES = [table for contract in contracts().values() for table in contract.tables]
HEADERS = """
    MaHoSo MaTTHC MaLinhVuc MaDonVi DonViXuLy KenhThucHien MucDo LoaiDoiTuong ChuHoSo SoGiayToChuHoSo SoDienThoai Email
    DiaChi NgayNopHoSo NgayTiepNhan NgayHenTra NgayKetThucXuLy NgayTra NgayYeuCauBoSung TrangThaiHoSo SoLanBoSung LePhi
    DuocThanhToanTrucTuyen KenhThanhToan HoSoCoThanhPhanSoHoa CoKetQuaDienTu NoiNopHoSo DaXoa ThoiDiemCapNhat
"""


def test_the_one_stop_contract_has_every_column() -> None:
    table = contracts()["one_stop"].tables[0]
    assert [column.header for column in table.columns] == HEADERS.split()
    assert [column.header for column in table.columns if column.required] == [
        *("MaHoSo", "MaTTHC", "MaDonVi", "KenhThucHien", "TrangThaiHoSo", "ThoiDiemCapNhat")
    ]
    assert table.key == ["mahoso", "thoidiemcapnhat"]


def test_every_personal_column_is_dropped_or_made_a_pseudonym() -> None:
    table = contracts()["one_stop"].tables[0]
    personal = {column.header: column.custom("privacy") for column in table.columns if column.is_personal}
    assert personal == {
        "ChuHoSo": "drop",
        "SoGiayToChuHoSo": "pseudonym",
        "SoDienThoai": "drop",
        "Email": "drop",
        "DiaChi": "drop",
    }
    assert not {"chuhoso", "sodienthoai", "email", "diachi"} & {column.name for column in table.stored_columns}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.physical_name)
def test_a_contract_is_complete(table: Table) -> None:
    names = [column.name for column in table.columns]
    headers = [column.header.casefold() for column in table.columns]
    assert len(set(names)) == len(names)
    assert len(set(headers)) == len(headers)
    assert table.grain
    for column in table.columns:
        assert column.business_name, column.name
        if column.type in ("timestamp", "date"):
            assert column.options["format"]
        if column.type == "jsonb":
            assert column.items
    for name in table.key:
        assert name in {column.name for column in table.stored_columns}
    assert not table.key or table.column(table.key[0]).required
    for rule in table.rules:
        given = rule.implementation
        mentioned = [given["column"], given.get("when"), given.get("other"), *given.get("conditions", {})]
        assert {name for name in mentioned if name} <= set(names)
        assert rule.description
    # every rule and type is one the checker knows
    Checker(table, Pseudonyms(b"k" * 32))


@pytest.mark.parametrize("contract", contracts().values(), ids=lambda contract: contract.name)
def test_a_contract_names_who_mends_and_how_fresh_it_is(contract) -> None:
    assert contract.owner
    assert contract.freshness_days > 0
    assert contract.version.count(".") == 2


def test_raw_tables_are_what_the_contracts_say(engine: Engine, query: Query) -> None:
    found = query(
        "select table_name, column_name, data_type from information_schema.columns where table_schema = 'raw'"
        " and column_name not like '\\_%'"
    )
    wanted = {
        (table.physical_name, column.name, "timestamp without time zone" if column.type == "timestamp" else column.type)
        for table in TABLES
        for column in table.stored_columns
    }
    assert set(found) == wanted


def test_making_the_tables_again_changes_nothing(engine: Engine, query: Query) -> None:
    columns = "table_name, column_name, data_type"
    shape = f"select {columns} from information_schema.columns where table_schema = 'raw' order by 1, 2"
    before = query(shape)
    with engine.begin() as connection:
        create_raw_tables(connection)
    assert query(shape) == before


def test_a_column_that_a_newer_contract_brings_is_added(engine: Engine, query: Query) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("alter table raw.one_stop__dossier drop column noinophoso")
        create_raw_tables(connection)
    column = (
        "select data_type from information_schema.columns where column_name = 'noinophoso' and table_schema = 'raw'"
    )
    assert query(column) == [("smallint",)]


def test_a_column_of_another_type_needs_a_migration(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql("alter table raw.one_stop__dossier alter column noinophoso type text")
        with pytest.raises(ValueError, match="noinophoso is text, the contract says smallint"):
            create_raw_tables(connection)


def test_a_contract_with_an_unknown_type_is_not_read(tmp_path) -> None:
    content = (FOLDER / "one_stop.yaml").read_text(encoding="utf-8")
    path = tmp_path / "wrong.yaml"
    path.write_text(content.replace("physicalType: boolean", "physicalType: bool"), encoding="utf-8")
    with pytest.raises(ValidationError, match="physicalType"):
        read(path)
