"""Where the table of a sheet is, and what each row under its header is: data, or what people write around data."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from itertools import pairwise, product

from extract import tcvn3
from extract.cells import Reading, Unreadable, is_blank, label_key, label_keys, plain, tidy
from extract.contract import Column, Table
from extract.workbook_file import Place, Rows, Sheet

# a title block has up to 12 rows, a header up to 3; both with a little more patience
_DEEPEST_HEADER = 40
_TALLEST_HEADER = 4
# what stands under a merged heading when it says nothing of its own
_EMPTY_SUBHEADS = frozenset(("tổng số", "tổng cộng", "tổng", "cộng", "số lượng"))
_SERIAL_LABELS = frozenset(("stt", "tt", "số tt", "số thứ tự", "s tt", "thứ tự"))

_NUMBERING = re.compile(r"\(?\s*(\d{1,2}|[A-E])\s*\)?\s*(?:=.*)?")
_GRAND_TOTAL = re.compile(
    r"(?:tổng cộng|tổng số|tổng|cộng|toàn tỉnh)(?: (?:chung|dồn|toàn tỉnh|cả tỉnh|toàn bộ|tất cả))?"
    r"[\s:.…]*(?:[(\[].*[)\]])?[\s:.]*"
)
_SUBTOTAL = re.compile(r"(tổng cộng|tổng số|tổng|cộng)[\s:]+(\S.*)")
# what a sub-total is surely of
_PART = re.compile(r"(?:[ivx]+|[a-h]|\d{1,2}|(?:khối|nhóm|cấp|mục|phần|loại|các|huyện|sở)\b.*)[\s:.]*")
# and words that only begin like one
_NO_SUM = re.compile(r"(?:hòa|hoà|đồng|tác|sản|sinh|hưởng|gộp|dồn)\b.*")
_ROMAN_OR_LETTER = re.compile(r"(?:[IVX]+|[A-H])[.)]?")
_GROUP_LABEL = re.compile(r"(?:[IVX]+|[A-H])\s*[.)/:–-]\s*\S.*")
_GROUP_WORDS = re.compile(
    r"(?:khối|nhóm|cấp|các|phần|mục|lĩnh vực|loại|trong đó|sở, ?(?:ban, ?)?ngành"
    r"|ubnd (?:cấp )?(?:huyện, |cấp )|ubnd các|huyện, ).*"
)
_SIGNATURE = re.compile(
    r"(?:người (?:lập|tổng hợp|ký|ghi)\b.*|lập biểu|thủ trưởng(?: đơn vị| cơ quan)?"
    r"|(?:phó )?(?:giám đốc|chủ tịch|chánh văn phòng|chánh thanh tra|trưởng phòng|trưởng ban|vụ trưởng)(?: sở)?"
    r"|kế toán(?: trưởng)?|xác nhận\b.*|nơi nhận\b.*|ký tên\b.*|\((?:đã )?ký\b.*|đã ký"
    r"|(?:kt|tm|tl|tuq|q)\s?\.\s?\S.*)[\s:.]*"
)
_FOOTNOTE = re.compile(
    r"(?:(?:ghi chú|chú thích|lưu ý|nguồn|chú giải)\s*[:：].*|\(?\*+\)?\s*\S.*|[(\[]\d{1,2}[)\]]\s*\S.*)"
)
_PLACE_AND_DAY = re.compile(r".*\bngày\s*[\d.…_]*\s*tháng\s*[\d.…_]*\s*năm\s*[\d.…_]*.*")
# how all of these begin
_MAY_BE_SPECIAL = re.compile(
    r"[(\[*]|(?:[ivx]+|[a-h])(?:[^\w]|$)|tổng|cộng|toàn|khối|nhóm|cấp|các|phần|mục|lĩnh|loại|trong|sở,|ubnd|huyện,"
    r"|người|lập|thủ|phó|giám|chủ|chánh|trưởng|vụ|kế|xác|nơi|ký|đã|kt|tm|tl|tuq|q|ghi|chú|lưu|nguồn|ngày"
)
_VALUE_SHAPED = re.compile(r"[\d\s.,/%+-]*\d[\d\s.,/%+-]*")
_UNIT = re.compile(r"(?:đvt|đơn vị(?: tính)?)\s*[:：]?\s*\(?\s*((?:nghìn |ngàn |triệu |tỷ |tỉ )?đồng)\b")
_UNIT_ALONE = re.compile(r"\b((?:nghìn |ngàn |triệu |tỷ |tỉ )?đồng)\b")


class Kind(Enum):
    """What a row under the header is."""

    BLANK = "blank"
    DATA = "data"
    GROUP = "group"
    TOTAL = "total"
    SUBTOTAL = "subtotal"
    HEADER = "header"
    FOOT = "foot"


@dataclass(frozen=True)
class Layout:
    """A table found in a sheet: its header rows, from 0, and where in the sheet each of its columns is."""

    first: int
    last: int
    columns: dict[str, int]
    ambiguous: dict[str, list[int]] = field(default_factory=dict)
    unknown: dict[int, str] = field(default_factory=dict)
    serial: int | None = None

    def missing(self, table: Table) -> list[Column]:
        """Required columns that are not there."""
        return [c for c in table.columns if c.required and c.name not in self.columns]


def labels_of(column: Column) -> list[str]:
    return column.custom("labels") or [column.header]


def find_table(sheet: Sheet, table: Table, ignored: Iterable[str] = ()) -> Layout | None:
    """The header that fits the table best, or None when no cell of the sheet's beginning is a label of it."""
    wanted = {label_key(label): column.name for column in table.columns for label in labels_of(column)}
    required = {column.name for column in table.columns if column.required}
    above = sheet.rows[: _DEEPEST_HEADER + _TALLEST_HEADER]
    texts = _header_texts(above, sheet.merged)
    vocabulary = {word for label in wanted for word in label.split()}
    is_likely = [any(_speaks(text, vocabulary) for text in set(row) if text) for row in texts]
    best: tuple[tuple[int, int, int, int], int, int, dict[str, list[int]]] | None = None
    for first in range(min(len(texts), _DEEPEST_HEADER)):
        if not is_likely[first]:
            continue
        for height in range(1, min(_TALLEST_HEADER, len(texts) - first) + 1):
            if not is_likely[first + height - 1]:
                continue
            found = _matches(texts[first : first + height], wanted)
            score = (len(required & found.keys()), len(found), -height, -first)
            if found and (best is None or score > best[0]):
                best = (score, first, first + height - 1, found)
    if best is None:
        return None
    _, first, last, found = best
    for (top, _), (bottom, _) in sheet.merged:
        if first <= top <= last < bottom < top + _TALLEST_HEADER:
            last = bottom
    last = _with_numbering(sheet.rows, last, found)
    columns = {name: places[0] for name, places in found.items() if len(places) == 1}
    ambiguous = {name: places for name, places in found.items() if len(places) > 1}
    taken = {place for places in found.values() for place in places}
    titles = {at: _title(texts[first : last + 1], at) for at in range(len(texts[first]))}
    serial = next((at for at, title in titles.items() if not _SERIAL_LABELS.isdisjoint(label_keys(title))), None)
    if serial is None:
        leftmost = min(taken)
        serial = next((at for at in range(leftmost) if not titles[at]), None)
    silent = {label_key(label) for label in ignored} | _SERIAL_LABELS
    unknown = {at: plain(t) for at, t in titles.items() if t and at not in taken and silent.isdisjoint(label_keys(t))}
    return Layout(first, last, columns, ambiguous, unknown, serial)


