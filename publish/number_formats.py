"""Vietnamese numbers in a cell that stays a number, whatever language the reader's Excel speaks.

The separators of `#,##0.00` are those of the reader's machine: an English Excel would print 54,148 and 99.67,
which a Vietnamese reader takes for 54 and 9967. Text cells would show the right signs and end every sum. So:

* whole numbers get their points as literal characters (`0\\.000`), right for any whole number typed there;
* anything else gets a format that shows the report's own text for exactly the values that round to it and the
  reader's own notation for any other: a corrected cell cannot go on showing the old figure;
* only what no format can carry (negative fractions and thousands) becomes text.
"""

from __future__ import annotations

import re
from decimal import Decimal

_SHOWN = re.compile(r"(?P<whole>-?(?:\d{1,3}(?:\.\d{3})+|\d+))(?:,(?P<part>\d+))?\s?%?")
_WHOLE = r"[>=1000000]0\.000\.000;[>=1000]0\.000;General"
_WHOLE_BILLIONS = r"[>=1000000000]0\.000\.000\.000;[>=1000000]0\.000\.000;General"
# beyond it a spreadsheet's double precision loses digits
_LARGEST_EXACT = 10**15


def cell_number(value: Decimal, shown: str) -> tuple[int | float, str] | None:
    """The number and its format for a value that the report shows as `shown`; None when only text will do.

    Raises ValueError when `shown` is a number, but not this one.
    """
    match = _SHOWN.fullmatch(shown.strip())
    if match is None:
        return None
    shown_value = Decimal(match["whole"].replace(".", "") + "." + (match["part"] or "0"))
    low, high = _rounding_interval(value, shown_value, len(match["part"] or ""))
    if abs(value) >= _LARGEST_EXACT:
        return None
    if value == value.to_integral_value() and _grouped(int(value)) == shown.strip():
        if value <= -1000:
            return None
        return int(value), _WHOLE if value < 10**9 else _WHOLE_BILLIONS
    if value < 0:
        return None
    return float(value), f'[<{low}]General;[<{high}]"{shown.strip()}";General'


def _rounding_interval(value: Decimal, shown_value: Decimal, places: int) -> tuple[Decimal, Decimal]:
    """The values, low included and high not, that are shown as `shown_value` when rounded half up."""
    # trailing zeros are dropped, so 99,8 usually stands for 99,80
    for decimals in sorted({max(places, 2), places}, reverse=True):
        half = Decimal(5).scaleb(-decimals - 1)
        if abs(shown_value) - half <= abs(value) < abs(shown_value) + half and value * shown_value >= 0:
            return shown_value - half, shown_value + half
    raise ValueError(f"{value} không thể được ghi là {shown_value}")


def _grouped(number: int) -> str:
    return f"{number:,}".replace(",", ".")
