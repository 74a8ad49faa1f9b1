"""Reporting tables made by hand, so that a test can put any state in them."""

from __future__ import annotations

import csv
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from cchc.periods import ReportingPeriod

PERIOD = "2024-H1"
FORM_ROWS = Path(__file__).parent / "data" / "form_rows.csv"
NARRATIVE = Path(__file__).parent / "data" / "narrative.csv"

_TABLES = """
    create schema reporting;
    create table reporting.rpt_form (
        period_id text, form_no integer, form_title text, sort_order integer, code text, label text,
        unit text, kind text, display text, note text, status text, value numeric
    );
    create table reporting.rpt_indicator (
        period_id text, form_no integer, code text, sort_order integer, label text, unit text, kind text,
        value numeric, display text, status text, formula text, sources text[], inputs jsonb,
        as_of_at timestamptz
    );
    create table reporting.rpt_data_warning (period_id text, code text, message text, row_count bigint);
    create table reporting.rpt_narrative (
        period_id text, section text, sort_order integer, key text, label text, value numeric, display text, unit text,
        status text, lacking_datasets text[], as_of date
    );
    create table reporting.rpt_measure (
        period_id text, measure_code text, measure_value numeric, datasets text[], model_name text, load_ids bigint[],
        as_of_at timestamptz
    );
    create table reporting.rpt_source_status (
        period_id text, source_dataset_id text, source text, dataset text, source_name text, dataset_name text,
        owner_name text, status text
    );
    create schema reference;
    create table reference.report_narrative (narrative_key text, numerator text, denominator text, scale numeric);
    insert into reporting.rpt_source_status values
        ('2024-H1', 'chi_dao_dieu_hanh.ke_hoach_cchc', 'chi_dao_dieu_hanh', 'ke_hoach_cchc', 'Chỉ đạo điều hành',
         'Kế hoạch cải cách hành chính', 'Sở Nội vụ', 'ok');
"""


class Figures:
    """Handle on the reporting tables of the test warehouse."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @property
    def catalogue(self) -> list[dict[str, str]]:
        with FORM_ROWS.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    @property
    def narrative(self) -> list[dict[str, str]]:
        with NARRATIVE.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def create_tables(self) -> None:
        with self.engine.begin() as connection:
            connection.exec_driver_sql(_TABLES)

    def fill(self, period_id: str, as_of_at: datetime | None = None) -> None:
        as_of_at = as_of_at or ReportingPeriod.parse(period_id).default_as_of
        with self.engine.begin() as connection:
            # written backwards, so that only the sort order can put the report right
            for place, row in reversed(list(enumerate(self.catalogue, start=1))):
                self._insert(connection, period_id, as_of_at, place, row)

    def fill_narrative(self, period_id: str) -> None:
        """The figures of the text as the sample province gives them for the first half of 2024."""
        with self.engine.begin() as connection:
            connection.execute(
                text(
                    "insert into reporting.rpt_narrative values (:period_id, :section, :sort_order, :key, :label,"
                    " :value, :display, :unit, 'ok', '{}', :as_of)"
                ),
                [
                    {
                        **row,
                        "period_id": period_id,
                        "value": Decimal(row["value"]),
                        "sort_order": int(row["sort_order"]),
                    }
                    for row in self.narrative
                ],
            )

    def set_text(self, key: str, period_id: str = PERIOD, **columns: object) -> None:
        """Change columns of one figure of the text."""
        assignments = ", ".join(f"{name} = :{name}" for name in columns)
        with self.engine.begin() as connection:
            done = connection.execute(
                text(f"update reporting.rpt_narrative set {assignments} where period_id = :period_id and key = :key"),
                {**columns, "period_id": period_id, "key": key},
            )
            assert done.rowcount == 1

    def set(self, form_no: int, code: str, **columns: object) -> None:
        """Change columns of one row in both tables, where they have them."""
        with self.engine.begin() as connection:
            for table in ("rpt_form", "rpt_indicator"):
                known = set(
                    connection.execute(
                        text(
                            "select column_name from information_schema.columns"
                            " where table_schema = 'reporting' and table_name = :table"
                        ),
                        {"table": table},
                    ).scalars()
                )
                changes = {name: value for name, value in columns.items() if name in known}
                if changes:
                    assignments = ", ".join(f"{name} = :{name}" for name in changes)
                    done = connection.execute(
                        text(f"update reporting.{table} set {assignments} where form_no = :form_no and code = :key"),
                        {**changes, "form_no": form_no, "key": code},
                    )
                    assert done.rowcount == 1

    def warn(self, code: str, message: str, row_count: int | None, period_id: str = PERIOD) -> None:
        self.execute(
            "insert into reporting.rpt_data_warning values (:period_id, :code, :message, :row_count)",
            period_id=period_id,
            code=code,
            message=message,
            row_count=row_count,
        )

    def name_dataset(self, source: str, dataset: str, source_name: str, dataset_name: str, owner_name: str) -> None:
        """What people call a dataset; it never came."""
        self.execute(
            "insert into reporting.rpt_source_status values (:period_id, :source || '.' || :dataset, :source, :dataset,"
            " :source_name, :dataset_name, :owner_name, 'missing')",
            period_id=PERIOD,
            source=source,
            dataset=dataset,
            source_name=source_name,
            dataset_name=dataset_name,
            owner_name=owner_name,
        )

    def execute(self, statement: str, **parameters: object) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(statement), parameters)

    @staticmethod
    def _insert(connection: Connection, period_id: str, as_of_at: datetime, place: int, row: dict[str, str]) -> None:
        values = {
            **row,
            "period_id": period_id,
            "form_no": int(row["form_no"]),
            "sort_order": place,
            "value": Decimal(row["value"]) if row["value"] else None,
            "display": row["display"] or None,
            "note": row["note"] or None,
            "sources": [row["sources"]] if row["sources"] else [],
            "as_of_at": as_of_at,
        }
        connection.execute(
            text(
                "insert into reporting.rpt_form values (:period_id, :form_no, :form_title, :sort_order,"
                " :code, :label, :unit, :kind, :display, :note, 'ok', :value)"
            ),
            values,
        )
        connection.execute(
            text(
                "insert into reporting.rpt_indicator values (:period_id, :form_no, :code, :sort_order,"
                " :label, :unit, :kind, :value, :display, 'ok', '', :sources, '{}', :as_of_at)"
            ),
            values,
        )
