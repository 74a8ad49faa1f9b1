"""How a table looks when people make it: every variation that the contract calls normal.

A `Look` says which variations a sheet has; `render` lays the rows out that way and reports where the planted bad
cells and wrong totals ended up.
"""

from __future__ import annotations

import datetime as dt
import random
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from sample.agencies import PROVINCE, Agency
from sample.departments import Column, Row, Table, layout
from sample.spreadsheet import Cell, Sheet, address, letter
from sample.workbook_answers import plain

# What a sheet may look like; all of it must load without anyone touching the file.
VARIATIONS = (
    "title_block",
    "motto",
    "unit_line",
    "header_2_rows",
    "header_3_rows",
    "numbering_row",
    "header_line_breaks",
    "header_double_spaces",
    "header_upper_case",
    "header_nfd",
    "header_colon",
    "header_footnote_mark",
    "other_label",
    "column_order",
    "extra_columns",
    "sheet_case",
    "sheet_spaces",
    "hidden_rows",
    "hidden_columns",
    "group_rows",
    "subtotal_rows",
    "total_row",
    "blank_rows",
    "signature_block",
    "footnotes",
    "numbers_as_text",
    "dash_for_zero",
    "dates_as_text",
    "yes_no_forms",
    "agency_codes",
    "agency_spellings",
    "agency_abbreviations",
    "other_tone_mark",
    "value_case",
    "value_nfd",
    "tcvn3",
    "formula_cells",
)
# Normal too, but rare enough that an ordinary set of files has none of them.
RARE_VARIATIONS = (
    "split_header",
    "group_row_with_sums",
    "total_first",
    "total_hidden",
    "other_money_unit",
    "number_text_in_platform",
)

