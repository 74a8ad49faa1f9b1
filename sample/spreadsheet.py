"""Workbook files written part by part: same sheets, same bytes.

openpyxl writes no cached value beside a formula and stamps the hour of writing into the file; departments' files
have the first, and a sample must not have the second.
"""

from __future__ import annotations

import datetime as dt
import io
import random
import re
import struct
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from xml.sax.saxutils import escape, quoteattr

STAMP = (2024, 1, 1, 0, 0, 0)
EPOCH = dt.date(1899, 12, 30)
Value = str | int | Decimal | dt.date | None
# Excel's built-in styles do not matter; these are the ones a Vietnamese office uses.
STYLES = ("body", "date", "header", "bold", "title", "legacy", "number", "note")


@dataclass(slots=True)
class Cell:
    """A value; with `formula` it is the cached result, and an `error` is the result `#REF!` and the like."""

    value: Value
    style: str = "body"
    formula: str | None = None
    error: bool = False


@dataclass
class Sheet:
    """Cells by row and column, both counted from 1."""

    name: str
    rows: dict[int, dict[int, Cell]] = field(default_factory=dict)
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    widths: dict[int, float] = field(default_factory=dict)

    def put(self, row: int, column: int, value: Value, style: str = "body", formula: str | None = None) -> Cell:
        cell = Cell(value, style, formula)
        self.rows.setdefault(row, {})[column] = cell
        return cell


def letter(column: int) -> str:
    """3 → C, 28 → AB."""
    text = ""
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def address(row: int, column: int) -> str:
    """`D17`."""
    return f"{letter(column)}{row}"


def write(sheets: Sequence[Sheet], ending: str) -> bytes:
    """The bytes of a workbook with the ending `xlsx`, `xlsm` or `ods`."""
    return _write_ods(sheets) if ending == "ods" else _write_xlsx(sheets, macros=ending == "xlsm")


def _zip(parts: Sequence[tuple[str, str]], stored_first: bool = False) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for i, (name, content) in enumerate(parts):
            entry = zipfile.ZipInfo(name, STAMP)
            entry.compress_type = zipfile.ZIP_STORED if stored_first and i == 0 else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            archive.writestr(entry, content)
    return target.getvalue()


# --- Office Open XML --------------------------------------------

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"

