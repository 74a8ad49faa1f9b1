"""The check, held against the published report of the first half of 2024 and against reports spoiled by hand."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from typer.testing import CliRunner

from cchc import cli
from cchc.settings import Settings
from publish import check_workbook, commands
from publish.check import (
    Comparison,
    Computed,
    Finding,
    Formula,
    Level,
    Line,
    NarrativeValue,
    compare,
    read_computed,
    relations,
    text_figures,
    vietnamese,
)
from publish.figures import FiguresUnfit
from tests.publish.figures_by_hand import PERIOD, Figures
from tests.publish.published_report import computed, declared, document, formulas, published, text_file, workbook

# Every contradiction of the published report, row by row: kind, where, what it says, what it should say.
CONTRADICTIONS = [
    ("cut", "Biểu 3, chỉ tiêu 3.1", "99,66", "99,67"),
    ("cut", "Biểu 3, chỉ tiêu 3.3", "99,9", "99,99"),
    ("ratio", "Biểu 7, chỉ tiêu 6.2", "90,65%", "90,63"),
    ("cut", "Biểu 7, chỉ tiêu 6.3", "84,17%", "84,18"),
    ("text_and_table", "Lời văn, mục II.2.d", "988", "1.007"),
    ("text_and_table", "Lời văn, mục II.2.d", "100", "90,63"),
    ("text_and_table", "Lời văn, mục II.3.c", "134", "139"),
    ("sum", "Lời văn, mục II.5.a", "2518", "2.487"),
    ("up", "Lời văn, mục II.5.a", "12.7", "12,64"),
    ("unreadable", "Lời văn, mục II.6.b", "22.6290", ""),
]
REASONS = [
    "54.148/54.328 = 99,6686…%, làm tròn là 99,67%; báo cáo ghi 99,66% vì cắt bớt thay vì làm tròn.",
    "113.832/113.845 = 99,9885…%, làm tròn là 99,99%; báo cáo ghi 99,9% vì cắt bớt thay vì làm tròn và chỉ giữ 1 "
    "chữ số thập phân.",
    "Tỷ lệ không theo hai số của nó: 406/448 = 90,625%, tức 90,63%; báo cáo ghi 90,65%.",
    "69.778/82.892 = 84,1794…%, làm tròn là 84,18%; báo cáo ghi 84,17% vì cắt bớt thay vì làm tròn.",
    "Lời văn ghi 988, biểu 7, chỉ tiêu 6.1.2 ghi 1007; kho tính ra 1.007.",
    "Lời văn ghi 100%; biểu 7, chỉ tiêu 6.2 ghi 90,65%; 406/448 = 90,625%.",
    "Lời văn ghi 134, biểu 4, chỉ tiêu 2.3 ghi 139; kho tính ra 139.",
    "Không khớp: 117 + 2.370 = 2.487 trong khi tổng ghi 2.518; còn lại 31 tỷ đồng không nêu nguồn (thành phần: giải "
    "ngân vốn ngân sách trung ương, giải ngân vốn cân đối ngân sách địa phương).",
    "2.518.000/19.921.000 = 12,6399…%, làm tròn là 12,64%; báo cáo ghi 12.7% vì làm tròn lên. Còn biểu 6, chỉ tiêu 1 "
    "ghi 12,6.",
    "Không ai đọc được “22.6290” là số nào: sau mỗi dấu chấm phân nhóm phải có đúng ba chữ số.",
]


def _shape(findings: tuple[Finding, ...]) -> list[tuple[str, str, str, str]]:
    return [(finding.kind, finding.place, finding.declared, finding.expected) for finding in findings]


def _changed(form: str, code: str, **columns: str) -> Callable[[dict[str, str]], dict[str, str]]:
    return lambda row: {**row, **columns} if (row["form"], row["code"]) == (form, code) else row


def _compare(
    change: Callable[[dict[str, str]], dict[str, str]] | None = None,
    text: str | bytes | None = None,
    warehouse: Computed | None = None,
) -> Comparison:
    content = text.encode() if isinstance(text, str) else text
    return compare(warehouse or computed(), declared(workbook(published(change)), content))


def _row(comparison: Comparison, form_no: int, code: str) -> Line:
    return next(line for line in comparison.rows if (line.form_no, line.code) == (form_no, code))


def _new(comparison: Comparison) -> list[Finding]:
    """Contradictions of the appendix that the published one does not have."""
    known = set(_shape(_compare().contradictions))
    return [
        finding for finding, shape in zip(comparison.contradictions, _shape(comparison.contradictions), strict=True)
        if shape not in known
    ]  # fmt: skip


@pytest.mark.parametrize("content", [workbook(published()), document(published())])
def test_the_published_report_has_these_contradictions_and_no_other(content: bytes) -> None:
    comparison = compare(computed(), declared(content, text_file()))

    assert _shape(comparison.contradictions) == CONTRADICTIONS
    assert [finding.reason for finding in comparison.contradictions] == REASONS


def test_a_rate_in_a_note_of_the_text_counts_as_declared() -> None:
    found = _shape(_compare(text=text_file("narrative_2024_h1.csv")).contradictions)

    assert ("up", "Lời văn, mục II.5.a", "12.7%", "12,64") in found
    # in that file nobody wrote the 100 % and the broken number
    assert [shape for shape in found if shape[0] not in ("up",)] == [
        shape for shape in CONTRADICTIONS if shape[2] not in ("100", "22.6290", "12.7")
    ]


def test_the_rest_of_the_published_appendix_is_right() -> None:
    comparison = _compare()

    assert [(line.place, line.explanation) for line in comparison.rows if line.level == Level.REMARK] == [
        (
            "Biểu 1, chỉ tiêu 4.1",
            "Tên chỉ tiêu là một số đếm nhưng mẫu quy định đơn vị %: số ghi được đọc là tỷ lệ.",
        ),
        (
            "Biểu 7, chỉ tiêu 6.4",
            "Dấu chấm trong “97.72” được hiểu là dấu thập phân; tiếng Việt viết dấu phẩy.",
        ),
    ]
    assert len(comparison.rows) == 144
    assert {line.level for line in comparison.rows} == {Level.MATCH, Level.REMARK, Level.WRONG}
    assert sum(line.level == Level.WRONG for line in comparison.rows) == 4


def test_without_any_source_only_the_report_itself_is_judged() -> None:
    nothing = replace(
        computed(),
        rows=tuple(
            replace(row, value=None, display="", status="missing", missing_names=("Bộ X (Sở A)",))
            for row in computed().rows
        ),
    )
    comparison = _compare(text=text_file(), warehouse=nothing)

    assert [(kind, place, said) for kind, place, said, _ in _shape(comparison.contradictions)] == [
        (kind, place, said) for kind, place, said, _ in CONTRADICTIONS
    ]
    assert _row(comparison, 1, "1").level == Level.OPEN
    assert "chưa có nguồn số liệu: Bộ X (Sở A)" in _row(comparison, 1, "1").explanation


@pytest.mark.parametrize(
    ("form", "code", "columns", "kind", "reason"),
    [
        ("3", "3.1.1", {"published": "54.329"}, "value", "Báo cáo ghi 54.329, kho tính ra 54.328."),
        ("4", "1.5.1", {"published": "07"}, "value", "Báo cáo ghi 07, kho tính ra 6."),
        ("1", "2.1", {"published": "61%"}, "unit", "Chỉ tiêu là số đếm (Nhiệm vụ) nhưng ghi bằng %."),
        ("1", "2.1", {"unit": "%"}, "unit", "Báo cáo ghi đơn vị “%”, mẫu quy định “Nhiệm vụ”."),
        ("1", "2", {"unit": "Nhiệm vụ"}, "unit", "Báo cáo ghi đơn vị “Nhiệm vụ”, mẫu quy định “%”."),
        ("1", "4.1", {"published": "42"}, "cut", "3/7 = 42,8571…%, làm tròn là 42,86%; báo cáo ghi 42%"),
        ("1", "4.1", {"published": "44"}, "ratio", "Hai số 3 và 7 lấy ở cột ghi chú."),
        ("1", "5.1", {"published": ""}, "missing", "Báo cáo để trống, kho tính ra 106."),
        ("1", "5.1", {"published": "khoảng 106"}, "unreadable", "“khoảng 106” không phải là số chính xác."),
        ("3", "1.4", {"published": "17.40"}, "unreadable", "Có lẽ là 1.740."),
        ("3", "3.2", {"published": "99,81"}, "cut", "39.743/39.815 = 99,8191…%, làm tròn là 99,82%"),
        ("3", "3.2", {"published": "99,9"}, "up", "vì làm tròn lên"),
        ("3", "3.4", {"published": "5"}, "ratio", "Tỷ lệ không theo hai số của nó: 0/1 = 0%, tức 0%; báo cáo ghi 5%."),
    ],
)
def test_a_spoiled_row_is_found_and_said_why(
    form: str, code: str, columns: dict[str, str], kind: str, reason: str
) -> None:
    comparison = _compare(_changed(form, code, **columns))
    found = [finding for finding in _new(comparison) if finding.place == f"Biểu {form}, chỉ tiêu {code}"]

    assert [finding.kind for finding in found] == [kind]
    assert reason in found[0].reason


def test_parts_that_do_not_add_up() -> None:
    comparison = _compare(_changed("4", "1.5", published="554"))
    (finding,) = [finding for finding in _new(comparison) if finding.place == "Biểu 4, chỉ tiêu 1.5"]

    assert finding.kind == "sum"
    assert finding.reason == ("Các dòng thành phần cộng lại là 553 (6 + 91 + 456), tổng ghi 554: lệch 1.")


def test_a_ratio_of_other_counts_than_the_warehouse_has() -> None:
    counts = {"3.2.1": "39.800", "3.2.2": "39.000", "3.2": "97,99"}
    comparison = _compare(
        lambda row: {**row, "published": counts.get(row["code"], row["published"])} if row["form"] == "3" else row
    )
    kinds = {finding.place: (finding.kind, finding.reason) for finding in _new(comparison)}

    assert kinds["Biểu 3, chỉ tiêu 3.2"] == (
        "value", "Tỷ lệ đúng với hai số đã ghi, nhưng kho tính ra 99,82 từ hai số khác."
    )  # fmt: skip
    assert {"Biểu 3, chỉ tiêu 3.2.1", "Biểu 3, chỉ tiêu 3.2.2"} < kinds.keys()


@pytest.mark.parametrize(
    ("form", "code", "value"),
    [
        ("1", "2", "63,93"),
        ("1", "2", "63,934"),
        ("3", "3.1", "99,67%"),
        ("3", "3.1", "100"),
        ("3", "3.1.1", "54 328"),
        ("3", "3.4", ""),
        ("6", "1", "12,64"),
        ("6", "1", "13"),
        ("7", "6.2", "90,63"),
    ],
)
def test_other_ways_to_write_the_right_figure_are_no_contradiction(form: str, code: str, value: str) -> None:
    comparison = _compare(_changed(form, code, published=value))

    assert _row(comparison, int(form), code).level < Level.WRONG


def test_hundred_per_cent_that_is_not_quite_is_remarked() -> None:
    comparison = _compare(_changed("3", "3.3", published="100"))

    assert _row(comparison, 3, "3.3").level == Level.REMARK
    assert "chưa đủ: số chính xác là 99,9885…%" in _row(comparison, 3, "3.3").explanation


def test_a_zero_left_blank_is_remarked() -> None:
    comparison = _compare(_changed("5", "1.3", published=""))

    assert (_row(comparison, 5, "1.3").level, _new(comparison)) == (Level.REMARK, [])


def test_an_amount_rounded_to_billions_is_remarked() -> None:
    warehouse = computed(f6_1_2=Decimal("2518234.5"))
    comparison = _compare(warehouse=warehouse)

    assert _row(comparison, 6, "1.2").level == Level.REMARK
    assert "đã làm tròn" in _row(comparison, 6, "1.2").explanation


def test_a_difference_from_stale_figures_is_only_remarked() -> None:
    rows = tuple(
        replace(row, value=Decimal(200), display="200", status="stale") if row.place == "Biểu 1, chỉ tiêu 5.1" else row
        for row in computed().rows
    )
    comparison = _compare(warehouse=replace(computed(), rows=rows))

    assert _row(comparison, 1, "5.1").level == Level.REMARK
    assert "chưa cập nhật đủ" in _row(comparison, 1, "5.1").explanation


def test_a_lost_form_is_one_finding_and_a_lost_row_another() -> None:
    rows = [row for row in published() if row["form"] != "2" and (row["form"], row["code"]) != ("5", "3")]
    comparison = compare(computed(), declared(workbook(rows)))
    missing = [(finding.place, finding.reason) for finding in comparison.contradictions if finding.kind == "missing"]

    assert missing == [
        ("Biểu 2", "Báo cáo không có biểu 2."),
        ("Biểu 5, chỉ tiêu 3", "Báo cáo không có dòng này, kho tính ra 0."),
    ]
    assert _row(comparison, 2, "1").level == Level.WRONG


def test_a_row_that_stands_twice() -> None:
    rows = published()
    again = {**rows[1], "published": "65"}
    rows.insert(3, again)
    # in a form of its own the repeat would open a new group, so the form is named
    comparison = compare(computed(), declared(workbook(rows)))

    assert any(
        finding.kind == "repeated" and "lần sau ghi “65”" in finding.reason for finding in comparison.contradictions
    )


def test_a_stranger_and_an_unknown_key_are_remarked() -> None:
    rows = [*published(), {"form": "7", "code": "9", "label": "Chỉ tiêu lạ", "unit": "", "published": "1", "note": ""}]
    found = declared(workbook(rows), b"section,key,value\nI,plan_tasks_don,39\n")
    remarks = {finding.place: finding.reason for finding in compare(computed(), found).remarks}

    assert "Mẫu không có dòng này" in remarks["Biểu 7, dòng 9"]
    assert "có phải là “plan_tasks_done”?" in remarks["Lời văn, mục I"]


def test_the_text_may_name_a_row_by_its_code() -> None:
    comparison = _compare(text="section,key,value\nII.2.d,7.6.2,100\nII.3.c,4/2.3,139\n")

    assert [line.level for line in comparison.figures] == [Level.WRONG, Level.MATCH]


def test_the_text_is_held_against_the_warehouse_where_it_has_the_figure() -> None:
    narrative = {
        "documents_received": NarrativeValue(Decimal(226290), "226.290", "ok"),
        "online_payment_rate": NarrativeValue(Decimal("90.4"), "90,4", "ok"),
        "divisions_cut": NarrativeValue(Decimal(4), "4", "ok"),
        "teachers_reclassified": NarrativeValue(None, "", "missing"),
    }
    comparison = _compare(text=text_file(), warehouse=computed(narrative))
    lines = {line.code: line for line in comparison.figures}

    assert lines["documents_received"].explanation.endswith("Có lẽ là 226.290.")
    assert lines["online_payment_rate"].level == Level.MATCH
    assert lines["divisions_cut"].explanation == "Lời văn ghi 3, kho tính ra 4."
    assert lines["teachers_reclassified"].level == Level.OPEN


def test_of_two_parts_off_against_each_other_one_follows() -> None:
    counts = {"online_services": 1650, "online_services_full": 1007, "online_services_partial": 643}
    narrative = {key: NarrativeValue(Decimal(count), vietnamese(count), "ok") for key, count in counts.items()}
    comparison = _compare(text=text_file(), warehouse=computed(narrative))
    lines = {line.code: line for line in comparison.figures}

    assert _shape(comparison.contradictions) == CONTRADICTIONS
    assert lines["online_services_partial"].level == Level.REMARK
    assert "lệch theo “Số dịch vụ công trực tuyến toàn trình”" in lines["online_services_partial"].explanation
    # a total that is wrong too excuses nobody
    narrative["online_services"] = NarrativeValue(Decimal(1651), "1.651", "ok")
    narrative["online_services_partial"] = NarrativeValue(Decimal(644), "644", "ok")
    worse = {line.code: line for line in _compare(text=text_file(), warehouse=computed(narrative)).figures}
    assert worse["online_services_partial"].level == Level.WRONG


def test_the_rate_of_one_part_given_for_all_is_told() -> None:
    rates = {"digitised_rate": "99.33", "digitised_rate_districts_communes": "99.5"}
    narrative = {key: NarrativeValue(Decimal(rate), rate.replace(".", ","), "ok") for key, rate in rates.items()}
    lines = {line.code: line for line in _compare(text=text_file(), warehouse=computed(narrative)).figures}

    assert lines["digitised_rate"].explanation == (
        "Lời văn ghi 99.5, kho tính ra 99,33. Số đã ghi là của riêng huyện, xã."
    )


@pytest.mark.parametrize(
    ("value", "note", "exact", "level"),
    [
        ("trên 90", "", "90.68", Level.MATCH),
        ("trên 90", "", "89.9", Level.WRONG),
        ("90", "over 90; nearly 80 through the national portal", "90.68", Level.MATCH),
        ("90", "over 90; nearly 80 through the national portal", "89.9", Level.WRONG),
        ("90", "over 70 through the national portal", "90.68", Level.WRONG),
        ("dưới 90", "", "90.68", Level.WRONG),
        ("khoảng 90", "", "20", Level.OPEN),
    ],
)
def test_a_figure_said_loosely_is_held_to_its_bound(value: str, note: str, exact: str, level: Level) -> None:
    narrative = {"online_payment_rate": NarrativeValue(Decimal(exact), exact.replace(".", ","), "ok")}
    content = f"section,key,value,note\nII.2.d,online_payment_rate,{value},{note}\n"
    (line,) = _compare(text=content, warehouse=computed(narrative)).figures

    assert line.level == level


def test_the_text_alone_is_held_against_the_rows_the_warehouse_has() -> None:
    found = declared(workbook(published()), text_file())
    comparison = compare(computed(), replace(found, rows=(), has_appendix=False))

    assert comparison.rows == ()
    assert _shape(comparison.contradictions) == [
        ("value", *shape[1:]) if shape[0] == "text_and_table" else shape for shape in CONTRADICTIONS[4:]
    ]


def test_rounded_parts_may_miss_a_rounded_sum_by_what_rounding_loses() -> None:
    fits = "section,key,value\na,investment_disbursed,2518\na,province_managed_disbursed,818\n"
    assert not _new(_compare(text=f"{fits}a,district_commune_disbursed,1699\n"))
    (finding,) = _new(_compare(text=f"{fits}a,district_commune_disbursed,1710\n"))
    assert "thành phần vượt tổng 10 tỷ đồng" in finding.reason


def test_more_done_than_there_is() -> None:
    found = _new(_compare(text="section,key,value\na,decisions_issued,17\na,decisions_self_checked,18\n"))

    assert [finding.reason for finding in found] == ["Ghi 18, lớn hơn 17 của số quyết định QPPL ban hành."]


def test_formulas() -> None:
    assert Formula.parse("(3.3.1.2) / (3.3.1.1) × 100") == Formula(((1, "3.3.1.2"),), ((1, "3.3.1.1"),), Fraction(100))
    assert Formula.parse("2.1.1 + 2.1.2 − 2.1.3").numerator == ((1, "2.1.1"), (1, "2.1.2"), (-1, "2.1.3"))
    assert not Formula.parse("(service_units_2015 − 4.1.5) / (service_units_2015) × 100").is_of_rows
    assert Formula.parse("of those, settled by the cut-off") is None
    assert Formula.parse(None) is None


def test_numbers_as_they_are_written() -> None:
    assert [vietnamese(Fraction(number)) for number in ("54148", "99.665", "-0.004", "1234567.891", "0")] == [
        "54.148", "99,67", "0", "1.234.567,89", "0",
    ]  # fmt: skip


def test_the_data_files_name_only_what_exists() -> None:
    codes = {row.catalogue_code for row in computed().rows}
    keys = {figure.key for figure in text_figures().values()}
    named = {figure.row for figure in text_figures().values() if figure.row}
    for relation in relations():
        assert relation.relation in ("sum", "ratio", "at_most", "same", "mean")
        named |= {relation.figure, *(term for _, term in (*relation.numerator, *relation.denominator))}

    assert named <= codes | keys
    assert {figure.note_rate_key for figure in text_figures().values() if figure.note_rate_key} <= keys


# --- from the warehouse to the workbook -----------------------------------------------------------------------------


@pytest.fixture
def warehouse(figures: Figures) -> Figures:
    """Reporting tables whose formulas are those of the catalogue; figures of the text are for a test to make."""
    figures.execute("delete from reporting.rpt_narrative")
    for (form_no, code), formula in formulas().items():
        figures.execute(
            "update reporting.rpt_indicator set formula = :formula where form_no = :form_no and code = :key",
            formula=formula,
            form_no=form_no,
            key=code,
        )
    return figures


@pytest.fixture
def run(warehouse: Figures, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    warehouse.execute("grant usage on schema reporting to transformer")
    warehouse.execute("grant select on all tables in schema reporting to transformer")
    monkeypatch.setattr(commands, "get_settings", lambda: settings)

    def invoke(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(cli.build(), list(arguments))
        return result.exit_code, result.output

    return invoke


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    (tmp_path / "phu-luc.docx").write_bytes(document(published()))
    (tmp_path / "loi-van.csv").write_bytes(text_file())
    return ["--declared", str(tmp_path / "phu-luc.docx"), "--declared", str(tmp_path / "loi-van.csv")]


def test_what_the_warehouse_has_is_read_whole(warehouse: Figures) -> None:
    with warehouse.engine.connect() as connection:
        found = read_computed(connection, PERIOD)
        with pytest.raises(FiguresUnfit, match="2023-H1"):
            read_computed(connection, "2023-H1")

    assert [(row.form_no, row.code, row.formula) for row in found.rows] == [
        (row.form_no, row.code, row.formula) for row in computed().rows
    ]
    assert found.narrative == {}


def test_the_narrative_is_read(warehouse: Figures) -> None:
    warehouse.execute(
        "insert into reporting.rpt_narrative (period_id, key, value, display, status)"
        " values (:period_id, 'divisions_cut', 4, '4', 'ok')",
        period_id=PERIOD,
    )
    with warehouse.engine.connect() as connection:
        assert read_computed(connection, PERIOD).narrative == {"divisions_cut": NarrativeValue(Decimal(4), "4", "ok")}


def test_contradictions_end_with_code_3_and_a_workbook(run: Callable, files: list[str], settings: Settings) -> None:
    code, output = run("check", PERIOD, *files)

    path = Path(settings.out) / PERIOD / "doi-chieu.xlsx"
    assert code == 3
    assert output.splitlines()[-2:] == ["10 mâu thuẫn, 2 lưu ý", str(path)]
    assert load_workbook(path).sheetnames == ["Mâu thuẫn", "Đối chiếu phụ lục", "Đối chiếu lời văn"]


def test_a_report_without_contradictions_ends_with_code_0(run: Callable, tmp_path: Path) -> None:
    right = {("3", "3.1"): "99,67", ("3", "3.3"): "99,99", ("7", "6.2"): "90,63", ("7", "6.3"): "84,18"}
    rows = published(lambda row: {**row, "published": right.get((row["form"], row["code"]), row["published"])})
    (tmp_path / "phu-luc.xlsx").write_bytes(workbook(rows))

    code, output = run("check", PERIOD, "--declared", str(tmp_path / "phu-luc.xlsx"))
    assert (code, output.splitlines()[0]) == (0, "Không có mâu thuẫn, 2 lưu ý")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xlsx", b"PK\x03\x04rubbish", "a.xlsx: tệp bị hỏng"),
        ("a.csv", b"x,y\n", "section, key, value"),
        ("a.xlsx", None, "không có tệp này"),
    ],
)
def test_an_unreadable_file_ends_with_code_2(
    run: Callable, tmp_path: Path, settings: Settings, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    code, output = run("check", PERIOD, "--declared", str(tmp_path / name))

    assert code == 2
    assert message in output
    assert not (Path(settings.out) / PERIOD).exists()


def test_unknown_period_and_period_without_figures(run: Callable, files: list[str]) -> None:
    assert run("check", "2024-H3", *files)[0] == 2
    assert run("check", "2023-H1", *files)[0] == 1


ABOUT = check_workbook.About("tỉnh Hưng Yên", ("phu-luc.xlsx",), True, datetime(2024, 6, 15, 3, 30, tzinfo=UTC))


def _sheet(comparison: Comparison, name: str) -> Worksheet:
    return load_workbook(io.BytesIO(check_workbook.render(comparison, ABOUT)))[name]


def _table(sheet: Worksheet) -> list[list[str]]:
    rows = [[cell.value or "" for cell in row] for row in sheet.iter_rows()]
    start = next(at for at, row in enumerate(rows) if "Lý do" in row)
    return rows[start + 1 :]


def test_the_workbook_says_everything() -> None:
    comparison = _compare(text=text_file())

    findings = [row for row in _table(_sheet(comparison, "Mâu thuẫn")) if row[1] == "Sai"]
    assert [row[6] for row in findings] == REASONS
    rows = [row for row in _table(_sheet(comparison, "Đối chiếu phụ lục")) if row[1] and row[0] != "Chú thích:"]
    listed = {(line.code, line.label, line.declared, line.computed) for line in comparison.rows}
    assert listed <= {tuple(row[at] for at in (0, 1, 3, 4)) for row in rows}
    figures = [row for row in _table(_sheet(comparison, "Đối chiếu lời văn")) if row[6]]
    assert [row[3] for row in figures] == [line.declared for line in comparison.figures]


def test_the_workbook_is_ready_to_print_and_runs_nothing() -> None:
    comparison = _compare(_changed("1", "1", published='=HYPERLINK("x")', label="Số văn bản chỉ đạo"))
    book = load_workbook(io.BytesIO(check_workbook.render(comparison, ABOUT)))

    for sheet in book:
        assert (sheet.page_setup.orientation, sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (
            "landscape", 1, 0,
        )  # fmt: skip
        assert sheet.print_title_rows
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f"
                assert cell.value is None or cell.font.name == "Times New Roman"
    titles = [cell.value for cell in book["Mâu thuẫn"]["A"] if isinstance(cell.value, str)]
    assert any(title.startswith("Có 5 mâu thuẫn phải sửa, 2 lưu ý.") for title in titles)


def test_the_same_check_gives_the_same_bytes() -> None:
    comparison = _compare(text=text_file())

    assert check_workbook.render(comparison, ABOUT) == check_workbook.render(comparison, ABOUT)
