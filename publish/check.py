"""The check: a report that people wrote against what the warehouse computed, and against itself.

Three questions are asked of every figure: is it what the warehouse computes, does it follow from the other figures
of the same report, and can it be read at all. A figure is equal when the exact value, rounded half up to the
decimals that were written, gives what was written.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from difflib import get_close_matches
from enum import IntEnum
from fractions import Fraction
from functools import cache
from math import floor
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from cchc.periods import LOCAL_ZONE, ReportingPeriod
from publish.declared import (
    Declared,
    DeclaredFigure,
    DeclaredRow,
    Reading,
    choices_of,
    plain_text,
    read_figure,
    read_number,
)
from publish.figures import FiguresUnfit

_DATA = Path(__file__).parent / "data"

_ROWS = text("""
    select
        indicator.form_no, form.form_title, indicator.code, indicator.label, indicator.unit, indicator.kind,
        indicator.value, indicator.display, indicator.status, indicator.formula, indicator.as_of_at,
        array(
            select dataset.dataset_name || ' (' || dataset.owner_name || ')'
            from reporting.rpt_source_status as dataset
            where
                dataset.period_id = indicator.period_id
                and dataset.source_dataset_id = any(indicator.sources)
                and dataset.status = 'missing'
            order by dataset.source_dataset_id collate "C"
        ) as missing_names
    from reporting.rpt_indicator as indicator
    left join reporting.rpt_form as form
        on indicator.period_id = form.period_id
        and indicator.form_no = form.form_no
        and indicator.code = form.code
    where indicator.period_id = :period_id
    order by indicator.form_no, indicator.sort_order