_STYLES_XML = (
    f'{_XML}<styleSheet xmlns="{_MAIN}"><numFmts count="1"><numFmt numFmtId="164" formatCode="dd/mm/yyyy"/></numFmts>'
    '<fonts count="4"><font><sz val="12"/><name val="Times New Roman"/></font>'
    '<font><b/><sz val="12"/><name val="Times New Roman"/></font>'
    '<font><sz val="12"/><name val=".VnTime"/></font>'
    '<font><i/><sz val="11"/><name val="Times New Roman"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="2"><border><left/><right/><top/><bottom/><diagonal/></border>'
    '<border><left style="thin"/><right style="thin"/><top style="thin"/><bottom style="thin"/><diagonal/></border>'
    '</borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="8">'
    '<xf numFmtId="0" fontId="0" fillId="0" borderId="1" xfId="0" applyBorder="1"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="1" xfId="0" applyBorder="1" applyNumberFormat="1"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="1" xfId="0" applyBorder="1" applyFont="1" applyAlignment="1">'
    '<alignment horizontal="center" vertical="center" wrapText="1"/></xf>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="1" xfId="0" applyBorder="1" applyFont="1"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1" applyAlignment="1">'
    '<alignment horizontal="center"/></xf>'
    '<xf numFmtId="0" fontId="2" fillId="0" borderId="1" xfId="0" applyBorder="1" applyFont="1"/>'
    '<xf numFmtId="3" fontId="0" fillId="0" borderId="1" xfId="0" applyBorder="1" applyNumberFormat="1"/>'
    '<xf numFmtId="0" fontId="3" fillId="0" borderId="0" xfId="0" applyFont="1"/>'
    '</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


def _write_xlsx(sheets: Sequence[Sheet], macros: bool) -> bytes:
    strings: dict[str, int] = {}
    bodies = [_sheet_xml(sheet, strings) for sheet in sheets]
    kind = "application/vnd.ms-excel.sheet.macroEnabled.main+xml" if macros else f"{_TYPES}.sheet.main+xml"
    types = "".join(
        f'<Override PartName="/xl/worksheets/sheet{i}.xml" ContentType="{_TYPES}.worksheet+xml"/>'
        for i in range(1, len(sheets) + 1)
    )
    names = "".join(
        f'<sheet name={quoteattr(sheet.name)} sheetId="{i}" r:id="rId{i}"/>' for i, sheet in enumerate(sheets, start=1)
    )
    targets = [(f"{_OFFICE}/worksheet", f"worksheets/sheet{i}.xml") for i in range(1, len(sheets) + 1)]
    targets += [(f"{_OFFICE}/styles", "styles.xml"), (f"{_OFFICE}/sharedStrings", "sharedStrings.xml")]
    items = "".join(f'<si><t xml:space="preserve">{_text(text)}</t></si>' for text in strings)
    return _zip(
        [
            (
                "[Content_Types].xml",
                f'{_XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
                '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
                '<Default Extension="xml" ContentType="application/xml"/>'
                f'<Override PartName="/xl/workbook.xml" ContentType="{kind}"/>{types}'
                f'<Override PartName="/xl/styles.xml" ContentType="{_TYPES}.styles+xml"/>'
                f'<Override PartName="/xl/sharedStrings.xml" ContentType="{_TYPES}.sharedStrings+xml"/></Types>',
            ),
            ("_rels/.rels", _relations([(f"{_OFFICE}/officeDocument", "xl/workbook.xml")])),
            (
                "xl/workbook.xml",
                f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{names}</sheets></workbook>',
            ),
            ("xl/_rels/workbook.xml.rels", _relations(targets)),
            *((f"xl/worksheets/sheet{i}.xml", body) for i, body in enumerate(bodies, start=1)),
            ("xl/styles.xml", _STYLES_XML),
            (
                "xl/sharedStrings.xml",
                f'{_XML}<sst xmlns="{_MAIN}" uniqueCount="{len(strings)}">{items}</sst>',
            ),
        ]
    )


def _relations(targets: Sequence[tuple[str, str]]) -> str:
    entries = "".join(
        f'<Relationship Id="rId{i}" Type="{kind}" Target="{target}"/>'
        for i, (kind, target) in enumerate(targets, start=1)
    )
    return f'{_XML}<Relationships xmlns="{_RELATIONS}">{entries}</Relationships>'


def _text(text: str) -> str:
    # A carriage return would be folded into a line feed by the next parser.
    return escape(text).replace("\r", "_x000D_")


def _sheet_xml(sheet: Sheet, strings: dict[str, int]) -> str:
    lines = []
    for row in sorted(sheet.rows):
        cells = sheet.rows[row]
        written = "".join(_cell_xml(address(row, column), cells[column], strings) for column in sorted(cells))
        hidden = ' hidden="1"' if row in sheet.hidden_rows else ""
        lines.append(f'<row r="{row}"{hidden}>{written}</row>')
    columns = "".join(
        f'<col min="{c}" max="{c}" width="{sheet.widths.get(c, 14):g}" customWidth="1"'
        + (' hidden="1"/>' if c in sheet.hidden_columns else "/>")
        for c in sorted({*sheet.widths, *sheet.hidden_columns})
    )
    merges = "".join(f'<mergeCell ref="{address(a, b)}:{address(c, d)}"/>' for a, b, c, d in sheet.merges)
    return (
        f'{_XML}<worksheet xmlns="{_MAIN}">'
        + (f"<cols>{columns}</cols>" if columns else "")
        + f"<sheetData>{''.join(lines)}</sheetData>"
        + (f'<mergeCells count="{len(sheet.merges)}">{merges}</mergeCells>' if merges else "")
        + "</worksheet>"
    )


def _cell_xml(where: str, cell: Cell, strings: dict[str, int]) -> str:
    head = f'<c r="{where}" s="{STYLES.index(cell.style)}"'
    formula = f"<f>{escape(cell.formula)}</f>" if cell.formula else ""
    value = cell.value
    if value is None:
        return f"{head}/>"
    if cell.error:
        return f'{head} t="e">{formula}<v>{value}</v></c>'
    if isinstance(value, str):
        if formula:
            return f'{head} t="str">{formula}<v>{_text(value)}</v></c>'
        return f'{head} t="s"><v>{strings.setdefault(value, len(strings))}</v></c>'
    if isinstance(value, dt.date):
        value = (value - EPOCH).days
    return f"{head}>{formula}<v>{value}</v></c>"


# --- OpenDocument -----------------------------------------------

_SPACES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in (
        ("office", "office"),
        ("table", "table"),
        ("text", "text"),
        ("style", "style"),
        ("number", "datastyle"),
    )
)
_SPACES += ' xmlns:of="urn:oasis:names:tc:opendocument:xmlns:of:1.2"'
_ODS_TYPE = "application/vnd.oasis.opendocument.spreadsheet"
_REFERENCE = re.compile(r"\b([A-Z]{1,2}[0-9]+)(?::([A-Z]{1,2}[0-9]+))?\b")


def _write_ods(sheets: Sequence[Sheet]) -> bytes:
    tables = "".join(_table_xml(sheet) for sheet in sheets)
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<office:document-content {_SPACES} office:version="1.2">'
        '<office:automatic-styles><number:date-style style:name="N1"><number:day number:style="long"/>'
        "<number:text>/</number:text>"
        '<number:month number:style="long"/><number:text>/</number:text><number:year number:style="long"/>'
        '</number:date-style><style:style style:name="d" style:family="table-cell" style:data-style-name="N1"/>'
        "</office:automatic-styles>"
        f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>"
    )
    manifest = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" '
        'manifest:version="1.2">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{_ODS_TYPE}"/>'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
    )
    return _zip([("mimetype", _ODS_TYPE), ("content.xml", content), ("META-INF/manifest.xml", manifest)], True)


