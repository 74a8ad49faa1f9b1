"""A workbook's file opened safely: what it really is, how large it gets, and the cells whose formulas failed."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree import ElementTree
from xml.parsers import expat

import python_calamine as calamine

from cchc.progress import vietnamese
from cchc.xml_guard import has_document_type
from extract.cells import BrokenCell
from extract.csv_reader import UnreadableFile

Place = tuple[int, int]
"""(row, column), both from 0."""
Rows = list[list[object]]

_BLOCK = 1 << 20
# a stray value in the last row of the last column would need the memory of all cells before it
_MOST_CELLS = 20_000_000

_NO_WORKBOOK = (
    "Tệp không phải sổ tính Excel (.xlsx, .xlsm, .xls) hoặc OpenDocument (.ods); hãy lưu lại đúng dạng rồi gửi"
)
_DAMAGED = "Tệp bị hỏng hoặc tải lên dở dang; hãy mở lại bằng Excel, lưu và gửi lại"
_LOCKED = "Tệp có mật khẩu nên không đọc được; hãy bỏ mật khẩu rồi gửi lại"
_WEB_PAGE = (
    "Tệp là trang web hoặc XML được đổi tên, không phải sổ tính; hãy mở bằng Excel, chọn Lưu thành .xlsx rồi gửi lại"
)
_HARMFUL = "Tệp chứa khai báo DOCTYPE, không an toàn để đọc; hãy mở bằng Excel, lưu lại rồi gửi"
_EMPTY = "Tệp rỗng (0 byte)"

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_WEB = re.compile(rb"^(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?\s*(?:<|mime-version:)", re.IGNORECASE)

_SHEET_PART = re.compile(r"xl/(?:worksheets|chartsheets)/.*\.xml", re.IGNORECASE)
_REFERENCE = re.compile(rb'\br="([A-Z]{1,3})([0-9]+)"')
# Possessive and never across a `<`, so that a sheet made to harm costs one pass: what is optional is not tried again.
_CELL = re.compile(rb"<(?:\w+:)?c\b([^<>]*+)>")
_FAILED_VALUE = re.compile(
    rb"\s*+(?:<(?:\w+:)?f\b[^<>]*+>(?:[^<]*+</(?:\w+:)?f>)?+)?+\s*+<(?:\w+:)?v\b[^<>]*+>([^<]*+)<"
)
_NOT_CALCULATED = re.compile(
    rb"<(?:\w+:)?c\b([^<>]*+)>\s*+<(?:\w+:)?f\b[^<>]*+>(?:(?<=/>)|[^<]*+</(?:\w+:)?f>)\s*+"
    rb"(?:<(?:\w+:)?v\s*+/>|<(?:\w+:)?v>\s*+</(?:\w+:)?v>)?+\s*+</(?:\w+:)?c>"
)
_WIDE = re.compile(rb' r="([A-Z]{2,3})[0-9]')
# the patterns begin with letters that a search finds fast, so attributes are first written as every program writes them
_ODD_SIGNS = (b"'", b" =", b"= ", b"\t", b"\n", b"\r")
_ODD_NAME = re.compile(rb"""\sr\s*=\s*(["'])([^"']*)\1""")
_SUSPECT = re.compile(rb' r="(?:[A-Za-z]{4}|[A-Za-z]*[0-9]{6}|[A-Z]*[a-z])')
# beyond column ZZZ or row 9 999 999, or in letters that no program writes
_NO_PLACE = re.compile(rb' r="(?:[A-Za-z]{4}|[A-Za-z]*[0-9]{8}|[A-Z]*[a-z]+[A-Za-z]*[0-9])')
# a cell may claim a place that its row does not have
_FAR_DOWN = re.compile(rb' r="[A-Z]{1,3}([0-9]{6,7})"')
_LAST_ROW = re.compile(rb'<(?:\w+:)?row\b[^>]*?\br="([0-9]+)"')
_WITH_VALUE = re.compile(rb"<(?:\w+:)?c\b([^<>]*+)(?<!/)>\s*+<")

_BIFF_ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_CALCEXT = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}"


@dataclass(frozen=True)
class Limits:
    """How large a file may be, packed and unpacked, in bytes."""

    file: int
    unpacked: int


@dataclass
class Sheet:
    """One sheet: all its rows from the first, and the merged ranges as (first, last) cells."""

    name: str
    rows: Rows
    merged: list[tuple[Place, Place]] = field(default_factory=list)


@dataclass
class _Flaws:
    """What the values alone do not say: cells without one, and merged ranges where the library does not tell."""

    broken: dict[Place, BrokenCell] = field(default_factory=dict)
    merged: list[tuple[Place, Place]] = field(default_factory=list)


class Workbook:
    """An open workbook. Raises UnreadableFile with one Vietnamese reason when the bytes are none."""

    def __init__(self, content: bytes, limits: Limits) -> None:
        if len(content) > limits.file:
            raise UnreadableFile(too_large(len(content), limits.file))
        self._flaws = _inspect(content, limits.unpacked)
        try:
            self._book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        except calamine.PasswordError:
            raise UnreadableFile(_LOCKED) from None
        except BaseException as error:
            raise _unreadable(error) from None
        self.sheet_names = [
            sheet.name for sheet in self._book.sheets_metadata if sheet.typ == calamine.SheetTypeEnum.WorkSheet
        ]

    def sheet(self, name: str) -> Sheet:
        try:
            found = self._book.get_sheet_by_name(name)
            rows = found.to_python(skip_empty_area=False)
            merged = found.merged_cell_ranges
        except BaseException as error:
            raise _unreadable(error) from None
        flaws = self._flaws.get(name, _Flaws())
        for (row, column), broken in flaws.broken.items():
            while len(rows) <= row:
                rows.append([])
            rows[row].extend([""] * (column + 1 - len(rows[row])))
            rows[row][column] = broken
        width = max(map(len, rows), default=0)
        for row in rows:
            row.extend([""] * (width - len(row)))
        return Sheet(name, rows, flaws.merged if merged is None else merged)


def too_large(size: int, limit: int) -> str:
    return f"Tệp lớn {_megabytes(size)}, quá {_megabytes(limit)} cho phép; hãy xóa hình ảnh, trang thừa rồi gửi lại"


def _megabytes(size: int) -> str:
    return f"{vietnamese(round(size / 1_000_000))} MB" if size >= 1_000_000 else f"{vietnamese(size)} byte"


def _unreadable(error: BaseException) -> BaseException:
    """A library's complaint about the file as a reason for the department; anything else as it is."""
    if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit | MemoryError):
        return error
    # a panic of the library arrives as a BaseException
    return UnreadableFile(_DAMAGED)


