"""The inbox of the departments: ten workbooks of a period, tidy or as departments send them.

Beside each file stands what a reader must find: which file is in force for which sheet, how many rows load, every
cell that must be refused and every total that does not add up.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from cchc.periods import ReportingPeriod
from sample.agencies import REFORM_ON, Agency, agencies
from sample.departments import Column, Content, Procedures, Row, Table, build_content, layout, report_day
from sample.messy import RARE_VARIATIONS, SUMMED, TITLES, VARIATIONS, BadRow, Look, Rendered, render
from sample.spreadsheet import Cell, Sheet, encrypted, html_page, write
from sample.workbook_answers import count_forms, count_more_text, count_narrative, plain

TIDY, AS_SENT, WORST = 0, 1, 2
MESSINESS = (TIDY, AS_SENT, WORST)

# What a file is for: in force, superseded, or one that a reader must refuse in whole or in one sheet.
GOOD, WRONG = "good", "wrong"
HTML, TRUNCATED, ENCRYPTED, EMPTY_FILE = "html", "truncated", "encrypted", "empty_file"
MISSING_COLUMN, EMPTY_REGISTER = "missing_column", "empty_register"
REFUSED_FILES = (HTML, TRUNCATED, ENCRYPTED, EMPTY_FILE)
REFUSED_SHEETS = (MISSING_COLUMN, EMPTY_REGISTER)

INVESTMENT = "so-ke-hoach-dau-tu/thu-hut-dau-tu"
AUTONOMY = "so-tai-chinh/tu-chu-tai-chinh"
STEERING = "so-noi-vu/chi-dao-dieu-hanh"
LEGAL = "so-tu-phap/van-ban-qppl"
TASKS = "van-phong-ubnd/nhiem-vu-chinh-phu"
STAFFING = "so-noi-vu/bien-che"
ORGANISATION = "so-noi-vu/to-chuc-bo-may"
DIGITAL = "so-tttt/chinh-quyen-so"
SERVICE = "so-noi-vu/cong-vu"
CONTROL = "van-phong-ubnd/kiem-soat-tthc"


@dataclass(frozen=True)
class Planned:
    """One file to write; `early` are the days between its as-of date and the day on which its dataset closes."""

    dataset: str
    role: str = GOOD
    version: int = 1
    ending: str = "xlsx"
    early: int = 0
    # For the roles that spoil one sheet.
    sheet: str = ""


@dataclass
class Written:
    """What the manifest says about the department files."""

    rows: dict[str, int]
    entries: dict[str, Any]
    text: dict[str, str]


# Cells that must not load: dataset, sheet, column, kind, and what is typed there. The row is an extra one.
BAD_AS_SENT = (
    (STEERING, "Ke hoach CCHC", "done_on", "bad_date", "cuối tháng 5"),
    (TASKS, "Nhiem vu", "due_on", "bad_date", "31/02/2024"),
    (LEGAL, "Ra soat", "reviewed_on", "missing_required", None),
    (LEGAL, "Ra soat", "needs_handling", "bad_yes_no", "chưa rõ"),
    (AUTONOMY, "Tu chu", "recurrent_share", "decimal_point", "12.5"),
    (AUTONOMY, "Tu chu", "recurrent_share", "out_of_range", Decimal(120)),
    (STAFFING, "Vien chuc", "present", "fraction_of_person", "1,234"),
    (STAFFING, "Vien chuc", "posts_cut_this_year", "negative_count", -3),
    (INVESTMENT, "Du an", "registered_capital", "not_a_number", "khoảng 120"),
)
BAD_WORST = (
    *BAD_AS_SENT,
    (STEERING, "Ke hoach CCHC", "lead", "unknown_agency", "Sở Du lịch và Giải trí"),
    (TASKS, "Nhiem vu", "lead", "unknown_agency", "Ban Chỉ huy công trường"),
    (TASKS, "Nhiem vu", "done_on", "formula_error", "#VALUE!"),
    (TASKS, "Nhiem vu", "task_no", "duplicate", None),
    (LEGAL, "Ra soat", "doc_no", "duplicate", None),
    (LEGAL, "Ban hanh", "level", "bad_enum", "Thôn"),
    (LEGAL, "Tham dinh", "kind", "bad_enum", "Thông tư"),
    (AUTONOMY, "Tu chu", "recurrent_share", "missing_share", None),
    (AUTONOMY, "Tu chu", "recurrent_share", "ambiguous_number", "1,234.5"),
    (AUTONOMY, "Tu chu", "group", "bad_enum", "Nhóm 5"),
    (AUTONOMY, "Tu chu", "unit_code", "duplicate", None),
    (ORGANISATION, "DVSNCL", "governing_agency", "unknown_agency", "Hội Sinh vật cảnh"),
    (ORGANISATION, "DVSNCL", "managing_level", "bad_enum", "Bộ, ngành"),
    (ORGANISATION, "DVSNCL", "unit_name", "missing_required", None),
    (ORGANISATION, "DVSNCL", "unit_code", "duplicate", None),
    (DIGITAL, "Van ban dien tu", "unit", "unknown_agency", "UBND xã Hoa Sen"),
    (DIGITAL, "Van ban dien tu", "unit", "duplicate", None),
    (DIGITAL, "Ket noi", "unit", "duplicate", None),
    (INVESTMENT, "Du an", "registered_capital", "ambiguous_number", "12,356.5"),
    (INVESTMENT, "Du an", "registered_capital", "formula_error", "#REF!"),
    (INVESTMENT, "Du an", "capital_increase", "formula_error", "#DIV/0!"),
    (INVESTMENT, "Du an", "certified_on", "bad_date", "30-02-2023"),
    (INVESTMENT, "Du an", "currency", "bad_enum", "triệu EUR"),
    (INVESTMENT, "Du an", "certificate_no", "duplicate", None),
)
# Which column of a template row gets a fresh key, so that only the bad cell speaks against the row.
KEYS = {
    "DVSNCL": "unit_code",
    "Vien chuc": "field",
    "Ke hoach CCHC": "task_no",
    "Nhiem vu": "task_no",
    "Ban hanh": "doc_no",
    "Tham dinh": "draft",
    "Ra soat": "doc_no",
    "Tu chu": "unit_code",
    "Du an": "certificate_no",
}
# Sheets that have a rare variation of their own, which the worst case never lacks.
RARE_HOMES = ("Cong chuc", "Nen tang")
# Sheets that may not be empty, and a sheet of each dataset that can lose a required column.
REGISTERS = (
    (ORGANISATION, "Co quan"),
    (STAFFING, "Cong chuc"),
    (STAFFING, "Vien chuc"),
    (AUTONOMY, "Tu chu"),
    (DIGITAL, "Ket noi"),
)


def write_workbooks(
    folder: Path, period: ReportingPeriod, seed: int, messiness: int, procedures: Procedures
) -> Written:
    """Write the departments' files under `folder/inbox` and the two answer files beside it."""

    def stream(purpose: str) -> random.Random:
        return random.Random(hashlib.sha256(f"{seed}|{period.id}|{purpose}".encode()).digest())

    # What the departments report is the same however they type it.
    content = build_content(period, procedures, stream("departments"))
    warnings: list[dict[str, str]] = []
    if messiness == WORST:
        warnings.append(_part_lists(content, stream("lists")))
    plan = _plan(messiness, stream("plan"))
    files = [
        _File(
            planned,
            content,
            period,
            messiness,
            stream(f"{messiness}|{planned.dataset}|{planned.role}|{planned.version}"),
        )
        for planned in plan
    ]
    rows: dict[str, int] = {}
    for file in files:
        target = folder / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.data)
        rows[file.name] = sum(len(table) for table in file.tables.values())
    entries = {
        "workbooks": _in_force(files),
        "bad_cells": [cell for file in files for cell in file.bad_cells],
        "refused_files": [
            {"file": file.name, "kind": file.planned.role} for file in files if file.planned.role in REFUSED_FILES
        ],
        "refused_sheets": [
            {"file": file.name, "sheet": file.planned.sheet, "kind": file.planned.role}
            for file in files
            if file.planned.role in REFUSED_SHEETS
        ],
        "data_warnings": [*warnings, *(warning for file in files for warning in file.warnings)],
    }
    forms = count_forms(content, period)
    narrative = count_narrative(content, period, report_day(INVESTMENT, period))
    _check_totals(forms, period)
    _write_csv(folder / "expected_forms.csv", ("form", "code", "value"), forms)
    _write_csv(folder / "expected_narrative.csv", ("key", "value"), list(narrative.items()))
    rows["expected_forms.csv"], rows["expected_narrative.csv"] = len(forms), len(narrative)
    return Written(rows, entries, {**narrative, **count_more_text(content, period)})