def _table_xml(sheet: Sheet) -> str:
    width = max((column for cells in sheet.rows.values() for column in cells), default=1)
    spans = {(a, b): (c - a + 1, d - b + 1) for a, b, c, d in sheet.merges}
    covered = {
        (row, column)
        for a, b, c, d in sheet.merges
        for row in range(a, c + 1)
        for column in range(b, d + 1)
        if (row, column) != (a, b)
    }
    hide = ' table:visibility="collapse"'
    columns = "".join(f"<table:table-column{hide if c in sheet.hidden_columns else ''}/>" for c in range(1, width + 1))
    lines = []
    for row in range(1, max(sheet.rows, default=0) + 1):
        cells = sheet.rows.get(row, {})
        written = []
        for column in range(1, width + 1):
            tag = "covered-table-cell" if (row, column) in covered else "table-cell"
            span = spans.get((row, column))
            extra = f' table:number-rows-spanned="{span[0]}" table:number-columns-spanned="{span[1]}"' if span else ""
            written.append(_ods_cell(tag, extra, cells.get(column)))
        lines.append(f"<table:table-row{hide if row in sheet.hidden_rows else ''}>{''.join(written)}</table:table-row>")
    return f"<table:table table:name={quoteattr(sheet.name)}>{columns}{''.join(lines)}</table:table>"


def _ods_cell(tag: str, extra: str, cell: Cell | None) -> str:
    if cell is None or cell.value is None:
        return f"<table:{tag}{extra}/>"
    if cell.error:
        raise ValueError("errors are written to Excel files only")
    if cell.formula:
        formula = _REFERENCE.sub(lambda m: f"[.{m[1]}:.{m[2]}]" if m[2] else f"[.{m[1]}]", cell.formula)
        extra += f" table:formula={quoteattr('of:=' + formula.replace(',', ';'))}"
    value = cell.value
    if isinstance(value, str):
        # Runs of spaces fold in OpenDocument text unless each is an element of its own.
        paragraphs = "".join(
            "<text:p>" + re.sub(r"^ | (?= )| $", "<text:s/>", escape(line)) + "</text:p>" for line in value.split("\n")
        )
        return f'<table:{tag}{extra} office:value-type="string">{paragraphs}</table:{tag}>'
    if isinstance(value, dt.date):
        kind = f'office:value-type="date" office:date-value="{value.isoformat()}"'
        return f'<table:{tag}{extra} table:style-name="d" {kind}><text:p>{value:%d/%m/%Y}</text:p></table:{tag}>'
    return (
        f'<table:{tag}{extra} office:value-type="float" office:value="{value}"><text:p>{value}</text:p></table:{tag}>'
    )


# --- files that are no workbooks --------------------------------


def html_page(title: str, rows: Sequence[Sequence[str]]) -> bytes:
    """A web page such as an old reporting system exports under the ending .xls."""
    body = "".join("<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>\n" for row in rows)
    return (
        '<html xmlns:x="urn:schemas-microsoft-com:office:excel">\n<head><meta charset="utf-8">'
        f"<title>{escape(title)}</title></head>\n<body><table border=1>\n{body}</table></body></html>\n"
    ).encode()


def encrypted(rng: random.Random) -> bytes:
    """The outside of a password-protected workbook: a compound file with an encrypted package in it."""
    end, free, table = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
    streams = [("EncryptionInfo", 4_096), ("EncryptedPackage", 8_192)]
    sectors = [table, end]
    entries = [_entry("Root Entry", 5, end, 0, child=1)]
    start = 2
    for i, (name, size) in enumerate(streams):
        length = size // 512
        sectors += [*range(start + 1, start + length), end]
        entries.append(_entry(name, 2, start, size, right=2 if i == 0 else free))
        start += length
    entries.append(b"\0" * 68 + struct.pack("<3I", free, free, free) + b"\0" * 48)
    header = bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 16 + struct.pack("<5H", 0x3E, 3, 0xFFFE, 9, 6) + b"\0" * 6
    header += struct.pack("<9I", 0, 1, 1, 0, 4_096, end, 0, end, 0) + struct.pack("<109I", 0, *[free] * 108)
    fat = struct.pack("<128I", *sectors, *[free] * (128 - len(sectors)))
    info = struct.pack("<2HI", 4, 4, 0x40) + b'<?xml version="1.0" encoding="UTF-8"?><encryption/>'
    body = info + b"\0" * (4_096 - len(info)) + struct.pack("<Q", 8_000) + rng.randbytes(8_184)
    return header + fat + b"".join(entries) + body


def _entry(name: str, kind: int, start: int, size: int, child: int = 0xFFFFFFFF, right: int = 0xFFFFFFFF) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    packed = text.ljust(64, b"\0") + struct.pack("<HBB3I", len(text), kind, 1, 0xFFFFFFFF, right, child)
    return packed + b"\0" * 36 + struct.pack("<IQ", start, size)
