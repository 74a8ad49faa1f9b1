"""What the seeds of the department workbooks repeat of the contracts must be what the contracts say."""

from __future__ import annotations

import csv

import pytest

from cchc.settings import PROJECT_ROOT
from extract.contract import Contract, contracts

SEEDS = PROJECT_ROOT / "dbt" / "seeds"


def rows_of(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def workbooks() -> dict[str, Contract]:
    return {
        name: contract for name, contract in contracts().items() if contract.tables[0].custom("reader") == "workbook"
    }


def test_every_sheet_of_a_contract_is_expected(workbooks: dict[str, Contract]) -> None:
    expected = {
        (contract.name, table.name, contract.owner, table.custom("sheet"))
        for contract in workbooks.values()
        for table in contract.tables
    }
    seed = {
        (row["source"], row["dataset"], row["department_vi"], row["sheet_name"]) for row in rows_of("workbook_sheet")
    }
    assert seed == expected


def test_every_item_of_a_key_value_sheet_is_known(workbooks: dict[str, Contract]) -> None:
    allowed = {
        (contract.name, table.name, label)
        for contract in workbooks.values()
        for table in contract.tables
        for column in table.columns
        if {other.name for other in table.columns} == {"key", "value"} and column.name == "key"
        for label in column.valid_values
    }
    seed = {(row["source"], row["dataset"], row["label_vi"]) for row in rows_of("workbook_item")}
    assert seed == allowed


def test_every_term_of_a_figure_is_a_measure() -> None:
    measures = {row["measure_code"] for row in rows_of("report_measure_dataset")}
    codes = {row["catalogue_code"] for row in rows_of("report_form_catalogue")}
    narrative = {
        term for row in rows_of("report_narrative") for term in f"{row['numerator']} {row['denominator']}".split()
    }
    forms = {
        term.lstrip("-")
        for row in rows_of("report_form_catalogue")
        for term in f"{row['numerator']} {row['denominator']}".split()
    }
    assert narrative - measures == set()
    assert forms - measures - codes == set()


def test_every_dataset_of_a_measure_has_a_contract() -> None:
    known = {(contract.name, table.name) for contract in contracts().values() for table in contract.tables}
    named = {(row["source"], row["dataset"]) for row in rows_of("report_measure_dataset")}
    assert named - known == set()
