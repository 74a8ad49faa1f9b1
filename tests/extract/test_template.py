"""Blank templates made from the contracts: what they offer is what the reader takes."""

from __future__ import annotations

import io
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner

from cchc import cli
from extract.contract import contracts
from extract.template import LISTS, template

from .department_files import good_row, labels_of, read, saved

WORKBOOKS = [name for name, contract in contracts().items() if contract.custom("reader") == "workbook"]


@pytest.mark.parametrize("source", WORKBOOKS)
def test_a_template_filled_in_is_read_without_a_complaint(source: str) -> None:
    contract = contracts()[source]
    book = openpyxl.load_workbook(io.BytesIO(saved(template(contract))))
    for table in contract.tables:
        sheet = book[table.custom("sheet")]
        assert [cell.value for cell in sheet[4]] == [labels_of(column)[0] for column in table.columns]
        for number in range(2):
            for at, value in enumerate(good_row(table, number), start=1):
                sheet.cell(5 + number, at, value)
        for row in range(7, 20):
            sheet.cell(row, 1).value = None
    for table in contract.tables:
        found = read(saved(book), source, table.custom("sheet"))
        assert (len(found.good), found.faults, found.warnings) == (2, {}, {}), table.name


def test_columns_have_drop_downs_and_checks() -> None:
    book = template(contracts()["tu_chu_tai_chinh"])
    checks = {str(check.sqref).split(":")[0]: check for check in book["Tu chu"].data_validations.dataValidation}
    assert checks["C5"].type == "list"
    assert checks["D5"].type == "decimal"
    assert (checks["D5"].formula1, checks["D5"].formula2) == ("0", "100")
    assert checks["E5"].type == "date"
    address = checks["C5"].formula1.split("!")[1].replace("$", "")
    values = [cell.value for (cell,) in book[LISTS][address]]
    assert values == ["Nhóm 1", "Nhóm 2", "Nhóm 3", "Nhóm 4"]
    assert book[LISTS].sheet_state == "hidden"


def test_the_command_writes_them(tmp_path: Path) -> None:
    run = CliRunner()
    result = run.invoke(cli.build(), ["template", "bien-che", "--out", str(tmp_path)])
    assert (result.exit_code, [path.name for path in tmp_path.iterdir()]) == (cli.DONE, ["bien-che.xlsx"])
    assert run.invoke(cli.build(), ["template", "--out", str(tmp_path)]).exit_code == cli.DONE
    assert len(list(tmp_path.iterdir())) == len(WORKBOOKS)
    assert run.invoke(cli.build(), ["template", "khong-co"]).exit_code == cli.BAD_USAGE