TITLES = {
    "Co quan": "Danh sách cơ quan hành chính và kết quả sắp xếp phòng chuyên môn",
    "DVSNCL": "Danh sách các đơn vị sự nghiệp công lập",
    "Ban quan ly": "Các ban quản lý trực thuộc UBND tỉnh",
    "To chuc lien nganh": "Các tổ chức phối hợp liên ngành do tỉnh thành lập",
    "Cong chuc": "Tình hình giao và sử dụng biên chế công chức",
    "Vien chuc": "Tình hình giao và sử dụng số lượng người làm việc hưởng lương từ NSNN",
    "Moc 2015": "Số liệu gốc năm 2015 dùng để tính tinh giản",
    "Tuyen dung": "Kết quả tuyển dụng",
    "Bo nhiem": "Kết quả bổ nhiệm lãnh đạo, quản lý",
    "Ky luat": "Kết quả xử lý kỷ luật",
    "Van ban": "Văn bản chỉ đạo, điều hành công tác cải cách hành chính",
    "Ke hoach CCHC": "Tiến độ thực hiện Kế hoạch cải cách hành chính năm",
    "Kiem tra": "Kết quả kiểm tra",
    "Thanh tra": "Kết quả thanh tra theo kế hoạch và đột xuất",
    "Khao sat": "Khảo sát sự hài lòng của người dân, tổ chức",
    "Doi thoai": "Đối thoại của lãnh đạo với người dân, doanh nghiệp",
    "Tap huan": "Các lớp tập huấn, bồi dưỡng",
    "Nhiem vu": "Theo dõi nhiệm vụ Chính phủ, Thủ tướng Chính phủ giao",
    "Ra soat": "Kết quả rà soát",
    "Quy trinh noi bo": "Quyết định phê duyệt quy trình nội bộ",
    "Ban hanh": "Văn bản quy phạm pháp luật đã ban hành",
    "Tham dinh": "Thẩm định, góp ý dự thảo văn bản",
    "Tu chu": "Mức độ tự chủ tài chính của đơn vị sự nghiệp công lập",
    "Kien nghi kiem toan": "Thực hiện kiến nghị của Kiểm toán nhà nước",
    "Van ban dien tu": "Tình hình gửi, nhận văn bản điện tử",
    "Ket noi": "Kết nối, liên thông các hệ thống thông tin",
    "Nen tang": "Nền tảng dùng chung và báo cáo",
    "Du an": "Danh mục dự án đầu tư",
}
DEPARTMENTS = {
    "so-noi-vu": "SỞ NỘI VỤ",
    "van-phong-ubnd": "VĂN PHÒNG UBND TỈNH",
    "so-tu-phap": "SỞ TƯ PHÁP",
    "so-tai-chinh": "SỞ TÀI CHÍNH",
    "so-tttt": "SỞ THÔNG TIN VÀ TRUYỀN THÔNG",
    "so-ke-hoach-dau-tu": "SỞ KẾ HOẠCH VÀ ĐẦU TƯ",
}
UNIT_LINES = {
    "Cong chuc": "Đơn vị tính: người",
    "Vien chuc": "Đơn vị tính: người",
    "Van ban dien tu": "Đơn vị tính: văn bản",
    "Quy trinh noi bo": "Đơn vị tính: quy trình",
}
MONEY_SHEET, MONEY_LINE, SMALL_MONEY_LINE = "Kien nghi kiem toan", "ĐVT: tỷ đồng", "ĐVT: triệu đồng"
# Columns that people add up, and the column they group by.
SUMMED = {
    "Co quan": ("divisions_cut",),
    "Cong chuc": ("posts_assigned", "present", "contracts_assigned", "contracts_present", "posts_cut_this_year"),
    "Vien chuc": ("posts_assigned", "present", "posts_cut_this_year"),
    "Tuyen dung": ("persons",),
    "Bo nhiem": ("persons",),
    "Khao sat": ("ballots",),
    "Tap huan": ("persons",),
    "Quy trinh noi bo": ("new", "amended", "abolished"),
    "Kien nghi kiem toan": ("amount", "done"),
    "Van ban dien tu": ("sent", "sent_fully_electronic", "sent_signed", "received", "received_signed"),
}
GROUPED = {
    "Co quan": "block",
    "DVSNCL": "managing_level",
    "Cong chuc": "agency",
    "Vien chuc": "field",
    "Bo nhiem": "authority",
    "Ban hanh": "level",
    "Tham dinh": "step",
    "Tu chu": "group",
    "Van ban dien tu": "level",
    "Ket noi": "level",
    "Du an": "origin",
}
GROUP_TITLES = {
    "Sở, ban, ngành": "Khối sở, ban, ngành",
    "Sở, ngành": "Khối sở, ngành",
    "UBND cấp huyện": "Khối UBND cấp huyện",
    "Huyện": "Khối huyện, thị xã, thành phố",
    "Xã": "Khối xã, phường, thị trấn",
    "UBND tỉnh": "Khối trực thuộc UBND tỉnh",
    "Trong nước": "Khối dự án trong nước",
    "Nước ngoài": "Khối dự án nước ngoài",
    "Tỉnh": "Khối văn bản cấp tỉnh",
    "1": "Khối sở, ngành",
    "2": "Khối huyện, thị xã, thành phố",
}
# Free text that a department may still have in an old font.
LEGACY_COLUMNS = {"agency_name", "unit_name", "project", "task", "recommendation"}
SPLIT_HEADERS = {
    "posts_assigned": ("Biên chế", "Được giao"),
    "present": ("Biên chế", "Có mặt"),
    "contracts_assigned": ("HĐLĐ theo NĐ 111", "Được giao"),
    "contracts_present": ("HĐLĐ theo NĐ 111", "Có mặt"),
}
ABBREVIATIONS = {
    PROVINCE: ("UBND tỉnh",),
    "H31.01": ("VP UBND tỉnh",),
    "H31.04": ("Sở KH&ĐT",),
    "H31.07": ("Sở NN&PTNT",),
    "H31.08": ("Sở GTVT",),
    "H31.10": ("Sở TN&MT",),
    "H31.11": ("Sở TT&TT",),
    "H31.12": ("Sở LĐ-TB&XH", "Sở LĐTB&XH"),
    "H31.13": ("Sở VHTT&DL",),
    "H31.14": ("Sở KH&CN",),
    "H31.15": ("Sở GD&ĐT",),
    "H31.18": ("BQL các KCN tỉnh", "Ban QL các KCN tỉnh"),
    "H31.19": ("VP Đoàn ĐBQH và HĐND tỉnh",),
    "H31.20": ("BQL Khu Đại học Phố Hiến",),
}
YES, NO = ("x", "X", "Có", "có", 1, "1", "✓"), (None, "Không", 0, "0")
ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII")


# --- letters ----------------------------------------------------

