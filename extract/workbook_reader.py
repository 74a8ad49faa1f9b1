"""One reader for every department's workbook: a sheet and its table of the contract in, one batch out."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import polars as pl

from cchc.progress import vietnamese
from extract import cells
from extract.agencies import AgencyNames, Unresolved
from extract.cells import Reading, Unreadable, plain, tidy
from extract.check import Checker, Fault, Warned
from extract.contract import Column, Contract, Table
from extract.csv_reader import UnreadableFile
from extract.loader import Batch
from extract.privacy import one_line
from extract.workbook_file import Sheet, Workbook, column_letter
from extract.workbook_layout import (
    Kind,
    Layout,
    RowKinds,
    declared_units,
    find_table,
    header_texts,
    labels_of,
    unit_of_column,
)
from extract.workbook_totals import MARKS, Warnings, check_totals

Reader = Callable[[object], Reading]

# a sheet is up to 16 384 columns wide
_MOST_NAMED = 50


@dataclass
class ReadSheet:
    """What a sheet holds: the batch, where its table stands, and what a person should know."""

    batch: Batch
    layout: Layout
    warnings: Warnings = field(default_factory=dict)


def needs_agencies(table: Table) -> bool:
    return any(column.custom("cell") for column in table.columns)


def sheet_of(workbook: Workbook, table: Table) -> str:
    """The name in the file of the table's sheet; raises UnreadableFile naming what is there."""
    wanted = _sheet_key(table.custom("sheet"))
    found = [name for name in workbook.sheet_names if _sheet_key(name) == wanted]
    if len(found) == 1:
        return found[0]
    there = ", ".join(f"«{one_line(name)}»" for name in workbook.sheet_names) or "không có trang nào"
    if found:
        raise UnreadableFile(f"Có {len(found)} trang cùng tên «{table.custom('sheet')}»: {there}; chỉ để lại một trang")
    raise UnreadableFile(f"Thiếu trang «{table.custom('sheet')}»; các trang trong tệp: {there}")


def _sheet_key(name: str) -> str:
    """Case, spaces, underscores and diacritics of a sheet's name do not matter."""
    plain_name = unicodedata.normalize("NFD", name.casefold().replace("đ", "d"))
    return "".join(sign for sign in plain_name if sign.isalnum() and not unicodedata.combining(sign))


def read_sheet(sheet: Sheet, table: Table, contract: Contract, agencies: AgencyNames | None) -> ReadSheet:
    """Read one sheet; raises UnreadableFile when it must be refused whole."""
    layout = find_table(sheet, table, contract.custom("ignoredLabels", ()))
    _hold_for_columns(sheet, layout, table)
    assert layout is not None
    present = [column for column in table.columns if column.name in layout.columns]
    factors = {column.name: _factor(sheet, layout, column) for column in present}
    readers = {column.name: _reader(column, agencies, factors[column.name]) for column in present}
    kinds = RowKinds(sheet, layout, table, readers, partial(_is_known, agencies=agencies)).classify()
    first_row = layout.last + 1
    data = [first_row + index for index, kind in enumerate(kinds) if kind is Kind.DATA]
    warnings = _warn_of_columns(layout, table)
    if not data:
        _hold_for_rows(table, warnings)
    batch = _batch(sheet, table, layout, readers, data)
    if any(kind in MARKS for kind in kinds):
        rejected = {row - 1 for row in Checker(table).check(batch.frame, batch.found).faults}
        warnings |= check_totals(sheet, table, layout, readers, kinds, factors, rejected)
    return ReadSheet(batch, layout, warnings)


# ------------------------------------------------------------------------------------------- what refuses the sheet


