"""How much room a text takes in Times New Roman.

A spreadsheet made by a program opens with the row heights it was given: nothing grows to fit wrapped text. So
the heights are computed here, from the advance widths of the font, which need not be installed here.
"""

from __future__ import annotations

import math
import unicodedata

# Advance widths in thousandths of the font size, from U+0020 to U+007E.
_REGULAR = (
    250, 333, 408, 500, 500, 833, 778, 180, 333, 333, 500, 564, 250, 333, 250, 278, 500, 500, 500, 500,
    500, 500, 500, 500, 500, 500, 278, 278, 564, 564, 564, 444, 921, 722, 667, 667, 722, 611, 556, 722,
    722, 333, 389, 722, 611, 889, 722, 722, 556, 722, 667, 556, 611, 722, 722, 944, 722, 722, 611, 333,
    278, 333, 469, 500, 333, 444, 500, 444, 500, 444, 333, 500, 500, 278, 278, 500, 278, 778, 500, 500,
    500, 500, 333, 389, 278, 500, 500, 722, 500, 500, 444, 480, 200, 480, 541,
)  # fmt: skip
_BOLD = (
    250, 333, 555, 500, 500, 1000, 833, 278, 333, 333, 500, 570, 250, 333, 250, 278, 500, 500, 500, 500,
    500, 500, 500, 500, 500, 500, 333, 333, 570, 570, 570, 500, 930, 722, 667, 722, 722, 667, 611, 778,
    778, 389, 500, 778, 667, 944, 722, 778, 611, 778, 722, 556, 667, 722, 722, 1000, 722, 722, 667, 333,
    278, 333, 581, 500, 333, 500, 556, 444, 556, 444, 333, 500, 556, 278, 333, 556, 278, 833, 556, 500,
    556, 556, 444, 389, 333, 556, 500, 722, 500, 500, 444, 394, 220, 394, 520,
)  # fmt: skip
_FIRST = 0x20
_HORN = "\u031b"  # the only Vietnamese mark that widens its letter
_HORN_WIDTH = 55
_LIKE = {"đ": "d", "Đ": "D", "–": "-", "…": "W", "“": "(", "”": ")"}

# Excel, LibreOffice and the printer do not break lines at exactly the same place.
_TOLERANCE = 1.04
_LINE_HEIGHT = 1.17
_ROW_PADDING = 3.5
# no spreadsheet program makes a row higher
HIGHEST_ROW = 409.0


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Width in points of one line of text."""
    widths = _BOLD if bold else _REGULAR
    total = 0
    for letter in unicodedata.normalize("NFD", text):
        if letter == _HORN:
            total += _HORN_WIDTH
        elif not unicodedata.combining(letter):
            index = ord(_LIKE.get(letter, letter)) - _FIRST
            total += widths[index] if 0 <= index < len(widths) else 1000
    return total * size / 1000


def wrap(text: str, size: float, width: float, *, bold: bool = False) -> list[str]:
    """The lines the text takes in a cell that leaves `width` points for it."""
    room = width / _TOLERANCE
    return [line for paragraph in text.split("\n") for line in _wrapped(paragraph, size, room, bold)]


def row_height(line_count: int, size: float) -> float:
    """Height in points of a row with so many lines, in the quarter points that a spreadsheet keeps."""
    height = math.ceil(4 * (line_count * size * _LINE_HEIGHT + _ROW_PADDING)) / 4
    return min(height, HIGHEST_ROW)


def most_lines(size: float) -> int:
    """How many lines fit into the highest row there can be."""
    return int((HIGHEST_ROW - _ROW_PADDING) / (size * _LINE_HEIGHT))


def _wrapped(paragraph: str, size: float, room: float, bold: bool) -> list[str]:
    lines: list[str] = []
    line = ""
    for word in paragraph.split():
        longer = f"{line} {word}" if line else word
        if text_width(longer, size, bold=bold) <= room:
            line = longer
            continue
        if line:
            lines.append(line)
        line = word
        while text_width(line, size, bold=bold) > room and len(line) > 1:
            fitting = _fitting(line, size, room, bold)
            lines.append(line[:fitting])
            line = line[fitting:]
    return [*lines, line]


def _fitting(word: str, size: float, room: float, bold: bool) -> int:
    """How many letters of a word that is wider than the cell stand on its first line."""
    count = 1
    while text_width(word[: count + 1], size, bold=bold) <= room:
        count += 1
    return count
