"""Reading what people wrote: the appendix of a report (.xlsx, or the tables of a .docx) and the figures of its text.

Nothing is guessed. A number keeps the text it was written as, its own number of decimals, and what had to be
overlooked to read it; what has no single meaning stays unread, with the reason.
"""

from __future__ import annotations

import csv
import io
import operator
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from difflib import SequenceMatcher
from typing import Any
from xml.parsers import expat

from openpyxl import load_workbook
from openpyxl.cell.cell import Cell

from cchc.xml_guard import has_document_type

# A report is a few hundred kilobytes; what unpacks to more than this is no report.
_LARGEST_FILE = 50_000_000
_LARGEST_UNPACKED = 300_000_000
# a stray value in the last row of the last column would make seventeen milliards of cells to look at
_MOST_CELLS = 1_000_000
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"

_HEADERS = {
    "form": ("bieu", "bieu mau", "bieu so", "form", "form_no"),
    "code": ("stt", "tt", "so tt", "ma", "ma so", "ma chi tieu", "code"),
    "label": ("chi tieu", "chi tieu thong ke", "noi dung", "ten chi tieu", "label", "label_vi"),
    "unit": ("don vi tinh", "don vi", "dvt", "unit", "unit_vi"),
    "result": ("ket qua", "ket qua thong ke", "so lieu", "gia tri", "value", "display", "declared"),
    "note": ("ghi chu", "note", "notes"),
}
_REQUIRED = {"code", "label", "result"}
_CODE = re.compile(r"\d{1,2}(?:\.\d{1,2})*")
_FORM_HINT = re.compile(r"\bbieu(?: mau)?(?: thong ke)?(?: so)?[ :.]*0?([1-9])\b")
_ALIKE = 0.85
_UNLIKE = 0.55

# what Excel made of a cell before anyone could write a number there
_DATE, _FORMULA = "#ngày ", "#công thức "
_NOTHING = {"chua co so lieu", "chua co", "khong co so lieu"}
_DASHES = {"-", "–", "—", "−"}
_APPROXIMATE = re.compile(
    r"(?:(?P<above>trên|hơn|over|above|>|≥)|(?P<below>dưới|under|below|<|≤)"
    r"|khoảng|gần|xấp xỉ|ước|nearly|about|~|≈)\s*(?=\d)",
    re.IGNORECASE,
)
_FRACTION = re.compile(r"\d+\s*/\s*\d+")
_NUMBER_AND_WORDS = re.compile(r"(?P<number>-?\d[\d., ]*?)\s*(?P<percent>%)?\s*(?P<words>[^\W\d_][^%]*)?")
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+(?:,\d+)?")
_SPACED = re.compile(r"[1-9]\d{0,2}(?: \d{3})+(?:,\d+)?")
_COMPARISONS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "=": operator.eq}
_DECIMAL_POINT = "được hiểu là dấu thập phân"
_CHOICE = re.compile(r"([^=;]+?)\s*=\s*(\d+);?")


class DeclaredUnreadable(ValueError):
    """The file as a whole cannot be read; the message says why and what to do."""


@dataclass(frozen=True)
class Reading:
    """A number as a person wrote it. `value` is None when it is blank, or unreadable (`fault`), or no exact figure.

    Of what is no exact figure, `above` and `below` are the bounds that were written: over 90, under 5.
    """

    text: str
    value: Decimal | None = None
    decimals: int = 0
    has_percent: bool = False
    is_approximate: bool = False
    above: Decimal | None = None
    below: Decimal | None = None
    remarks: tuple[str, ...] = ()
    fault: str | None = None

    @property
    def is_blank(self) -> bool:
        return self.value is None and self.fault is None and not self.is_approximate


@dataclass(frozen=True)
class DeclaredRow:
    """One row of the appendix, as written."""

    form_no: int
    code: str
    label: str
    unit: str
    text: str
    note: str
    place: str
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class DeclaredFigure:
    """One figure of the text, as written."""

    section: str
    key: str
    text: str
    note: str
    place: str


@dataclass(frozen=True)
class Declared:
    """Everything that was declared; rows and keys that stand twice appear twice."""

    rows: tuple[DeclaredRow, ...] = ()
    strangers: tuple[DeclaredRow, ...] = ()
    figures: tuple[DeclaredFigure, ...] = ()
    has_appendix: bool = False

    def __add__(self, other: Declared) -> Declared:
        return Declared(
            self.rows + other.rows,
            self.strangers + other.strangers,
            self.figures + other.figures,
            self.has_appendix or other.has_appendix,
        )


