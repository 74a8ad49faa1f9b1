"""Blank workbooks generated from the contracts: the headers as agreed, drop-downs and checks in every column."""

from __future__ import annotations

from pathlib import Path

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from extract.contract import Column, Contract, Table
from extract.workbook_layout import labels_of

LISTS = "Danh muc"
_ROWS_WITH_CHECKS = 2000
_REQUIRED, _OPTIONAL = PatternFill("solid", fgColor="DDEBF7"), PatternFill("solid", fgColor="F2F2F2")
_LINE = Side(style="thin", color="808080")
_HEADER_FONT = Font(name="Times New Roman", size=12, bold=True)
_DATE_FORMAT = "dd/mm/yyyy"


def write_template(contract: Contract, folder: Path) -> Path:
    """Write the blank workbook of one dataset and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{contract.custom('dataset')}.xlsx"
    template(contract).save(path)
    return path


def template(contract: Contract) -> Workbook:
    """A workbook with every sheet of the contract, ready to be filled in."""
    book = Workbook()
    book.remove(book.active)
    sheets = [book.create_sheet(table.custom("sheet")) for table in contract.tables]
    lists = _Lists(book.create_sheet(LISTS))
    for sheet, table in zip(sheets, contract.tables, strict=True):
        _fill(sheet, table, lists, contract)
    lists.sheet.sheet_state = "hidden"
    return book


class _Lists:
    """Allowed values on a hidden sheet: a drop-down's own text could hold no value with a comma."""

    def __init__(self, sheet: Worksheet) -> None:
        self.sheet = sheet
        self._ranges: dict[tuple[str, ...], str] = {}

    def range_of(self, values: list[str]) -> str:
        key = tuple(values)
        if key not in self._ranges:
            at = len(self._ranges) + 1
            for row, value in enumerate(values, start=1):
                self.sheet.cell(row, at, value)
            letter = get_column_letter(at)
            self._ranges[key] = f"{quote_sheetname(LISTS)}!${letter}$1:${letter}${len(values)}"
        return self._ranges[key]


def _fill(sheet: Worksheet, table: Table, lists: _Lists, contract: Contract) -> None:
    sheet["A1"] = table.business_name.upper()
    sheet["A1"].font = Font(name="Times New Roman", size=14, bold=True)
    sheet["A2"] = f"Mỗi dòng là {table.grain}. Cột nền xanh bắt buộc. Đơn vị lập: {contract.owner}"
    sheet["A2"].font = Font(name="Times New Roman", size=11, italic=True)
    units = next((column.custom("unitFromHeader") for column in table.columns if column.custom("unitFromHeader")), None)
    header = 4
    if units:
        choices = [f"ĐVT: {unit}" for unit in units]
        sheet["A3"] = choices[-1]
        _add(sheet, _choice(lists.range_of(choices), "Chọn đơn vị tính trong danh sách"), "A3")
    for at, column in enumerate(table.columns, start=1):
        cell = sheet.cell(header, at, labels_of(column)[0])
        cell.font = _HEADER_FONT
        cell.fill = _REQUIRED if column.required else _OPTIONAL
        cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
        cell.border = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
        cell.comment = Comment(_hint(column), "cchc", width=320, height=120)
        letter = get_column_letter(at)
        sheet.column_dimensions[letter].width = max(14, min(45, len(cell.value) + 6))
        first, last = header + 1, header + _ROWS_WITH_CHECKS
        if check := _check(column, lists):
            _add(sheet, check, f"{letter}{first}:{letter}{last}")
        number_format = _number_format(column)
        for row in range(first, first + 50):
            sheet.cell(row, at).number_format = number_format
    _fill_keys(sheet, table, lists, header)
    sheet.row_dimensions[header].height = 48
    sheet.freeze_panes = sheet.cell(header + 1, 1)
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = f"{header}:{header}"


def _fill_keys(sheet: Worksheet, table: Table, lists: _Lists, header: int) -> None:
    """Sheets of key and value: the keys are known, only the values are asked."""
    key, *others = table.columns
    if not (key.primary_key and key.valid_values and table.key == [key.name] and len(others) == 1):
        return
    kinds = (others[0].custom("valuesByKey") or {}).get("kinds", {})
    for row, value in enumerate(key.valid_values, start=header + 1):
        sheet.cell(row, 1, value)
        kind = kinds.get(value, {})
        if "validValues" in kind:
            _add(
                sheet,
                _choice(lists.range_of(kind["validValues"]), f"Chọn: {', '.join(kind['validValues'])}"),
                f"B{row}",
            )
        elif kind:
            _add(sheet, _whole(kind.get("minimum", 0), None), f"B{row}")
    sheet.column_dimensions["A"].width = max(map(len, key.valid_values)) + 4


def _check(column: Column, lists: _Lists) -> DataValidation | None:
    if column.valid_values is not None:
        return _choice(lists.range_of(column.valid_values), "Chọn một giá trị trong danh sách")
    low, high = column.options.get("minimum"), column.options.get("maximum")
    match column.type:
        case "bigint":
            return _whole(low, high)
        case "numeric":
            return _between("decimal", low, high, "Nhập số")
        case "date":
            return _explained(
                DataValidation("date", "DATE(1900,1,1)", "DATE(2099,12,31)", operator="between"),
                "Nhập ngày/tháng/năm, ví dụ 14/6/2024",
            )
        case "boolean":
            return _choice(lists.range_of(["x"]), "Chọn x nếu có, để trống nếu không")
    return None


def _whole(low: int | None, high: int | None) -> DataValidation:
    return _between("whole", low, high, "Nhập số nguyên")


def _between(kind: str, low: int | None, high: int | None, message: str) -> DataValidation:
    if low is None and high is None:
        return _explained(DataValidation(kind, operator="between", formula1="-1E+15", formula2="1E+15"), message)
    if high is None:
        check = DataValidation(kind, operator="greaterThanOrEqual", formula1=str(low))
        return _explained(check, f"{message} từ {low} trở lên")
    return _explained(DataValidation(kind, str(low), str(high), operator="between"), f"{message} từ {low} đến {high}")


def _choice(values: str, message: str) -> DataValidation:
    return _explained(DataValidation("list", f"={values}"), message)


def _explained(check: DataValidation, message: str) -> DataValidation:
    check.allow_blank = True
    check.showErrorMessage = check.showInputMessage = True
    check.errorTitle, check.error = "Giá trị không đúng", message
    check.promptTitle, check.prompt = "Cách nhập", message
    return check


def _add(sheet: Worksheet, check: DataValidation, cells: str) -> None:
    sheet.add_data_validation(check)
    check.add(cells)


def _number_format(column: Column) -> str:
    match column.type:
        case "date":
            return _DATE_FORMAT
        case "bigint":
            return "0" if column.custom("additive") is False else "#,##0"
        case "numeric":
            return "#,##0.##"
        case "text":
            # codes and numbers of documents stay as they are typed: 1/2024 is no day
            return "@"
    return "General"


def _hint(column: Column) -> str:
    parts = ["Bắt buộc" if column.required else "Không bắt buộc"]
    if column.description:
        parts.append(column.description)
    if column.valid_values:
        parts.append(f"giá trị: {'; '.join(column.valid_values)}")
    return ". ".join(part[0].upper() + part[1:] for part in parts)