def header_texts(sheet: Sheet) -> list[str]:
    """The texts of the row that looks most like a header, for the message that no label was found."""
    rows = [
        [plain(cell) for cell in row if isinstance(cell, str) and tidy(cell)] for row in sheet.rows[:_DEEPEST_HEADER]
    ]
    return max(rows, key=len, default=[])


def declared_units(sheet: Sheet, layout: Layout) -> list[str]:
    """Units of money that the rows above the data declare ("ĐVT: tỷ đồng"), each once, in order."""
    found = []
    for row in sheet.rows[: layout.last + 1]:
        for cell in row:
            if isinstance(cell, str):
                found += [_UNIT.search(plain(reading).casefold()) for reading in tcvn3.readings(cell)]
    return list(dict.fromkeys(_unit(match[1]) for match in found if match))


def unit_of_column(sheet: Sheet, layout: Layout, at: int) -> str | None:
    """The unit of money that a column's own header names."""
    for row in _header_texts(sheet.rows[: layout.last + 1], sheet.merged)[layout.first :]:
        for reading in tcvn3.readings(row[at]):
            if match := _UNIT_ALONE.search(reading.casefold()):
                return _unit(match[1])
    return None


def _unit(text: str) -> str:
    return text.replace("ngàn", "nghìn").replace("tỉ ", "tỷ ")