def _inspect(content: bytes, unpacked_limit: int) -> dict[str, _Flaws]:
    if not content:
        raise UnreadableFile(_EMPTY)
    try:
        if content.startswith(b"PK"):
            return _inspect_zip(content, unpacked_limit)
        if content.startswith(_OLE):
            return _inspect_ole(content)
    except UnreadableFile:
        raise
    except (
        struct.error,
        IndexError,
        ValueError,
        ElementTree.ParseError,
        expat.ExpatError,
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        # a package that says it needs a newer program than there is
        NotImplementedError,
    ):
        raise UnreadableFile(_DAMAGED) from None
    raise UnreadableFile(_WEB_PAGE if _WEB.match(content[:1024].replace(b"\0", b"")) else _NO_WORKBOOK)


# ------------------------------------------------------------------------------------------------ .xlsx, .xlsm, .ods


def _inspect_zip(content: bytes, unpacked_limit: int) -> dict[str, _Flaws]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        infos = archive.infolist()
    names = {info.filename for info in infos}
    if "EncryptedPackage" in names or any(info.flag_bits & 1 for info in infos):
        raise UnreadableFile(_LOCKED)
    is_excel, is_opendocument = "xl/workbook.xml" in names, "content.xml" in names
    if not (is_excel or is_opendocument):
        raise UnreadableFile(_NO_WORKBOOK)
    if sum(info.file_size for info in infos) > unpacked_limit:
        raise UnreadableFile(_too_much(unpacked_limit))
    # what the directory says of sizes may be a lie, so every part is unpacked and counted
    left = unpacked_limit
    kept: dict[str, bytes] = {}
    flaws: dict[str, _Flaws] = {}
    for info in infos:
        scan = _SheetScan() if _SHEET_PART.fullmatch(info.filename) else None
        keep = io.BytesIO() if info.filename in _KEPT else None
        for block in _inflated(content, info):
            left -= len(block)
            if left < 0:
                raise UnreadableFile(_too_much(unpacked_limit))
            if scan is not None:
                scan.feed(block)
            if keep is not None:
                keep.write(block)
        if scan is not None:
            flaws[info.filename] = scan.finish()
        if keep is not None:
            kept[info.filename] = keep.getvalue()
            if info.filename != "mimetype" and has_document_type(kept[info.filename]):
                raise UnreadableFile(_HARMFUL)
    if is_opendocument:
        if b"encryption-data" in kept.get("META-INF/manifest.xml", b""):
            raise UnreadableFile(_LOCKED)
        if b"opendocument.spreadsheet" not in kept.get("mimetype", b"opendocument.spreadsheet"):
            raise UnreadableFile(_NO_WORKBOOK)
        return _inspect_opendocument(kept["content.xml"])
    parts = _sheet_parts(kept["xl/workbook.xml"], kept.get("xl/_rels/workbook.xml.rels", b"<r/>"))
    return {name: flaws[part] for name, part in parts.items() if part in flaws}