def _hold_for_columns(sheet: Sheet, layout: Layout | None, table: Table) -> None:
    if layout is None:
        expected = _labels([column for column in table.columns if column.required])
        texts = ", ".join(f"«{one_line(text)}»" for text in header_texts(sheet)[:15]) or "trang trống"
        raise UnreadableFile(f"Không tìm thấy dòng tiêu đề: cần các cột {expected}; trong trang có: {texts}")
    if layout.ambiguous:
        name, places = next(iter(layout.ambiguous.items()))
        letters = " và ".join(column_letter(at) for at in places)
        raise UnreadableFile(
            f"Cột {_labels([table.column(name)])} có ở nhiều nơi (cột {letters}) nên không rõ cột nào đúng; "
            "hãy đặt tiêu đề khác nhau"
        )
    if missing := layout.missing(table):
        found = ", ".join(
            f"«{one_line(plain(text))}»" for text in dict.fromkeys(t for t in _found_labels(sheet, layout) if t)
        )
        raise UnreadableFile(f"Thiếu cột bắt buộc {_labels(missing)}; các cột trong trang: {found}")


def _found_labels(sheet: Sheet, layout: Layout) -> list[str]:
    rows = sheet.rows[layout.first : layout.last + 1]
    return [cell for row in rows for cell in row if isinstance(cell, str) and len(tidy(cell)) > 3]


def _labels(columns: list[Column]) -> str:
    return ", ".join(f"«{' / '.join(labels_of(column))}»" for column in columns)


def _hold_for_rows(table: Table, warnings: Warnings) -> None:
    match table.custom("empty"):
        case "refused":
            raise UnreadableFile(f"Trang «{table.custom('sheet')}» chỉ có tiêu đề, không có dòng nào")
        case "warned":
            warnings["no_rows", ""] = Warned(f"Trang «{table.custom('sheet')}» chỉ có tiêu đề, không có dòng nào")


def _warn_of_columns(layout: Layout, table: Table) -> Warnings:
    warnings: Warnings = {}
    named = list(layout.unknown.items())[:_MOST_NAMED]
    if others := len(layout.unknown) - len(named):
        warnings["unknown_column", "…"] = Warned(
            f"Còn {vietnamese(others)} cột khác không có trong quy ước, được bỏ qua"
        )
    for at, title in named:
        text = one_line(title) or ""
        message = f"Cột «{text}» (cột {column_letter(at)}) không có trong quy ước, được bỏ qua"
        warnings["unknown_column", f"{text} ({column_letter(at)})"] = Warned(message, text)
    for column in table.columns:
        if column.name not in layout.columns:
            message = f"Trang không có cột «{column.header}» (không bắt buộc)"
            warnings["missing_column", column.header] = Warned(message, column.header)
    return warnings


# ------------------------------------------------------------------------------------------------------------- cells


def _reader(column: Column, agencies: AgencyNames | None, factor: int) -> Reader:
    blank_as_zero = bool(column.custom("blankAsZero"))
    match column.type:
        case "bigint":
            return partial(cells.read_integer, blank_as_zero=blank_as_zero)
        case "numeric":
            unit = column.custom("unit")
            return partial(cells.read_decimal, blank_as_zero=blank_as_zero, unit=unit, factor=factor)
        case "date":
            return cells.read_date
        case "boolean":
            return cells.read_yes_no
    if column.custom("cell"):
        return partial(_read_agency, agencies=agencies, with_communes=column.custom("cell") == "agency_or_commune")
    if column.valid_values is not None:
        return cells.value_reader(column.valid_values)
    return cells.read_text


def _read_agency(value: object, *, agencies: AgencyNames | None, with_communes: bool) -> Reading:
    text = cells.read_text(value)
    if not isinstance(text, str):
        return text
    assert agencies is not None
    # the name as it was typed, since a legacy font has two readings
    found = agencies.resolve(value if isinstance(value, str) else text, with_communes=with_communes)
    return Unreadable(found.code, found.reason) if isinstance(found, Unresolved) else found


