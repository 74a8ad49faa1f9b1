"""Why this number: told from reporting tables, marts and the ledger."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from cchc import cli
from cchc.settings import PROJECT_ROOT, Settings
from publish import commands
from publish import explain as module
from publish.explain import UnknownCode, explain, lines, listed_rows, measure_catalogue
from publish.figures import FiguresUnfit
from tests.publish.figures_by_hand import PERIOD, Figures
from tests.publish.published_report import formulas

LOAD_ID, DIGEST = 4910639295941236119, "ab" * 32
RATE, SETTLED, ON_TIME = "dossiers_on_time_rate", "dossiers_settled_province", "dossiers_on_time_province"


def _marts(engine: Engine) -> None:
    """The marts as their contracts declare them, empty."""
    models = yaml.safe_load((PROJECT_ROOT / "dbt/models/marts/_marts__models.yml").read_text(encoding="utf-8"))
    with engine.begin() as connection:
        connection.exec_driver_sql("create schema marts")
        for model in models["models"]:
            columns = ", ".join(f'"{column["name"]}" {column["data_type"]}' for column in model["columns"])
            connection.exec_driver_sql(f"create table marts.{model['name']} ({columns})")


@pytest.fixture
def warehouse(figures: Figures) -> Figures:
    """Two offices with three settled dossiers, one of them late."""
    _marts(figures.engine)
    for (form_no, code), formula in formulas().items():
        figures.execute(
            "update reporting.rpt_indicator set formula = :formula where form_no = :form_no and code = :key",
            formula=formula, form_no=form_no, key=code,
        )  # fmt: skip
    terms = {
        "3.1": (66.6667, {"3.3.1.2": 2, "3.3.1.1": 3}),
        "3.1.1": (3, {SETTLED: 3}),
        "3.1.2": (2, {ON_TIME: 2}),
        "1.4": (9, {"3.1.4.1": 4, "3.1.4.2": 3, "3.1.4.3": 2}),
        "1.4.1": (4, {"procedures_in_force_province": 4}),
    }
    for code, (value, inputs) in terms.items():
        figures.execute(
            "update reporting.rpt_indicator set value = :value, display = :display, inputs = cast(:inputs as jsonb)"
            " where form_no = 3 and code = :key",
            value=value,
            display=f"{value:.4g}".replace(".", ","),
            inputs=json.dumps({"terms": inputs, "models": ["fct_procedure_processing"], "load_ids": [LOAD_ID]}),
            key=code,
        )
    figures.execute(
        "insert into marts.dim_agency (agency_id, agency_code, agency_name, agency_level_code) values"
        " ('a@2000', 'H31.01', 'Sở A', 1), ('b@2000', 'H31.02', 'Sở B', 1), ('c@2000', 'H31.30', 'Huyện C', 2)"
    )
    figures.execute(
        "insert into marts.dim_reporting_period (period_id, from_on, to_on, as_of_at)"
        " values ('2024-H1', '2023-12-15', '2024-06-14', '2024-06-14 23:59:59+07')"
    )
    figures.execute(
        "insert into marts.fct_procedure_processing (period_id, agency_id, settled_count, settled_on_time_count) values"
        " ('2024-H1', 'a@2000', 1, 1), ('2024-H1', 'a@2000', 1, 0), ('2024-H1', 'b@2000', 1, 1),"
        " ('2024-H1', 'c@2000', 9, 9), ('2024-Q1', 'a@2000', 5, 5)"
    )
    for code, agency, due_on, closed_on, level in [
        ("D1", "a@2000", "2024-02-05", "2024-02-01", "settled"),
        ("D2", "a@2000", "2024-02-05", "2024-02-06", "settled"),
        ("D3", "b@2000", None, "2024-03-01", "settled"),
        ("D4", "b@2000", None, "2024-03-01", "withdrawn"),
        ("D5", "b@2000", None, "2024-06-15", "settled"),
        ("D6", "c@2000", None, "2024-03-01", "settled"),
    ]:
        figures.execute(
            "insert into marts.fct_dossier_status"
            " (dossier_code, agency_id, due_on, closed_on, outcome, is_counted, received_on, valid_from_at)"
            " values (:code, :agency, :due_on, :closed_on, :outcome, true, '2024-01-05', '2024-03-02 00:00+07')",
            code=code, agency=agency, due_on=due_on, closed_on=closed_on, outcome=level,
        )  # fmt: skip
    figures.execute(
        "insert into ops.load values (:load_id, 'one_stop', 'dossier', :digest, '1.0.0', 'loaded', null, null, null,"
        " 10, 7, 2, 1, 0, 100, 'file:///landing/x.csv', 'c0ffee', now(), '2024-06-15 02:26+07')",
        load_id=LOAD_ID, digest=DIGEST,
    )  # fmt: skip
    for name in ("ho-so_20240101_20240131.csv", "ho-so_20240101_20240201.csv"):
        figures.execute(
            "insert into ops.arrival (source, dataset, name, digest, load_id, outcome)"
            " values ('one_stop', 'dossier', :name, :digest, :load_id, 'new')",
            name=name, digest=DIGEST, load_id=LOAD_ID,
        )  # fmt: skip
    return figures


def _told(figures: Figures, code: str, **options: bool) -> str:
    with figures.engine.connect() as connection:
        return "\n".join(lines(explain(connection, PERIOD, code), **options))


@pytest.mark.parametrize("code", ["3.3.1", "3/3.1", " 3.3.1 "])
def test_a_rate_is_told_down_to_its_files(warehouse: Figures, code: str) -> None:
    told = _told(warehouse, code)

    for piece in (
        "Biểu 3, chỉ tiêu 3.1: Tỷ lệ hồ sơ TTHC do các sở, ngành tiếp nhận được giải quyết đúng hạn",
        "Giá trị: 66,67% (chưa làm tròn: 66,6667)",
        "(3.3.1.2) / (3.3.1.1) × 100",
        "3.3.1.2: Số hồ sơ TTHC giải quyết đúng hạn = 2",
        "Mô hình dbt: fct_procedure_processing",
        "one_stop.dossier: ho-so_20240101_20240131.csv, ho-so_20240101_20240201.csv",
        f"sha256 {DIGEST}",
        "đọc 10 dòng, nạp 7, loại 2, trùng 1; nạp lúc 02:26 15/06/2024",
        f"cchc explain 2024-H1 3.3.1 --rows {ON_TIME}",
        f"from raw.one_stop__dossier\n  where _load_id in ({LOAD_ID})",
    ):
        assert piece in told
    table = [line.split() for line in told.splitlines() if line.startswith(("  Sở", "  Cộng"))]
    assert table == [["Sở", "A", "1", "2", "50"], ["Sở", "B", "1", "1", "100"], ["Cộng", "2", "3", "66,67"]]
    assert "Chú ý" not in told


def test_the_printed_queries_list_the_rows_themselves(warehouse: Figures) -> None:
    with warehouse.engine.connect() as connection:
        explanation = explain(connection, PERIOD, "3.3.1")
        listed = {
            title: [row[0] for row in connection.execute(text(query))]
            for title, query in explanation.queries
            if "marts." in query
        }

    assert listed == {
        "Lệnh SQL liệt kê từng dòng của “hồ sơ do sở, ngành tiếp nhận giải quyết đúng hạn”": ["D1", "D3"],
        "Lệnh SQL liệt kê từng dòng của “hồ sơ do sở, ngành tiếp nhận đã giải quyết xong”": ["D1", "D2", "D3"],
    }


def test_counts_by_unit_that_do_not_add_up_are_said(warehouse: Figures) -> None:
    warehouse.execute("update marts.fct_procedure_processing set settled_count = 7 where agency_id = 'b@2000'")

    assert "Chú ý: cộng lại được 9, chỉ tiêu ghi 3." in _told(warehouse, "3.3.1.1")


def test_many_units_are_summed_up_unless_asked_for(warehouse: Figures, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_UNITS", 1)

    assert "1 mục khác (thêm --all để xem hết)" in _told(warehouse, "3.3.1")
    assert "mục khác" not in _told(warehouse, "3.3.1", all_units=True)


def test_what_has_no_figure_says_so(warehouse: Figures) -> None:
    warehouse.set(1, "6.1", value=None, display=None, status="missing")

    assert "Giá trị: để trống (chưa có số liệu nguồn)" in _told(warehouse, "1.6.1")
    assert "dòng đề mục" in _told(warehouse, "3.3")


def test_unknown_codes_name_those_there_are(warehouse: Figures) -> None:
    with warehouse.engine.connect() as connection:
        for code in ("3.9", "9.1", "abc", "", "3.3.1.1.1"):
            with pytest.raises(UnknownCode):
                explain(connection, PERIOD, code)
        with pytest.raises(UnknownCode, match=r"3\.3\.1\.1, 3\.3\.1\.2"):
            explain(connection, PERIOD, "3/9")
        with pytest.raises(FiguresUnfit):
            explain(connection, "2023-H1", "3.3.1")


def test_every_measure_of_the_report_has_rows_and_a_name() -> None:
    measures, rows_of_one_measure = set(), set()
    for name, is_form in (("report_form_catalogue", True), ("report_narrative", False)):
        with (PROJECT_ROOT / f"dbt/seeds/{name}.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                terms = [term.lstrip("-") for side in ("numerator", "denominator") for term in row[side].split()]
                measures |= {term for term in terms if not re.match(r"\d", term)}
                if len(terms) == 1 and is_form:
                    rows_of_one_measure.add(terms[0])
    catalogue = measure_catalogue()["measures"]

    assert set(catalogue) == measures
    assert {measure for measure, entry in catalogue.items() if "label" not in entry} <= rows_of_one_measure


def test_the_rows_come_as_a_table(warehouse: Figures) -> None:
    with warehouse.engine.connect() as connection:
        explanation = explain(connection, PERIOD, "3.3.1")
        header, *rows = listed_rows(connection, explanation, ON_TIME)

        assert header[0] == "dossier_code"
        assert [row[0] for row in rows] == ["D1", "D3"]
        # a measure of another figure would be rows that explain nothing here
        with pytest.raises(UnknownCode, match=SETTLED):
            list(listed_rows(connection, explanation, "feedback_received"))


def test_the_command(warehouse: Figures, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for schema in ("reporting", "marts"):
        warehouse.execute(f"grant usage on schema {schema} to transformer")
        warehouse.execute(f"grant select on all tables in schema {schema} to transformer")
    monkeypatch.setattr(commands, "get_settings", lambda: settings)
    run: Callable = lambda *arguments: CliRunner().invoke(cli.build(), ["explain", *arguments])  # noqa: E731

    assert "Giá trị: 66,67%" in run(PERIOD, "3.3.1").output
    assert run(PERIOD, "3.3.1").exit_code == 0
    listed = run(PERIOD, "3.3.1", "--rows", ON_TIME).output.splitlines()
    assert [line.split(",")[0] for line in listed] == ["dossier_code", "D1", "D3"]
    assert run(PERIOD, "3.3.1", "--rows", "nothing").exit_code == 2
    unknown = run(PERIOD, "3.9")
    assert (unknown.exit_code, "Không có chỉ tiêu «3.9»" in unknown.output) == (2, True)
    assert run("2023-H1", "3.3.1").exit_code == 1
    assert run("2024-H3", "3.3.1").exit_code == 2
    assert not Path(settings.out).exists()
