"""The report that was published for the first half of 2024, as files a person would hand in, and its computed rows."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from xml.sax.saxutils import escape

from openpyxl import Workbook

from cchc.periods import ReportingPeriod
from cchc.settings import PROJECT_ROOT
from publish.check import Computed, Formula, NarrativeValue, Row
from publish.declared import Declared, read

DATA = Path(__file__).parent / "data"
HEADER = ("STT", "Chỉ tiêu thống kê", "Đơn vị tính", "Kết quả thống kê", "Ghi chú")
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"

Change = Callable[[dict[str, str]], dict[str, str]]


def published(change: Change | None = None) -> list[dict[str, str]]:
    """The 144 rows as published, each passed through `change`."""
    rows = _table(DATA / "published_2024_h1.csv")
    return [change(row) for row in rows] if change else rows


def text_file(name: str = "published_text_2024_h1.csv") -> bytes:
    return (DATA / name).read_bytes()


def formulas() -> dict[tuple[int, str], str]:
    """What rpt_indicator.formula says, spelled from the catalogue as the model spells it."""
    return {(int(row["form_no"]), row["code"]): _formula(row) for row in _catalogue()}


def computed(narrative: dict[str, NarrativeValue] | None = None, **values: Decimal | None) -> Computed:
    """What a warehouse with every source computes for the published counts; `values` by `form_code`: f3_3_1_1=5."""
    period = ReportingPeriod.parse("2024-H1")
    by_hand = {(int(row["form_no"]), row["code"]): row for row in _table(DATA / "form_rows.csv")}
    rows = []
    for entry in _catalogue():
        key = (int(entry["form_no"]), entry["code"])
        name = f"f{key[0]}_{key[1].replace('.', '_')}"
        row = by_hand[key]
        value = values[name] if name in values else Decimal(row["value"]) if row["value"] else None
        status = "missing" if name in values and values[name] is None else "ok"
        display = f"{value:f}".replace(".", ",") if name in values and value is not None else row["display"]
        rows.append(
            Row(
                form_no=key[0],
                form_title=row["form_title"],
                code=key[1],
                label=entry["label_vi"],
                unit=entry["unit_vi"],
                kind=entry["kind"],
                value=value,
                display="" if value is None else display,
                status=status,
                missing_names=(row["sources"],) if row["sources"] and status == "missing" else (),
                formula=Formula.parse(_formula(entry)),
            )
        )
    return Computed(period, period.default_as_of, tuple(rows), narrative or {})


def workbook(rows: Iterable[dict[str, str]], *, one_sheet: bool = False) -> bytes:
    """The appendix as .xlsx: seven sheets, or all seven tables one under the other."""
    book = Workbook()
    sheet = book.active
    sheet.title = "Phụ lục"
    form = None
    for row in rows:
        if row["form"] != form:
            form = row["form"]
            if not one_sheet:
                sheet = book.create_sheet(f"Biểu {form}")
            sheet.append(["PHỤ LỤC"])
            sheet.append([f"Biểu mẫu {form}: THỐNG KÊ SỐ LIỆU"])
            sheet.append(HEADER)
            sheet.append([f"({number})" for number in range(1, 6)])
        sheet.append([row["code"], row["label"], row["unit"], row["published"], row["note"]])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def document(rows: Iterable[dict[str, str]], *, before: str = "") -> bytes:
    """The appendix as .docx, a table for each form. `before` is put ahead of the document element."""
    body, form, table = [], None, []
    for row in rows:
        if row["form"] != form:
            body += _table_xml(table)
            form, table = row["form"], [HEADER]
            body.append(f"<w:p><w:r><w:t>Biểu mẫu {form}: Thống kê số liệu</w:t></w:r></w:p>")
        table.append((row["code"], row["label"], row["unit"], row["published"], row["note"]))
    body += _table_xml(table)
    xml = f'{before}<w:document xmlns:w="{_WORD}"><w:body>{"".join(body)}</w:body></w:document>'
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as package:
        package.writestr("[Content_Types].xml", "<Types/>")
        package.writestr("word/document.xml", xml)
    return file.getvalue()


def declared(appendix: bytes, text: bytes | None = None, name: str = "phu-luc.xlsx") -> Declared:
    """Both files read the way the command reads them."""
    labels = computed().labels()
    found = read(appendix, name, labels)
    return found + read(text, "so-lieu.csv", labels) if text is not None else found


def _table_xml(rows: list[tuple[str, ...]]) -> list[str]:
    if not rows:
        return []
    lines = []
    for row in rows:
        # words come in runs of their own, as Word splits them
        cells = "".join(
            "<w:tc><w:p>"
            + "".join(f'<w:r><w:t xml:space="preserve">{escape(word)} </w:t></w:r>' for word in cell.split(" "))
            + "</w:p></w:tc>"
            for cell in row
        )
        lines.append(f"<w:tr>{cells}</w:tr>")
    return [f"<w:tbl>{''.join(lines)}</w:tbl>"]


def _catalogue() -> list[dict[str, str]]:
    return _table(PROJECT_ROOT / "dbt" / "seeds" / "report_form_catalogue.csv")


def _formula(row: dict[str, str]) -> str:
    spelled = [
        row[side].strip().replace(" -", " − ").replace(" ", " + ").replace("+ − + ", "− ")
        for side in ("numerator", "denominator")
    ]
    if spelled[1]:
        return f"({spelled[0]}) / ({spelled[1]}) × {row['scale']}"
    return spelled[0] if " " in spelled[0] else row["definition"]


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