def _header_texts(rows: Rows, merged: list[tuple[Place, Place]]) -> list[list[str]]:
    """Header cells as text; the text of a merged range stands in each of its cells."""
    texts = [[tidy(cell) if isinstance(cell, str) else "" for cell in row] for row in rows]
    for (top, left), (bottom, right) in merged:
        if top >= len(texts) or left >= len(texts[top]) or bottom - top >= _TALLEST_HEADER:
            continue
        for row in range(top, min(bottom + 1, len(texts))):
            for column in range(left, min(right + 1, len(texts[row]))):
                texts[row][column] = texts[top][left]
    return texts


def _speaks(text: str, vocabulary: set[str]) -> bool:
    """Every word of the text is a word of some label."""
    return any(vocabulary.issuperset(key.split()) for key in label_keys(text))


def _path(texts: list[list[str]], at: int) -> list[str]:
    """What stands over a column, from the top, without what merging repeats."""
    path: list[str] = []
    for row in texts:
        if row[at] and (not path or path[-1] != row[at]):
            path.append(row[at])
    if len(path) > 1 and label_key(path[-1]) in _EMPTY_SUBHEADS:
        path.pop()
    return path


def _title(texts: list[list[str]], at: int) -> str:
    path = [text for text in _path(texts, at) if not _NUMBERING.fullmatch(text)]
    return path[-1] if path else ""


def _matches(texts: list[list[str]], wanted: dict[str, str]) -> dict[str, list[int]]:
    """{column: places} of the labels found; where several columns fit, the one whose whole heading fits best."""
    found: dict[str, list[tuple[int, int]]] = {}
    for at in range(len(texts[0])):
        path = _path(texts, at)
        if not path:
            continue
        # the whole heading first, then with fewer of the headings above, the lowest alone last
        for rank, parts in enumerate(_phrases(path)):
            key = next((key for key in _phrase_keys(parts) if key in wanted), None)
            if key is not None:
                found.setdefault(wanted[key], []).append((rank - len(path), at))
                break
    return {
        name: [at for rank, at in places if rank == min(places)[0]] if len(places) > 1 else [places[0][1]]
        for name, places in found.items()
    }


def _phrases(path: list[str]) -> Iterator[list[str]]:
    for skipped in range(len(path)):
        yield path[skipped:]
    if len(path) == 3:
        yield [path[0], path[2]]


def _phrase_keys(parts: list[str]) -> Iterator[str]:
    """The ways to compare a heading of several cells; each may have its own font and its own footnote mark."""
    return map(" ".join, product(*map(label_keys, parts)))


def _with_numbering(rows: Rows, last: int, found: dict[str, list[int]]) -> int:
    """The last row of the header once a row (1) (2) (3) under it is counted in."""
    for at in range(last + 1, min(last + 3, len(rows))):
        if all(is_blank(cell) for cell in rows[at]):
            continue
        return at if _is_numbering(rows[at], found) else last
    return last