def read(content: bytes, name: str, catalogue: Mapping[tuple[int, str], str]) -> Declared:
    """Read one file, whichever kind its bytes are. `catalogue` gives the label of each (form, code).

    Raises DeclaredUnreadable when nothing can be made of the file.
    """
    if not content.strip():
        raise DeclaredUnreadable(f"{name}: tệp rỗng")
    if len(content) > _LARGEST_FILE:
        raise DeclaredUnreadable(f"{name}: tệp lớn hơn {_LARGEST_FILE // 1_000_000} MB, không phải là một báo cáo")
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise DeclaredUnreadable(
            f"{name}: tệp có mật khẩu hoặc ở định dạng cũ (.xls, .doc); hãy bỏ mật khẩu, lưu lại thành .xlsx hoặc .docx"
        )
    if content.startswith(b"PK"):
        return _read_package(content, name, catalogue)
    if name.casefold().endswith((".xlsx", ".xlsm", ".docx")):
        raise DeclaredUnreadable(f"{name}: nội dung không phải là .xlsx hay .docx, tệp có thể bị hỏng hoặc bị đổi đuôi")
    return Declared(figures=_read_figures(content, name))


def read_figure(figure: DeclaredFigure, kind: str) -> Reading:
    """A figure of the text. What its note calls `over 90` is no exact 90; in a CSV a decimal point is no fault."""
    reading = read_number(figure.text, kind)
    loosely = _APPROXIMATE.match(figure.note)
    if loosely and reading.value is not None:
        number = re.match(r"[\d.,]*\d", figure.note[loosely.end() :])
        if number and read_number(number[0], kind).value == reading.value:
            reading = replace(read_number(f"{loosely[0]}{figure.text}", kind), text=figure.text)
    return replace(reading, remarks=tuple(remark for remark in reading.remarks if _DECIMAL_POINT not in remark))


def read_number(text: str, kind: str, choices: Mapping[str, int] | None = None) -> Reading:
    """A number in Vietnamese notation; `kind` is count, percent or amount.

    `54.328`, `99,66`, `06` and `100%` are read as they stand; `97.72%` with a remark. `22.6290` is no number: after
    a point that groups, three digits must follow.
    """
    original = _clean(text)
    if original in _DASHES:
        return Reading(original, remarks=("Dấu gạch ngang được hiểu là để trống.",))
    if not original or plain_text(original) in _NOTHING:
        return Reading(original)
    if original.startswith(_DATE):
        return Reading(original, fault=f"Ô chứa ngày {original.removeprefix(_DATE)}: Excel đã đổi số thành ngày.")
    if original.startswith(_FORMULA):
        return Reading(original, fault="Ô chứa công thức chưa được tính; hãy mở tệp bằng Excel rồi lưu lại.")
    by_name = {plain_text(name): number for name, number in (choices or {}).items()}
    if plain_text(original) in by_name:
        number = Decimal(by_name[plain_text(original)])
        return Reading(original, number, remarks=(f"Ghi bằng chữ “{original}”, mẫu yêu cầu ghi số {number}.",))
    if approximate := _APPROXIMATE.match(original):
        bound = read_number(original[approximate.end() :], kind).value
        return Reading(
            original,
            is_approximate=True,
            above=bound if approximate["above"] else None,
            below=bound if approximate["below"] else None,
        )
    if _FRACTION.search(original):
        return Reading(original, fault=f"“{original}” là phân số, không phải là một số.")
    match = _NUMBER_AND_WORDS.fullmatch(original)
    if match is None:
        return Reading(original, fault=f"“{original}” không phải là một số.")
    remarks = [f"Ô kết quả ghi kèm chữ “{match['words']}”."] if match["words"] else []
    kind = "percent" if match["percent"] else kind
    plain, remark, fault = _plain_number(match["number"].strip(), kind)
    if fault:
        return Reading(original, has_percent=bool(match["percent"]), fault=fault)
    value = Decimal(plain)
    if kind == "count" and value != value.to_integral_value():
        return Reading(original, fault=f"“{original}” đọc là {plain.replace('.', ',')}, số đếm phải là số nguyên.")
    decimals = len(plain.partition(".")[2])
    return Reading(original, value, decimals, bool(match["percent"]), remarks=(*remarks, *([remark] if remark else [])))


