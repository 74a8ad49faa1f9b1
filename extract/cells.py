"""Cells as people write them: Vietnamese numbers, days, yes and no. What cannot be read is said, never guessed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache

from extract import tcvn3


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a cell cannot be taken as what its column holds; `reason` follows the column's name."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class BrokenCell:
    """A cell without a value: a formula that failed, or one that was never calculated (then `error` is blank)."""

    error: str

    def __str__(self) -> str:
        return self.error


# a cell's text in the checker's form, None when it is blank
Reading = str | None | Unreadable

_SPACES = re.compile(r"[\s\u00a0\u2000-\u200b\u202f\u205f\u2060\u3000\ufeff]+")
_DASHES = ("-", "–", "—", "−")
_SUPERSCRIPTS = re.compile("[¹²³⁰⁴-⁹†‡*]+")
_SIGNS = re.compile(r"[^\w%&]+|_")
_FOOTNOTE_MARK = re.compile(r"\s*[(\[]\s*(?:\d{1,2}|\*+)\s*[)\]]\s*:?\s*$")

_PLAIN_NUMBER = re.compile(r"[+-]?\d+", re.ASCII)
_GROUPED_NUMBER = re.compile(r"[+-]?[1-9]\d{0,2}(?:(?:\.\d{3})+|(?: \d{3})+)", re.ASCII)
_VIETNAMESE_NUMBER = re.compile(r"[+-]?(?:\d+|[1-9]\d{0,2}(?:(?:\.\d{3})+|(?: \d{3})+)),\d+", re.ASCII)
_NUMBER_SHAPED = re.compile(r"[+-]?[\d.,' ]*\d[\d.,' ]*", re.ASCII)
_DAY = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})(?: 0?0:00(?::00)?)?", re.ASCII)
_ISO_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]00:00(?::00)?)?", re.ASCII)
_FIRST_YEAR, _LAST_YEAR = 1900, 2099

_YES = frozenset(("x", "có", "1", "✓", "✔", "√"))
_NO = frozenset(("không", "0"))

_WAY_TO_WRITE = "viết kiểu Việt Nam: dấu chấm ngăn hàng nghìn, dấu phẩy trước phần thập phân"


def tidy(text: str) -> str:
    """One line of composed Unicode without spaces around it or doubled inside it."""
    return _SPACES.sub(" ", unicodedata.normalize("NFC", text)).strip()


def label_key(text: str) -> str:
    """A header text as labels are compared: case, line breaks, punctuation, Unicode form do not matter."""
    bare = _SUPERSCRIPTS.sub(" ", unicodedata.normalize("NFC", text))
    key = " ".join(_SIGNS.sub(" ", bare.casefold()).split())
    return re.sub(r"\btỉ\b", "tỷ", re.sub(r"\bkí\b", "ký", key))


@lru_cache(maxsize=50_000)
def label_keys(text: str) -> tuple[str, ...]:
    """The ways to compare a header text, closest first: as it is, then without a footnote mark, then without a note."""
    found = []
    for reading in tcvn3.readings(text):
        bare = _FOOTNOTE_MARK.sub("", reading)
        noted = re.sub(r"\s*\([^()]*\)\s*:?\s*$", "", bare)
        digit = re.sub(r"(?<=[^\W\d])\d{1,2}\s*:?\s*$", "", bare)
        found += [label_key(variant) for variant in (reading, bare, noted, digit)]
    return tuple(key for key in dict.fromkeys(found) if key)


def value_key(text: str) -> str:
    """A value of a list as values are compared: case, spaces and Unicode form do not matter."""
    return _SPACES.sub("", unicodedata.normalize("NFC", text)).casefold().rstrip(":")


def is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not _SPACES.sub("", value))


def plain(value: object) -> str:
    """Any cell as one line of text for people."""
    match value:
        case str():
            return tidy(tcvn3.legible(value))
        case bool():
            return "TRUE" if value else "FALSE"
        case int():
            return str(value)
        case float():
            return _shortest(value)
        case datetime():
            return f"{value:%d/%m/%Y}" if value.time() == time() else f"{value:%d/%m/%Y %H:%M}"
        case date():
            return f"{value:%d/%m/%Y}"
        case None:
            return ""
    return str(value)


def _shortest(number: float) -> str:
    """Fifteen digits, as a spreadsheet shows them: 0.1 + 0.2 is 0.3."""
    text = format(Decimal(f"{number:.15g}"), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _broken(cell: BrokenCell) -> Unreadable:
    if cell.error:
        return Unreadable("formula_error", f"là công thức bị lỗi {cell.error}; hãy sửa công thức hoặc gõ giá trị vào ô")
    return Unreadable(
        "formula_without_value", "là công thức chưa được tính; hãy mở tệp, tính lại, lưu, hoặc gõ giá trị vào ô"
    )


def read_text(value: object) -> Reading:
    """Text as it stands; a whole number becomes its digits."""
    match value:
        case str():
            return tidy(tcvn3.legible(value)) or None
        case BrokenCell():
            return _broken(value)
        case bool():
            return Unreadable("not_a_text", "phải là văn bản, không phải TRUE/FALSE")
        case int() | float():
            return plain(value)
        case date() | time() | timedelta():
            return Unreadable(
                "not_a_text", "phải là văn bản, nhưng ô chứa ngày giờ; hãy định dạng ô là văn bản rồi gõ lại"
            )
    return None


def read_integer(value: object, *, blank_as_zero: bool = False) -> Reading:
    """A whole number as digits: 22039, `22.039`, `1 608`."""
    number = read_decimal(value, blank_as_zero=blank_as_zero, whole=True)
    if not isinstance(number, str) or "." not in number:
        return number
    return Unreadable("not_a_whole_number", "phải là số nguyên, ví dụ 22039 hoặc 22.039, không có phần thập phân")


def read_decimal(
    value: object, *, blank_as_zero: bool = False, unit: str | None = None, factor: int = 1, whole: bool = False
) -> Reading:
    """A number with a point before its decimals: `12,7` → 12.7, `1.608.000` → 1608000."""
    wanted = "số nguyên, ví dụ 22039 hoặc 22.039" if whole else "số, ví dụ 12,7 hoặc 1.608.000"
    match value:
        case BrokenCell():
            return _broken(value)
        case bool() | date() | time() | timedelta():
            return Unreadable("not_a_number", f"phải là {wanted}, nhưng ô chứa {_kind(value)}")
        case int() | float():
            return _times(_shortest(float(value)) if isinstance(value, float) else str(value), factor)
        case str():
            return _number_in(value, blank_as_zero, unit, factor, wanted)
    return "0" if blank_as_zero else None


def _number_in(value: str, blank_as_zero: bool, unit: str | None, factor: int, wanted: str) -> Reading:
    text = tidy(value)
    if not text:
        return "0" if blank_as_zero else None
    if text in _DASHES:
        if blank_as_zero:
            return "0"
        return Unreadable("not_a_number", f"phải là {wanted}; dấu gạch không được hiểu là 0 ở cột này")
    text = text.replace("−", "-")
    if unit:
        text = text.removesuffix(unit).rstrip()
    if _PLAIN_NUMBER.fullmatch(text):
        return _times(text, factor)
    if _GROUPED_NUMBER.fullmatch(text):
        return _times(re.sub("[. ]", "", text), factor)
    if _VIETNAMESE_NUMBER.fullmatch(text):
        if wanted.startswith("số nguyên"):
            return Unreadable(
                "not_a_whole_number",
                f"phải là {wanted}; dấu phẩy đứng trước phần thập phân nên đây không phải số nguyên",
            )
        return _times(re.sub("[. ]", "", text).replace(",", "."), factor)
    if _NUMBER_SHAPED.fullmatch(text):
        return Unreadable("ambiguous_number", f"không rõ là số nào; phải là {wanted}, {_WAY_TO_WRITE}")
    return Unreadable("not_a_number", f"phải là {wanted}")


def _times(number: str, factor: int) -> str:
    value = Decimal(number) * factor
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _kind(value: object) -> str:
    return "TRUE/FALSE" if isinstance(value, bool) else "ngày giờ"


def read_date(value: object) -> Reading:
    """A day as yyyy-MM-dd, from a spreadsheet's date or from text: day first, or ISO."""
    wanted = "phải là ngày có thật, viết ngày/tháng/năm, ví dụ 14/6/2024"
    match value:
        case BrokenCell():
            return _broken(value)
        case datetime():
            return _day(value.year, value.month, value.day) or Unreadable("not_a_date", wanted)
        case date():
            return _day(value.year, value.month, value.day) or Unreadable("not_a_date", wanted)
        case str():
            text = tidy(value)
            if not text:
                return None
            if match := _DAY.fullmatch(text):
                day = _day(int(match[4]), int(match[3]), int(match[1]))
            elif match := _ISO_DAY.fullmatch(text):
                day = _day(int(match[1]), int(match[2]), int(match[3]))
            else:
                day = None
            return day or Unreadable("not_a_date", wanted)
        case bool() | int() | float():
            return Unreadable("not_a_date", f"{wanted}; ô đang chứa một số, không phải ngày")
        case time() | timedelta():
            return Unreadable("not_a_date", f"{wanted}; ô đang chứa giờ")
    return None


def _day(year: int, month: int, day: int) -> str | None:
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        return None
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def read_yes_no(value: object) -> Reading:
    """`1` or `0`; blank is no."""
    match value:
        case BrokenCell():
            return _broken(value)
        case bool():
            return "1" if value else "0"
        case int() | float() if value in (0, 1):
            return str(int(value))
        case str():
            for reading in tcvn3.readings(tidy(value)):
                key = value_key(reading)
                if not key or key in _NO:
                    return "0"
                if key in _YES:
                    return "1"
        case None:
            return "0"
    return Unreadable("not_yes_or_no", "phải là x, Có, 1 hoặc ✓ nếu có; để trống, Không hoặc 0 nếu không")


def value_reader(values: list[str]) -> Callable[[object], Reading]:
    """Reads cells of a column that takes only certain values; what is none of them stays for the checker to name."""
    known = {value_key(value): value for value in values}

    def read(value: object) -> Reading:
        if not isinstance(value, str):
            return read_text(value)
        for reading in tcvn3.readings(tidy(value)):
            if (found := known.get(value_key(reading))) is not None:
                return found
        return read_text(value)

    return read
