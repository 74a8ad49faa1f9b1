"""The departments' workbooks against what was published, and against an independent reading of the messy ones.

`read_table` knows the labels of the contract and the rules of the page on workbooks, and nothing of how the
sample lays out a sheet but the row on which its header begins.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
import re
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from time import perf_counter
from typing import Any

import openpyxl
import pytest
import typer
from python_calamine import CalamineWorkbook
from typer.testing import CliRunner

from cchc.periods import ReportingPeriod
from sample import commands, workbooks
from sample.agencies import agencies
from sample.departments import layout
from sample.messy import ABBREVIATIONS, RARE_VARIATIONS, VARIATIONS, other_tone, tcvn3
from sample.province import write_province

PERIOD = "2024-H1"

# As printed in the appendix for the first half of 2024; ratios as the two counts behind the printed per cent.
PUBLISHED = {
    "1": "1=6 2=39/61 2.1=61 2.2=39 3= 3.1=6 3.2=5 3.3=0 3.3.1=0 3.3.2=0 4= 4.1=3/7 4.2=1/7 5= 5.1=106 5.2=47 5.3=0 "
    "5.4=2 6=1 6.1=2905 6.2=1 7=1",
    "2": "1=50 1.1=20 1.2=4 1.3=26 2= 2.1=5 2.2=2/2 2.2.1=2 2.2.2=2 3= 3.1=886 3.2=14/14 3.2.1=14 3.2.2=14",
    "3": "1.1=0",
    "4": "1= 1.1=17/17 1.2=10/10 1.3=3 1.4=19 1.5=553 1.5.1=6 1.5.2=91 1.5.3=456 1.5.4=126/679 2= 2.1=1608 2.2=1549 "
    "2.3=139 2.4=188 2.5=188/1838 3= 3.1=22039 3.2=19521 3.3=2924 3.4=2924/22338",
    "5": "1= 1.1=30 1.2=553 1.3=0 2= 2.1=9 2.2=0 2.3=0 2.4=0 2.5=0 3=0 4=0 4.1=0 4.2=0 4.3=0 4.4=0",
    "6": "2= 2.1=553 2.2=13 2.3=29 2.4=249 2.4.1=0 2.4.2=15 2.4.3=234 2.5=262 2.6=0",
    "7": "1=1 2=2 3=58/58 4=2 5= 5.1= 5.1.1=20/20 5.1.2=10/10 5.1.3=161/161 5.2=60058/65637 5.2.1=21618/22973 "
    "5.2.2=18999/22221 5.2.3=19441/20443 5.3= 5.3.1=20/20 5.3.2=10/10 5.3.3=161/161",
}
PRINTED_PER_CENT = {
    "1/2": "64",
    "1/4.1": "43",
    "1/4.2": "14",
    "4/1.5.4": "18.6",
    "4/2.5": "10.23",
    "4/3.4": "13.09",
    "7/5.2": "91.50",
    "7/5.2.1": "94.10",
    "7/5.2.2": "85.50",
    "7/5.2.3": "95.10",
}
# As printed in the text. It gives 134 contracts present where the appendix has 139: the appendix is followed.
TEXT = {
    "plan_tasks_done": "39",
    "plan_tasks_total": "61",
    "units_inspected": "11",
    "officials_trained_on_satisfaction_survey": "1344",
    "government_tasks_total": "106",
    "government_tasks_done_on_time": "47",
    "government_tasks_in_time": "57",
    "government_tasks_overdue": "2",
    "legal_documents_issued_province": "20",
    "resolutions_issued": "3",
    "decisions_issued": "17",
    "drafts_appraised": "28",
    "drafts_commented": "46",
    "decisions_self_checked": "17",
    "documents_checked_under_authority": "5",
    "documents_reviewed": "886",
    "procedures_under_review": "20",
    "internal_process_decisions": "21",
    "divisions_cut": "3",
    "civil_servants_assigned": "1608",
    "contracts_assigned": "141",
    "public_employees_assigned": "22039",
    "civil_servants_present": "1549",
    "contracts_present": "139",
    "public_employees_present": "19521",
    "civil_servant_posts_cut_this_year": "24",
    "public_employee_posts_cut_this_year": "85",
    "bodies_with_job_positions": "30",
    "service_units_with_job_positions": "553",
    "commune_civil_servants_recruited": "9",
    "appointments_handled": "52",
    "teachers_reclassified": "2985",
    "officials_trained_on_public_service_culture": "400",
    "new_investment_projects": "63",
    "new_investment_capital_domestic": "7534",
    "new_investment_capital_foreign": "441.2",
    "projects_with_capital_increase": "37",
    "capital_increase_domestic": "3881",
    "capital_increase_foreign": "34.32",
    "projects_in_force": "2257",
    "registered_capital_domestic": "332716",
    "registered_capital_foreign": "7.46",
    "audit_recommendations_total": "289.6",
    "audit_recommendations_done": "280.8",
    "autonomous_units": "553",
    "documents_sent": "65637",
    "documents_received": "226290",
    "official_mailboxes": "11300",
}
MORE_TEXT = {
    "documents_sent_signed": "54971",
    "documents_received_signed": "182683",
    "procedure_review_lead_agencies": "7",
    "procedure_review_results_sent": "5",
    "internal_processes_new": "194",
    "internal_processes_amended": "12",
    "internal_processes_abolished": "145",
}
TOTALS = {"Tổng", "Tổng cộng", "TỔNG CỘNG", "Cộng"}
LATER_SEEDS = (1, 7, 99)
PROCEDURES = {f"H31.{agency:02d}": [f"1.{agency:02d}{i:04d}.H31" for i in range(5)] for agency in range(1, 16)}


class Written:
    """The workbooks of one degree of mess."""

    def __init__(self, folder: Path, messiness: int, period: str = PERIOD, seed: int = 2024) -> None:
        self.folder = folder
        self.result = workbooks.write_workbooks(folder, ReportingPeriod.parse(period), seed, messiness, PROCEDURES)
        self.entries: dict[str, Any] = self.result.entries

    def answers(self, name: str) -> list[list[str]]:
        with (self.folder / name).open(encoding="utf-8", newline="") as handle:
            return list(csv.reader(handle))

    def digests(self) -> dict[str, str]:
        return {
            path.relative_to(self.folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self.folder.rglob("*")
            if path.is_file()
        }


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[Written]:
    return [Written(tmp_path_factory.mktemp(f"messy-{degree}"), degree) for degree in workbooks.MESSINESS]


def published_rows() -> list[list[str]]:
    return [[form, *entry.split("=")] for form, line in PUBLISHED.items() for entry in line.split()]


# --- the answers ------------------------------------------------


@pytest.mark.parametrize("degree", workbooks.MESSINESS)
def test_expected_files_hold_what_was_published(written: list[Written], degree: int) -> None:
    assert written[degree].answers("expected_forms.csv") == [["form", "code", "value"], *published_rows()]
    assert written[degree].answers("expected_narrative.csv") == [["key", "value"], *map(list, TEXT.items())]
    assert written[degree].result.text == TEXT | MORE_TEXT


def test_ratios_round_to_what_was_printed() -> None:
    values = {f"{form}/{code}": value for form, code, value in published_rows()}
    for key, printed in PRINTED_PER_CENT.items():
        top, bottom = map(int, values[key].split("/"))
        assert str(round(Decimal(100 * top) / bottom, len(printed.partition(".")[2]))) == printed, key


@pytest.mark.parametrize("seed", LATER_SEEDS)
def test_other_seeds_keep_the_totals_and_change_every_file(written: list[Written], tmp_path: Path, seed: int) -> None:
    for degree in workbooks.MESSINESS:
        other = Written(tmp_path / str(degree), degree, seed=seed)
        for name in ("expected_forms.csv", "expected_narrative.csv"):
            assert other.answers(name) == written[degree].answers(name)
    here, there = written[1].digests(), Written(tmp_path / "again", 1, seed=seed).digests()
    assert here.keys() == there.keys()
    assert {name for name in here if here[name] == there[name]} == {"expected_forms.csv", "expected_narrative.csv"}


@pytest.mark.parametrize("period", ["2025-H1", "2024-Q1", "2024-M01", "2025-Y"])
def test_dates_move_with_the_period(tmp_path: Path, period: str) -> None:
    parsed = ReportingPeriod.parse(period)
    other = Written(tmp_path, 1, period)
    values = {f"{form}/{code}": value for form, code, value in other.answers("expected_forms.csv")[1:]}
    assert (values["1/1"], values["2/3.1"], values["4/3.1"]) == ("6", "886", "22039")
    assert dict(other.answers("expected_narrative.csv")[1:])["new_investment_projects"] == "63"
    for file in other.entries["workbooks"]:
        assert parsed.from_on <= dt.date.fromisoformat(file["as_of"]) <= parsed.to_on
    has_districts = parsed.to_on < dt.date(2025, 7, 1)
    assert values["4/1.5.3"] == ("456" if has_districts else "0")
    assert values["4/1.2"] == ("10/10" if has_districts else "")


# --- the bytes --------------------------------------------------


@pytest.mark.parametrize("degree", workbooks.MESSINESS)
def test_same_seed_gives_the_same_bytes(written: list[Written], tmp_path: Path, degree: int) -> None:
    started = perf_counter()
    again = Written(tmp_path, degree)
    assert perf_counter() - started < 6
    assert again.digests() == written[degree].digests()
    for path in tmp_path.rglob("*.xlsx"):
        if zipfile.is_zipfile(path):
            assert {entry.date_time for entry in zipfile.ZipFile(path).infolist()} == {(2024, 1, 1, 0, 0, 0)}


def test_all_ten_workbooks_are_there_in_several_formats(written: list[Written]) -> None:
    for each in written:
        found = {(file["department"], file["dataset"]) for file in each.entries["workbooks"]}
        assert found == {tuple(dataset.split("/")) for dataset in layout()}
        in_force = Counter(
            (file["dataset"], sheet)
            for file in each.entries["workbooks"]
            for sheet, entry in file["sheets"].items()
            if entry["in_force"]
        )
        assert set(in_force.values()) == {1}
        assert len(in_force) == sum(map(len, layout().values()))
    names = [Path(name) for name in written[1].result.rows if name.startswith("inbox/")]
    assert {path.suffix for path in names} == {".xlsx", ".xlsm", ".ods"}
    assert any("_v2" in path.name for path in names)
    assert any(not path.stem.endswith("2024-06-14") for path in names)


def test_a_province_lists_its_workbooks_and_is_written_anew_for_another_messiness(tmp_path: Path) -> None:
    summary = write_province(tmp_path, "2024-M06", scale=0.002)
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["messiness"], summary.written) == (1, True)
    assert {file["file"] for file in manifest["workbooks"]} <= set(summary.rows)
    assert manifest["bad_cells"]
    assert manifest["text_figures"]["documents_sent"] == 65_637
    listed = {item["MATTHC"] for item in json.loads((tmp_path / "portal" / "procedure_details.json").read_text())}
    control = next(tmp_path.rglob("kiem-soat-tthc_*_v2.xlsm"))
    cells = openpyxl.load_workbook(control)
    written_codes = {cell.value for sheet in cells for row in sheet.iter_rows() for cell in row} & listed
    assert len(written_codes) == 20
    assert "expected_forms.csv" in summary.rows
    app = typer.Typer()
    commands.register(app)
    tidy = CliRunner().invoke(
        app, ["sample", str(tmp_path), "--period", "2024-M06", "--scale", "0.002", "--messiness", "0"]
    )
    assert tidy.exit_code == 0, tidy.output
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["messiness"], manifest["bad_cells"]) == (0, [])
    assert not list((tmp_path / "inbox").rglob("*_v2*"))
    with pytest.raises(ValueError, match="messiness"):
        write_province(tmp_path, "2024-M06", scale=0.002, messiness=3)


# --- reading the sheets back ------------------------------------


def grid_of(path: Path, sheet: str) -> list[list[Any]]:
    """Cells of one sheet, cached values of formulas included."""
    if path.suffix == ".ods":
        rows = CalamineWorkbook.from_path(path).get_sheet_by_name(sheet).to_python(skip_empty_area=False)
        return [[None if value == "" else value for value in row] for row in rows]
    return [list(row) for row in values_of(path)[sheet].iter_rows(values_only=True)]


@lru_cache(maxsize=40)
def values_of(path: Path) -> openpyxl.Workbook:
    return openpyxl.load_workbook(path, data_only=True)


def plain_text(value: object) -> str:
    text = unicodedata.normalize("NFC", str(value)).replace("\u00a0", " ")
    return " ".join(text.split()).casefold()


def label_of(value: object) -> str:
    return re.sub(r"(\s*:|\s*\(\*\)|\*|¹|\s*\[1\])$", "", plain_text(value)).strip()


@lru_cache(maxsize=1)
def resolved_agencies() -> dict[str, str]:
    """Every spelling that the contract allows → code; names of communes come back in later years."""
    found: dict[str, str] = {}
    for agency in (each for each in agencies() if each.valid_on(dt.date(2024, 6, 14))):
        place = agency.name.removeprefix("UBND ")
        names = {agency.code, agency.name, place, *ABBREVIATIONS.get(agency.code, ())}
        for full, short in (("huyện ", "H. "), ("thành phố ", "TP. "), ("thị xã ", "TX. ")):
            names |= {place.replace(full, short, 1), place.replace(full, short.replace(".", ""), 1)}
        for name in names:
            for form in (name, other_tone(name), tcvn3(name), tcvn3(other_tone(name))):
                if form:
                    found[plain_text(form)] = agency.code
    return found


def number_of(value: object) -> Decimal:
    if isinstance(value, str):
        assert re.fullmatch(r"-?\d{1,3}([.\s]?\d{3})*(,\d+)?", value), value
        return Decimal(re.sub(r"[.\s]", "", value).replace(",", "."))
    return Decimal(repr(value)).normalize()


def date_of(value: object) -> dt.date:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    parts = [int(part) for part in re.split(r"[-./]", str(value))]
    return dt.date(*(parts if parts[0] > 31 else parts[::-1]))


def read_table(path: Path, dataset: str, name: str, entry: dict[str, Any], bad_rows: set[int]) -> list[dict[str, Any]]:
    """Good rows of a sheet by column name, as plain values."""
    grid = grid_of(path, entry["name"])
    columns = layout()[dataset][name]
    labels = {plain_text(label): column for column in columns for label in column.labels}
    start = entry["header_row"] - 1
    at: dict[str, int] = {}
    depth = 0
    for offset, row in enumerate(grid[start : start + 3]):
        for position, value in enumerate(row):
            above = grid[start][position] or (grid[start][position - 1] if position else None)
            joined = f"{label_of(above)} {label_of(value)}" if offset and above else ""
            column = labels.get(joined) or labels.get(label_of(value)) if value is not None else None
            if column and column.name not in at:
                at[column.name], depth = position, offset + 1
    assert set(at) == {column.name for column in columns}, (path, name)
    names = resolved_agencies()
    readers: dict[str, Callable[[Any], Any]] = {
        "int": number_of,
        "decimal": number_of,
        "date": date_of,
        "bool": lambda value: plain_text(value) in ("x", "có", "1", "1.0", "✓"),
        "agency": lambda value: names[plain_text(value)],
        "agency_or_commune": lambda value: names[plain_text(value)],
        "enum": plain_text,
        # Legacy letters are compared as such: both sides are typed the same way or not at all.
        "text": plain_text,
    }
    found = []
    for number, row in enumerate(grid[start + depth :], start=start + depth + 1):
        if str(row[0]).startswith(("Ghi chú:", "Nơi nhận:")):
            break
        values = {column.name: row[at[column.name]] if at[column.name] < len(row) else None for column in columns}
        first = [values[column.name] for column in columns if column.required]
        if any(value in TOTALS or str(value).startswith("Khối ") for value in row):
            continue
        if number in bad_rows or None in first or all(re.fullmatch(r"\(\d+\)", str(value)) for value in first):
            continue
        found.append(
            {
                column.name: (False if column.type == "bool" else 0 if column.blank_is_zero else None)
                if (value := values[column.name]) is None or (column.blank_is_zero and value in ("-", "–"))
                else readers[column.type](value)
                for column in columns
            }
        )
    return found


def comparable(dataset: str, name: str, rows: list[dict[str, Any]]) -> Counter[tuple[Any, ...]]:
    """Rows as a multiset, without the free text that may be typed in an old font."""
    kept = [column.name for column in layout()[dataset][name] if column.type != "text" or column.name == "task_no"]
    scale = 1000 if name == "Kien nghi kiem toan" and sum(row["amount"] for row in rows) > 1000 else 1
    return Counter(
        tuple(row[column] / scale if scale > 1 and isinstance(row[column], Decimal) else row[column] for column in kept)
        for row in rows
    )


def sheets_of(each: Written, *, in_force: bool = True) -> dict[tuple[str, str], tuple[Path, dict[str, Any], set[int]]]:
    found = {}
    for file in each.entries["workbooks"]:
        for name, entry in file["sheets"].items():
            if entry["in_force"] == in_force:
                bad = {
                    int(re.sub(r"\D", "", cell["cell"]))
                    for cell in each.entries["bad_cells"]
                    if (cell["file"], cell["sheet"]) == (file["file"], name)
                }
                assert len(bad) == entry["rejected"]
                found[f"{file['department']}/{file['dataset']}", name] = (each.folder / file["file"], entry, bad)
    return found


@pytest.mark.parametrize("degree", [1, 2])
def test_messy_sheets_say_the_same_as_the_tidy_ones(written: list[Written], degree: int) -> None:
    tidy = {key: read_table(path, *key, entry, bad) for key, (path, entry, bad) in sheets_of(written[0]).items()}
    for key, (path, entry, bad) in sheets_of(written[degree]).items():
        rows = read_table(path, *key, entry, bad)
        assert len(rows) == entry["rows"], (path, key)
        assert comparable(*key, rows) == comparable(*key, tidy[key]), (path, key)


def test_keys_of_tidy_sheets_are_unique_and_required_cells_filled(written: list[Written]) -> None:
    keys = {"Vien chuc": ("agency", "field"), "Kiem tra": ("agency", "inspected_on", "doc_no")}
    dated = {"Khao sat", "Doi thoai", "Tap huan"}
    for key, (path, entry, bad) in sheets_of(written[0]).items():
        rows = read_table(path, *key, entry, bad)
        assert len(rows) == entry["rows"]
        if key[1] not in dated:
            columns = [column.name for column in layout()[key[0]][key[1]]]
            wanted = [name for name in keys.get(key[1], columns[:1]) if name in columns]
            assert len({tuple(row[name] for name in wanted) for row in rows}) == len(rows), key


def test_earlier_versions_say_something_else(written: list[Written]) -> None:
    tidy = {key: read_table(path, *key, entry, bad) for key, (path, entry, bad) in sheets_of(written[0]).items()}
    superseded = sheets_of(written[1], in_force=False)
    assert superseded
    differing = set()
    for key, (path, entry, bad) in superseded.items():
        rows = read_table(path, *key, entry, bad)
        assert len(rows) == entry["rows"]
        if comparable(*key, rows) != comparable(*key, tidy[key]):
            differing.add(path)
    assert differing == {path for path, _, _ in superseded.values()}


# --- what stands in the files -----------------------------------


class Seen:
    """What openpyxl finds in the Excel files of one degree."""

    def __init__(self, each: Written) -> None:
        self.sheets = []
        for file in each.entries["workbooks"]:
            if file["file"].endswith((".xlsx", ".xlsm")) and file["sheets"]:
                values = values_of(each.folder / file["file"])
                formulas = openpyxl.load_workbook(each.folder / file["file"])
                for name, entry in file["sheets"].items():
                    self.sheets.append((name, entry, values[entry["name"]], formulas[entry["name"]]))

    def cells(self) -> list[tuple[str, dict[str, Any], Any]]:
        if not hasattr(self, "_cells"):
            self._cells = [
                (name, entry, cell)
                for name, entry, sheet, _ in self.sheets
                for row in sheet.iter_rows()
                for cell in row
                if cell.value is not None
            ]
        return self._cells

    def text(self, pattern: str, *, header: bool | None = None) -> bool:
        return any(
            isinstance(cell.value, str)
            and re.search(pattern, cell.value)
            and (header is None or (0 <= cell.row - entry["header_row"] < 3) == header)
            for _, entry, cell in self.cells()
        )

    def has(self, variation: str) -> bool:
        first = {variation: lambda: False}
        found: dict[str, Callable[[], bool]] = {
            "title_block": lambda: any(entry["header_row"] > 2 for _, entry, _, _ in self.sheets),
            "motto": lambda: self.text("^Độc lập - Tự do - Hạnh phúc$"),
            "unit_line": lambda: self.text("^Đơn vị tính: "),
            "header_2_rows": lambda: self.header_depth(2),
            "header_3_rows": lambda: self.header_depth(3),
            "numbering_row": lambda: self.text(r"^\(2\)$"),
            "header_line_breaks": lambda: self.text(r"\S\n\S", header=True),
            "header_double_spaces": lambda: self.text(r"\S  \S", header=True),
            "header_upper_case": lambda: self.text("^(?!STT|TT)[^a-zà-ỹ]{4,}$", header=True),
            "header_nfd": lambda: self.text("[\u0300-\u0323]", header=True),
            "header_colon": lambda: self.text(":$", header=True),
            "header_footnote_mark": lambda: self.text(r"(\*\)|\*|¹|\])$", header=True),
            "other_label": lambda: self.text("(?i)^(Nguồn gốc|Mức tự chủ|Tên cơ quan|Mã cơ quan)$", header=True),
            "extra_columns": lambda: self.text("^Ghi chú$", header=True),
            "sheet_case": lambda: any(sheet.title.isupper() for _, _, sheet, _ in self.sheets),
            "sheet_spaces": lambda: any(sheet.title != sheet.title.strip() for _, _, sheet, _ in self.sheets),
            "hidden_rows": lambda: any(
                row.hidden for _, _, sheet, _ in self.sheets for row in sheet.row_dimensions.values()
            ),
            "hidden_columns": lambda: any(
                column.hidden for _, _, sheet, _ in self.sheets for column in sheet.column_dimensions.values()
            ),
            "group_rows": lambda: self.text("^Khối ") and self.text("^(I|II|A|B)$"),
            "subtotal_rows": lambda: self.text("^Cộng$"),
            "total_row": lambda: self.text("(?i)^(Tổng|Tổng cộng|Cộng)$"),
            "signature_block": lambda: self.text("^Nơi nhận:$"),
            "footnotes": lambda: self.text("^Ghi chú: "),
            "numbers_as_text": lambda: self.text(r"^\d{1,3}\.\d{3}$") and self.text(r"^\d+,\d{1,2}$"),
            "dash_for_zero": lambda: self.text("^-$") and self.text("^–$"),
            "dates_as_text": lambda: all(
                self.text(pattern)
                for pattern in (
                    r"^\d{1,2}/\d{1,2}/2024$",
                    r"^\d{2}-\d{2}-2024$",
                    r"^\d{1,2}\.\d{1,2}\.2024$",
                    r"^2024-\d{2}-\d{2}$",
                )
            ),
            "yes_no_forms": lambda: all(self.text(f"^{form}$") for form in ("x", "X", "Có", "có", "✓", "Không", "0")),
            "agency_codes": lambda: self.text(r"^H31\.\d{2}$", header=False),
            "agency_spellings": lambda: self.text(r"^H\. ") and self.text("^(TP|TX)") and self.text("^Huyện "),
            "agency_abbreviations": lambda: self.text("^Sở TT&TT$"),
            "other_tone_mark": lambda: self.text(r"(oà|oá)(\s|,|$)"),
            "value_case": lambda: (
                self.text("^(UBND HUYỆN|HUYỆN|SỞ) ", header=False) or self.text("^ubnd huyện ", header=False)
            ),
            "value_nfd": lambda: self.text("[\u0300-\u0323]", header=False),
            "tcvn3": lambda: (
                self.text("[µ¸¶¨»¾©®«¬]") and any(cell.font.name == ".VnTime" for _, _, cell in self.cells())
            ),
            "formula_cells": self.formula_with_value,
            "column_order": self.other_order,
            "blank_rows": self.blank_row_between,
            "split_header": lambda: self.text("^HĐLĐ theo NĐ 111$", header=True),
            "group_row_with_sums": lambda: any(
                sum(isinstance(cell.value, int | float) for cell in row) > 1
                and any(isinstance(cell.value, str) and cell.value.startswith("Khối ") for cell in row)
                for _, _, sheet, _ in self.sheets
                for row in sheet.iter_rows()
            ),
            "total_hidden": lambda: any(
                entry_row.hidden and any(cell.value in TOTALS for cell in sheet[number])
                for _, _, sheet, _ in self.sheets
                for number, entry_row in sheet.row_dimensions.items()
            ),
            "total_first": lambda: any(
                cell.value in TOTALS and cell.row <= entry["header_row"] + 4 for _, entry, cell in self.cells()
            ),
            "other_money_unit": lambda: self.text("^ĐVT: triệu đồng$"),
            "number_text_in_platform": lambda: self.text(r"^11\.300$"),
        }
        return (first | found)[variation]()

    def header_depth(self, depth: int) -> bool:
        return any(
            entry["header_row"] == merged.min_row and merged.max_row - merged.min_row == depth - 1
            for _, entry, sheet, _ in self.sheets
            for merged in sheet.merged_cells.ranges
        )

    def formula_with_value(self) -> bool:
        kinds = set()
        for _, _, values, formulas in self.sheets:
            for row in formulas.iter_rows():
                for cell in row:
                    if isinstance(cell.value, str) and cell.value.startswith("="):
                        assert values[cell.coordinate].value is not None
                        kinds.add(re.sub(r"[^A-Z+].*", "", cell.value[1:]) or "+")
        return {"SUM", "+"} <= kinds

    def other_order(self) -> bool:
        return any(
            [cell.value for cell in sheet[entry["header_row"]] if cell.value in labels] not in ([], labels)
            for name, entry, sheet, _ in self.sheets
            for labels in [[c.labels[0] for sheets in layout().values() if name in sheets for c in sheets[name]]]
        )

    def blank_row_between(self) -> bool:
        return any(
            not any(sheet.cell(cell.row - 1, column).value for column in range(1, 10))
            and sheet.cell(cell.row - 2, 1).value == cell.value - 1
            for _, entry, sheet, _ in self.sheets
            for (cell,) in sheet.iter_rows(min_row=entry["header_row"] + 4, max_col=1)
            if isinstance(cell.value, int) and isinstance(sheet.cell(cell.row - 2, 1).value, int)
        )


def test_every_variation_stands_in_the_files(written: list[Written]) -> None:
    for degree, wanted in ((1, VARIATIONS), (2, (*VARIATIONS, *RARE_VARIATIONS))):
        seen = Seen(written[degree])
        assert [variation for variation in wanted if not seen.has(variation)] == [], degree
        claimed = {
            variation
            for file in written[degree].entries["workbooks"]
            for entry in file["sheets"].values()
            for variation in entry["variations"]
        }
        assert set(wanted) <= claimed
    assert not any(entry["variations"] for file in written[0].entries["workbooks"] for entry in file["sheets"].values())


def test_sheets_stand_in_another_order(written: list[Written]) -> None:
    book = openpyxl.load_workbook(next(written[1].folder.rglob("chi-dao-dieu-hanh_*.xlsx")), read_only=True)
    names = [name.strip().casefold() for name in book.sheetnames]
    ordered = [name.casefold() for name in layout()["so-noi-vu/chi-dao-dieu-hanh"]]
    assert sorted(names) == sorted(ordered)
    assert names != ordered


KINDS = {
    1: {
        "bad_date",
        "missing_required",
        "bad_yes_no",
        "decimal_point",
        "out_of_range",
        "fraction_of_person",
        "negative_count",
        "not_a_number",
    },
    2: {"unknown_agency", "formula_error", "duplicate", "bad_enum", "missing_share", "ambiguous_number"},
}
TYPED: dict[str, Callable[[Any], bool]] = {
    "bad_date": lambda value: value in ("cuối tháng 5", "31/02/2024", "30-02-2023"),
    "missing_required": lambda value: value is None,
    "missing_share": lambda value: value is None,
    "bad_yes_no": lambda value: value == "chưa rõ",
    "decimal_point": lambda value: value == "12.5",
    "out_of_range": lambda value: value == 120,
    "fraction_of_person": lambda value: value == "1,234",
    "negative_count": lambda value: value == -3,
    "not_a_number": lambda value: value == "khoảng 120",
    "unknown_agency": lambda value: plain_text(value) not in resolved_agencies(),
    "formula_error": lambda value: value in ("#REF!", "#VALUE!", "#DIV/0!"),
    "duplicate": lambda value: value is not None,
    "bad_enum": lambda value: value in ("Thôn", "Thông tư", "Nhóm 5", "Bộ, ngành", "triệu EUR"),
    "ambiguous_number": lambda value: re.fullmatch(r"\d+,\d{3}\.5", str(value)) is not None,
}


@pytest.mark.parametrize("degree", [1, 2])
def test_every_planted_cell_is_where_the_manifest_says(written: list[Written], degree: int) -> None:
    each = written[degree]
    assert {cell["kind"] for cell in each.entries["bad_cells"]} == KINDS[1] | (KINDS[2] if degree == 2 else set())
    names = {
        (file["file"], sheet): entry["name"]
        for file in each.entries["workbooks"]
        for sheet, entry in file["sheets"].items()
    }
    grids: dict[tuple[str, str], list[list[Any]]] = {}
    for cell in each.entries["bad_cells"]:
        key = cell["file"], cell["sheet"]
        if key not in grids:
            grids[key] = grid_of(each.folder / cell["file"], names[key])
        row, column = openpyxl.utils.cell.coordinate_to_tuple(cell["cell"])
        assert TYPED[cell["kind"]](grids[key][row - 1][column - 1]), cell


def test_no_sheet_has_more_bad_rows_than_one_in_twenty(written: list[Written]) -> None:
    for each in written:
        for file in each.entries["workbooks"]:
            for entry in file["sheets"].values():
                assert entry["rejected"] * 20 <= entry["rows"] + entry["rejected"]


@pytest.mark.parametrize("seed", [2024, *LATER_SEEDS])
def test_refused_files_and_sheets_leave_the_good_version_in_force(tmp_path: Path, seed: int) -> None:
    worst = Written(tmp_path, 2, seed=seed)
    refused = {entry["kind"]: worst.folder / entry["file"] for entry in worst.entries["refused_files"]}
    assert set(refused) == {"html", "truncated", "encrypted", "empty_file"}
    for path in refused.values():
        with pytest.raises((zipfile.BadZipFile, OSError)):
            openpyxl.load_workbook(io.BytesIO(path.read_bytes()))
    assert refused["html"].suffix == ".xls"
    assert refused["html"].read_bytes().startswith(b"<html")
    assert refused["truncated"].read_bytes().startswith(b"PK")
    assert "EncryptedPackage".encode("utf-16-le") in refused["encrypted"].read_bytes()
    assert {entry["kind"] for entry in worst.entries["refused_sheets"]} == {"missing_column", "empty_register"}
    for entry in worst.entries["refused_sheets"]:
        file = next(file for file in worst.entries["workbooks"] if file["file"] == entry["file"])
        assert not file["sheets"][entry["sheet"]]["in_force"]
    assert set(sheets_of(worst)) == {(dataset, sheet) for dataset, sheets in layout().items() for sheet in sheets}


def test_wrong_totals_and_parted_lists_are_listed(written: list[Written]) -> None:
    warnings = written[2].entries["data_warnings"]
    assert {warning["kind"] for warning in warnings} == {"wrong_total", "unit_in_one_list"}
    for warning in warnings:
        if warning["kind"] != "wrong_total":
            continue
        file = next(file for file in written[2].entries["workbooks"] if file["file"] == warning["file"])
        grid = grid_of(written[2].folder / warning["file"], file["sheets"][warning["sheet"]]["name"])
        row, column = openpyxl.utils.cell.coordinate_to_tuple(warning["cell"])
        assert number_of(grid[row - 1][column - 1]) == Decimal(warning["stated"])
        assert Decimal(warning["stated"]) != Decimal(warning["counted"])
    assert written[0].entries["data_warnings"] == written[1].entries["data_warnings"] == []


def test_no_personal_data_columns() -> None:
    """Workbooks name offices, never persons."""
    labels = {plain_text(label) for s in layout().values() for cs in s.values() for c in cs for label in c.labels}
    assert not {label for label in labels if "họ" in label.split() or "cccd" in label}
