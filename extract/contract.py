"""Contracts as data: `contracts/*.yaml` in the shape of the Open Data Contract Standard (v3.1).

A contract names tables, columns, header labels, types, rules, personal data and the owner who must mend a bad row.
From it come the raw table, the dbt source entry and the documentation; adding a source adds no Python.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, text

FOLDER = Path(__file__).parent / "contracts"

PhysicalType = Literal["text", "smallint", "integer", "bigint", "numeric", "boolean", "timestamp", "date", "jsonb"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True, populate_by_name=True)


class CustomProperty(_Model):
    property: str
    value: Any


class Quality(_Model):
    """`invalidValues` on a column, or a custom rule of engine `cchc` on a table."""

    type: str | None = None
    metric: str | None = None
    arguments: dict[str, Any] = Field(default_factory=dict)
    severity: Literal["error", "warning"] = "error"
    description: str = ""
    implementation: dict[str, Any] = Field(default_factory=dict)


class _WithCustomProperties(_Model):
    custom_properties: list[CustomProperty] = Field(default_factory=list, alias="customProperties")

    def custom(self, name: str, default: Any = None) -> Any:
        """The value of a custom property."""
        return next((entry.value for entry in self.custom_properties if entry.property == name), default)


class Column(_WithCustomProperties):
    """One column; `name` is the column in `raw`, `header` the label the source uses."""

    name: str
    header: str = Field(alias="physicalName")
    business_name: str = Field("", alias="businessName")
    description: str = ""
    type: PhysicalType = Field(alias="physicalType")
    logical_type: str = Field(alias="logicalType")
    required: bool = False
    primary_key: bool = Field(False, alias="primaryKey")
    classification: str | None = None
    options: dict[str, Any] = Field(default_factory=dict, alias="logicalTypeOptions")
    quality: list[Quality] = Field(default_factory=list)
    items: dict[str, Any] | None = None

    @property
    def is_personal(self) -> bool:
        return self.classification == "personal"

    @property
    def is_stored(self) -> bool:
        """False for personal data that is dropped on reading."""
        return self.custom("privacy") != "drop"

    @property
    def valid_values(self) -> list[str] | None:
        return next((q.arguments["validValues"] for q in self.quality if q.metric == "invalidValues"), None)

    @property
    def title(self) -> str:
        """What the column is, for people: business name and explanation."""
        return f"{self.business_name}: {self.description}" if self.description else self.business_name


class Table(_WithCustomProperties):
    """One table of a contract: a file kind, a service of a feed or a sheet."""

    name: str
    physical_name: str = Field(alias="physicalName")
    business_name: str = Field("", alias="businessName")
    grain: str = Field("", alias="dataGranularityDescription")
    description: str = ""
    columns: list[Column] = Field(alias="properties")
    rules: list[Quality] = Field(default_factory=list, alias="quality")

    @property
    def stored_columns(self) -> list[Column]:
        return [column for column in self.columns if column.is_stored]

    @property
    def key(self) -> list[str]:
        return [column.name for column in self.columns if column.primary_key]

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


class Contract(_WithCustomProperties):
    """One source."""

    name: str
    version: str
    description: dict[str, str]
    team: dict[str, Any]
    tables: list[Table] = Field(alias="schema")
    sla: list[dict[str, Any]] = Field(default_factory=list, alias="slaProperties")

    @property
    def owner(self) -> str:
        """The department that mends bad rows."""
        return self.team["name"]

    @property
    def freshness_days(self) -> int:
        return next(int(entry["value"]) for entry in self.sla if entry["property"] == "freshness")

    def table(self, name: str) -> Table:
        return next(table for table in self.tables if table.name == name)


def read(path: Path) -> Contract:
    """One contract file; raises pydantic.ValidationError naming the field that is wrong."""
    contract = Contract.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    for table in contract.tables:
        for column in table.columns:
            if pattern := column.options.get("pattern"):
                re.compile(pattern)
    return contract


@cache
def contracts() -> dict[str, Contract]:
    """Every contract of the repository by source name, in the order in which they load."""
    found = [read(path) for path in sorted(FOLDER.glob("*.yaml"))]
    # the workbooks name agencies of the portal's list, so they come after it
    found.sort(key=lambda contract: contract.custom("reader") == "workbook")
    return {contract.name: contract for contract in found}


def create_raw_tables(connection: Connection) -> None:
    """Make the raw tables that contracts name and the warehouse lacks, and add columns a newer contract brings.

    Runs in the caller's transaction. A column whose type changed needs a migration, and raises ValueError.
    """
    connection.execute(text("select pg_advisory_xact_lock(hashtext('create_raw_tables'))"))
    connection.execute(text("set local role owner"))
    for contract in contracts().values():
        for table in contract.tables:
            _create_raw_table(connection, table)
    connection.execute(text("reset role"))


def _create_raw_table(connection: Connection, table: Table) -> None:
    rows = connection.execute(
        text(
            "select column_name, data_type from information_schema.columns "
            "where table_schema = 'raw' and table_name = :table"
        ),
        {"table": table.physical_name},
    )
    existing = dict(rows.all())
    wanted = {column.name: column.type for column in table.stored_columns}
    name = f"raw.{table.physical_name}"
    if not existing:
        # quoted, since a column may be called "group"
        columns = ", ".join(f'"{column}" {kind}' for column, kind in wanted.items())
        connection.execute(text(f"create table {name} (_load_id bigint not null, _row bigint not null, {columns})"))
        # loads are appended whole, so a block range index finds one for next to nothing
        connection.execute(text(f"create index on {name} using brin (_load_id)"))
        connection.execute(text(f"grant select, insert on {name} to loader"))
        connection.execute(text(f"grant select on {name} to transformer"))
        connection.execute(_comment("table", name, f"{table.business_name}; mỗi dòng là {table.grain}"))
    for column in table.stored_columns:
        if existing and column.name not in existing:
            connection.execute(text(f'alter table {name} add column "{column.name}" {column.type}'))
        elif existing and not existing[column.name].startswith(column.type):
            found = existing[column.name]
            raise ValueError(f"{name}.{column.name} is {found}, the contract says {column.type}: write a migration")
        if column.name not in existing:
            connection.execute(_comment("column", f'{name}."{column.name}"', column.title))


def _comment(kind: str, name: str, content: str) -> Any:
    quoted = content.replace("'", "''").replace(":", "\\:")
    return text(f"comment on {kind} {name} is '{quoted}'")