def choices_of(unit: str) -> dict[str, int]:
    """`Có = 1; Không = 0` → {"Có": 1, "Không": 0}; nothing for an ordinary unit."""
    return {name.strip(): int(number) for name, number in _CHOICE.findall(unit)}


def plain_text(text: str) -> str:
    """Text for comparing: lower case, no marks, single spaces, no colon or full stop at its end."""
    decomposed = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    letters = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return " ".join(letters.split()).strip(" .:;*")


def _plain_number(number: str, kind: str) -> tuple[str, str | None, str | None]:
    """(digits with a point, remark, fault)."""
    sign, digits = ("-", number[1:]) if number.startswith("-") else ("", number)
    dots, commas = digits.count("."), digits.count(",")
    decimal_point = f"Dấu chấm trong “{number}” {_DECIMAL_POINT}; tiếng Việt viết dấu phẩy."
    if digits.isdigit():
        return sign + digits, None, None
    if _SPACED.fullmatch(digits):
        plain = digits.replace(" ", "").replace(",", ".")
        return sign + plain, f"“{number}” dùng khoảng trắng để phân nhóm; tiếng Việt viết dấu chấm.", None
    if re.fullmatch(r"\d+,\d+", digits):
        return sign + digits.replace(",", "."), None, None
    # 99.668 % can only be a decimal: a share is no thousands
    if kind == "percent" and re.fullmatch(r"\d+\.\d+", digits):
        return sign + digits, decimal_point, None
    if _GROUPED.fullmatch(digits):
        return sign + digits.replace(".", "").replace(",", "."), None, None
    if kind == "amount" and re.fullmatch(r"\d+\.\d{1,2}", digits):
        return sign + digits, decimal_point, None
    if dots and commas:
        return "", None, f"“{number}” dùng lẫn dấu chấm và dấu phẩy, không rõ là số nào."
    if dots:
        return "", None, f"Không ai đọc được “{number}” là số nào: sau mỗi dấu chấm phân nhóm phải có đúng ba chữ số."
    return "", None, f"Không ai đọc được “{number}” là số nào."


# --- packages -----------------------------------------------------------------------------------------------------


def _read_package(content: bytes, name: str, catalogue: Mapping[tuple[int, str], str]) -> Declared:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            members = package.infolist()
            names = {member.filename for member in members}
            if sum(member.file_size for member in members) > _LARGEST_UNPACKED:
                raise DeclaredUnreadable(f"{name}: tệp bung ra quá lớn, không phải là một báo cáo")
            for member in members:
                if member.filename.endswith((".xml", ".rels")):
                    _refuse_entities(package.read(member), name)
            if "word/document.xml" in names:
                rows = _document_lines(package.read("word/document.xml"), name)
            elif "xl/workbook.xml" in names:
                rows = _workbook_lines(content, name)
            else:
                raise DeclaredUnreadable(f"{name}: không phải là .xlsx hay .docx; hãy lưu lại thành một loại đó")
            return _appendix(rows, name, catalogue)
    except DeclaredUnreadable:
        raise
    except (zipfile.BadZipFile, expat.ExpatError, EOFError, OSError, RuntimeError, NotImplementedError) as error:
        raise DeclaredUnreadable(f"{name}: tệp bị hỏng hoặc chưa tải về đủ, không mở được") from error


def _refuse_entities(part: bytes, name: str) -> None:
    if has_document_type(part):
        raise DeclaredUnreadable(f"{name}: tệp chứa khai báo DOCTYPE, không an toàn để đọc")


@dataclass
class _Line:
    """A row of a table, or a single text between tables."""

    cells: list[str]
    place: str
    block: str
    title: str = ""


# --- .xlsx --------------------------------------------------------------------------------------------------------


def _workbook_lines(content: bytes, name: str) -> Iterator[_Line]:
    try:
        shown = load_workbook(io.BytesIO(content), data_only=True)
        typed = load_workbook(io.BytesIO(content))
    # openpyxl raises whatever its parser stumbles over
    except Exception as error:
        raise DeclaredUnreadable(f"{name}: không mở được như một bảng tính ({type(error).__name__})") from error
    for sheet in shown.worksheets:
        formulas = typed[sheet.title]
        if sheet.max_row * sheet.max_column > _MOST_CELLS:
            raise DeclaredUnreadable(
                f"{name}: trang “{sheet.title}” trải rộng bất thường vì có ô lạc ở rất xa; hãy xóa các ô thừa"
            )
        for cells in sheet.iter_rows():
            texts = [_cell_text(cell, formulas.cell(cell.row, cell.column).value) for cell in cells]
            if any(texts):
                place = f"{name}, trang “{sheet.title}”, dòng {cells[0].row}"
                yield _Line(texts, place, sheet.title, sheet.title)