""")
_NARRATIVE = text("select key, value, display, status from reporting.rpt_narrative where period_id = :period_id")

_RATIO = re.compile(r"\((?P<numerator>.+)\) / \((?P<denominator>.+)\) × (?P<scale>[\d.]+)")
_OPERATOR = re.compile(r" ([+−]) ")
_CATALOGUE_CODE = re.compile(r"\d+(?:\.\d+)+")
_NOTE_SHARE = re.compile(r"(?<![\d/.])(\d{1,6})/(\d{1,6}) (?:cơ quan|đơn vị|nhiệm vụ|văn bản|thủ tục|hồ sơ)")
_NOTE_RATE = re.compile(r"\d+(?:[.,]\d+)?\s*%")
_SHOWN_DECIMALS = 2


class Level(IntEnum):
    """How a declared figure stands, worst last."""

    MATCH = 0
    OPEN = 1
    REMARK = 2
    WRONG = 3

    @property
    def title(self) -> str:
        """The word for it in the workbook."""
        return ("Khớp", "Chưa đối chiếu được", "Lưu ý", "Sai")[self]


@dataclass(frozen=True)
class Reason:
    """One thing to say about a figure: how bad, of what kind, in one plain sentence."""

    level: Level
    kind: str
    sentence: str
    expected: str = ""


@dataclass(frozen=True)
class Formula:
    """A ratio or a sum of the catalogue: signed codes or measures."""

    numerator: tuple[tuple[int, str], ...]
    denominator: tuple[tuple[int, str], ...]
    scale: Fraction

    @classmethod
    def parse(cls, formula: str | None) -> Formula | None:
        """`(3.3.1.2) / (3.3.1.1) × 100`, `2.1.1 + 2.1.2` or `posts − posts_moved`; None for a definition in words."""
        match = _RATIO.fullmatch(formula or "")
        if match:
            return cls(_terms(match["numerator"]), _terms(match["denominator"]), Fraction(match["scale"]))
        terms = _terms(formula or "")
        # a measure alone reads like a definition of one word
        if len(terms) > 1 or (terms and _CATALOGUE_CODE.fullmatch(terms[0][1])):
            return cls(terms, (), Fraction(1))
        return None

    @property
    def is_of_rows(self) -> bool:
        """Every term is a row of the report, so a reader can check it on paper."""
        return all(_CATALOGUE_CODE.fullmatch(term) for _, term in (*self.numerator, *self.denominator))


@dataclass(frozen=True)
class Row:
    """One row of the catalogue and what the warehouse computed for it."""

    form_no: int
    form_title: str
    code: str
    label: str
    unit: str
    kind: str
    value: Decimal | None
    display: str
    status: str
    missing_names: tuple[str, ...]
    formula: Formula | None

    @property
    def catalogue_code(self) -> str:
        return f"{self.form_no}.{self.code}"

    @property
    def place(self) -> str:
        return f"Biểu {self.form_no}, chỉ tiêu {self.code}"

    @property
    def number_kind(self) -> str:
        """What its number is to `read_number`."""
        if self.unit == "%":
            return "percent"
        return "amount" if self.kind == "amount" else "count"


@dataclass(frozen=True)
class NarrativeValue:
    """One figure of the text as the warehouse computed it."""

    value: Decimal | None
    display: str
    status: str


@dataclass(frozen=True)
class Computed:
    """What the warehouse says about one period."""

    period: ReportingPeriod
    as_of_at: datetime
    rows: tuple[Row, ...]
    narrative: Mapping[str, NarrativeValue]

    def labels(self) -> dict[tuple[int, str], str]:
        """The label of each (form, code), to recognise a row by."""
        return {(row.form_no, row.code): row.label for row in self.rows}


@dataclass(frozen=True)
class Line:
    """One line of the comparison: a row of the appendix, or a figure of the text."""

    place: str
    section: str
    code: str
    label: str
    unit: str
    declared: str
    computed: str
    difference: str
    level: Level
    reasons: tuple[Reason, ...]
    is_heading: bool = False
    form_no: int = 0
    form_title: str = ""

    @property
    def explanation(self) -> str:
        return " ".join(reason.sentence for reason in self.reasons)


@dataclass(frozen=True)
class Finding:
    """A contradiction or a remark, as it stands in the list."""

    level: Level
    kind: str
    place: str
    label: str
    declared: str
    expected: str
    reason: str


@dataclass(frozen=True)
class Comparison:
    """The whole check."""

    computed: Computed
    rows: tuple[Line, ...]
    figures: tuple[Line, ...]
    findings: tuple[Finding, ...]

    @property
    def contradictions(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.level == Level.WRONG)

    @property
    def remarks(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.level == Level.REMARK)

    def count(self, level: Level) -> int:
        """How many figures (headings aside) stand at a level."""
        return sum(line.level == level for line in (*self.rows, *self.figures) if not line.is_heading)


@dataclass(frozen=True)
class TextFigure:
    """An entry of text_figures.csv: what a key of the text means, and the row that it repeats, if any."""

    key: str
    section: str
    label: str
    unit: str
    kind: str
    row: str
    scale: Fraction
    note_rate_key: str


@dataclass(frozen=True)
class Relation:
    """An entry of declared_relations.csv: what must hold between figures of one report."""

    figure: str
    relation: str
    numerator: tuple[tuple[int, str], ...]
    denominator: tuple[tuple[int, str], ...]
    scale: Fraction
    level: Level
    rest: str


@cache
def text_figures() -> dict[str, TextFigure]:
    """Every known key of the text, other spellings included."""
    known = {}
    for row in _table("text_figures.csv"):
        figure = TextFigure(
            row["key"], row["section"], row["label_vi"], row["unit_vi"], row["kind"], row["row"],
            Fraction(row["scale"]), row["note_rate_key"],
        )  # fmt: skip
        known |= dict.fromkeys([row["key"], *row["aliases"].split()], figure)
    return known


@cache
def relations() -> tuple[Relation, ...]:
    """Every relation of the catalogue of relations."""
    return tuple(
        Relation(
            row["figure"], row["relation"], _signed(row["terms"]), _signed(row["denominator"]),
            Fraction(row["scale"]), Level[row["level"].upper()], row["rest_vi"],
        )
        for row in _table("declared_relations.csv")
    )  # fmt: skip


def read_computed(connection: Connection, period_id: str) -> Computed:
    """Read what is published for a period; raises FiguresUnfit when there is nothing."""
    period = ReportingPeriod.parse(period_id)
    records = connection.execute(_ROWS, {"period_id": period_id}).mappings().all()
    if not records:
        raise FiguresUnfit(f"Kho chưa có số liệu kỳ {period_id}; hãy chạy `cchc refresh {period_id}` trước")
    rows = tuple(
        Row(
            form_no=record["form_no"],
            form_title=record["form_title"] or "",
            code=record["code"],
            label=record["label"],
            unit=record["unit"] or "",
            kind=record["kind"],
            value=record["value"],
            display=record["display"] or "",
            status=record["status"],
            missing_names=tuple(record["missing_names"]),
            formula=Formula.parse(record["formula"]),
        )
        for record in records
    )
    narrative = {
        key: NarrativeValue(value, display or "", status)
        for key, value, display, status in connection.execute(_NARRATIVE, {"period_id": period_id})
    }
    return Computed(period, records[0]["as_of_at"].astimezone(LOCAL_ZONE), rows, narrative)


def compare(computed: Computed, declared: Declared) -> Comparison:
    """Hold everything declared against the warehouse and against itself."""
    return _Check(computed, declared).run()


def vietnamese(value: Fraction | Decimal | int, decimals: int = _SHOWN_DECIMALS) -> str:
    """54148 → `54.148`, 99,66868 → `99,67`: half up, no trailing zeros."""
    exact = Fraction(value)
    digits = str(abs(_half_up(exact, decimals)))
    whole, _, part = digits.partition(".")
    part = part.rstrip("0")
    shown = f"{int(whole):,}".replace(",", ".") + (f",{part}" if part else "")
    return f"-{shown}" if exact < 0 and shown.strip("0.,") else shown


# --- the work -----------------------------------------------------------------------------------------------------


@dataclass
class _Item:
    """A figure while it is being judged."""

    place: str
    section: str
    code: str
    label: str
    unit: str
    kind: str
    reading: Reading
    computed: str = ""
    difference: str = ""
    reasons: list[Reason] = field(default_factory=list)
    is_open: bool = False

    def say(self, level: Level, kind: str, sentence: str, expected: str = "") -> None:
        self.reasons.append(Reason(level, kind, sentence, expected))

    @property
    def level(self) -> Level:
        worst = max((reason.level for reason in self.reasons), default=Level.MATCH)
        return max(worst, Level.OPEN) if self.is_open else worst


@dataclass(frozen=True)
class _Range:
    """Everything that a written figure can stand for: a count is itself, 12,7 is 12,65 to 12,75."""

    low: Fraction
    high: Fraction

    @property
    def is_exact(self) -> bool:
        return self.low == self.high

    def __add__(self, other: _Range) -> _Range:
        return _Range(self.low + other.low, self.high + other.high)

    def times(self, factor: Fraction) -> _Range:
        ends = sorted((self.low * factor, self.high * factor))
        return _Range(*ends)

    def meets(self, other: _Range) -> bool:
        return self.low <= other.high and other.low <= self.high


class _Check:
    def __init__(self, computed: Computed, declared: Declared) -> None:
        self.computed = computed
        self.declared = declared
        self.rows = {row.catalogue_code: row for row in computed.rows}
        self.row_items: dict[str, _Item] = {}
        self.text_items: dict[str, _Item] = {}
        self.declared_rows: dict[str, DeclaredRow] = {}
        self.lost_forms: set[int] = set()
        self.findings: list[Finding] = []

    def run(self) -> Comparison:
        self._collect_rows()
        self._collect_figures()
        for code, item in self.row_items.items():
            self._judge_row(self.rows[code], item)
        for key, item in self.text_items.items():
            self._judge_figure(key, item)
        # a limit says less than a sum or a ratio, so it has its say last
        judged = (relation for relation in relations() if relation.relation != "mean")
        for relation in sorted(judged, key=lambda relation: relation.relation == "at_most"):
            self._judge_relation(relation)
        for relation in relations():
            if relation.relation == "sum":
                self._judge_consequence(relation)
            elif relation.relation == "mean":
                self._explain_mean(relation)
        rows = tuple(self._row_line(row) for row in self.computed.rows) if self.declared.has_appendix else ()
        figures = tuple(self._line(item) for item in self.text_items.values())
        self._list_findings()
        ordered = sorted(self.findings, key=lambda finding: -finding.level)
        return Comparison(self.computed, rows, figures, tuple(ordered))

    # --- what was declared ---

    def _collect_rows(self) -> None:
        if not self.declared.has_appendix:
            return
        forms = {row.form_no for row in self.declared.rows}
        self.lost_forms = {row.form_no for row in self.computed.rows} - forms
        repeats: dict[str, list[DeclaredRow]] = {}
        for declared in self.declared.rows:
            code = f"{declared.form_no}.{declared.code}"
            if code in self.declared_rows:
                repeats.setdefault(code, []).append(declared)
            else:
                self.declared_rows[code] = declared
        for row in self.computed.rows:
            code = row.catalogue_code
            if row.kind == "heading" or row.form_no in self.lost_forms:
                continue
            declared = self.declared_rows.get(code)
            reading = read_number(declared.text if declared else "", row.number_kind, choices_of(row.unit))
            item = _Item(
                row.place, f"Biểu {row.form_no}", row.code, row.label, row.unit, row.number_kind, reading, row.display
            )
            self.row_items[code] = item
            for remark in (*reading.remarks, *(declared.remarks if declared else ())):
                item.say(Level.REMARK, "writing", remark)
            for other in repeats.get(code, ()):
                same = other.text == declared.text
                item.say(
                    Level.REMARK if same else Level.WRONG,
                    "repeated",
                    f"Chỉ tiêu được ghi hai lần{'' if same else f', lần sau ghi “{other.text}”'} ({other.place}).",
                )

    def _collect_figures(self) -> None:
        for figure in self.declared.figures:
            self._collect_figure(figure)
        stated = set(self.text_items)
        for figure in self.declared.figures:
            known = text_figures().get(figure.key)
            rate = _NOTE_RATE.search(figure.note)
            if known and known.note_rate_key and known.note_rate_key not in stated and rate:
                self._collect_figure(
                    DeclaredFigure(figure.section, known.note_rate_key, rate[0], "", f"{figure.place}, cột note")
                )

    def _collect_figure(self, figure: DeclaredFigure) -> None:
        known = self._meaning(figure.key)
        key = known.key if known else figure.key
        section = figure.section or (known.section if known else "")
        # an unknown figure may have decimals, so only what nobody can read is called unreadable
        kind, unit, label = (known.kind, known.unit, known.label) if known else ("amount", "", figure.key)
        reading = read_figure(figure, kind)
        place = f"Lời văn, mục {section}" if section else "Lời văn"
        if key in self.text_items:
            item = self.text_items[key]
            same = (reading.value, reading.text) == (item.reading.value, reading.text)
            item.say(
                Level.REMARK if same or reading.value == item.reading.value else Level.WRONG,
                "repeated",
                f"Lời văn ghi số này hai lần, lần sau ghi “{figure.text}” ({figure.place}).",
            )
            return
        item = _Item(place, section, key, label, unit, kind, reading)
        self.text_items[key] = item
        for remark in reading.remarks:
            item.say(Level.REMARK, "writing", remark)
        if known is None:
            near = get_close_matches(figure.key, text_figures(), n=1)
            hint = f"; có phải là “{near[0]}”?" if near else ""
            item.say(Level.REMARK, "unknown", f"Khóa “{figure.key}” không có trong danh mục số liệu lời văn{hint}.")

    def _meaning(self, key: str) -> TextFigure | None:
        """A key of the catalogue, or the code of a row: 7.6.2 in the text is the figure of that row."""
        known = text_figures().get(key)
        row = self.rows.get(key.replace("/", ".", 1))
        if known is None and row is not None and row.kind != "heading":
            return TextFigure(key, "", row.label, row.unit, row.number_kind, row.catalogue_code, Fraction(1), "")
        return known

    # --- a row of the appendix ---

    def _judge_row(self, row: Row, item: _Item) -> None:
        declared = self.declared_rows.get(row.catalogue_code)
        reading = item.reading
        if declared is not None:
            self._judge_unit(row, declared, item)
        if reading.fault is not None:
            item.say(Level.WRONG, "unreadable", reading.fault + self._guess(reading, row.value), row.display)
            return
        if reading.is_approximate:
            item.say(Level.WRONG, "unreadable", f"“{reading.text}” không phải là số chính xác.", row.display)
            return
        if reading.value is None:
            self._judge_blank(row, item, is_there=declared is not None)
            return
        if row.value is not None:
            difference = Fraction(reading.value) - _rounded(Fraction(row.value), item)
            item.difference = vietnamese(difference, 6) if difference else ""
        is_told = self._judge_own_formula(row, item) or self._judge_note(row, declared, item)
        if not is_told:
            self._judge_computed(row, item)
        if row.number_kind == "percent" and reading.value == 100 and row.value is not None and row.value < 100:
            self._remark_full(item, Fraction(row.value))

    def _judge_unit(self, row: Row, declared: DeclaredRow, item: _Item) -> None:
        is_share = row.unit == "%"
        if item.reading.has_percent and not is_share:
            item.say(
                Level.WRONG,
                "unit",
                f"Chỉ tiêu là số đếm ({row.unit or 'không ghi đơn vị'}) nhưng ghi bằng %.",
                row.display,
            )
        elif declared.unit and ("%" in declared.unit) != is_share:
            item.say(
                Level.WRONG,
                "unit",
                f"Báo cáo ghi đơn vị “{declared.unit}”, mẫu quy định “{row.unit or 'không có đơn vị'}”.",
                row.display,
            )
        elif declared.unit and row.unit and _unlike_unit(declared.unit, row.unit):
            item.say(Level.REMARK, "unit", f"Báo cáo ghi đơn vị “{declared.unit}”, mẫu quy định “{row.unit}”.")
        if is_share and row.label.startswith("Số ") and item.reading.value is not None:
            item.say(
                Level.REMARK,
                "unit",
                "Tên chỉ tiêu là một số đếm nhưng mẫu quy định đơn vị %: số ghi được đọc là tỷ lệ.",
            )

    def _judge_blank(self, row: Row, item: _Item, *, is_there: bool) -> None:
        what = "Báo cáo để trống" if is_there else "Báo cáo không có dòng này"
        if row.value is None:
            item.is_open = row.status == "missing"
            if row.status == "missing":
                item.say(Level.OPEN, "no_source", f"{what}; kho cũng {_no_source(row)}.")
            elif not is_there:
                item.say(Level.REMARK, "missing", f"{what}; kho để trống vì không phát sinh.")
        elif row.value == 0 and is_there:
            item.say(Level.REMARK, "missing", "Báo cáo để trống, kho tính ra 0; nên ghi số 0.", row.display)
        else:
            item.say(Level.WRONG, "missing", f"{what}, kho tính ra {row.display}.", row.display)

    def _judge_own_formula(self, row: Row, item: _Item) -> bool:
        """Does the figure follow from the rows it is made of, as declared? True when it does not."""
        formula = row.formula
        if formula is None or not formula.is_of_rows:
            return False
        numerator = self._exact_sum(formula.numerator)
        denominator = self._exact_sum(formula.denominator) if formula.denominator else Fraction(1)
        if numerator is None or not denominator:
            return False
        own = numerator * formula.scale / denominator
        reading = item.reading
        if formula.denominator:
            if not (fault := _rounding_fault(reading, own)):
                return False
            share = f"{vietnamese(numerator)}/{vietnamese(denominator)}"
            item.say(Level.WRONG, *_ratio_reason(reading, own, share, fault, row.unit), vietnamese(own))
        else:
            if own == reading.value:
                return False
            parts = " + ".join(vietnamese(self._exact_sum([term])) for term in formula.numerator)
            gap = vietnamese(abs(own - Fraction(reading.value)))
            item.say(
                Level.WRONG,
                "sum",
                f"Các dòng thành phần cộng lại là {vietnamese(own)} ({parts}), tổng ghi {reading.text}: lệch {gap}.",
                row.display or vietnamese(own),
            )
        if row.value is not None and row.display != vietnamese(own):
            item.say(Level.WRONG, "value", f"Kho tính ra {row.display}.", row.display)
        return True

    def _exact_sum(self, terms: Iterable[tuple[int, str]]) -> Fraction | None:
        """The sum of declared rows; None when one of them is not declared or not readable."""
        total = Fraction(0)
        for sign, code in terms:
            item = self.row_items.get(code)
            if item is None or item.reading.value is None:
                return None
            total += sign * Fraction(item.reading.value)
        return total

    def _judge_note(self, row: Row, declared: DeclaredRow | None, item: _Item) -> bool:
        """A note such as `3/7 đơn vị` beside a ratio must give that ratio. True when it does not."""
        match = _NOTE_SHARE.search(declared.note) if declared and row.number_kind == "percent" else None
        if match is None or int(match[2]) == 0:
            return False
        stated = Fraction(100 * int(match[1]), int(match[2]))
        if not (fault := _rounding_fault(item.reading, stated)):
            return False
        kind, sentence = _ratio_reason(item.reading, stated, f"{match[1]}/{match[2]}", fault, row.unit)
        item.say(
            Level.WRONG, kind, f"{sentence} Hai số {match[1]} và {match[2]} lấy ở cột ghi chú.", vietnamese(stated)
        )
        return True

    def _judge_computed(self, row: Row, item: _Item) -> None:
        if row.value is None:
            self._judge_without_value(row, item)
            return
        exact, reading = Fraction(row.value), item.reading
        fault = _rounding_fault(reading, exact)
        if not fault:
            return
        level = Level.REMARK if row.status == "stale" else Level.WRONG
        stale = " Số của kho chưa cập nhật đủ đến thời điểm báo cáo." if row.status == "stale" else ""
        follows = row.formula is not None and row.formula.is_of_rows and bool(row.formula.denominator)
        if row.number_kind == "percent" and fault != "off":
            kind, sentence = _ratio_reason(reading, exact, "", fault, row.unit)
        elif follows:
            kind = "value"
            sentence = f"Tỷ lệ đúng với hai số đã ghi, nhưng kho tính ra {row.display} từ hai số khác."
        elif item.kind == "amount" and _is_rounded_off(reading, exact):
            level, kind = Level.REMARK, "rounded_off"
            sentence = f"Số ghi đã làm tròn; kho tính ra {row.display}."
        elif row.number_kind == "percent" and reading.value == self._numerator(row):
            kind = "unit"
            sentence = f"Ghi số lượng {reading.text} vào ô tỷ lệ; kho tính ra {row.display}%."
        else:
            kind, sentence = "value", f"Báo cáo ghi {reading.text}, kho tính ra {row.display}."
        item.say(level, kind, sentence + stale, row.display)

    def _numerator(self, row: Row) -> Decimal | None:
        codes = [code for sign, code in row.formula.numerator if sign > 0] if row.formula else []
        return self.rows[codes[0]].value if len(codes) == 1 and codes[0] in self.rows else None

    def _judge_without_value(self, row: Row, item: _Item) -> None:
        if row.status == "missing":
            item.is_open = True
            item.say(Level.OPEN, "no_source", f"Kho {_no_source(row)}; chỉ xét được trong nội bộ báo cáo.")
        elif item.reading.value == 0:
            item.say(Level.REMARK, "value", "Kho để trống vì không phát sinh; báo cáo ghi 0.")
        else:
            item.say(Level.WRONG, "value", f"Báo cáo ghi {item.reading.text}, kho để trống vì không phát sinh.")

    def _remark_full(self, item: _Item, exact: Fraction) -> None:
        if item.level < Level.REMARK:
            item.say(Level.REMARK, "rounded_off", f"Ghi 100% nhưng chưa đủ: số chính xác là {_long(exact)}%.")

    # --- a figure of the text ---

    def _judge_figure(self, key: str, item: _Item) -> None:
        known, reading = self._meaning(key), item.reading
        narrative = self.computed.narrative.get(key)
        row = self.rows.get(known.row) if known and known.row else None
        scale = known.scale if known else Fraction(1)
        stated_by_row = Fraction(row.value) * scale if row is not None and row.value is not None else None
        row_item = self.row_items.get(row.catalogue_code) if row is not None else None
        item.computed = (
            narrative.display if narrative else vietnamese(stated_by_row) if stated_by_row is not None else ""
        )
        if not item.computed and row_item is not None and row_item.reading.value is not None:
            item.computed = vietnamese(Fraction(row_item.reading.value) * scale)
        exact = Fraction(narrative.value) if narrative and narrative.value is not None else None
        if reading.fault is not None:
            guess = self._guess(reading, exact if exact is not None else stated_by_row)
            item.say(Level.WRONG, "unreadable", reading.fault + guess, item.computed)
            return
        if reading.is_approximate:
            self._judge_loosely(item, exact if exact is not None else stated_by_row)
            return
        if reading.value is None:
            if exact is not None:
                item.say(Level.WRONG, "missing", f"Lời văn không ghi số, kho tính ra {item.computed}.", item.computed)
            return
        if reading.has_percent and known and known.kind != "percent":
            item.say(Level.WRONG, "unit", f"Số này là {known.unit} nhưng lời văn ghi bằng %.", item.computed)
        differs_from_row = row is not None and self._judge_against_row(row, scale, item)
        shown = exact if exact is not None else stated_by_row
        if shown is not None:
            difference = Fraction(reading.value) - _rounded(shown, item)
            item.difference = vietnamese(difference, 6) if difference else ""
        if exact is not None and not differs_from_row and (fault := _rounding_fault(reading, exact)):
            level = Level.REMARK if narrative.status == "stale" else Level.WRONG
            if fault == "off":
                item.say(level, "value", f"Lời văn ghi {reading.text}, kho tính ra {item.computed}.", item.computed)
            else:
                item.say(level, *_ratio_reason(reading, exact, "", fault, item.unit), item.computed)
        if exact is None and row is None and known is not None and not self._has_relation(key):
            item.is_open = True
            item.say(Level.OPEN, "no_source", "Kho chưa tính số này và phụ lục không có dòng tương ứng.")

    def _judge_loosely(self, item: _Item, exact: Fraction | None) -> None:
        """`trên 90` is right for 90,68 and wrong for 89."""
        reading = item.reading
        if exact is None or (reading.above is None and reading.below is None):
            item.is_open = True
            item.say(Level.OPEN, "approximate", f"“{reading.text}” là số ước chừng, không đối chiếu.")
        elif (reading.above is not None and exact < reading.above) or (
            reading.below is not None and exact > reading.below
        ):
            bound = "trên" if reading.above is not None else "dưới"
            number = vietnamese(reading.above if reading.above is not None else reading.below)
            item.say(Level.WRONG, "limit", f"Lời văn ghi {bound} {number}, kho tính ra {item.computed}.", item.computed)
        else:
            item.say(Level.MATCH, "approximate", f"Ghi ước chừng; kho tính ra {item.computed}.")

    def _judge_against_row(self, row: Row, scale: Fraction, item: _Item) -> bool:
        """The text repeats a row of the appendix: do they agree? True when they do not."""
        reading, row_item = item.reading, self.row_items.get(row.catalogue_code)
        row_reading = row_item.reading if row_item else None
        if row_reading is None or row_reading.value is None:
            if row.value is None or not (fault := _rounding_fault(reading, Fraction(row.value) * scale)):
                item.is_open = item.is_open or (row.value is None and not self.computed.narrative.get(item.code))
                return False
            expected = vietnamese(Fraction(row.value) * scale)
            if fault == "off":
                item.say(
                    Level.WRONG, "value", f"Lời văn ghi {reading.text}, kho tính ra {expected} ({_at(row)}).", expected
                )
            else:
                item.say(
                    Level.WRONG, *_ratio_reason(reading, Fraction(row.value) * scale, "", fault, item.unit), expected
                )
            return True
        own = self._own_ratio(row)
        written = f"{_at(row)} ghi {row_reading.text}"
        if own is not None:
            exact, share = own
            if not (fault := _rounding_fault(reading, exact)):
                return False
            if fault == "off":
                sentence = f"Lời văn ghi {reading.text}%; {written}; {share} = {_long(exact)}%."
                item.say(Level.WRONG, "text_and_table", sentence, vietnamese(exact))
            else:
                kind, sentence = _ratio_reason(reading, exact, share, fault, item.unit)
                item.say(Level.WRONG, kind, f"{sentence} Còn {written}.", vietnamese(exact))
            return True
        told = _range(row_reading, row_item.kind).times(scale)
        if _range(reading, item.kind).meets(told):
            return False
        by_warehouse = f"; kho tính ra {vietnamese(Fraction(row.value) * scale)}" if row.value is not None else ""
        note = "" if scale == 1 else f" {row.unit.lower()}"
        sentence = f"Lời văn ghi {reading.text}, {written}{note}{by_warehouse}."
        item.say(Level.WRONG, "text_and_table", sentence, vietnamese(Fraction(row_reading.value) * scale))
        return True

    def _own_ratio(self, row: Row) -> tuple[Fraction, str] | None:
        formula = row.formula
        if formula is None or not formula.denominator or not formula.is_of_rows:
            return None
        numerator, denominator = self._exact_sum(formula.numerator), self._exact_sum(formula.denominator)
        if numerator is None or not denominator:
            return None
        return numerator * formula.scale / denominator, f"{vietnamese(numerator)}/{vietnamese(denominator)}"

    def _has_relation(self, key: str) -> bool:
        return any(
            all(self._term(term) is not None for _, term in (*relation.numerator, *relation.denominator))
            and self._term(relation.figure) is not None
            for relation in relations()
            if key == relation.figure or key in {term for _, term in (*relation.numerator, *relation.denominator)}
        )

    # --- relations between figures ---

    def _judge_relation(self, relation: Relation) -> None:
        item = self.text_items.get(relation.figure) or self.row_items.get(relation.figure)
        if item is None or item.reading.value is None:
            return
        numerator, denominator = self._total(relation.numerator), self._total(relation.denominator)
        if numerator is None or (relation.denominator and (denominator is None or denominator.low <= 0)):
            return
        right = numerator.times(relation.scale)
        if relation.denominator:
            right = _Range(right.low / denominator.high, right.high / denominator.low)
        left = _range(item.reading, item.kind)
        judge: Callable[[_Item, _Range, _Range, Relation], None] = getattr(self, f"_judge_{relation.relation}")
        before = len(item.reasons)
        judge(item, left, right, relation)
        self._mark_relation(item, right, relation, is_broken=len(item.reasons) > before)

    def _mark_relation(self, item: _Item, right: _Range, relation: Relation, *, is_broken: bool) -> None:
        """Say on the figures of the text what they could be held against."""
        if not item.computed and relation.relation != "at_most":
            item.computed = vietnamese((right.low + right.high) / 2)
        for _, term in ((1, relation.figure), *relation.numerator, *relation.denominator):
            part = self.text_items.get(term)
            if part is None or part.reasons:
                continue
            if is_broken and self._is_computed(term):
                part.say(Level.MATCH, "related", f"Kho cũng tính ra {part.computed}; xem thêm “{item.label}”.")
            elif is_broken:
                part.is_open = True
                part.say(Level.OPEN, "related", f"Nằm trong một phép tính không khớp, xem “{item.label}”.")
            elif term in self.computed.narrative or self._repeats_row(term):
                continue
            elif relation.relation == "at_most":
                part.is_open = True
                part.say(Level.OPEN, "related", "Không mâu thuẫn với số liên quan trong báo cáo; kho chưa tính số này.")
            else:
                part.say(Level.MATCH, "related", "Chỉ đối chiếu được với số liên quan trong báo cáo.")

    def _is_computed(self, key: str) -> bool:
        narrative = self.computed.narrative.get(key)
        return narrative is not None and narrative.value is not None

    def _repeats_row(self, key: str) -> bool:
        known = self._meaning(key)
        return known is not None and known.row != ""

    def _judge_ratio(self, item: _Item, left: _Range, right: _Range, relation: Relation) -> None:
        middle = (right.low + right.high) / 2
        share = f"({self._spelled(relation.numerator)})/({self._spelled(relation.denominator)})"
        share = re.sub(r"\((\S+)\)", r"\1", share)
        if right.is_exact:
            fault = _rounding_fault(item.reading, middle)
        else:
            fault = None if left.meets(right) else _rounding_fault(item.reading, middle) or "off"
        if fault:
            item.say(relation.level, *_ratio_reason(item.reading, middle, share, fault, item.unit), vietnamese(middle))

    def _judge_sum(self, item: _Item, left: _Range, right: _Range, relation: Relation) -> None:
        if left.meets(right):
            return
        total, parts = Fraction(item.reading.value), self._plain_total(relation.numerator) * relation.scale
        unit = f" {item.unit.lower()}" if item.unit else ""
        spelled = f"{self._spelled(relation.numerator)} = {vietnamese(parts)}"
        if total > parts:
            rest = f"còn lại {vietnamese(total - parts)}{unit} {relation.rest}".rstrip()
        else:
            rest = f"thành phần vượt tổng {vietnamese(parts - total)}{unit}"
        names = ", ".join(self._name(term) for _, term in relation.numerator)
        sentence = f"Không khớp: {spelled} trong khi tổng ghi {vietnamese(total)}; {rest} (thành phần: {names})."
        item.say(relation.level, "sum", sentence, vietnamese(parts))

    def _judge_consequence(self, relation: Relation) -> None:
        """Of two parts that are off against each other under a right total, one is wrong and the other follows."""
        total = self.text_items.get(relation.figure)
        parts = [self.text_items.get(term) for _, term in relation.numerator]
        if total is None or None in parts or any(reason.kind == "value" for reason in total.reasons):
            return
        off = [part for part in parts if part.level == Level.WRONG]
        leading = [part for part in off if part.reasons[0].kind == "text_and_table"]
        following = [part for part in off if part.reasons[0].kind == "value"]
        if len(leading) != 1 or len(following) != 1 or len(off) != 2:
            return
        [lead], [follower] = leading, following
        gaps = [
            Fraction(part.reading.value) - Fraction(self.computed.narrative[part.code].value)
            for part in off
            if self._is_computed(part.code)
        ]
        if len(gaps) != 2 or sum(gaps):
            return
        follower.reasons[:] = [
            Reason(
                Level.REMARK,
                "follows",
                f"Lời văn ghi {follower.reading.text}, kho tính ra {follower.computed}: lệch theo "
                f"“{lead.label}”; tổng {total.reading.text} vẫn đúng.",
                follower.computed,
            )
        ]

    def _explain_mean(self, relation: Relation) -> None:
        """A rate of all that is really the rate of one part."""
        item = self.text_items.get(relation.figure)
        if item is None or item.level != Level.WRONG:
            return
        for _, key in relation.numerator:
            if not self._is_computed(key):
                continue
            part = self.computed.narrative[key]
            if _rounding_fault(item.reading, Fraction(part.value)) is None:
                found = item.reasons[0]
                also = f"{found.sentence} Số đã ghi là của riêng {relation.rest}."
                item.reasons[0] = Reason(found.level, found.kind, also, found.expected)

    def _judge_same(self, item: _Item, left: _Range, right: _Range, relation: Relation) -> None:
        if not left.meets(right):
            other = vietnamese(self._plain_total(relation.numerator))
            name = self._name(relation.numerator[0][1])
            item.say(relation.level, "sum", f"Ghi {item.reading.text}, trong khi {name} ghi {other}.", other)

    def _judge_at_most(self, item: _Item, left: _Range, right: _Range, relation: Relation) -> None:
        if left.low > right.high:
            limit = vietnamese(self._plain_total(relation.numerator))
            names = " và ".join(self._name(term) for _, term in relation.numerator)
            item.say(relation.level, "limit", f"Ghi {item.reading.text}, lớn hơn {limit} của {names}.", f"≤ {limit}")

    def _term(self, term: str) -> tuple[Reading, str] | None:
        item = self.text_items.get(term) or self.row_items.get(term)
        if item is not None and item.reading.value is not None:
            return item.reading, item.kind
        row = self.rows.get(term)
        # without an appendix, the warehouse's own rows stand in for it
        if row is not None and row.value is not None and not self.declared.has_appendix:
            return Reading(row.display, row.value, _decimals(row.value)), "count"
        return None

    def _total(self, terms: Sequence[tuple[int, str]]) -> _Range | None:
        total = _Range(Fraction(0), Fraction(0))
        for sign, term in terms:
            found = self._term(term)
            if found is None:
                return None
            total += _range(*found).times(Fraction(sign))
        return total

    def _plain_total(self, terms: Sequence[tuple[int, str]]) -> Fraction:
        return sum((sign * Fraction(self._term(term)[0].value) for sign, term in terms), Fraction(0))

    def _spelled(self, terms: Sequence[tuple[int, str]]) -> str:
        pieces = [
            f"{'−' if sign < 0 else '+'} {vietnamese(Fraction(self._term(term)[0].value))}" for sign, term in terms
        ]
        return " ".join(pieces).removeprefix("+ ")

    def _name(self, term: str) -> str:
        row = self.rows.get(term)
        if row is not None:
            return _at(row)
        label = text_figures()[term].label
        return label if label[1:2].isupper() else label[0].lower() + label[1:]

    def _guess(self, reading: Reading, value: Decimal | Fraction | None) -> str:
        """The same digits, differently grouped, are most likely what was meant."""
        digits = re.sub(r"\D", "", reading.text)
        if value is not None and digits and digits == re.sub(r"\D", "", vietnamese(value)):
            return f" Có lẽ là {vietnamese(value)}."
        return ""

    # --- what comes out ---

    def _row_line(self, row: Row) -> Line:
        item = self.row_items.get(row.catalogue_code)
        if item is not None:
            return self._line(item, row)
        declared = self.declared_rows.get(row.catalogue_code)
        is_heading = row.kind == "heading"
        level = Level.MATCH if is_heading else Level.WRONG
        reasons: tuple[Reason, ...] = ()
        if is_heading and declared is not None and declared.text:
            level = Level.REMARK
            reasons = (Reason(level, "heading", f"Dòng đề mục không có kết quả, báo cáo ghi “{declared.text}”."),)
            self._find(row.place, row.label, declared.text, reasons)
        elif not is_heading:
            reasons = (Reason(level, "missing", f"Báo cáo không có biểu {row.form_no}."),)
        return Line(
            row.place, f"Biểu {row.form_no}", row.code, row.label, row.unit, declared.text if declared else "",
            row.display, "", level, reasons, is_heading and level == Level.MATCH, row.form_no, row.form_title,
        )  # fmt: skip

    def _line(self, item: _Item, row: Row | None = None) -> Line:
        worst_first = tuple(sorted(item.reasons, key=lambda reason: -reason.level))
        return Line(
            item.place, item.section, item.code, item.label, item.unit, item.reading.text, item.computed,
            item.difference, item.level, worst_first, False,
            row.form_no if row else 0, row.form_title if row else "",
        )  # fmt: skip

    def _list_findings(self) -> None:
        heading_findings, self.findings = self.findings, []
        for form_no in sorted(self.lost_forms):
            self.findings.append(
                Finding(Level.WRONG, "missing", f"Biểu {form_no}", "", "", "", f"Báo cáo không có biểu {form_no}.")
            )
        for item in (*self.row_items.values(), *self.text_items.values()):
            self._find(item.place, item.label, item.reading.text, item.reasons)
        self.findings += heading_findings
        for row in self.declared.strangers:
            form = f"Biểu {row.form_no}, dòng {row.code}" if row.form_no else f"Dòng {row.code}"
            self.findings.append(
                Finding(Level.REMARK, "unknown", form, row.label, row.text, "", f"Mẫu không có dòng này ({row.place}).")
            )

    def _find(self, place: str, label: str, declared: str, reasons: Iterable[Reason]) -> None:
        """One entry for the contradictions of a figure, one for its remarks."""
        for level in (Level.WRONG, Level.REMARK):
            said = [reason for reason in reasons if reason.level == level]
            if said:
                expected = next((reason.expected for reason in said if reason.expected), "")
                sentence = " ".join(reason.sentence for reason in said)
                self.findings.append(Finding(level, said[0].kind, place, label, declared, expected, sentence))


# --- numbers ------------------------------------------------------------------------------------------------------


def _half_up(value: Fraction, decimals: int) -> Decimal:
    """Half up, away from zero, of the exact value."""
    scaled = abs(value) * 10**decimals
    rounded = Decimal(floor(scaled + Fraction(1, 2))).scaleb(-decimals)
    return -rounded if value < 0 else rounded


def _cut(value: Fraction, decimals: int) -> Decimal:
    scaled = abs(value) * 10**decimals
    cut = Decimal(floor(scaled)).scaleb(-decimals)
    return -cut if value < 0 else cut


def _rounding_fault(reading: Reading, exact: Fraction) -> str | None:
    """None when the figure is the exact value at its own precision; else `cut`, `up` or `off`."""
    value, cut = reading.value, _cut(exact, reading.decimals)
    if value == _half_up(exact, reading.decimals):
        return None
    if value == cut:
        return "cut"
    if exact != cut and value == cut + Decimal(1).scaleb(-reading.decimals):
        return "up"
    return "off"


def _ratio_reason(reading: Reading, exact: Fraction, share: str, fault: str, unit: str) -> tuple[str, str]:
    """(kind, sentence) for a ratio that is not what its counts give."""
    sign = "%" if unit == "%" else ""
    calculated = f"{share} = {_long(exact)}{sign}" if share else f"Giá trị chính xác là {_long(exact)}{sign}"
    due = f"{vietnamese(exact)}{sign}"
    written = reading.text if reading.text.endswith("%") else f"{reading.text}{sign}"
    if fault == "cut":
        fewer = f" và chỉ giữ {reading.decimals} chữ số thập phân" if reading.decimals < _SHOWN_DECIMALS else ""
        return "cut", f"{calculated}, làm tròn là {due}; báo cáo ghi {written} vì cắt bớt thay vì làm tròn{fewer}."
    if fault == "up":
        return "up", f"{calculated}, làm tròn là {due}; báo cáo ghi {written} vì làm tròn lên."
    return "ratio", f"Tỷ lệ không theo hai số của nó: {calculated}, tức {due}; báo cáo ghi {written}."


def _is_rounded_off(reading: Reading, exact: Fraction) -> bool:
    """2.518.000 for 2.517.834: right to the last digit that is not a zero of convenience."""
    digits = str(int(reading.value)) if reading.value == reading.value.to_integral_value() else ""
    zeros = len(digits) - len(digits.rstrip("0"))
    return (
        zeros >= 3
        and reading.value != 0
        and Fraction(reading.value) == Fraction(_half_up(exact / 10**zeros, 0)) * 10**zeros
    )


def _range(reading: Reading, kind: str) -> _Range:
    value = Fraction(reading.value)
    half = Fraction(0) if kind == "count" else Fraction(1, 2 * 10**reading.decimals)
    return _Range(value - half, value + half)


def _rounded(exact: Fraction, item: _Item) -> Fraction:
    """The exact value at the precision that was declared, or as it is shown."""
    decimals = item.reading.decimals if not _rounding_fault(item.reading, exact) else _SHOWN_DECIMALS
    return Fraction(_half_up(exact, decimals))


def _long(exact: Fraction) -> str:
    """Enough decimals to see which way it rounds, with an ellipsis when there are more."""
    shown = vietnamese(Fraction(_cut(exact, 4)), 4)
    return shown if exact == Fraction(_cut(exact, 4)) else f"{shown}…"


def _decimals(value: Decimal) -> int:
    return max(0, -value.normalize().as_tuple().exponent)


# --- words --------------------------------------------------------------------------------------------------------


def _at(row: Row) -> str:
    return f"biểu {row.form_no}, chỉ tiêu {row.code}"


def _no_source(row: Row) -> str:
    names = ", ".join(row.missing_names)
    return f"chưa có nguồn số liệu: {names}" if names else "chưa có nguồn số liệu"


def _unlike_unit(declared: str, catalogue: str) -> bool:
    letters = [re.sub(r"\W", "", plain_text(unit)) for unit in (declared, catalogue)]
    return letters[0] != letters[1]


def _terms(expression: str) -> tuple[tuple[int, str], ...]:
    pieces = _OPERATOR.split(expression)
    if not all(re.fullmatch(r"[\w.]+", piece) for piece in pieces[::2]):
        return ()
    signs = [1, *(1 if operator == "+" else -1 for operator in pieces[1::2])]
    return tuple(zip(signs, pieces[::2], strict=True))


def _signed(terms: str) -> tuple[tuple[int, str], ...]:
    return tuple((-1 if term.startswith("-") else 1, term.lstrip("-")) for term in terms.split())


def _table(name: str) -> list[dict[str, Any]]:
    with (_DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