_UNICODE = "àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵĂÂÊÔƠƯĐ"
_TCVN3 = "µ¸¶·¹¨»¾¼½Æ©ÇÊÈÉË®ÌÐÎÏÑªÒÕÓÔÖ×ÝØÜÞßãáâä«åèæçé¬êíëìîïóñòô\u00adõøö÷ùúýûüþ¡¢£¤¥¦§"
_TO_TCVN3 = dict(zip(_UNICODE, _TCVN3, strict=True))


def tcvn3(text: str) -> str | None:
    """`Sở Nội vụ` → `Së Néi vô`, as the letters of an old font arrive; None where that cannot be told from Unicode."""
    if any(letter > "\x7f" and letter not in _TO_TCVN3 for letter in text):
        return None
    typed = "".join(_TO_TCVN3.get(letter, letter) for letter in text)
    # The soft hyphen that stands for ư is lost on many a way.
    odd = any(letter > "\x7f" and letter != "\u00ad" and letter.lower() not in _UNICODE for letter in typed)
    return typed if odd else None


def other_tone(text: str) -> str:
    """`Văn hóa` → `Văn hoá`: the tone mark on the other vowel."""
    for old, new in (("òa", "oà"), ("óa", "oá"), ("ỏa", "oả"), ("õa", "oã"), ("ọa", "oạ")):
        text = re.sub(rf"{old}\b", new, text)
    return text


def nfd(text: str) -> str:
    """Letters taken apart, as a Mac writes them."""
    return unicodedata.normalize("NFD", text)


def grouped_number(value: int | Decimal, rng: random.Random | None = None) -> str:
    """`22.039`, `1 608`, `12,7`, `1.234,5`: a number as Vietnamese text."""
    whole, _, rest = plain(abs(value)).partition(".")
    mark = rng.choice((".", ".", " ", "\u00a0")) if rng else "."
    groups = f"{int(whole):,}".replace(",", mark)
    return ("-" if value < 0 else "") + groups + (f",{rest}" if rest else "")


# --- the plan of one sheet --------------------------------------


@dataclass
class BadRow:
    """An extra row with one cell that must not load; it stands after row `after` of the table."""

    row: Row
    column: str
    kind: str
    cell: Cell
    after: int


@dataclass
class Look:
    """What one sheet looks like, and what of it was really used."""

    wanted: frozenset[str]
    rng: random.Random
    as_of: dt.date
    agencies: Mapping[str, Agency]
    wrong_total: bool = False
    leave_out: str | None = None
    used: set[str] = field(default_factory=set)

    def has(self, name: str) -> bool:
        """Whether the variation is wanted."""
        return name in self.wanted

    def use(self, name: str, share: float = 1.0) -> bool:
        """Whether to apply a wanted variation here; remembers that it was."""
        if name not in self.wanted or (share < 1 and self.rng.random() >= share):
            return False
        self.used.add(name)
        return True


@dataclass
class Rendered:
    """A finished sheet."""

    sheet: Sheet
    header_row: int
    bad_cells: list[dict[str, str]]
    wrong_totals: list[dict[str, str]]
    used: list[str]


@dataclass
class _Place:
    """One column of the table: a contract column, or one that no contract names."""

    title: str
    column: Column | None
    index: int = 0


def render(dataset: str, name: str, rows: Table, bad: Sequence[BadRow], look: Look) -> Rendered:
    """Lay out one table."""
    return _Renderer(dataset, name, rows, bad, look).render()