def _cell_text(cell: Cell, typed: object) -> str:
    value = cell.value
    if value is None:
        return f"{_FORMULA}{typed}" if isinstance(typed, str) and typed.startswith("=") else ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int | float):
        return _number_text(value, cell.number_format)
    if isinstance(value, datetime | date | time):
        return f"{_DATE}{value}" if isinstance(value, time) else f"{_DATE}{value:%d/%m/%Y}"
    return _clean(str(value))


def _number_text(value: int | float, number_format: str) -> str:
    """What a Vietnamese reader sees in a cell that holds a number."""
    code = _section(value, number_format)
    if code.startswith('"') and code.endswith('"') and len(code) > 1:
        return code[1:-1]
    exact = Decimal(f"{value:.12g}") if isinstance(value, float) else Decimal(value)
    unescaped = re.sub(r'\\.|"[^"]*"', "", code)
    percent = "%" in unescaped
    if percent:
        exact *= 100
    decimals = re.search(r"\.([0#?]+)", unescaped)
    if decimals or re.search(r"[0#]", unescaped):
        places = len(decimals[1]) if decimals else 0
        exact = exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
        digits = format(exact, "f")
        if decimals and "0" not in decimals[1]:
            digits = digits.rstrip("0").rstrip(".")
    else:
        digits = format(exact, "f")
        digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return digits.replace(".", ",") + ("%" if percent else "")


def _section(value: float, number_format: str) -> str:
    """The part of a format that applies to a value: `[<5]"a";General`."""
    for section in number_format.split(";"):
        match = re.fullmatch(r"\[(<=|>=|<|>|=)(-?[\d.]+)\](.*)", section)
        if match is None:
            # a colour or a locale in brackets
            return re.sub(r"\[[^\]]*\]", "", section)
        if _COMPARISONS[match[1]](value, float(match[2])):
            return match[3]
    return "General"


# --- .docx --------------------------------------------------------------------------------------------------------


@dataclass
class _Node:
    tag: str
    attributes: dict[str, str]
    children: list[_Node] = field(default_factory=list)
    text: str = ""


def _tree(content: bytes, name: str) -> _Node:
    """The document as a tree; entities of its own it cannot have, they were refused before."""
    root = _Node("", {})
    stack = [root]
    parser = expat.ParserCreate(namespace_separator="}")

    def start(tag: str, attributes: dict[str, str]) -> None:
        if len(stack) > 500:
            raise DeclaredUnreadable(f"{name}: tài liệu lồng nhau quá sâu")
        node = _Node("{" + tag, attributes)
        stack[-1].children.append(node)
        stack.append(node)

    def end(_tag: str) -> None:
        stack.pop()

    def data(text: str) -> None:
        if stack[-1].tag == f"{_WORD}t":
            stack[-1].text += text

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, data
    parser.Parse(content, True)
    return root


# what was deleted or moved away under tracked changes, and the old-format copy of a drawing, are no part of the text
_UNSEEN = {f"{_WORD}del", f"{_WORD}moveFrom", "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"}


def _below(node: _Node, *tags: str) -> Iterator[_Node]:
    """The nearest descendants with one of the tags, through content controls and tracked insertions."""
    for child in node.children:
        if child.tag in _UNSEEN:
            continue
        if child.tag in tags:
            yield child
        elif child.tag != f"{_WORD}tbl":
            yield from _below(child, *tags)


def _paragraph_text(node: _Node) -> str:
    pieces = []
    for piece in _below(node, f"{_WORD}t", f"{_WORD}tab", f"{_WORD}br"):
        pieces.append(piece.text if piece.tag == f"{_WORD}t" else " ")
    return _clean("".join(pieces))


