"""The sentences of the draft report: text_report.yaml filled with figures. What Word makes of them is not in here.

The file is for officials: Jinja templates in which a figure of the text stands by its key (`{{ plan_tasks_done }}`)
and a row of the appendix by form and code (`{{ row('3/3.1') }}`). A figure prints itself: its value, or, standing
out, that its source is missing. So no sentence can show a figure that nobody computed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from cchc.periods import ReportingPeriod
from publish.check import vietnamese
from publish.figures import FiguresUnfit, NarrativeFigure, Report, Row

TEMPLATE = Path(__file__).parent / "data" / "text_report.yaml"
STALE_MARK = "(*)"

# Marks around what must look different, from the private use area: no source can hold them, see `_printable`.
_OPEN, _SEPARATOR, _CLOSE = "\ue000", "\ue001", "\ue002"
_MARKED = re.compile(f"{_OPEN}(?P<kind>[a-z]+){_SEPARATOR}(?P<text>[^{_CLOSE}]*){_CLOSE}|\\*\\*(?P<bold>[^*]+)\\*\\*")
_STYLES = {"h1", "h2", "h3", "p", "ask"}
_WORST = ("ok", "stale", "missing")
_MONTHS = 12


@dataclass(frozen=True)
class Run:
    """Text of one look: plain, bold, missing, stale, ask (for people to write) or blank (nothing to state)."""

    text: str
    kind: str = "plain"


@dataclass(frozen=True)
class Paragraph:
    """One paragraph; style is h1, h2, h3, p or ask."""

    style: str
    runs: tuple[Run, ...]


@dataclass(frozen=True)
class Table:
    """A table with a header row; widths are parts of the page's."""

    caption: str
    header: tuple[str, ...]
    widths: tuple[int, ...]
    rows: tuple[tuple[tuple[Run, ...], ...], ...]


@dataclass(frozen=True)
class Shown:
    """A figure as a sentence may use it: `{{ x }}`, `{{ x.trend }}`, `{{ x.as_of | day }}`, `{% if x.value %}`."""

    label: str
    unit: str
    value: Decimal | None
    display: str
    status: str
    sources: str
    as_of: date
    trend: str = ""

    @property
    def is_zero(self) -> bool:
        """A counted nought; what nobody counted is none."""
        return self.value is not None and self.value == 0

    @property
    def text(self) -> str:
        """The value with its per cent sign, or in words why there is none."""
        if self.status == "missing":
            return f"[chưa có số liệu: {self.sources}]"
        if self.value is None:
            return "[không phát sinh]"
        return f"{self.display}%" if self.unit == "%" else self.display

    def __str__(self) -> str:
        if self.status == "missing":
            return _marked("missing", self.text)
        if self.value is None:
            return _marked("blank", self.text)
        return _marked("stale", f"{self.text} {STALE_MARK}") if self.status == "stale" else self.text


@dataclass(frozen=True)
class Chart:
    """Bars in groups: one value of each series in each group."""

    title: str
    unit: str
    series: tuple[str, ...]
    groups: tuple[tuple[str, tuple[Shown, ...]], ...]


@dataclass(frozen=True)
class Target:
    """A rate that part III watches; `is_met` is None as long as the rate is not known."""

    label: str
    figure: Shown
    level: str
    is_met: bool | None


@dataclass(frozen=True)
class Draft:
    """The draft report, everything but its layout."""

    kind: str
    subject: str
    addressee: str
    signers: tuple[str, ...]
    recipients: tuple[str, ...]
    body: tuple[Paragraph | Table | Chart, ...]
    notes_title: str
    notes: tuple[Paragraph | Table | Chart, ...]