class _Renderer:
    def __init__(self, dataset: str, name: str, rows: Table, bad: Sequence[BadRow], look: Look) -> None:
        self.dataset, self.name, self.look, self.rng = dataset, name, look, look.rng
        self.columns = {column.name: column for column in layout()[dataset][name]}
        self.summed = SUMMED.get(name, ())
        self.sheet = Sheet(self._sheet_name())
        self.bad_cells: list[dict[str, str]] = []
        self.wrong_totals: list[dict[str, str]] = []
        self.factor = 1000 if name == MONEY_SHEET and look.use("other_money_unit") else 1
        self.groups = self._grouped(rows, bad)
        self.places = self._places()
        self.at = {place.column.name: place.index for place in self.places if place.column}

    def render(self) -> Rendered:
        row = self._title_block()
        header_row = row
        row = self._header(row)
        row = self._body(row)
        self._below(row + 1)
        for place in self.places:
            self.sheet.widths[place.index] = 6 if place.title == "STT" else 30 if place.index < 4 else 16
        if self.look.has("hidden_columns"):
            hideable = [p.index for p in self.places if p.column is None or not p.column.required]
            if hideable:
                self.sheet.hidden_columns.add(self.rng.choice(hideable))
                self.look.use("hidden_columns")
        return Rendered(self.sheet, header_row, self.bad_cells, self.wrong_totals, sorted(self.look.used))

    def _sheet_name(self) -> str:
        name = self.name
        if self.look.use("sheet_case"):
            name = self.rng.choice((name.upper(), name.lower()))
        if self.look.use("sheet_spaces"):
            name = self.rng.choice((f" {name}", f"{name} ", f" {name} "))
        return name

    # --- above the data

    def _places(self) -> list[_Place]:
        columns = [column for column in self.columns.values() if column.name != self.look.leave_out]
        split = self.name == "Cong chuc" and self.look.has("split_header")
        if not split and self.look.use("column_order"):
            self.rng.shuffle(columns)
        places = [_Place(self._label(column), column) for column in columns]
        if self.look.use("extra_columns"):
            places.insert(0, _Place(self.rng.choice(("STT", "TT")), None))
            places.append(_Place("Ghi chú", None))
            if not split and self.rng.random() < 0.3:
                places.insert(self.rng.randint(1, len(places) - 1), _Place("Nguồn số liệu", None))
        for i, place in enumerate(places, start=1):
            place.index = i
        return places

    def _label(self, column: Column) -> str:
        label = column.labels[0]
        if len(column.labels) > 1 and self.look.use("other_label"):
            label = self.rng.choice(column.labels[1:])
        if self.look.use("header_upper_case", 0.6):
            label = label.upper()
        words = label.split(" ")
        if len(words) > 2 and self.look.use("header_line_breaks", 0.6):
            cut = self.rng.randint(1, len(words) - 1)
            label = " ".join(words[:cut]) + "\n" + " ".join(words[cut:])
        elif len(words) > 1 and self.look.use("header_double_spaces", 0.6):
            label = label.replace(" ", "  ", 1)
        if self.look.use("header_footnote_mark", 0.3):
            label += self.rng.choice((" (*)", "*", "¹", " [1]"))
        elif self.look.use("header_colon", 0.4):
            label += self.rng.choice((":", " :"))
        if label.isascii() is False and self.look.use("header_nfd", 0.6):
            label = nfd(label)
        return label

    def _title_block(self) -> int:
        put, width = self.sheet.put, len(self.places)
        right = max(2, width - 1)
        row = 1
        if self.look.use("motto"):
            put(row, 1, "UBND TỈNH HƯNG YÊN", "title")
            put(row, right, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "title")
            put(row + 1, 1, DEPARTMENTS[self.dataset.partition("/")[0]], "title")
            put(row + 1, right, "Độc lập - Tự do - Hạnh phúc", "title")
            day = self.look.as_of
            put(row + 3, right, f"Hưng Yên, ngày {day:%d} tháng {day:%m} năm {day:%Y}", "note")
            row += 5
        if self.look.use("title_block"):
            put(row, 1, TITLES[self.name].upper(), "title")
            self.sheet.merges.append((row, 1, row, max(2, width)))
            put(row + 1, 1, f"(Số liệu tính đến ngày {self.look.as_of:%d/%m/%Y})", "note")
            row += 3 if self.rng.random() < 0.5 else 2
        if self.name == MONEY_SHEET:
            put(row, right, SMALL_MONEY_LINE if self.factor > 1 else MONEY_LINE, "note")
            row += 1
        elif self.name in UNIT_LINES and self.look.use("unit_line"):
            put(row, right, UNIT_LINES[self.name], "note")
            row += 1
        return row

    def _header(self, row: int) -> int:
        width = len(self.places)
        depth = 1
        if self.name == "Cong chuc" and self.look.use("split_header"):
            depth = 2
            parents = [
                SPLIT_HEADERS[place.column.name] if place.column and place.column.name in SPLIT_HEADERS else None
                for place in self.places
            ]
            for place, parent in zip(self.places, parents, strict=True):
                if parent is None:
                    self._merged(row, place.index, row + 1, place.index, place.title)
                else:
                    self.sheet.put(row + 1, place.index, parent[1], "header")
            for title in dict.fromkeys(parent[0] for parent in parents if parent):
                span = [
                    p.index for p, parent in zip(self.places, parents, strict=True) if parent and parent[0] == title
                ]
                self._merged(row, span[0], row, span[-1], title)
        else:
            if width > 3 and self.look.use("header_3_rows"):
                depth = 3
            elif width > 2 and self.look.use("header_2_rows"):
                depth = 2
            # The last `inner` columns stand under a common title, the last but one and so on under a second one.
            outer = self.rng.randint(2, width - 1) if depth > 1 else width + 1
            inner = self.rng.randint(outer, width - 1) if depth > 2 else width + 1
            if depth > 1:
                self._merged(row, outer, row, width, "Nội dung chi tiết")
            if depth > 2:
                self._merged(row + 1, inner, row + 1, width, "Trong đó")
            for place in self.places:
                first = row + (place.index >= outer) + (place.index >= inner)
                self._merged(first, place.index, row + depth - 1, place.index, place.title)
        row += depth
        if self.look.use("numbering_row"):
            for place in self.places:
                self.sheet.put(row, place.index, f"({place.index})", "header")
            row += 1
        return row

    def _merged(self, top: int, left: int, bottom: int, right: int, text: str) -> None:
        self.sheet.put(top, left, text, "header")
        if (top, left) != (bottom, right):
            self.sheet.merges.append((top, left, bottom, right))

    # --- the data

    def _grouped(self, rows: Table, bad: Sequence[BadRow]) -> dict[str, list[tuple[Row, BadRow | None]]]:
        """Rows by group, the bad ones after the row that they follow."""
        by = GROUPED.get(self.name)
        after: dict[int, list[BadRow]] = {}
        for entry in bad:
            after.setdefault(entry.after, []).append(entry)
        groups: dict[str, list[tuple[Row, BadRow | None]]] = {}
        wants = any(self.look.has(name) for name in ("group_rows", "subtotal_rows", "group_row_with_sums"))
        for i, row in enumerate(rows):
            key = ""
            if by and wants:
                agency = self.look.agencies.get(str(row[by])) if by == "agency" else None
                key = str(agency.level) if agency else str(row[by])
            members = groups.setdefault(key, [])
            members.append((row, None))
            members.extend((entry.row, entry) for entry in after.get(i, ()))
        return groups

    def _body(self, row: int) -> int:
        first = row
        has_total = bool(self.summed) and bool(self.groups) and self.look.use("total_row")
        on_top = has_total and self.look.use("total_first")
        if on_top:
            row += 1
        data_rows: list[int] = []
        everything: list[Row] = []
        serial = 0
        for position, (key, members) in enumerate(self.groups.items()):
            good = [entry for entry, bad in members if bad is None]
            title = GROUP_TITLES.get(key, f"Khối {key[:1].lower()}{key[1:]}") if key else ""
            if title and (self.look.has("group_row_with_sums") and self.summed):
                self.look.use("group_row_with_sums")
                self._group_row(row, position, title)
                for column, value in self._sums(good).items():
                    if column in self.at:
                        self.sheet.put(row, self.at[column], value, "bold")
                row += 1
            elif title and self.look.use("group_rows"):
                self._group_row(row, position, title)
                row += 1
            start = row
            for entry, bad in members:
                serial += 1
                self._row(row, entry, bad, serial)
                if bad is None:
                    data_rows.append(row)
                row += 1
                if self.look.has("blank_rows") and self.rng.random() < 2 / (len(members) + 1):
                    self.look.use("blank_rows")
                    row += 1
            everything += good
            if key and self.summed and len(good) > 1 and self.look.use("subtotal_rows"):
                # The bad rows of the group are in no sum, so a formula over them would say something else.
                clean = len(good) == len(members)
                self._sum_row(row, "Cộng", good, (start, row - 1) if clean else None, wrong=False)
                row += 1
        if has_total:
            at = first if on_top else row
            label = self.rng.choice(("Tổng cộng", "TỔNG CỘNG", "Cộng", "Tổng"))
            plain_table = len(self.groups) == 1 and len(everything) == len(next(iter(self.groups.values())))
            span = (first + on_top, row - 1) if plain_table and not (self.look.used & {"subtotal_rows"}) else None
            self._sum_row(at, label, everything, span, wrong=self.look.wrong_total)
            if self.look.use("total_hidden"):
                self.sheet.hidden_rows.add(at)
            if not on_top:
                row += 1
        if len(data_rows) > 4 and self.look.use("hidden_rows"):
            self.sheet.hidden_rows.update(self.rng.sample(data_rows, 2))
        return row

    def _group_row(self, row: int, position: int, title: str) -> None:
        if self.places[0].column is None:
            mark = ROMAN[position] if self.rng.random() < 0.6 else "ABCDEFGH"[position]
            self.sheet.put(row, 1, mark, "bold")
        self.sheet.put(row, self._first_text_column(), title, "bold")

    def _first_text_column(self) -> int:
        """Where a person writes "Tổng cộng": the name of the unit, else the first column with words."""
        for kinds in (("agency", "agency_or_commune"), ("text",), ("enum",)):
            found = [p.index for p in self.places if p.column and p.column.type in kinds]
            if found:
                return found[0]
        return 1

    def _sums(self, rows: Sequence[Row]) -> dict[str, int | Decimal]:
        return {
            column: sum((row[column] or 0 for row in rows), 0) * self.factor  # type: ignore[misc]
            for column in self.summed
        }

    def _sum_row(self, row: int, label: str, rows: Sequence[Row], span: tuple[int, int] | None, wrong: bool) -> None:
        in_serial = self.places[0].column is None and self.rng.random() < 0.4
        self.sheet.put(row, 1 if in_serial else self._first_text_column(), label, "bold")
        sums = self._sums(rows)
        spoiled = self.rng.choice([column for column in sums if column in self.at]) if wrong else None
        for column, value in sums.items():
            if column not in self.at:
                continue
            at = self.at[column]
            stated = value + 10 if column == spoiled else value
            formula = None
            # A sum over text cells would be another number as soon as somebody recalculates.
            exact = span and column != spoiled and not self.look.has("numbers_as_text")
            if span and exact and self.look.use("formula_cells"):
                formula = f"SUM({letter(at)}{span[0]}:{letter(at)}{span[1]})"
            self.sheet.put(row, at, stated, "bold", formula)
            if column == spoiled:
                self.wrong_totals.append(
                    {
                        "cell": address(row, at),
                        "column": column,
                        "stated": plain(stated),
                        "counted": plain(value),
                    }
                )

    def _row(self, row: int, entry: Row, bad: BadRow | None, serial: int) -> None:
        for place in self.places:
            column = place.column
            if column is None:
                if place.title in ("STT", "TT"):
                    self.sheet.put(row, place.index, serial)
                elif self.rng.random() < 0.05:
                    self.sheet.put(row, place.index, self.rng.choice(("Đã đối chiếu", "Theo báo cáo của đơn vị")))
                continue
            if bad is not None and column.name == bad.column and bad.kind != "duplicate":
                cell = Cell(bad.cell.value, bad.cell.style, bad.cell.formula, bad.cell.error)
            else:
                cell = self._cell(column, entry[column.name])
            if bad is not None and column.name == bad.column:
                self.bad_cells.append({"cell": address(row, place.index), "column": column.name, "kind": bad.kind})
            if cell.value is not None:
                self.sheet.rows.setdefault(row, {})[place.index] = cell

    def _cell(self, column: Column, value: object) -> Cell:
        writers: dict[str, Callable[[Column, object], Cell]] = {
            "int": self._number,
            "decimal": self._number,
            "date": self._date,
            "bool": self._bool,
            "agency": self._agency,
            "agency_or_commune": self._agency,
        }
        if value is None and column.type != "bool":
            return Cell(None)
        return writers.get(column.type, self._words)(column, value)

    def _number(self, column: Column, value: object) -> Cell:
        assert isinstance(value, int | Decimal)
        if column.name in ("amount", "done"):
            value = value * self.factor
        if value == 0 and column.blank_is_zero and self.look.use("dash_for_zero"):
            return Cell(self.rng.choice(("-", "–", None)))
        # A year has no thousands.
        if column.name != "plan_year" and self.look.use("numbers_as_text", 0.5):
            return Cell(grouped_number(value, self.rng))
        if isinstance(value, int) and value > 9 and self.look.use("formula_cells", 0.2):
            part = self.rng.randint(1, value - 1)
            return Cell(value, "number", f"{part}+{value - part}")
        return Cell(value, "number" if isinstance(value, int) and column.name != "plan_year" else "body")

    def _date(self, column: Column, value: object) -> Cell:
        assert isinstance(value, dt.date)
        if self.look.use("dates_as_text", 0.6):
            forms = (
                f"{value.day}/{value.month}/{value.year}",
                f"{value:%d-%m-%Y}",
                f"{value.day}.{value.month}.{value.year}",
            )
            return Cell(self.rng.choice((*forms, value.isoformat(), f"{value:%d/%m/%Y}")))
        if self.look.use("formula_cells", 0.03):
            return Cell(value, "date", f"DATE({value.year},{value.month},{value.day})")
        return Cell(value, "date")

    def _bool(self, column: Column, value: object) -> Cell:
        if self.look.use("yes_no_forms"):
            return Cell(self.rng.choice(YES if value else NO))
        return Cell("x" if value else None)

    def _words(self, column: Column, value: object) -> Cell:
        if isinstance(value, int):
            if self.look.use("number_text_in_platform"):
                return Cell(grouped_number(value))
            return Cell(value)
        text = str(value)
        if column.type == "enum":
            if self.look.use("value_case", 0.3):
                text = self.rng.choice((text.upper(), text.lower(), text.replace(" ", "  "), f" {text} "))
            if self.look.use("value_nfd", 0.3):
                text = nfd(text)
            return Cell(text)
        if column.name in LEGACY_COLUMNS and self.look.has("tcvn3") and self.rng.random() < 0.3:
            typed = tcvn3(text)
            if typed:
                self.look.use("tcvn3")
                return Cell(typed, "legacy")
        if text.isascii() is False and self.look.use("value_nfd", 0.2):
            text = nfd(text)
        return Cell(text)

    def _agency(self, column: Column, value: object) -> Cell:
        agency = self.look.agencies[str(value)]
        if self.look.use("agency_codes", 0.25):
            return Cell(agency.code)
        if agency.code in ABBREVIATIONS and self.look.use("agency_abbreviations", 0.6):
            return Cell(self.rng.choice(ABBREVIATIONS[agency.code]))
        name = agency.name
        if self.look.use("agency_spellings", 0.6):
            name = self._spelling(agency)
        if other_tone(name) != name and self.look.use("other_tone_mark"):
            name = other_tone(name)
        if self.look.has("tcvn3") and self.rng.random() < 0.3:
            typed = tcvn3(name)
            if typed:
                self.look.use("tcvn3")
                return Cell(typed, "legacy")
        if self.look.use("value_case", 0.2):
            name = self.rng.choice((name.upper(), name.lower(), name.replace(" ", "  ", 1), f" {name} "))
        if self.look.use("value_nfd", 0.3):
            name = nfd(name)
        return Cell(name)

    def _spelling(self, agency: Agency) -> str:
        """`UBND huyện X`, `Huyện X`, `H. X`; `TP.`, `TX`."""
        if agency.code == PROVINCE or not agency.name.startswith("UBND "):
            return agency.name
        place = agency.name.removeprefix("UBND ")
        forms = [agency.name, place, place[:1].upper() + place[1:]]
        for full, short in (("huyện ", ("H. ",)), ("thành phố ", ("TP. ", "TP ")), ("thị xã ", ("TX. ", "TX "))):
            if place.startswith(full) and agency.level == 2:
                forms += [mark + place.removeprefix(full) for mark in short] * 2
        return self.rng.choice(forms)

    # --- below the data

    def _below(self, row: int) -> None:
        put, right = self.sheet.put, max(3, len(self.places) - 1)
        if self.look.use("footnotes"):
            put(row, 1, "Ghi chú: (*) Số liệu do các cơ quan, đơn vị báo cáo.", "note")
            put(row + 1, 1, "(1) Không tính các đơn vị ngành dọc.", "note")
            row += 3
        if self.look.use("signature_block"):
            put(row, 1, "Nơi nhận:", "note")
            put(row, right, "KT. GIÁM ĐỐC", "title")
            put(row + 1, 1, "- Như trên;", "note")
            put(row + 1, right, "PHÓ GIÁM ĐỐC", "title")
            put(row + 2, 1, "- Lưu: VT.", "note")
            put(row + 3, right, "(Đã ký)", "note")