def _document_lines(content: bytes, name: str) -> Iterator[_Line]:
    paragraph, table, row, cell = (f"{_WORD}{tag}" for tag in ("p", "tbl", "tr", "tc"))
    body = next(_below(_tree(content, name), f"{_WORD}body"), None)
    if body is None:
        raise DeclaredUnreadable(f"{name}: tài liệu không có nội dung")
    table_count = 0
    for block in _below(body, paragraph, table):
        if block.tag == paragraph:
            text = _paragraph_text(block)
            if text:
                yield _Line([text], name, f"đoạn {table_count}")
            continue
        table_count += 1
        for number, line in enumerate(_below(block, row), start=1):
            texts: list[str] = []
            for item in _below(line, cell):
                texts.append(_clean(" ".join(_paragraph_text(p) for p in _below(item, paragraph))))
                span = next(_below(item, f"{_WORD}gridSpan"), None)
                texts += [""] * (int(span.attributes.get(f"{_WORD[1:]}val", "1")) - 1 if span else 0)
            if any(texts):
                yield _Line(texts, f"{name}, bảng {table_count}, dòng {number}", f"bảng {table_count}")


# --- the appendix, whatever it came in ---------------------------------------------------------------------------


@dataclass
class _Group:
    """Rows between two beginnings of a form."""

    hint: int | None
    rows: list[tuple[str | None, dict[str, str], str]] = field(default_factory=list)

    def codes(self) -> set[str]:
        return {code for _, cells, _ in self.rows if (code := cells["code"])}


def _appendix(lines: Iterable[_Line], name: str, catalogue: Mapping[tuple[int, str], str]) -> Declared:
    groups: list[_Group] = []
    columns: dict[str, int] | None = None
    block, hint = None, None
    for line in lines:
        if line.block != block:
            block, hint_here = line.block, _hint(line.title)
            columns = None if not line.block.startswith("bảng") else columns
            hint = hint_here or (hint if not line.title else None)
        header = _header(line.cells)
        if header is not None:
            columns = header
            groups.append(_Group(hint))
            continue
        filled = [text for text in line.cells if text]
        if len(set(filled)) == 1 and (found := _hint(filled[0])) is not None:
            hint = found
            groups.append(_Group(hint))
            continue
        if columns is None:
            continue
        cells = {key: line.cells[at] if at < len(line.cells) else "" for key, at in columns.items()}
        cells["code"] = _code(cells["code"])
        if not _is_row(cells):
            continue
        if not groups or (cells["code"] in groups[-1].codes() and "form" not in columns):
            groups.append(_Group(None))
        groups[-1].rows.append((cells.get("form"), cells, line.place))
    if not any(group.rows for group in groups):
        raise DeclaredUnreadable(
            f"{name}: không tìm thấy bảng phụ lục; bảng phải có các cột “STT”, “Chỉ tiêu thống kê”, “Kết quả thống kê”"
        )
    rows, strangers = [], []
    for group in groups:
        for row in _resolved(group, catalogue):
            (rows if (row.form_no, row.code) in catalogue else strangers).append(row)
    if not rows:
        raise DeclaredUnreadable(f"{name}: không dòng nào của bảng khớp với chỉ tiêu của phụ lục")
    return Declared(tuple(rows), tuple(strangers), has_appendix=True)


def _header(cells: Sequence[str]) -> dict[str, int] | None:
    found: dict[str, int] = {}
    for at, text in enumerate(cells):
        plain = re.sub(r"\(.*?\)", "", plain_text(text)).strip()
        for key, names in _HEADERS.items():
            if plain in names and key not in found:
                found[key] = at
    return found if found.keys() >= _REQUIRED else None


def _hint(text: str) -> int | None:
    match = _FORM_HINT.search(plain_text(text))
    return int(match[1]) if match else None


def _code(text: str) -> str:
    # Excel turns 2.1 into the number 2,1 or into a day; then the label must do
    if text.startswith(_DATE):
        return ""
    return _clean(text).rstrip(".").replace(",", ".")


def _is_row(cells: Mapping[str, str]) -> bool:
    label = cells["label"]
    if not label or label.strip("()").isdigit():
        return False
    return not cells["code"] or _CODE.fullmatch(cells["code"]) is not None


def _resolved(group: _Group, catalogue: Mapping[tuple[int, str], str]) -> Iterator[DeclaredRow]:
    form_of = _form_of(group, catalogue)
    for form, cells, place in group.rows:
        form_no = int(form) if form and form.isdigit() else form_of
        code, remarks = _resolved_code(form_no, cells, catalogue)
        if code is None:
            continue
        yield DeclaredRow(
            form_no or 0,
            code,
            cells["label"],
            cells.get("unit", ""),
            cells["result"],
            cells.get("note", ""),
            place,
            remarks,
        )


