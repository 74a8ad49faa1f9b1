"""What of a new file's layout no contract knows: sheets and columns added, missing, renamed or moved."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from difflib import SequenceMatcher

from extract.cells import label_key
from extract.contract import Column, Contract, Table, contracts
from extract.csv_reader import UnreadableFile
from extract.privacy import one_line
from extract.template import LISTS
from extract.workbook_file import Workbook, column_letter
from extract.workbook_layout import Layout, find_table, labels_of
from extract.workbook_reader import sheet_of
from extract.workbooks import workbook_name

_SIMILAR = 0.6


@dataclass(frozen=True)
class Difference:
    """One difference; `kind` is added, missing, renamed or moved, or unreadable for a sheet without its table."""

    sheet: str
    kind: str
    message: str
    is_serious: bool = False


def contract_for(name: str, workbook: Workbook) -> Contract | None:
    """The contract of a file: by its name, else the one that knows most of its sheets."""
    candidates = [contract for contract in contracts().values() if contract.custom("reader") == "workbook"]
    named = workbook_name(name)
    dataset = named.dataset if named else name.rsplit(".", 1)[0].split("_")[0].lower()
    for contract in candidates:
        if contract.custom("dataset") == dataset:
            return contract
    known = {contract.name: sum(_has(workbook, table) for table in contract.tables) for contract in candidates}
    best = max(candidates, key=lambda contract: known[contract.name])
    return best if known[best.name] else None


def _has(workbook: Workbook, table: Table) -> bool:
    try:
        sheet_of(workbook, table)
    except UnreadableFile:
        return False
    return True


def differences(workbook: Workbook, contract: Contract) -> list[Difference]:
    """Everything in which the file's layout differs from the contract's."""
    found: list[Difference] = []
    known = set()
    for table in contract.tables:
        name = table.custom("sheet")
        try:
            actual = sheet_of(workbook, table)
        except UnreadableFile as error:
            found.append(Difference(name, "missing", str(error), is_serious=True))
            continue
        known.add(actual)
        layout = find_table(workbook.sheet(actual), table, contract.custom("ignoredLabels", ()))
        if layout is None:
            expected = ", ".join(f"«{labels_of(c)[0]}»" for c in table.columns if c.required)
            found.append(
                Difference(name, "unreadable", f"không tìm thấy dòng tiêu đề; cần {expected}", is_serious=True)
            )
        else:
            found += _of_columns(table, layout)
    for extra in workbook.sheet_names:
        if extra not in known and extra != LISTS:
            found.append(Difference(one_line(extra) or "", "added", "trang không có trong quy ước"))
    return found


def _of_columns(table: Table, layout: Layout) -> list[Difference]:
    sheet = table.custom("sheet")
    found = []
    unknown = dict(layout.unknown)
    for name, places in layout.ambiguous.items():
        letters = ", ".join(column_letter(at) for at in places)
        message = f"cột «{table.column(name).header}» có ở nhiều nơi: {letters}"
        found.append(Difference(sheet, "added", message, is_serious=True))
    absent = [c for c in table.columns if c.name not in layout.columns and c.name not in layout.ambiguous]
    renamed = _renamed(absent, unknown)
    for column in absent:
        labels = labels_of(column)
        if (at := renamed.get(column.name)) is not None:
            title = unknown.pop(at)
            message = f"cột {column_letter(at)} «{one_line(title)}» có lẽ là «{' / '.join(labels)}»"
            found.append(Difference(sheet, "renamed", message, column.required))
        else:
            necessity = "bắt buộc" if column.required else "không bắt buộc"
            found.append(
                Difference(sheet, "missing", f"thiếu cột «{' / '.join(labels)}» ({necessity})", column.required)
            )
    for at, title in unknown.items():
        found.append(Difference(sheet, "added", f"cột {column_letter(at)} «{one_line(title)}» không có trong quy ước"))
    return found + _moved(table, layout)


def _renamed(absent: list[Column], unknown: dict[int, str]) -> dict[str, int]:
    """{column: where a title like its label stands}, the most similar pairs first, each title for one column."""
    pairs = [
        (
            max(SequenceMatcher(None, label_key(label), label_key(title)).ratio() for label in labels_of(column)),
            column,
            at,
        )
        for column in absent
        for at, title in unknown.items()
    ]
    found: dict[str, int] = {}
    for likeness, column, at in sorted(pairs, key=lambda pair: -pair[0]):
        if likeness >= _SIMILAR and column.name not in found and at not in found.values():
            found[column.name] = at
    return found


def _moved(table: Table, layout: Layout) -> list[Difference]:
    """The fewest columns that would have to move for the contract's order."""
    names = [column.name for column in table.columns if column.name in layout.columns]
    kept = _longest_rising([layout.columns[name] for name in names])
    return [
        Difference(
            table.custom("sheet"),
            "moved",
            f"cột «{table.column(name).header}» ở cột {column_letter(layout.columns[name])}, khác thứ tự trong quy ước",
        )
        for name in names
        if layout.columns[name] not in kept
    ]


def _longest_rising(places: list[int]) -> set[int]:
    tails: list[int] = []
    before: dict[int, int | None] = {}
    for place in places:
        at = bisect_left(tails, place)
        before[place] = tails[at - 1] if at else None
        tails[at : at + 1] = [place]
    kept = set()
    place = tails[-1] if tails else None
    while place is not None:
        kept.add(place)
        place = before[place]
    return kept