_KEPT = frozenset(("xl/workbook.xml", "xl/_rels/workbook.xml.rels", "content.xml", "META-INF/manifest.xml", "mimetype"))


def _too_much(limit: int) -> str:
    return f"Tệp khi giải nén lớn hơn {_megabytes(limit)} cho phép (nén bất thường); hãy kiểm tra rồi gửi lại"


def _too_wide(cell_count: int) -> str:
    count = vietnamese(cell_count)
    return f"Một trang tính trải rộng {count} ô vì có giá trị lạc ở rất xa; hãy xóa các ô thừa rồi gửi lại"


def _inflated(content: bytes, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """A part's real bytes, however many there are."""
    start = info.header_offset
    name_length, extra_length = struct.unpack_from("<HH", content, start + 26)
    if content[start : start + 4] != b"PK\3\4":
        raise zipfile.BadZipFile
    start += 30 + name_length + extra_length
    packed = memoryview(content)[start : start + info.compress_size]
    if len(packed) != info.compress_size:
        raise zipfile.BadZipFile
    if info.compress_type == zipfile.ZIP_STORED:
        for at in range(0, len(packed), _BLOCK):
            yield bytes(packed[at : at + _BLOCK])
        return
    if info.compress_type != zipfile.ZIP_DEFLATED:
        raise zipfile.BadZipFile
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    data: bytes | memoryview = packed
    while not inflater.eof:
        block = inflater.decompress(data, _BLOCK)
        data = inflater.unconsumed_tail
        if not block and not inflater.eof:
            raise zipfile.BadZipFile  # it ends before its end
        yield block


def _sheet_parts(workbook: bytes, relations: bytes) -> dict[str, str]:
    """{sheet name: its part}"""
    targets = {}
    for relation in ElementTree.fromstring(relations):  # noqa: S314 - expat of today bounds entities
        target = relation.get("Target", "")
        targets[relation.get("Id")] = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    found = {}
    for element in ElementTree.fromstring(workbook).iter():  # noqa: S314
        if element.tag.endswith("}sheet"):
            relation = next((value for name, value in element.items() if name.endswith("}id")), None)
            found[element.get("name", "")] = targets.get(relation, "")
    return found


class _SheetScan:
    """Reads a sheet's XML block by block for what the library does not tell."""

    def __init__(self) -> None:
        self._rest = b""
        self._flaws = _Flaws()
        self._height = 0
        self._widest = 26
        self._value_height = 0
        self._value_width = 0

    def feed(self, block: bytes) -> None:
        data = self._rest + block
        cut = data.rfind(b"<row")
        cut = data.rfind(b":row") if cut <= 0 else cut
        if cut <= 0 and len(data) < 64 * _BLOCK:
            self._rest = data
            return
        self._rest = data[cut:] if cut > 0 else b""
        self._scan(data[:cut] if cut > 0 else data)

    def finish(self) -> _Flaws:
        self._scan(self._rest)
        if self._height * self._widest > _MOST_CELLS and self._value_height * self._value_width > _MOST_CELLS:
            raise UnreadableFile(_too_wide(self._value_height * self._value_width))
        return self._flaws

    def _scan(self, data: bytes) -> None:
        if any(sign in data for sign in _ODD_SIGNS):
            data = _ODD_NAME.sub(rb' r="\2"', data)
        if _SUSPECT.search(data):
            if _NO_PLACE.search(data):
                # the library would make room for all cells up to there, and end the process when there is none
                raise UnreadableFile(_DAMAGED)
            for far in set(_FAR_DOWN.findall(data)):
                self._height = max(self._height, int(far))
        if b't="e"' in data:
            for match in _CELL.finditer(data):
                if b't="e"' in match[1]:
                    value = _FAILED_VALUE.match(data, match.end())
                    self._note(match[1], BrokenCell(value[1].decode() if value else "#VALUE!"))
        if b"<f" in data or b":f" in data:
            for match in _NOT_CALCULATED.finditer(data):
                if b't="str"' not in match[1] and b't="e"' not in match[1]:
                    self._note(match[1], BrokenCell(""))
        at = data.rfind(b"<row")
        if at >= 0 and (last := _LAST_ROW.match(data, at)):
            self._height = max(self._height, int(last[1]))
        for letters in set(_WIDE.findall(data)):
            self._widest = max(self._widest, _column_number(letters) + 1)
        if self._height * self._widest > _MOST_CELLS:
            for match in _WITH_VALUE.finditer(data):
                if reference := _REFERENCE.search(match[1]):
                    self._value_height = max(self._value_height, int(reference[2]))
                    self._value_width = max(self._value_width, _column_number(reference[1]) + 1)

    def _note(self, attributes: bytes, broken: BrokenCell) -> None:
        # a cell without its reference is one no spreadsheet program writes; its value stays blank
        if reference := _REFERENCE.search(attributes):
            self._flaws.broken[int(reference[2]) - 1, _column_number(reference[1])] = broken


def column_letter(at: int) -> str:
    """0 → A, 26 → AA."""
    letters = ""
    number = at + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _inspect_opendocument(content: bytes) -> dict[str, _Flaws]:
    found: dict[str, _Flaws] = {}
    flaws = _Flaws()
    row = column = 0
    cells = 0
    row_repeat = 1
    filled_in_row = 0
    for event, element in ElementTree.iterparse(io.BytesIO(content), ("start", "end")):  # noqa: S314
        tag = element.tag
        if event == "start":
            if tag == f"{_TABLE}table":
                flaws = found.setdefault(element.get(f"{_TABLE}name", ""), _Flaws())
                row = 0
            elif tag == f"{_TABLE}table-row":
                column = filled_in_row = 0
                row_repeat = int(element.get(f"{_TABLE}number-rows-repeated", 1))
            continue
        if tag in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
            repeat = int(element.get(f"{_TABLE}number-columns-repeated", 1))
            kind = element.get(f"{_OFFICE}value-type")
            if kind is not None:
                filled_in_row = column + repeat
            broken = _broken_cell(element, kind)
            if broken is not None and row_repeat * repeat <= _BLOCK:
                for r in range(row, row + row_repeat):
                    for c in range(column, column + repeat):
                        flaws.broken[r, c] = broken
            down = int(element.get(f"{_TABLE}number-rows-spanned", 1))
            right = int(element.get(f"{_TABLE}number-columns-spanned", 1))
            if down > 1 or right > 1:
                flaws.merged.append(((row, column), (row + down - 1, column + right - 1)))
            column += repeat
            element.clear()
        elif tag == f"{_TABLE}table-row":
            cells += filled_in_row * row_repeat
            if cells > _MOST_CELLS:
                raise UnreadableFile(_too_wide(cells))
            row += row_repeat
            element.clear()
    return found


def _broken_cell(element: ElementTree.Element, kind: str | None) -> BrokenCell | None:
    shown = "".join(element.find(f"{_TEXT}p").itertext()) if element.find(f"{_TEXT}p") is not None else ""
    if element.get(f"{_CALCEXT}value-type") == "error":
        return BrokenCell(shown or "#VALUE!")
    if element.get(f"{_TABLE}formula") is None:
        return None
    return BrokenCell(shown) if kind == "string" and re.match(r"(#[A-Z/0!?]{2,}|Err:\d)", shown) else None


# -------------------------------------------------------------------------------------------------------------- .xls


def _inspect_ole(content: bytes) -> dict[str, _Flaws]:
    streams = _ole_streams(content)
    if "EncryptedPackage" in streams:
        raise UnreadableFile(_LOCKED)
    stream = streams.get("Workbook") or streams.get("Book")
    if stream is None:
        raise UnreadableFile(_NO_WORKBOOK)
    names: dict[int, str] = {}
    flaws: dict[str, _Flaws] = {}
    current: _Flaws | None = None
    at = 0
    while at + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, at)
        data = stream[at + 4 : at + 4 + size]
        if kind == 0x002F:
            raise UnreadableFile(_LOCKED)
        if kind == 0x0085:
            names[struct.unpack_from("<I", data)[0]] = _biff_name(data[6:])
        elif kind == 0x0809 and at in names:
            current = flaws.setdefault(names[at], _Flaws())
        elif current is not None and kind == 0x0205 and data[7] == 1:
            current.broken[struct.unpack_from("<HH", data)] = BrokenCell(_BIFF_ERRORS.get(data[6], "#VALUE!"))
        elif current is not None and kind == 0x0006 and data[12:14] == b"\xff\xff" and data[6] == 2:
            current.broken[struct.unpack_from("<HH", data)] = BrokenCell(_BIFF_ERRORS.get(data[8], "#VALUE!"))
        at += 4 + size
    return flaws


