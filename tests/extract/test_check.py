"""Every rule of the one-stop contract: what is rejected, why, and what of it may be shown."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from extract.check import Checked, Checker, file_range
from extract.contract import Table, contracts
from extract.privacy import Pseudonyms

TABLE = contracts()["one_stop"].tables[0]
GOOD = {
    "mahoso": "H31.05-240115-00012",
    "matthc": "1.004190.H31",
    "madonvi": "H31.05",
    "kenhthuchien": "2",
    "trangthaihoso": "4",
    "ngaytiepnhan": "20240115083000",
    "thoidiemcapnhat": "20240120110000",
}
COVERS = (date(2024, 1, 1), date(2024, 1, 31))


def checked(
    *rows: dict[str, str | None], table: Table = TABLE, covers: tuple[date, date] | None = COVERS
) -> tuple[Checked, Checker]:
    names = sorted(set().union(*rows))
    frame = pl.DataFrame([{name: row.get(name) for name in names} for row in rows], dict.fromkeys(names, pl.String))
    checker = Checker(table, Pseudonyms(b"k" * 32, ["000000001"]), covers)
    return checker.check(frame.with_columns(pl.int_range(2, len(rows) + 2, dtype=pl.Int64).alias("_row"))), checker


def faults(**changes: str | None) -> list[tuple[str, str, str | None]]:
    """(column, code, value) of each fault of the good row with changes."""
    result, _ = checked(GOOD | changes)
    found = result.faults.get(2, [])
    assert result.good.height == (0 if found else 1)
    assert all(fault.row == 2 and fault.reason for fault in found)
    return [(fault.column, fault.code, fault.value) for fault in found]


def typed(**changes: str | None) -> dict[str, Any]:
    result, _ = checked(GOOD | changes)
    assert not result.faults
    return result.good.row(0, named=True)


# ------------------------------------------------------------------------------------------------------ good rows


def test_a_good_row_is_typed_and_columns_that_never_came_are_blank() -> None:
    row = typed(lephi=" 50000 ", daxoa="1", hosocothanhphansohoa="0", solanbosung="2", donvixuly="  ")
    assert row["_row"] == 2
    assert row["ngaytiepnhan"] == datetime(2024, 1, 15, 8, 30)
    assert (row["lephi"], row["daxoa"], row["hosocothanhphansohoa"]) == (50000, True, False)
    assert (row["coketquadientu"], row["donvixuly"], row["malinhvuc"]) == (None, None, None)
    assert set(row) == {"_row", *(column.name for column in TABLE.stored_columns)}
    assert not {"chuhoso", "sodienthoai", "email", "diachi"} & set(row)


def test_half_past_noon_and_midnight_stay_what_they_are() -> None:
    assert typed(ngaytiepnhan="20240115123000")["ngaytiepnhan"] == datetime(2024, 1, 15, 12, 30)
    assert typed(ngaytiepnhan="20240115000000")["ngaytiepnhan"] == datetime(2024, 1, 15)


def test_a_code_that_ends_in_0_is_text() -> None:
    assert typed(matthc="1.004190")["matthc"] == "1.004190"


@pytest.mark.parametrize(
    "number", ["H31.05-240115-00012", "H31-240115-1", "H31.34.07-240115-00012", "000.00.05.H31-240115-00012"]
)
def test_known_shapes_of_dossier_numbers(number: str) -> None:
    assert typed(mahoso=number)["mahoso"] == number


@pytest.mark.parametrize("code", ["H99.99", "KHONG-CO", "000.00.05.H31", "1.004190.000.00.00.H31", "không có", "A B"])
def test_an_unknown_agency_procedure_or_field_is_no_fault(code: str) -> None:
    assert typed(madonvi=code, matthc=code, malinhvuc=code)["madonvi"] == code


# ------------------------------------------------------------------------------------------------------ rejects


@pytest.mark.parametrize(
    "name", ["mahoso", "matthc", "madonvi", "kenhthuchien", "trangthaihoso", "thoidiemcapnhat", "ngaytiepnhan"]
)
@pytest.mark.parametrize("blank", [None, "", "  ", "\u00a0"])
def test_a_blank_required_field(name: str, blank: str | None) -> None:
    code = "required_unless" if name == "ngaytiepnhan" else "required"
    assert faults(**{name: blank}) == [(TABLE.column(name).header, code, None)]


@pytest.mark.parametrize(
    ("name", "value", "code", "shown"),
    [
        ("mahoso", "H31.05-2401-00012", "unknown_shape", "H31.05-2401-00012"),
        ("mahoso", "H31.05/240115/00012", "unknown_shape", "H31.05/240115/00012"),
        ("mahoso", "12", "unknown_shape", "12"),
        ("mahoso", "h31.05-240115-1", "unknown_shape", "h31.05-240115-1"),
        ("mahoso", "H31.05-240115-1x", "unknown_shape", None),
        ("mahoso", "H３1.05-240115-1", "unknown_shape", None),
        ("kenhthuchien", "4", "not_in_list", "4"),
        ("kenhthuchien", "02", "not_in_list", "02"),
        ("kenhthuchien", "2.0", "not_in_list", "2.0"),
        ("mucdo", "1", "not_in_list", "1"),
        ("loaidoituong", "0", "not_in_list", "0"),
        ("trangthaihoso", "11", "not_in_list", "11"),
        ("trangthaihoso", "0", "not_in_list", "0"),
        ("duocthanhtoantructuyen", "2", "not_in_list", "2"),
        ("kenhthanhtoan", "tinh", "not_in_list", None),
        ("hosocothanhphansohoa", "true", "not_in_list", "true"),
        ("coketquadientu", "2", "not_in_list", "2"),
        ("noinophoso", "3", "not_in_list", "3"),
        ("daxoa", "x", "not_in_list", None),
        ("solanbosung", "1.5", "not_a_number", "1.5"),
        ("solanbosung", "-1", "below_minimum", "-1"),
        ("solanbosung", "9999999999999", "not_a_number", None),
        ("lephi", "-50000", "below_minimum", "-50000"),
        ("lephi", "50.000", "not_a_number", "50.000"),
        ("lephi", "miễn phí", "not_a_number", None),
        ("lephi", "+5", "not_a_number", "+5"),
        ("lephi", "１２", "not_a_number", None),
        ("matthc", "a@b.vn", "unknown_shape", None),
        ("madonvi", "033090001234", "unknown_shape", None),
        ("malinhvuc", "0912345678", "unknown_shape", None),
        ("thoidiemcapnhat", "20240120", "not_a_moment", "20240120"),
    ],
)
def test_a_value_outside_its_list_shape_or_range(name: str, value: str, code: str, shown: str | None) -> None:
    assert faults(**{name: value}) == [(TABLE.column(name).header, code, shown)]


@pytest.mark.parametrize("name", ["ngaynophoso", "ngaytiepnhan", "ngayhentra", "ngaytra", "ngayyeucaubosung"])
@pytest.mark.parametrize(
    "value",
    [
        "20240230120000",
        "20240115240000",
        "20240115236000",
        "20240115235960",
        "20241315080000",
        "20240100080000",
        "20240115",
        "2024011508300",
        "202401150830000",
        "00000101000000",
        "15/01/2024",
        "2024-01-15 08:30:00",
        "+2024011508300",
        "２0240115083000",
        "hôm qua",
    ],
)
def test_a_moment_that_is_none_rejects_the_row_also_where_it_is_optional(name: str, value: str) -> None:
    [(column, code, _)] = faults(**{name: value})
    assert (column, code) == (TABLE.column(name).header, "not_a_moment")


def test_29_february_exists_in_leap_years() -> None:
    assert typed(ngaytiepnhan="20240115083000", ngaynophoso="20240229000000")
    assert faults(ngaynophoso="20230229000000")


@pytest.mark.parametrize("status", ["1", "3"])
def test_status_1_and_3_need_no_reception(status: str) -> None:
    assert typed(trangthaihoso=status, ngaytiepnhan="")["ngaytiepnhan"] is None


@pytest.mark.parametrize("status", ["2", "4", "5", "6", "7", "8"])
def test_every_other_status_needs_a_reception(status: str) -> None:
    assert faults(trangthaihoso=status, ngaytiepnhan="") == [("NgayTiepNhan", "required_unless", None)]
    assert typed(trangthaihoso=status)["trangthaihoso"] == int(status)


@pytest.mark.parametrize("status", ["9", "10"])
def test_status_9_and_10_need_a_finish(status: str) -> None:
    assert faults(trangthaihoso=status) == [("NgayKetThucXuLy", "required_when", None)]
    assert typed(trangthaihoso=status, ngayketthucxuly="20240120100000")


def test_moments_compare_as_moments() -> None:
    """One second is enough, the same day is not an excuse, equal moments are in order."""
    assert typed(ngayketthucxuly="20240115083000", thoidiemcapnhat="20240115083000")
    finish = faults(ngayketthucxuly="20240115082959")
    assert finish == [("NgayKetThucXuLy", "not_before", "20240115082959")]
    late = faults(thoidiemcapnhat="20240115082959")
    assert late == [("NgayTiepNhan", "not_after", "20240115083000")]


def test_all_faults_of_a_row_are_named_each_column_once() -> None:
    found = faults(kenhthuchien="9", ngaytiepnhan="20240230000000", lephi="-1")
    assert [(column, code) for column, code, _ in found] == [
        ("KenhThucHien", "not_in_list"),
        ("NgayTiepNhan", "not_a_moment"),
        ("LePhi", "below_minimum"),
    ]


def test_bad_rows_go_and_good_ones_stay() -> None:
    result, _ = checked(GOOD, GOOD | {"mucdo": "7"}, GOOD | {"mahoso": "H31.05-240115-2"})
    assert result.good["_row"].to_list() == [2, 4]
    assert list(result.faults) == [3]


def test_values_of_neighbours_are_not_shown() -> None:
    for value in ("Ánh", "ANH", "0912345678", "0912.345.678", "033 090 001 234", "C1234567", "a@b.vn", "Số 5", "An"):
        for name in ("kenhthuchien", "noinophoso", "ngaytiepnhan", "mahoso"):
            assert [shown for _, _, shown in faults(**{name: value})] == [None], (name, value)


def test_where_there_is_nobody_the_department_sees_what_it_sent() -> None:
    agency = contracts()["portal"].table("agency")
    row = {"madonvi": "H31", "tendonvi": "UBND tỉnh", "capdonvi": "tỉnh", "ngayhieuluc": "31/02/2024"}
    result, _ = checked(row, table=agency)
    assert [(fault.column, fault.value) for fault in result.faults[2]] == [
        ("CAPDONVI", "tỉnh"),
        ("NGAYHIEULUC", "31/02/2024"),
    ]


# ----------------------------------------------------------------------------------------------------- warnings


def warnings(*rows: dict[str, str], covers: tuple[date, date] | None = COVERS) -> dict[str, tuple[int, int | None]]:
    result, checker = checked(*rows, covers=covers)
    assert not result.faults
    return {f"{code}:{column}": (w.row_count, w.first_row) for (code, column), w in checker.warnings.items()}


def test_a_due_date_before_reception_warns() -> None:
    late = GOOD | {"ngayhentra": "20240115082959"}
    assert warnings(GOOD, late, late) == {"not_before:NgayHenTra": (2, 3)}
    assert warnings(GOOD | {"ngayhentra": "20240115083000"}) == {}


def test_a_settled_online_dossier_of_an_information_service_warns() -> None:
    done = {"trangthaihoso": "9", "ngayketthucxuly": "20240120100000"}
    odd = GOOD | done | {"mucdo": "2", "kenhthuchien": "2"}
    assert warnings(odd, odd | {"trangthaihoso": "10"}) == {"not_together:MucDo": (2, 2)}
    for change in ({"mucdo": "3"}, {"mucdo": ""}, {"kenhthuchien": "1"}, {"trangthaihoso": "4"}):
        assert warnings(odd | change) == {}


def test_rows_outside_the_range_of_the_file_name_warn() -> None:
    edges = [GOOD | {"thoidiemcapnhat": moment} for moment in ("20240131235959", "20240201000000")]
    assert warnings(*edges) == {"in_file_range:ThoiDiemCapNhat": (1, 3)}
    early = GOOD | {"ngaytiepnhan": "20231231083000", "thoidiemcapnhat": "20231231235959"}
    first = GOOD | {"ngaytiepnhan": "20231231083000", "thoidiemcapnhat": "20240101000000"}
    assert warnings(early, first) == {"in_file_range:ThoiDiemCapNhat": (1, 2)}
    assert warnings(early, covers=None) == {}


def test_warnings_add_up_over_the_batches_of_a_load() -> None:
    checker = Checker(TABLE, Pseudonyms(b"k" * 32), COVERS)
    late = GOOD | {"ngayhentra": "20240101000000"}
    for first in (50, 7):
        frame = pl.DataFrame([late, late]).with_columns(pl.int_range(first, first + 2, dtype=pl.Int64).alias("_row"))
        checker.check(frame)
    [warned] = checker.warnings.values()
    assert (warned.row_count, warned.first_row) == (4, 7)


# --------------------------------------------------------------------------------------------------- pseudonyms


def test_identity_numbers_become_keys_and_placeholders_nobody() -> None:
    identities = ["033090001234", " 033090001234 ", "000000001", "", "C1234567"]
    result, _ = checked(*(GOOD | {"applicant_key": identity} for identity in identities))
    keys = result.good["applicant_key"].to_list()
    assert keys[0] == keys[1] == Pseudonyms(b"k" * 32).of("033090001234")
    assert keys[2] is keys[3] is None
    assert keys[4] not in (None, keys[0])


def test_without_pseudonyms_personal_data_is_not_passed_on() -> None:
    with pytest.raises(ValueError, match="SoGiayToChuHoSo"):
        Checker(TABLE).check(pl.DataFrame([GOOD | {"_row": 2}]))


# ----------------------------------------------------------------------------------------- dates, names of files


def test_dates_of_the_feeds() -> None:
    decision = contracts()["portal"].table("decision")
    row = {"idqdcb": "1", "tthc": "[]"}
    good, _ = checked(row | {"ngayquyetdinh": "5/01/2024"}, table=decision)
    assert good.good["ngayquyetdinh"].to_list() == [date(2024, 1, 5)]
    for wrong in ("30/02/2024", "2024-01-05", "05/01/24", "01/13/2024", "05/01/0000"):
        bad, _ = checked(row | {"ngayquyetdinh": wrong}, table=decision)
        assert [fault.code for fault in bad.faults[2]] == ["not_a_moment"], wrong


@pytest.mark.parametrize(
    ("name", "days"),
    [
        ("ho-so_20240101_20240131.csv", (date(2024, 1, 1), date(2024, 1, 31))),
        ("ho-so_20240101_20240101.csv.zst", (date(2024, 1, 1), date(2024, 1, 1))),
        ("ho-so_20240101_20240131.csv.gz", (date(2024, 1, 1), date(2024, 1, 31))),
        ("ho-so_20240131_20240101.csv", None),
        ("ho-so_20240101_20240230.csv", None),
        ("ho-so_20240101.csv", None),
        ("ho-so_20240101_20240131.xlsx", None),
        ("ho-so_20240101_20240131.csv.bak", None),
        ("xho-so_20240101_20240131.csv", None),
        ("ho-so_20240101_20240131.csv\n", None),
        ("ho-so_２0240101_20240131.csv", None),
    ],
)
def test_the_days_in_a_files_name(name: str, days: tuple[date, date] | None) -> None:
    assert file_range(name, TABLE.custom("filePattern")) == days


def test_money_keeps_every_dong() -> None:
    assert Decimal(typed(lephi="9007199254740993")["lephi"]) == Decimal("9007199254740993")
