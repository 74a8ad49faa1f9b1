"""Agencies of the province: departments, districts and communes, with the two reorganisations of communes."""

from __future__ import annotations

import csv
import datetime as dt
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

DATA = Path(__file__).parent / "data"
PROVINCE = "H31"
PROVINCE_AREA = "33"
REFORM_ON = dt.date(2025, 7, 1)


@dataclass
class Agency:
    """One receiving agency as the portal lists it; `valid_to` is the first day it no longer exists."""

    code: str
    name: str
    level: int
    parent: str
    area: str
    valid_from: dt.date
    valid_to: dt.date | None = None
    successors: list[str] = field(default_factory=list)

    def valid_on(self, day: dt.date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


def read_csv(name: str) -> list[dict[str, str]]:
    """Rows of one of the package's own data files."""
    with (DATA / name).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


@lru_cache(maxsize=1)
def agencies() -> tuple[Agency, ...]:
    """The province's own entry, 30 agencies, and every commune of the unit history, old and new."""
    listed = [Agency(PROVINCE, "UBND tỉnh Hưng Yên", 1, "", PROVINCE_AREA, dt.date(1997, 1, 1))]
    district_of_area: dict[str, str] = {}
    for row in read_csv("agencies_2024.csv"):
        is_district = row["block"] == "huyen"
        listed.append(
            Agency(
                row["code"],
                row["name"],
                2 if is_district else 1,
                PROVINCE,
                row["district_code"] or PROVINCE_AREA,
                dt.date(2000, 1, 1),
                REFORM_ON if is_district else None,
            )
        )
        if is_district:
            district_of_area[row["district_code"]] = row["code"]
    listed.extend(_communes(district_of_area))
    return tuple(listed)


def _communes(district_of_area: dict[str, str]) -> list[Agency]:
    units = [row for row in read_csv("admin_units.csv") if row["level"] == "xa"]
    successions = read_csv("admin_unit_successions.csv")
    in_old_province = {row["new_code"] for row in successions}
    counters: dict[str, int] = {}
    communes = []
    for row in sorted(units, key=lambda row: (row["valid_from"], row["code"])):
        valid_from = dt.date.fromisoformat(row["valid_from"])
        if valid_from >= REFORM_ON:
            # Districts are gone: communes answer to the province. Two number ranges keep `nn` at two digits.
            prefix, parent = ("H31.41" if row["code"] in in_old_province else "H31.42"), PROVINCE
        else:
            prefix = parent = district_of_area[row["parent_code"]]
        counters[prefix] = counters.get(prefix, 0) + 1
        communes.append(
            Agency(
                f"{prefix}.{counters[prefix]:02d}",
                f"UBND {row['name'][0].lower()}{row['name'][1:]}",
                3,
                parent,
                row["code"],
                valid_from,
                dt.date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
            )
        )
    for row in successions:
        on = dt.date.fromisoformat(row["effective_date"])
        ended = next((c for c in communes if c.area == row["old_code"] and c.valid_to == on), None)
        heir = next((c for c in communes if c.area == row["new_code"] and c.valid_on(on)), None)
        if ended is None or heir is None or heir.code in ended.successors:
            continue
        if "default" in row["kind"]:
            ended.successors.insert(0, heir.code)
        else:
            ended.successors.append(heir.code)
    return communes


def _date(day: dt.date | None) -> str:
    return day.strftime("%d/%m/%Y") if day else ""


def portal_agencies() -> list[dict[str, object]]:
    """Result objects of LayDanhMucCoQuan."""
    return [
        {
            "MADONVI": agency.code,
            "TENDONVI": agency.name,
            "CAPDONVI": str(agency.level),
            "MADONVICHA": agency.parent,
            "MADIABAN": agency.area,
            "NGAYHIEULUC": _date(agency.valid_from),
            "NGAYHETHIEULUC": _date(agency.valid_to),
            "MADONVIKETHUA": ",".join(agency.successors),
        }
        for agency in agencies()
    ]