def draft(report: Report, province_name: str, issuer_name: str, template: Mapping[str, Any] | None = None) -> Draft:
    """Fill the sentences with the figures of a period.

    Raises FiguresUnfit when a sentence uses a figure that the warehouse does not know, or cannot be read.
    """
    template = template or _template()
    writer = _Writer(_context(report, template, province_name, issuer_name))
    try:
        return Draft(
            kind=template["kind"],
            subject=writer.line(template["subject"]),
            addressee=writer.line(template["addressee"]),
            signers=tuple(map(writer.line, template["signers"])),
            recipients=tuple(map(writer.line, template["recipients"])),
            body=tuple(writer.blocks(template["body"])),
            notes_title=writer.line(template["notes_title"]),
            notes=tuple(writer.blocks(template["notes"])),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise FiguresUnfit(f"Tệp lời văn {TEMPLATE.name} không đúng cấu trúc: {error!r}") from error


def period_words(period: ReportingPeriod) -> str:
    """The period within a sentence: `6 tháng đầu năm 2024`, `quý I năm 2024`."""
    return period.title_vi[:1].lower() + period.title_vi[1:]


def following(period: ReportingPeriod) -> str:
    """The period whose tasks part IV sets: after the half-year the second half, after nine months quarter IV."""
    part, year = period.part, period.year
    if part == "9M":
        return period_words(ReportingPeriod.parse(f"{year}-Q4"))
    number = int(part[1:]) if part[1:] else 1
    last = {"M": 12, "Q": 4, "H": 2, "Y": 1}[part[0]]
    year, number = (year + 1, 1) if number == last else (year, number + 1)
    name = {"M": f"M{number:02}", "Q": f"Q{number}", "H": f"H{number}", "Y": "Y"}[part[0]]
    if part == "H2":
        name = "Y"
    return period_words(ReportingPeriod.parse(f"{year}-{name}"))


def trend(value: Decimal, before: Decimal, unit: str, year: int) -> str:
    """` (tăng 5 nhiệm vụ so với cùng kỳ năm 2023)`; the difference is exact, rounded half up when shown."""
    difference = value - before
    amount = vietnamese(abs(difference))
    if difference == 0:
        return f" (bằng cùng kỳ năm {year})"
    if amount == "0":
        return f" (tương đương cùng kỳ năm {year})"
    unit = "điểm phần trăm" if unit == "%" else unit.lower()
    return f" ({'tăng' if difference > 0 else 'giảm'} {amount} {unit} so với cùng kỳ năm {year})"


@cache
def _template() -> dict[str, Any]:
    try:
        return yaml.safe_load(TEMPLATE.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise FiguresUnfit(f"Tệp lời văn {TEMPLATE.name} không đọc được: {error}") from error


@cache
def _environment() -> SandboxedEnvironment:
    environment = SandboxedEnvironment(
        undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(day=_day, number=vietnamese)
    return environment


@cache
def _compiled(template: str) -> Template:
    return _environment().from_string(template)


class _Writer:
    """Renders templates; a template that fails is named."""

    def __init__(self, context: Mapping[str, Any]) -> None:
        self._context = context

    def line(self, template: str) -> str:
        """One line of text without marks: a title, a caption, an addressee."""
        return " ".join("".join(run.text for run in _runs(self._render(template))).split())

    def blocks(self, blocks: Sequence[Mapping[str, Any]]) -> Iterable[Paragraph | Table | Chart]:
        for block in blocks:
            ((kind, content),) = block.items()
            if kind in _STYLES:
                yield from self._paragraphs(kind, content)
            elif kind == "table":
                yield from self._table(content)
            elif kind == "chart":
                yield self._chart(content)
            else:
                raise FiguresUnfit(f"Tệp lời văn {TEMPLATE.name} có khối lạ: {kind}")

    def _paragraphs(self, style: str, template: str) -> Iterable[Paragraph]:
        """Each line is a paragraph; a condition that leaves nothing leaves no paragraph."""
        for line in self._render(template).splitlines():
            if text := " ".join(line.split()):
                runs = (Run(f"[Đơn vị bổ sung: {text}]", "ask"),) if style == "ask" else _runs(text)
                yield Paragraph(style, runs)

    def _table(self, content: Mapping[str, Any]) -> Iterable[Table]:
        rows = tuple(
            tuple(_runs(cell.strip()) for cell in line.split("|"))
            for line in self._render(content["rows"]).splitlines()
            if line.strip()
        )
        if not rows:
            return
        header = tuple(map(self.line, content["header"]))
        if wrong := [row for row in rows if len(row) != len(header)]:
            raise FiguresUnfit(f"Bảng «{content['caption']}» có dòng không đủ {len(header)} ô: {wrong[0]}")
        yield Table(self.line(content["caption"]), header, tuple(content["widths"]), rows)

    def _chart(self, content: Mapping[str, Any]) -> Chart:
        groups = tuple(
            (self.line(group["label"]), tuple(self._figure(expression) for expression in group["values"]))
            for group in content["groups"]
        )
        return Chart(self.line(content["title"]), content["unit"], tuple(content["series"]), groups)

    def _figure(self, expression: str) -> Shown:
        compiled = self._guarded(expression, lambda: _environment().compile_expression(expression, False))
        found = self._guarded(expression, lambda: compiled(**self._context))
        if not isinstance(found, Shown):
            raise FiguresUnfit(f"Biểu đồ dùng số liệu không có: {expression}")
        return found

    def _render(self, template: str) -> str:
        return self._guarded(template, lambda: _compiled(template).render(self._context))

    @staticmethod
    def _guarded(template: str, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except (TemplateError, TypeError, ArithmeticError) as error:
            start = " ".join(template.split())[:80]
            raise FiguresUnfit(f"Lời văn «{start}…» không dựng được: {error}") from error


def _context(report: Report, template: Mapping[str, Any], province_name: str, issuer_name: str) -> dict[str, Any]:
    figures = _Figures(report, template["sources"])
    narrative = {item.key: figures.of_text(item) for item in report.narrative}
    rows = {(form.number, row.code): figures.of_row(form.number, row) for form, row in report.rows()}

    used: dict[str, Shown] = {}

    def row(place: str) -> Shown:
        number, _, code = place.partition("/")
        found = rows.get((int(number), code)) if number.isdigit() else None
        if found is None:
            raise TypeError(f"phụ lục không có dòng {place}")
        used[place] = found
        return found

    def of_status(status: str) -> list[Shown]:
        """Figures of the text, and rows that a sentence so far has used."""
        return [figure for figure in (*narrative.values(), *used.values()) if figure.status == status]

    def compared(*names: Shown) -> list[Shown]:
        return [figure for figure in names if figure.trend]

    period = report.period
    return {
        **narrative,
        "row": row,
        "sum": lambda *parts: _combined(parts, [1] * len(parts)),
        "difference": lambda left, right: _combined((left, right), (1, -1)),
        "ask": lambda text: _marked("ask", f"[Đơn vị bổ sung: {text}]"),
        "compared": compared,
        "period": period_words(period),
        "following": following(period),
        "year": period.year,
        "from_on": period.from_on,
        "to_on": period.to_on,
        "as_of": report.as_of_at.date(),
        "province": province_name,
        "issuer": issuer_name,
        "lacking": lambda: of_status("missing"),
        "stale": lambda: of_status("stale"),
        "warnings": [replace(item, message=_printable(item.message)) for item in report.warnings],
        "targets": _targets(template["targets"], narrative, row, period),
    }


class _Figures:
    """Turns what was read into what sentences use: sources by name, trends where there is a base."""

    def __init__(self, report: Report, source_names: Mapping[str, str]) -> None:
        self._report = report
        self._source_names = source_names
        # a row lists all that it needs; what another whole figure rests on is not what lacks
        self._whole = {source for _, row in report.rows() if row.status == "ok" for source in row.sources}

    def of_text(self, figure: NarrativeFigure) -> Shown:
        before = self._base.narrative.get(figure.key) if self._base else None
        return Shown(
            _printable(figure.label), figure.unit, figure.value, figure.display, figure.status,
            self._sources(figure.datasets), figure.as_of_on,
            self._trend(figure.value, figure.status, before, figure.unit),
        )  # fmt: skip

    def of_row(self, form_no: int, row: Row) -> Shown:
        before = self._base.rows.get((form_no, row.code)) if self._base else None
        unit = "" if "=" in row.unit else row.unit
        lacking = tuple(source for source in row.sources if source not in self._whole) or row.sources
        return Shown(
            _printable(row.label), unit, row.value, row.display, row.status,
            self._sources(lacking), min(self._report.as_of_at.date(), self._report.period.to_on),
            self._trend(row.value, row.status, before, unit) if unit else "",
        )  # fmt: skip

    @property
    def _base(self) -> Any:
        """The year before, if it was cut at the same day: half of a period is not compared with a whole one."""
        before = self._report.year_before
        if before is None:
            return None
        cut = min(self._report.as_of_at.date(), self._report.period.to_on)
        cut_before = min(before.as_of_at.date(), before.period.to_on)
        return before if (cut.month, cut.day) == (cut_before.month, cut_before.day) else None

    def _trend(self, value: Decimal | None, status: str, before: Decimal | None, unit: str) -> str:
        # A feed that was never asked so far back says nought, and there is no telling it from a real one.
        if value is None or status != "ok" or not before:
            return ""
        return trend(value, before, unit, self._report.period.year - 1)

    def _sources(self, datasets: Iterable[str]) -> str:
        names = (
            self._report.dataset_names.get(dataset) or self._source_names.get(dataset.split(".")[0], dataset)
            for dataset in datasets
        )
        return _printable("; ".join(dict.fromkeys(names))) or "chưa có nguồn trong kho"


def _combined(parts: Sequence[Shown], signs: Sequence[int]) -> Shown:
    """A sum of figures: as whole as the least whole of them."""
    status = max((part.status for part in parts), key=_WORST.index)
    lacking = "; ".join(dict.fromkeys(part.sources for part in parts if part.status == "missing"))
    values = [part.value for part in parts]
    total = None
    if status != "missing" and None not in values:
        total = sum((value * sign for value, sign in zip(values, signs, strict=True)), Decimal(0))
    first = parts[0]
    return Shown(
        first.label, first.unit, total, "" if total is None else vietnamese(total), status, lacking, first.as_of
    )


def _targets(
    entries: Sequence[Mapping[str, Any]],
    narrative: Mapping[str, Shown],
    row: Callable[[str], Shown],
    period: ReportingPeriod,
) -> list[Target]:
    targets = []
    for entry in entries:
        figure = row(entry["row"]) if "row" in entry else narrative[entry["key"]]
        # work that runs through the year is measured against the share of the year that has passed
        level = Decimal(100 * period.to_on.month) / _MONTHS if entry.get("pace") else Decimal(str(entry["at_least"]))
        is_met = None if figure.value is None else figure.value >= level
        targets.append(Target(entry.get("label") or figure.label, figure, f"{vietnamese(level)}%", is_met))
    return targets


def _marked(kind: str, text: str) -> str:
    return f"{_OPEN}{kind}{_SEPARATOR}{text}{_CLOSE}"


def _runs(text: str) -> tuple[Run, ...]:
    runs, start = [], 0
    for match in _MARKED.finditer(text):
        runs.append(Run(text[start : match.start()]))
        runs.append(Run(match["bold"], "bold") if match["bold"] else Run(match["text"], match["kind"]))
        start = match.end()
    runs.append(Run(text[start:]))
    return tuple(run for run in runs if run.text)


def _printable(text: str) -> str:
    """Text from sources: no control character, none of our marks, no cell border."""
    kept = "".join(letter if letter.isprintable() else " " for letter in text)
    return kept.replace("|", "/").replace("**", "*")


def _day(day: date) -> str:
    return f"{day.day}/{day.month}/{day.year}"
