"""How a spreadsheet shows a number, for the few format codes the appendix uses."""

from __future__ import annotations

import re

_SECTION = re.compile(r"(?:\[(?P<operator><|>=)(?P<bound>-?[\d.E+-]+)\])?(?P<code>.*)")


def shown_by_spreadsheet(number: float, number_format: str) -> str:
    """The text in the cell on a machine that writes a decimal point; the first section that fits counts."""
    for section in number_format.split(";"):
        match = _SECTION.fullmatch(section)
        bound = float(match["bound"]) if match["bound"] else None
        if bound is None or (number < bound if match["operator"] == "<" else number >= bound):
            return _apply(match["code"], number)
    raise AssertionError(f"{number} fits no section of {number_format}")


def _apply(code: str, number: float) -> str:
    if code == "General":
        return f"{number:g}" if number != int(number) else str(int(number))
    if code.startswith('"') and code.endswith('"'):
        return code[1:-1]
    # literal characters between digit places: the digits fill the places from the right
    pieces = re.findall(r"\\.|0", code)
    assert "".join(pieces) == code, code
    digits = str(round(number))
    shown = ""
    for piece in reversed(pieces):
        if piece == "0":
            digits, last = (digits[:-1], digits[-1]) if digits else ("", "0")
            shown = last + shown
        else:
            shown = piece[1] + shown
    return digits + shown
