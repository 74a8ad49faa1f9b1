"""Agencies and communes as people name them, resolved against the portal's list as it was on a day."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache

import psycopg2.extensions

from cchc.settings import PROJECT_ROOT
from extract import tcvn3
from extract.cells import tidy

ALIASES = PROJECT_ROOT / "dbt" / "seeds" / "agency_alias.csv"

_COMMUNE = 3
_TONES = "\u0300\u0301\u0303\u0309\u0323"
_WORD = re.compile(r"[^\W_]+")
_UNIT_WORDS = ("huyện", "thị xã", "thành phố", "xã", "phường", "thị trấn", "tỉnh")
# longer ones first: "TX." must not be taken for "X."
_ABBREVIATIONS = (
    (re.compile(r"\b(?:ủy|uỷ)\s+ban(?:\s+nhân\s+dân)?\b|\bubnd\b"), "ubnd"),
    (re.compile(r"(?<!\w)tp(?:\.|\s)\s*"), "thành phố "),
    (re.compile(r"(?<!\w)tx(?:\.|\s)\s*"), "thị xã "),
    (re.compile(r"(?<!\w)tt(?:\.\s*|\s+)(?=[^\W\d_]{2,})"), "thị trấn "),
    (re.compile(r"(?<!\w)h(?:\.\s*|\s+)(?=[^\W\d_])"), "huyện "),
    (re.compile(r"(?<!\w)x\.\s*(?=[^\W\d_])"), "xã "),
    (re.compile(r"(?<!\w)p\.\s*(?=[^\W\d_])"), "phường "),
    (re.compile(r"(?<!\w)t\.\s*(?=[^\W\d_])"), "tỉnh "),
)

# The current row of an agency is the one that was heard last, as everywhere in the warehouse.
_CURRENT = """
    with heard as (
        select load_id, max(arrived_at) as arrived_at
        from ops.arrival
        where source = 'portal' and dataset = 'agency' and outcome in ('new', 'repeat') and load_id is not null
        group by load_id
    )

    select distinct on (madonvi, ngayhieuluc)
        madonvi, tendonvi, capdonvi, madonvicha, madiaban, ngayhieuluc, ngayhethieuluc
    from raw.portal__agency inner join heard on _load_id = load_id
    order by madonvi, ngayhieuluc, arrived_at desc, _row desc
"""


@dataclass(frozen=True, slots=True)
class Agency:
    """One agency of the portal's list on the day that counts."""

    code: str
    name: str
    level: int
    parent: str | None = None
    area: str | None = None


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Why a name is no agency; follows the column's name in a sentence."""

    code: str
    reason: str


def listed_agencies(connection: psycopg2.extensions.connection, day: date) -> list[Agency]:
    """The portal's agencies in force on `day`; none at all when the list has never come."""
    with connection.cursor() as cursor:
        cursor.execute(_CURRENT)
        return [
            Agency(code, name, level, parent or None, area or None)
            for code, name, level, parent, area, valid_from, valid_to in cursor.fetchall()
            if (valid_from is None or valid_from <= day) and (valid_to is None or day < valid_to)
        ]


@cache
def aliases() -> tuple[tuple[str, str], ...]:
    """(abbreviation, name) pairs of the seed."""
    with ALIASES.open(encoding="utf-8", newline="") as stream:
        return tuple((row["alias"], row["agency_name"]) for row in csv.DictReader(stream))


class AgencyNames:
    """Finds agencies by code or by any spelling of their name."""

    def __init__(self, listed: Iterable[Agency], day: date, pairs: Iterable[tuple[str, str]] | None = None) -> None:
        self._day = day
        self._agencies = {agency.code: agency for agency in listed}
        self._codes = {agency.code.casefold(): agency.code for agency in self._agencies.values()}
        self._areas: dict[str, set[str]] = defaultdict(set)
        self._names: dict[str, set[str]] = defaultdict(set)
        self._province = self._name_of_the_province()
        for agency in self._agencies.values():
            if agency.area and agency.level == _COMMUNE:
                self._areas[agency.area].add(agency.code)
            for key in self._keys_of(agency):
                self._names[key].add(agency.code)
        for alias, name in aliases() if pairs is None else pairs:
            known = self._names.get(self._key(name))
            if known:
                self._names[self._key(alias)] |= known

    @property
    def is_empty(self) -> bool:
        return not self._agencies

    def resolve(self, text: str, *, with_communes: bool = False) -> str | Unresolved:
        """The code of the agency that `text` names; `with_communes` also takes the statistics office's codes."""
        wanted = tidy(text)
        if code := self._codes.get(wanted.casefold()):
            return code
        found: set[str] = set()
        if with_communes and wanted.isdigit():
            found = self._areas.get(wanted.zfill(5), set())
        for reading in tcvn3.readings(wanted):
            found = found or self._names.get(self._key(reading), set())
        if len(found) == 1:
            return next(iter(found))
        if found:
            codes = ", ".join(sorted(found))
            return Unresolved("ambiguous_agency", f"là tên của nhiều cơ quan ({codes}); hãy ghi mã cơ quan")
        what = "cơ quan, xã, phường, thị trấn" if with_communes else "cơ quan"
        return Unresolved(
            "unknown_agency",
            f"không có trong danh mục {what} của Cổng DVC vào ngày {self._day:%d/%m/%Y}; hãy ghi đúng tên hoặc mã",
        )

    def _name_of_the_province(self) -> str:
        tops = [a for a in self._agencies.values() if a.level == 1 and a.parent not in self._agencies]
        for agency in tops:
            if match := re.fullmatch(r"ubnd (tỉnh .+)", _simple(agency.name)):
                return match[1]
        return ""

    def _keys_of(self, agency: Agency) -> set[str]:
        key = self._key(agency.name)
        keys = {key}
        if agency.level == _COMMUNE and (parent := self._agencies.get(agency.parent or "")):
            # where two districts have a commune of one name, people add the district's
            above = self._key(parent.name)
            keys.add(f"{key} {above}")
            keys.add(f"{key} {_without_unit(above)}")
        return keys

    def _key(self, name: str) -> str:
        """A name as names are compared; `UBND huyện X` and `Huyện X` have one key."""
        key = _simple(name)
        if self._province:
            # the province's own name adds nothing, wherever it stands
            key = re.sub(rf"\b{re.escape(self._province)}\b", "tỉnh", key)
        words = key.split()
        if words[:1] == ["ubnd"] and " ".join(words[1:]).startswith(_UNIT_WORDS):
            words = words[1:]
        key = " ".join(words)
        if key != "tỉnh" and not key.startswith("ubnd"):
            key = key.removesuffix(" tỉnh")
        return _with_tones_last(key)


def _simple(name: str) -> str:
    """A name without what does not matter: case, spaces, signs, Unicode form, joining words; kinds of units in full."""
    text = tidy(name).casefold().replace("&", " và ").replace("+", " và ")
    for pattern, full in _ABBREVIATIONS:
        text = pattern.sub(full, text)
    return " ".join(word for word in _WORD.findall(text) if word != "và")


def _without_unit(key: str) -> str:
    for word in map(_with_tones_last, _UNIT_WORDS):
        if key.startswith(f"{word} "):
            return key.removeprefix(f"{word} ")
    return key


def _with_tones_last(key: str) -> str:
    """Each word with its tone mark at the end, so that `hòa` and `hoà` are one."""
    words = []
    for word in key.split():
        decomposed = unicodedata.normalize("NFD", word)
        tone = "".join(sign for sign in decomposed if sign in _TONES)
        words.append("".join(sign for sign in decomposed if sign not in _TONES) + tone)
    return " ".join(words)
