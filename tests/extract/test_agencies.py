"""Agencies and communes in all the spellings that departments use."""

from __future__ import annotations

import csv
import unicodedata
from datetime import date

import pytest

from extract.agencies import ALIASES, AgencyNames, Unresolved

from .department_files import AGENCIES, names


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("H31.02", "H31.02"),
        ("h31.02", "H31.02"),
        ("Sở Nội vụ", "H31.02"),
        ("  SỞ   NỘI VỤ ", "H31.02"),
        (unicodedata.normalize("NFD", "Sở Nội vụ"), "H31.02"),
        ("Sở Nội vụ tỉnh Hưng Yên", "H31.02"),
        ("Së Néi vô", "H31.02"),
        ("UBND huyện Văn Lâm", "H31.32"),
        ("Huyện Văn Lâm", "H31.32"),
        ("H. Văn Lâm", "H31.32"),
        ("H.Văn Lâm", "H31.32"),
        ("UBND H. Văn Lâm", "H31.32"),
        ("Uỷ ban nhân dân huyện Văn Lâm", "H31.32"),
        ("Sở TT&TT", "H31.11"),
        ("Sở Thông tin & Truyền thông", "H31.11"),
        ("Sở LĐTBXH", "H31.12"),
        ("Sở Lao động, Thương binh và Xã hội", "H31.12"),
        ("TP. Hưng Yên", "H31.31"),
        ("TP Hưng Yên", "H31.31"),
        ("Thành phố Hưng Yên", "H31.31"),
        ("TX. Mỹ Hào", "H31.35"),
        ("UBND TX Mỹ Hào", "H31.35"),
        ("Thị xã Mỹ Hào", "H31.35"),
        ("Sở Văn hoá, Thể thao và Du lịch", "H31.13"),
        ("UBND tỉnh", "H31"),
        ("UBND tỉnh Hưng Yên", "H31"),
        ("Văn phòng UBND tỉnh Hưng Yên", "H31.01"),
        ("VP UBND tỉnh", "H31.01"),
        ("Thanh tra tỉnh Hưng Yên", "H31.17"),
        ("UBND xã Lạc Đạo", "H31.32.02"),
        ("Xã Minh Hải, huyện Văn Giang", "H31.33.08"),
        ("Xã Minh Hải - Văn Lâm", "H31.32.08"),
    ],
)
def test_spellings(written: str, code: str) -> None:
    assert names().resolve(written) == code


@pytest.mark.parametrize(
    ("written", "code"),
    [("Xã Lạc Đạo", "H31.32.02"), ("11989", "H31.32.02"), ("TT. Như Quỳnh", "H31.32.01"), ("P. Lam Sơn", "H31.31.01")],
)
def test_communes(written: str, code: str) -> None:
    assert names().resolve(written, with_communes=True) == code


@pytest.mark.parametrize(
    "written",
    ["Sở Ngoại giao", "Văn Lâm", "Khối sở, ngành", "H31.99", "Sở", "UBND xã Nào Đó", "UBND thị xã Mỹ Hoà", "11989"],
)
def test_unknown_names_are_not_guessed(written: str) -> None:
    found = names().resolve(written)
    assert isinstance(found, Unresolved)
    assert found.code == "unknown_agency"


def test_a_name_of_two_communes_is_refused_naming_both() -> None:
    found = names().resolve("Xã Minh Hải", with_communes=True)
    assert isinstance(found, Unresolved)
    assert found.code == "ambiguous_agency"
    assert "H31.32.08, H31.33.08" in found.reason


def test_the_day_is_named() -> None:
    found = AgencyNames(AGENCIES, date(2025, 7, 1)).resolve("?")
    assert isinstance(found, Unresolved)
    assert "01/07/2025" in found.reason


def test_aliases_are_unique_and_lead_to_names() -> None:
    with ALIASES.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len({row["alias"].casefold() for row in rows}) == len(rows)
    agency = AGENCIES[2]
    pairs = [("SNV", "Sở Nội vụ"), ("Sở Lạ", "Sở Không Có")]
    found = AgencyNames(AGENCIES, date(2024, 6, 14), pairs)
    assert found.resolve("SNV") == agency.code
    assert isinstance(found.resolve("Sở Lạ"), Unresolved)