def _write_csv(path: Path, header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        table = csv.writer(handle, lineterminator="\n")
        table.writerow(header)
        table.writerows(rows)


def _check_totals(forms: Sequence[tuple[str, str, str]], period: ReportingPeriod) -> None:
    """What was counted must be what was aimed at; anything else is a fault of this generator."""
    counted = {f"{form}/{code}": value for form, code, value in forms}
    aimed = {
        "1/1": "6",
        "1/2": "39/61",
        "1/3.3.1": "0",
        "1/4.1": "3/7",
        "1/4.2": "1/7",
        "1/5.1": "106",
        "1/5.2": "47",
        "1/5.4": "2",
        "1/6.1": "2905",
        "2/1": "50",
        "2/2.1": "5",
        "2/3.1": "886",
        "3/1.1": "0",
        "4/1.1": "17/17",
        "4/1.5": "553",
        "4/2.1": "1608",
        "4/2.2": "1549",
        "4/2.3": "139",
        "4/2.5": "188/1838",
        "4/3.1": "22039",
        "4/3.2": "19521",
        "5/1.2": "553",
        "5/2.1": "9",
        "6/2.1": "553",
        "6/2.4.3": "234",
        "7/2": "2",
        "7/5.2": "60058/65637",
    }
    if period.to_on < REFORM_ON:
        aimed |= {"1/3.2": "5", "4/1.2": "10/10", "4/1.5.3": "456", "5/1.1": "30", "7/5.2.2": "18999/22221"}
    wrong = {key: (value, counted.get(key)) for key, value in aimed.items() if counted.get(key) != value}
    if wrong:
        raise RuntimeError(f"the departments miss their totals (aimed at, counted): {wrong}")


def _part_lists(content: Content, rng: random.Random) -> dict[str, str]:
    """One unit has another code at the finance department: a cross-check warning, no other count."""
    row = rng.choice(content[AUTONOMY]["Tu chu"])
    organisation, finance = str(row["unit_code"]), f"{str(row['unit_code']).rpartition('.')[0]}.S999"
    row["unit_code"] = finance
    return {"kind": "unit_in_one_list", "only_in_organisation": organisation, "only_in_finance": finance}


# --- which files ------------------------------------------------


def _plan(messiness: int, rng: random.Random) -> list[Planned]:
    datasets = list(layout())
    if messiness == TIDY:
        return [Planned(dataset) for dataset in datasets]
    if messiness == AS_SENT:
        own = {
            STAFFING: [Planned(STAFFING, WRONG), Planned(STAFFING, version=2)],
            DIGITAL: [Planned(DIGITAL, WRONG, early=9), Planned(DIGITAL)],
            AUTONOMY: [Planned(AUTONOMY, early=3)],
            LEGAL: [Planned(LEGAL, ending="ods")],
            TASKS: [Planned(TASKS, ending="xlsm")],
            CONTROL: [Planned(CONTROL, WRONG), Planned(CONTROL, version=2, ending="xlsm")],
        }
        return [planned for dataset in datasets for planned in own.get(dataset, [Planned(dataset)])]
    plan: list[Planned] = []
    # A good file of a formula error must be able to hold one.
    plain_tables = {CONTROL, SERVICE, STAFFING, LEGAL}
    last: dict[str, Planned] = {}
    for dataset in datasets:
        ending = rng.choice(("xlsx", "xlsx", "xlsm", "ods" if dataset in plain_tables else "xlsx"))
        early = rng.randint(1, 4) if dataset in (STAFFING, AUTONOMY, ORGANISATION) else 0
        shape = rng.randrange(4)
        good = Planned(dataset, ending=ending, early=early)
        if shape == 1:
            plan.append(Planned(dataset, WRONG, early=early + rng.randint(1, 6)))
        elif shape == 2:
            plan.append(Planned(dataset, WRONG, early=early))
            good = Planned(dataset, version=2, ending=ending, early=early)
        elif shape == 3:
            plan += [
                Planned(dataset, WRONG, early=early),
                Planned(dataset, WRONG, version=2, ending=rng.choice(("xlsx", "xlsm")), early=early),
            ]
            good = Planned(dataset, version=10, ending=ending, early=early)
        plan.append(good)
        last[dataset] = good
    sheet_of = dict([rng.choice(REGISTERS)])
    spoiled = list(sheet_of)
    others = rng.sample([dataset for dataset in datasets if dataset not in spoiled], 5)
    for dataset, role in zip(others, (*REFUSED_FILES, MISSING_COLUMN), strict=True):
        good = last[dataset]
        sheet = rng.choice(list(layout()[dataset])) if role == MISSING_COLUMN else ""
        ending = "xls" if role == HTML else "xlsx"
        plan.append(Planned(dataset, role, good.version + 1, ending, good.early, sheet))
    for dataset, sheet in sheet_of.items():
        good = last[dataset]
        plan.append(Planned(dataset, EMPTY_REGISTER, good.version + 1, "xlsx", good.early, sheet))
    return plan


def _in_force(files: Sequence[_File]) -> list[dict[str, Any]]:
    """Per file and sheet: how many rows load, and whether it is the one that counts."""
    newest: dict[tuple[str, str], _File] = {}
    for file in sorted(files, key=lambda file: (file.as_of, file.planned.version)):
        for sheet in file.loadable():
            newest[file.planned.dataset, sheet] = file
    found = []
    for file in files:
        department, _, dataset = file.planned.dataset.partition("/")
        found.append(
            {
                "file": file.name,
                "department": department,
                "dataset": dataset,
                "as_of": file.as_of.isoformat(),
                "version": file.planned.version,
                "role": file.planned.role,
                "sheets": {
                    name: {
                        "name": rendered.sheet.name,
                        "header_row": rendered.header_row,
                        "rows": len(file.tables[name]),
                        "rejected": sum(cell["sheet"] == name for cell in file.bad_cells),
                        "in_force": newest.get((file.planned.dataset, name)) is file,
                        "variations": rendered.used,
                    }
                    for name, rendered in file.rendered.items()
                },
            }
        )
    return found


# --- one file ---------------------------------------------------


class _File:
    """One file of the inbox: its bytes and what is wrong with it."""

    def __init__(
        self, planned: Planned, content: Content, period: ReportingPeriod, messiness: int, rng: random.Random
    ) -> None:
        self.planned, self.messiness, self.rng = planned, messiness, rng
        self.as_of = report_day(planned.dataset, period) - dt.timedelta(days=planned.early)
        version = f"_v{planned.version}" if planned.version > 1 else ""
        self.name = f"inbox/{planned.dataset}_{self.as_of.isoformat()}{version}.{planned.ending}"
        self.bad_cells: list[dict[str, str]] = []
        self.warnings: list[dict[str, str]] = []
        self.rendered: dict[str, Rendered] = {}
        self.tables = {name: list(rows) for name, rows in content[planned.dataset].items()}
        self._spoil()
        self.data = self._bytes()
        if planned.role in REFUSED_FILES:
            self.tables, self.rendered = {}, {}

    def loadable(self) -> list[str]:
        """Sheets of this file that a reader takes in."""
        if self.planned.role in REFUSED_FILES:
            return []
        return [name for name in self.tables if name != self.planned.sheet]

    def _spoil(self) -> None:
        """What a superseded or refused file says must not be what is expected."""
        role, sheet = self.planned.role, self.planned.sheet
        layouts = layout()[self.planned.dataset]
        if role in (WRONG, HTML, TRUNCATED):
            for name, rows in self.tables.items():
                self.tables[name] = _wrong(layouts[name], rows, self.rng)
        elif role == MISSING_COLUMN:
            self.tables[sheet] = _wrong(layouts[sheet], self.tables[sheet], self.rng)
        elif role == EMPTY_REGISTER:
            self.tables[sheet] = []

    def _bytes(self) -> bytes:
        role = self.planned.role
        if role == EMPTY_FILE:
            return b""
        if role == ENCRYPTED:
            return encrypted(self.rng)
        if role == HTML:
            name, rows = next(iter(self.tables.items()))
            columns = layout()[self.planned.dataset][name]
            header = [column.labels[0] for column in columns]
            lines = [[_shown(row[column.name]) for column in columns] for row in rows]
            return html_page(TITLES[name], [header, *lines])
        data = write(self._sheets(), self.planned.ending)
        # Cut off in transfer: the table of contents of a zip stands at its end.
        return data[: len(data) * 2 // 3] if role == TRUNCATED else data

    def _sheets(self) -> list[Sheet]:
        names = list(self.tables)
        bad = self._bad_rows() if self.planned.role == GOOD else {}
        for position, name in enumerate(names):
            look = self._look(name, position)
            rendered = render(self.planned.dataset, name, self.tables[name], bad.get(name, []), look)
            self.rendered[name] = rendered
            for cell in rendered.bad_cells:
                self.bad_cells.append({"file": self.name, "sheet": name, **cell})
            for total in rendered.wrong_totals:
                self.warnings.append({"kind": "wrong_total", "file": self.name, "sheet": name, **total})
        if self.messiness != TIDY:
            self.rng.shuffle(names)
        return [self.rendered[name].sheet for name in names]

    def _look(self, name: str, position: int) -> Look:
        day = self.as_of
        wanted: set[str] = set()
        serial = _serial(self.planned.dataset, name)
        if self.messiness == AS_SENT:
            wanted = {variation for j, variation in enumerate(VARIATIONS) if (serial * 3 + j * 2) % 5 < 2}
            # Two sheets have columns where a dash is a zero.
            wanted |= {"dash_for_zero"} if self.planned.dataset == STAFFING else set()
        elif self.messiness == WORST:
            wanted = {variation for variation in VARIATIONS if self.rng.random() < 0.65}
            wanted |= {variation for variation in RARE_VARIATIONS if name in RARE_HOMES or self.rng.random() < 0.5}
        wrong_total = False
        if self.messiness == WORST and self.planned.role == GOOD and name in SUMMED and self.tables[name]:
            wrong_total = name in ("Vien chuc", "Van ban dien tu") or self.rng.random() < 0.2
            if wrong_total:
                wanted.add("total_row")
        left_out = None
        if self.planned.role == MISSING_COLUMN and name == self.planned.sheet:
            columns = layout()[self.planned.dataset][name]
            left_out = self.rng.choice([column.name for column in columns if column.required])
        return Look(frozenset(wanted), self.rng, day, _valid_agencies(day), wrong_total, left_out)

    def _bad_rows(self) -> dict[str, list[BadRow]]:
        listed = {TIDY: (), AS_SENT: BAD_AS_SENT, WORST: BAD_WORST}[self.messiness]
        found: dict[str, list[BadRow]] = {}
        for serial, (dataset, name, column, kind, typed) in enumerate(listed, start=1):
            if dataset != self.planned.dataset:
                continue
            rows = self.tables[name]
            at = self.rng.choice(
                [i for i, row in enumerate(rows) if dataset != AUTONOMY or row["group"] == "Nhóm 3"]
                if name != "Van ban dien tu" or kind == "duplicate"
                else [i for i, row in enumerate(rows) if row["level"] == "Xã"]
            )
            row = dict(rows[at])
            if kind != "duplicate" and name in KEYS:
                row[KEYS[name]] = f"{row[KEYS[name]]}{'.' if name != 'Vien chuc' else ' '}{900 + serial}"
            cell = Cell(typed, error=kind == "formula_error")
            if cell.error:
                cell.formula = f"1*{typed}" if typed == "#REF!" else "1/0" if typed == "#DIV/0!" else '"a"*1'
            found.setdefault(name, []).append(BadRow(row, column, kind, cell, at))
        return found


def _serial(dataset: str, name: str) -> int:
    listed = [(each, sheet) for each, sheets in layout().items() for sheet in sheets]
    return listed.index((dataset, name))


def _valid_agencies(day: dt.date) -> dict[str, Agency]:
    return {agency.code: agency for agency in agencies() if agency.valid_on(day)}


def _shown(value: object) -> str:
    if isinstance(value, dt.date):
        return f"{value:%d/%m/%Y}"
    return {None: "", True: "x", False: ""}.get(value, "") if value is None or isinstance(value, bool) else plain(value)


def _wrong(columns: Sequence[Column], rows: Table, rng: random.Random) -> Table:
    """Rows that load without complaint and count to something else."""
    counts = [column.name for column in columns if column.type == "int" and column.name != "plan_year"]
    found: Table = []
    for i, row in enumerate(rows):
        changed: Row = dict(row)
        for name in counts:
            value = changed[name]
            if isinstance(value, int) and i % 3 == 0:
                changed[name] = value + rng.randint(1, 9)
        found.append(changed)
    # One in ten had not reported yet.
    return [row for i, row in enumerate(found) if len(found) < 4 or i % 10 != 9]