def _biff_name(data: bytes) -> str:
    length, flags = data[0], data[1]
    return data[2 : 2 + 2 * length].decode("utf-16-le") if flags & 1 else data[2 : 2 + length].decode("latin-1")


def _ole_streams(content: bytes) -> dict[str, bytes]:
    """The streams of a compound file by name."""
    sector = 1 << struct.unpack_from("<H", content, 30)[0]
    small = 1 << struct.unpack_from("<H", content, 32)[0]
    first_directory, cutoff, first_small_fat = (struct.unpack_from("<I", content, at)[0] for at in (48, 56, 60))
    next_difat, difat_count = struct.unpack_from("<II", content, 68)
    fat_sectors = list(struct.unpack_from("<109I", content, 76))
    per_sector = sector // 4
    for _ in range(difat_count):
        entries = struct.unpack_from(f"<{per_sector}I", content, (next_difat + 1) * sector)
        fat_sectors += entries[:-1]
        next_difat = entries[-1]
    fat: list[int] = []
    for number in fat_sectors:
        if number < 0xFFFFFFFA:
            fat += struct.unpack_from(f"<{per_sector}I", content, (number + 1) * sector)

    def chain(first: int, table: list[int]) -> Iterator[int]:
        seen = 0
        while first < 0xFFFFFFFA:
            yield first
            first = table[first]
            seen += 1
            if seen > len(table):
                raise ValueError("a chain that never ends")

    def read(first: int) -> bytes:
        return b"".join(content[(n + 1) * sector : (n + 2) * sector] for n in chain(first, fat))

    directory = read(first_directory)
    entries = [directory[at : at + 128] for at in range(0, len(directory) - 127, 128)]
    small_bytes = read(first_small_fat) if first_small_fat < 0xFFFFFFFA else b""
    small_fat = list(struct.unpack(f"<{len(small_bytes) // 4}I", small_bytes))
    pool = read(struct.unpack_from("<I", entries[0], 116)[0])
    streams = {}
    for entry in entries:
        if entry[66] != 2:
            continue
        name = entry[: max(struct.unpack_from("<H", entry, 64)[0] - 2, 0)].decode("utf-16-le")
        first, size = struct.unpack_from("<II", entry, 116)
        if size < cutoff:
            data = b"".join(pool[n * small : (n + 1) * small] for n in chain(first, small_fat))
        else:
            data = read(first)
        if len(data) < size:
            raise ValueError("a stream that ends before its end")
        streams[name] = data[:size]
    return streams
