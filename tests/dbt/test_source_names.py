"""The names that people read are the contracts' own."""

from __future__ import annotations

import csv

from cchc.settings import PROJECT_ROOT
from extract.contract import contracts


def test_every_dataset_is_named_as_its_contract_names_it() -> None:
    with (PROJECT_ROOT / "dbt/seeds/source_dataset.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    named = {(row["source_dataset_id"], row["dataset_name_vi"], row["owner_vi"]) for row in rows}

    assert named == {
        (f"{contract.name}.{table.name}", table.business_name, contract.owner)
        for contract in contracts().values()
        for table in contract.tables
    }
    assert all(row["source_dataset_id"] == f"{row['source']}.{row['dataset']}" for row in rows)
    # one name for one source
    assert len({(row["source"], row["source_name_vi"]) for row in rows}) == len(contracts())