def _form_of(group: _Group, catalogue: Mapping[tuple[int, str], str]) -> int | None:
    """The form whose labels stand in the group; its title decides only where labels do not."""
    votes: dict[int, float] = {}
    by_code: dict[str, list[tuple[int, str]]] = {}
    for (form_no, code), label in catalogue.items():
        by_code.setdefault(code, []).append((form_no, label))
    for _, cells, _ in group.rows:
        for form_no, label in by_code.get(cells["code"], []):
            likeness = _likeness(cells["label"], label)
            if likeness >= _ALIKE:
                votes[form_no] = votes.get(form_no, 0) + likeness
    if group.hint is not None and (not votes or votes.get(group.hint, 0) > 0):
        return group.hint
    return max(votes, key=votes.__getitem__) if votes else None


def _resolved_code(
    form_no: int | None, cells: Mapping[str, str], catalogue: Mapping[tuple[int, str], str]
) -> tuple[str | None, tuple[str, ...]]:
    code, label = cells["code"], cells["label"]
    if form_no is None:
        return code or None, ()
    # 3.3.1.1, as the whole catalogue numbers it, is 3.1.1 of form 3
    short = code.removeprefix(f"{form_no}.")
    if (form_no, code) not in catalogue and (form_no, short) in catalogue:
        code = short
    expected = catalogue.get((form_no, code))
    if expected is not None and _likeness(label, expected) >= _UNLIKE:
        return code, ()
    named = [key[1] for key, name in catalogue.items() if key[0] == form_no and plain_text(name) == plain_text(label)]
    if len(named) == 1:
        written = f"số thứ tự “{cells['code']}”" if cells["code"] else "không có số thứ tự"
        return named[0], (f"Dòng ghi {written} nhưng tên là của chỉ tiêu {named[0]}; được hiểu theo tên.",)
    if expected is not None:
        return code, (f"Tên chỉ tiêu khác với mẫu (“{expected}”); được hiểu theo số thứ tự.",)
    return code or None, ()


def _likeness(left: str, right: str) -> float:
    left, right = plain_text(left), plain_text(right)
    if left == right:
        return 1.0
    # a shortened label, or one with an explanation behind it
    if len(min(left, right, key=len)) > 15 and (left.startswith(right) or right.startswith(left)):
        return _ALIKE
    return SequenceMatcher(None, left, right, autojunk=False).ratio()


# --- the figures of the text --------------------------------------------------------------------------------------


def _read_figures(content: bytes, name: str) -> tuple[DeclaredFigure, ...]:
    try:
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise DeclaredUnreadable(f"{name}: không phải là .xlsx, .docx hay tệp CSV mã UTF-8") from error
    first = text.splitlines()[0] if text.strip() else ""
    delimiter = max(",;\t", key=first.count)
    lines = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        header = [cell.strip().casefold() for cell in next(lines, [])]
        if not {"section", "key", "value"} <= set(header):
            raise DeclaredUnreadable(
                f"{name}: tệp số liệu của lời văn phải là CSV có các cột section, key, value; tệp này có: "
                f"{', '.join(header)[:120] or 'không có cột nào'}"
            )
        return tuple(_figures(lines, header, name, delimiter))
    except csv.Error as error:
        raise DeclaredUnreadable(f"{name}: không đọc được như một tệp CSV ({error})") from error


def _figures(lines: Any, header: list[str], name: str, delimiter: str) -> Iterator[DeclaredFigure]:
    for cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        # an unquoted 12,7 in the last column
        if len(cells) == len(header) + 1 and header[-1] == "value" and delimiter == ",":
            cells = [*cells[:-2], ",".join(cells[-2:])]
        place = f"{name}, dòng {lines.line_num}"
        if len(cells) > len(header):
            raise DeclaredUnreadable(f"{place}: thừa ô; số có dấu phẩy phải đặt trong ngoặc kép")
        found = {column: _clean(cell) for column, cell in zip(header, cells, strict=False)}
        if not found.get("key"):
            raise DeclaredUnreadable(f"{place}: cột key để trống")
        yield DeclaredFigure(
            found.get("section", ""), found["key"], found.get("value", ""), found.get("note", ""), place
        )


def _clean(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())