def _is_known(column: Column, value: object, *, agencies: AgencyNames | None) -> bool:
    """The cell is an agency or a value of a list, so that its row is data."""
    if column.custom("cell"):
        return isinstance(_read_agency(value, agencies=agencies, with_communes=True), str)
    if column.valid_values is not None:
        return cells.value_reader(column.valid_values)(value) in column.valid_values
    return False


def _factor(sheet: Sheet, layout: Layout, column: Column) -> int:
    """What one unit of the sheet's money is in dong; 1 where the contract does not ask."""
    units: dict[str, int] | None = column.custom("unitFromHeader")
    if units is None:
        return 1
    own = unit_of_column(sheet, layout, layout.columns[column.name])
    declared = [own] if own else declared_units(sheet, layout)
    known = [unit for unit in declared if unit in units]
    if len(known) == 1:
        return units[known[0]]
    expected = ", ".join(f"«ĐVT: {unit}»" for unit in units)
    if known:
        raise UnreadableFile(f"Có nhiều đơn vị tính ({', '.join(known)}) nên không rõ số liệu theo đơn vị nào")
    raise UnreadableFile(f"Không thấy đơn vị tính ở tiêu đề; hãy ghi một trong: {expected}")


def _batch(sheet: Sheet, table: Table, layout: Layout, readers: dict[str, Reader], data: list[int]) -> Batch:
    faults: dict[int, list[Fault]] = {}
    frame: dict[str, list] = {"_row": [at + 1 for at in data]}
    rows = [sheet.rows[at] for at in data]
    for column in table.columns:
        if column.name not in readers:
            continue
        at = layout.columns[column.name]
        values = [row[at] for row in rows]
        if column.custom("valuesByKey"):
            key = column.custom("valuesByKey")["key"]
            texts = _read_by_key(column, values, frame[key])
        else:
            texts = _read_all(readers[column.name], values)
        for index, text in enumerate(texts):
            if type(text) is Unreadable:
                row = data[index] + 1
                reason = f"{column.header} {text.reason}"
                fault = Fault(row, column.header, one_line(plain(values[index])), text.code, reason)
                faults.setdefault(row, []).append(fault)
                texts[index] = None
        frame[column.name] = texts
    schema = {"_row": pl.Int64} | dict.fromkeys(readers, pl.String)
    letters = {table.column(name).header: column_letter(layout.columns[name]) for name in readers}
    letters = dict(sorted(letters.items(), key=lambda entry: (len(entry[1]), entry[1])))
    return Batch(pl.DataFrame(frame, schema=schema), found=faults, sheet=table.custom("sheet"), letters=letters)


def _read_all(reader: Reader, values: list[object]) -> list[Reading]:
    """Each different value once; 1, 1.0 and TRUE are different."""
    known: dict[tuple[type, object], Reading] = {}
    found = []
    for value in values:
        key = (type(value), value)
        try:
            found.append(known[key])
        except KeyError:
            reading = known[key] = reader(value)
            found.append(reading)
    return found


def _read_by_key(column: Column, values: list[object], keys: list[str | None]) -> list[Reading]:
    """Values whose kind depends on the key beside them: whole numbers here, words of a list there."""
    kinds = column.custom("valuesByKey")["kinds"]
    found: list[Reading] = []
    for value, key in zip(values, keys, strict=True):
        kind = kinds.get(key, {})
        if "validValues" in kind:
            text = cells.value_reader(kind["validValues"])(value)
            if isinstance(text, str) and text not in kind["validValues"]:
                text = Unreadable("not_in_list", f"của «{key}» phải là một trong: {', '.join(kind['validValues'])}")
        elif kind.get("logicalType") == "integer":
            text = cells.read_integer(value)
            if isinstance(text, str) and int(text) < kind.get("minimum", int(text)):
                text = Unreadable("below_minimum", f"của «{key}» không được nhỏ hơn {kind['minimum']}")
        else:
            text = cells.read_text(value)
        found.append(text)
    return found