def _is_numbering(row: list[object], found: dict[str, list[int]]) -> bool:
    marks = [_NUMBERING.fullmatch(plain(cell)) for cell in row if not is_blank(cell)]
    if len(marks) < max(2, len(found) // 2) or not all(marks):
        return False
    numbers = [int(mark[1]) for mark in marks if mark and mark[1].isdigit()]
    return bool(numbers) and all(b - a == 1 for a, b in pairwise(numbers))


Reader = Callable[[object], Reading]


class RowKinds:
    """Tells data from what people write around it. Nothing that looks like data is taken for anything else."""

    def __init__(
        self, sheet: Sheet, layout: Layout, table: Table, readers: dict[str, Reader], is_known: Callable
    ) -> None:
        self._sheet = sheet
        self._layout = layout
        self._readers = readers
        self._is_known = is_known
        present = [column for column in table.columns if column.name in layout.columns]
        self._columns = {layout.columns[column.name]: column for column in present}
        self._required = [layout.columns[c.name] for c in present if c.required]
        self._numeric = {layout.columns[c.name] for c in present if c.type in ("bigint", "numeric")}
        self._worded = [at for at in self._required if at not in self._numeric]
        self._typed = [at for at in self._required if not _is_free_text(self._columns[at])]
        self._merged_rows = {top: (left, right) for (top, left), (_, right) in sheet.merged if right > left}

    def classify(self) -> list[Kind]:
        """The kind of each row under the header."""
        rows = self._sheet.rows[self._layout.last + 1 :]
        mapped = list(self._columns)
        special = self._special_texts(rows)
        kinds = []
        self._plain: set[int] = set()
        required, serial = self._required, self._layout.serial
        to_the_left = [*range(max(mapped) + 1)] if mapped else []
        for index, row in enumerate(rows):
            if all(row[at] != "" for at in required) and (
                not special or not any(type(row[at]) is str and row[at] in special for at in to_the_left)
            ):
                kinds.append(Kind.DATA)
                self._plain.add(index)
            else:
                kinds.append(self._kind(row, index + self._layout.last + 1, mapped, serial))
        self._cut_off_the_foot(rows, kinds)
        return kinds

    def _special_texts(self, rows: Rows) -> set[str]:
        """Texts that may open a total, a group, a signature or a footnote, wherever they stand."""
        texts = {cell for row in rows for cell in row if type(cell) is str}
        texts -= {value for column in self._columns.values() for value in column.valid_values or ()}
        first = self._columns[self._required[0]]
        heading = {label_key(label) for label in labels_of(first)}
        openings = tuple({label.split()[0] for label in heading})
        found = set()
        for text in texts:
            folded = unicodedata.normalize("NFC", text).strip().casefold()
            if folded.startswith(openings) and label_key(text) in heading:
                found.add(text)
            # most texts are told from their beginning alone
            elif _MAY_BE_SPECIAL.match(folded) or "tháng" in folded or tcvn3.may_be_legacy(text):
                found |= {text for reading in tcvn3.readings(tidy(text)) if _is_special(reading)}
        return found

    def _kind(self, row: list[object], number: int, mapped: list[int], serial: int | None) -> Kind:
        if all(is_blank(row[at]) for at in mapped):
            filled = [at for at, cell in enumerate(row) if not is_blank(cell)]
            return self._total_kind(row, filled) or (Kind.FOOT if self._may_be_foot(row) else Kind.BLANK)
        filled = [at for at, cell in enumerate(row) if not is_blank(cell)]
        if self._repeats_header(row):
            return Kind.HEADER
        if total := self._total_kind(row, filled):
            return total
        if self._is_group(row, number, filled, serial):
            return Kind.GROUP
        return Kind.DATA

    def _repeats_header(self, row: list[object]) -> bool:
        return all(
            isinstance(row[at], str) and label_key(row[at]) in {label_key(label) for label in labels_of(column)}
            for at, column in self._columns.items()
            if column.required
        )

    def _total_kind(self, row: list[object], filled: list[int]) -> Kind | None:
        lacks_words = all(is_blank(row[at]) for at in self._worded)
        for at in filled:
            cell = row[at]
            if not isinstance(cell, str):
                continue
            if at > max(self._required) and not (lacks_words and at in self._columns):
                continue
            for reading in tcvn3.readings(tidy(cell)):
                folded = reading.casefold()
                is_grand = _GRAND_TOTAL.fullmatch(folded)
                if not is_grand and not self._is_subtotal(folded, at):
                    continue
                if any(other != at and not is_blank(row[other]) for other in self._worded):
                    continue
                # where a name is all that a row must have, only a bare word is surely no name
                if not is_grand and len(self._required) == 1 and at in self._required:
                    continue
                if at in self._columns and self._is_known(self._columns[at], cell):
                    continue
                return Kind.TOTAL if is_grand else Kind.SUBTOTAL
        return None

    def _is_subtotal(self, folded: str, at: int) -> bool:
        """The text is "Cộng" or "Tổng" of a part: of a kind of part, of something the sheet names, of anything else."""
        if not (match := _SUBTOTAL.fullmatch(folded)):
            return False
        word, part = match.groups()
        if _PART.fullmatch(part) or label_key(part) in self._named:
            return True
        # a Tổng công ty is a name, and so is anything where a row's only words are a free text
        is_name = self._worded == [at] and _is_free_text(self._columns[at])
        return not (word == "tổng" or is_name or _NO_SUM.match(part))

    @cached_property
    def _named(self) -> set[str]:
        """Values of the contract's lists and texts of the sheet, as labels are compared."""
        values = {value for column in self._columns.values() for value in column.valid_values or ()}
        texts = {row[at] for row in self._sheet.rows for at in self._columns if type(row[at]) is str}
        return {label_key(reading) for text in values | texts for reading in tcvn3.readings(text)} - {""}

    def _is_group(self, row: list[object], number: int, filled: list[int], serial: int | None) -> bool:
        labels = [at for at in filled if at != serial and at not in self._numeric]
        if any(not _fits_a_number(row[at]) for at in filled if at in self._numeric and at != serial):
            # a merged heading may stand in a column of numbers
            labels += [at for at in filled if at in self._numeric and not _fits_a_number(row[at])]
        if len(labels) > 1 or any(not isinstance(row[at], str) for at in labels):
            return False
        marked = serial is not None and bool(_ROMAN_OR_LETTER.fullmatch(plain(row[serial])))
        if not labels:
            return marked
        at = labels[0]
        column = self._columns.get(at)
        left, right = self._merged_rows.get(number, (0, 0))
        is_lonely = all(other in (at, serial) for other in filled)
        if column is not None and self._is_known(column, row[at]) and not (marked and is_lonely):
            return False
        words = [other for other in self._worded if other != at]
        lacks_words = any(other in self._required for other in words)
        if not words and not [n for n in self._required if n in self._numeric] and not marked:
            return False  # a lone name is the whole row of such a table
        text = plain(row[at])
        is_agency = column is not None and column.custom("cell") is not None
        return (
            marked
            or bool(_GROUP_LABEL.fullmatch(text))
            or bool(_ROMAN_OR_LETTER.fullmatch(text) and not is_lonely)
            or (bool(_GROUP_WORDS.fullmatch(text.casefold())) and (is_lonely or not words or is_agency))
            # a block may carry its own sum, but then none of the other words that a row must have
            or (text.casefold().startswith("khối ") and lacks_words)
            or (is_lonely and left <= at <= right and right > left)
            or (is_lonely and is_agency and (serial is None or is_blank(row[serial])))
        )

    def _may_be_foot(self, row: list[object]) -> bool:
        texts = [plain(cell).casefold() for cell in row if not is_blank(cell)]
        return any(_is_foot_text(text) for text in texts) and not any(_VALUE_SHAPED.fullmatch(text) for text in texts)

    def _is_sound(self, row: list[object], at: int) -> bool:
        """The cell holds what its column wants."""
        column = self._columns[at]
        if is_blank(row[at]):
            return False
        if column.valid_values is not None or column.custom("cell"):
            return self._is_known(column, row[at])
        return not isinstance(self._readers[column.name](row[at]), Unreadable)

    def _is_strong(self, row: list[object]) -> bool:
        """Surely data, even below something that looks like a footnote."""
        if any(is_blank(row[at]) for at in self._required):
            return False
        if self._typed:
            return any(self._is_sound(row, at) for at in self._typed)
        serial = self._layout.serial
        return serial is not None and bool(_VALUE_SHAPED.fullmatch(plain(row[serial])))

    def _cut_off_the_foot(self, rows: Rows, kinds: list[Kind]) -> None:
        """Mark the signature block and the footnotes below the table."""
        suspects = [
            index
            for index, row in enumerate(rows)
            if index not in self._plain
            and kinds[index] in (Kind.DATA, Kind.GROUP, Kind.FOOT)
            and self._may_be_foot(row)
            and not any(self._is_sound(row, at) for at in self._typed)
        ]
        if suspects:
            below = range(len(rows) - 1, suspects[0] - 1, -1)
            last_strong = next((i for i in below if kinds[i] is Kind.DATA and self._is_strong(rows[i])), -1)
            for index in suspects:
                kinds[index] = Kind.FOOT
            for index in range(next((s for s in suspects if s > last_strong), len(rows)), len(rows)):
                kinds[index] = Kind.FOOT
        if len(self._required) < 2:
            return
        # a lone text that a blank row or a total parts from the data is a note as well
        end = len(rows)
        while end and kinds[end - 1] in (Kind.BLANK, Kind.FOOT):
            end -= 1
        notes = []
        for index in range(end - 1, -1, -1):
            filled = [cell for cell in rows[index] if not is_blank(cell)]
            if kinds[index] is Kind.DATA and len(filled) == 1 and isinstance(filled[0], str):
                notes.append(index)
            elif kinds[index] in (Kind.BLANK, Kind.TOTAL) and notes:
                for note in notes:
                    kinds[note] = Kind.FOOT
                break
            else:
                break


def _is_special(reading: str) -> bool:
    folded = reading.casefold()
    return bool(
        _ROMAN_OR_LETTER.fullmatch(reading)
        or _GROUP_LABEL.fullmatch(reading)
        or _GROUP_WORDS.fullmatch(folded)
        or _GRAND_TOTAL.fullmatch(folded)
        or _SUBTOTAL.match(folded)
        or _is_foot_text(folded)
    )


def _is_free_text(column: Column) -> bool:
    return column.type == "text" and column.valid_values is None and column.custom("cell") is None


def _is_foot_text(folded: str) -> bool:
    return bool(_SIGNATURE.fullmatch(folded) or _FOOTNOTE.fullmatch(folded) or _PLACE_AND_DAY.fullmatch(folded))


def _fits_a_number(cell: object) -> bool:
    return not isinstance(cell, str) or bool(_VALUE_SHAPED.fullmatch(tidy(cell))) or tidy(cell) in ("-", "–")
