"""Why this number: an indicator's formula, the counts behind it, its models, its files, and the rows themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Connection, text

from cchc.periods import LOCAL_ZONE, ReportingPeriod
from cchc.progress import vietnamese
from publish.check import Formula
from publish.check import vietnamese as shown
from publish.declared import plain_text
from publish.figures import FiguresUnfit
from publish.indicators import plain

_MEASURES = Path(__file__).parent / "data" / "measures.yaml"

_INDICATORS = text("""
    select form_no, code, label, unit, kind, value, display, status, formula, sources, inputs, as_of_at
    from reporting.rpt_indicator
    where period_id = :period_id
    order by form_no, sort_order
""")
# a figure of the text has the shape of a row whose terms are measures
_FIGURE = text("""
    with terms as (
        select distinct term.code
        from reference.report_narrative as figure
        cross join lateral regexp_split_to_table(
            btrim(concat_ws(' ', figure.numerator, figure.denominator)), '\\s+'
        ) as term (code)
        where figure.narrative_key = :key
    ),

    measures as (
        select measure.*
        from reporting.rpt_measure as measure
        inner join terms on measure.measure_code = terms.code
        where measure.period_id = :period_id
    ),

    loads as (
        select distinct load.load_id from measures cross join lateral unnest(measures.load_ids) as load (load_id)
    ),

    datasets as (
        select distinct dataset.name from measures cross join lateral unnest(measures.datasets) as dataset (name)
    )

    select
        narrative.section, narrative.key as code, narrative.label, narrative.unit, narrative.value, narrative.display,
        narrative.status, figure.numerator, figure.denominator, figure.scale,
        (select max(measures.as_of_at) from measures) as as_of_at,
        (select array_agg(datasets.name order by datasets.name) from datasets) as sources,
        jsonb_build_object(
            'terms', (select jsonb_object_agg(measure_code, measure_value) from measures),
            'models', (select jsonb_agg(distinct model_name) from measures where model_name is not null),
            'load_ids', (select jsonb_agg(load_id) from loads)
        ) as inputs
    from reporting.rpt_narrative as narrative
    inner join reference.report_narrative as figure on narrative.key = figure.narrative_key
    where narrative.period_id = :period_id and narrative.key = :key
""")
_LOADS = text("""
    select
        load.load_id, load.source, load.dataset, load.digest, load.rows_read, load.rows_loaded, load.rows_rejected,
        load.rows_duplicate, load.landing_uri, load.finished_at,
        coalesce(
            (
                select array_agg(distinct arrival.name order by arrival.name)
                from ops.arrival as arrival
                where arrival.load_id = load.load_id
            ),
            '{}'
        ) as names
    from ops.load as load
    where load.load_id = any(:load_ids)
    order by load.source collate "C", load.dataset collate "C", load.covers_from_on nulls first, load.load_id
""")
_NAMES = text("""
    select source_dataset_id, dataset_name || ', ' || owner_name as name
    from reporting.rpt_source_status
    where period_id = :period_id
""")
_CODE = re.compile(r"(?P<form>\d)[./](?P<code>\d+(?:\.\d+)*)")
_MEASURE = re.compile(r"[a-z][a-z0-9_]*")
_STATUSES = {
    "ok": "đủ số liệu",
    "stale": "số liệu chưa cập nhật đủ đến thời điểm báo cáo",
    "missing": "chưa có số liệu nguồn",
}
_MOST_UNITS = 30


class UnknownCode(ValueError):
    """A code that no row of the report has."""


@dataclass(frozen=True)
class Indicator:
    """One row of the report, or one figure of its text (with a section), and everything it was computed from."""

    form_no: int
    code: str
    label: str
    unit: str
    kind: str
    value: Decimal | None
    display: str
    status: str
    formula: str
    sources: tuple[str, ...]
    inputs: dict[str, Any]
    as_of_at: datetime
    section: str = ""

    @property
    def catalogue_code(self) -> str:
        """What to call it by: the key of a figure of the text, else form and row."""
        return self.code if self.section else f"{self.form_no}.{self.code}"

    @property
    def place(self) -> str:
        return f"Lời văn, mục {self.section}" if self.section else f"Biểu {self.form_no}, chỉ tiêu {self.code}"


@dataclass(frozen=True)
class Term:
    """A row or a measure of the formula: how it is called, what it is, and the measures it adds up."""

    code: str
    label: str
    value: Decimal | None
    measures: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Load:
    """One load: what file it was and how many rows came of it."""

    load_id: int
    source: str
    dataset: str
    digest: str
    rows_read: int
    rows_loaded: int
    rows_rejected: int
    rows_duplicate: int
    landing_uri: str
    finished_at: datetime
    names: tuple[str, ...]


@dataclass(frozen=True)
class Breakdown:
    """The terms of the formula told apart by unit."""

    heading: str
    terms: tuple[Term, ...]
    units: tuple[tuple[str, tuple[Decimal, ...]], ...]


@dataclass(frozen=True)
class Explanation:
    """Everything there is to say about one figure."""

    period: ReportingPeriod
    indicator: Indicator
    terms: tuple[Term, ...]
    breakdowns: tuple[Breakdown, ...]
    loads: tuple[Load, ...]
    measures: tuple[str, ...]
    queries: tuple[tuple[str, str], ...]
    names: dict[str, str]

    def name(self, dataset: str) -> str:
        """A dataset as people call it, with its technical name."""
        return f"{self.names[dataset]} ({dataset})" if dataset in self.names else dataset


def explain(connection: Connection, period_id: str, code: str) -> Explanation:
    """Gather everything about one figure. Raises UnknownCode, or FiguresUnfit when the period is not computed."""
    period = ReportingPeriod.parse(period_id)
    records = connection.execute(_INDICATORS, {"period_id": period_id}).mappings().all()
    if not records:
        raise FiguresUnfit(f"Kho chưa có số liệu kỳ {period_id}; hãy chạy `cchc refresh {period_id}` trước")
    indicators = {item.catalogue_code: item for item in map(_indicator, records)}
    indicator = _figure(connection, period_id, code.strip()) or _find(indicators, code)
    terms = tuple(_terms(indicator, indicators))
    measures = tuple(dict.fromkeys(measure for term in terms for _, measure in term.measures))
    loads = tuple(
        Load(**{**record, "names": tuple(record["names"])})
        for record in connection.execute(_LOADS, {"load_ids": indicator.inputs.get("load_ids") or []}).mappings()
    )
    breakdowns = () if indicator.value is None else tuple(_breakdowns(connection, period_id, terms))
    return Explanation(
        period,
        indicator,
        terms,
        breakdowns,
        loads,
        measures,
        (*_mart_queries(period_id, measures, indicators), *_raw_queries(loads)),
        dict(connection.execute(_NAMES, {"period_id": period_id}).all()),
    )


def lines(explanation: Explanation, *, all_units: bool = False) -> Iterator[str]:
    """The explanation for a person, line by line."""
    item = explanation.indicator
    yield f"{item.place}: {item.label}"
    yield f"Kỳ báo cáo: {explanation.period.title_vi} ({explanation.period.id})"
    yield f"Số liệu tính đến: {item.as_of_at.astimezone(LOCAL_ZONE):%H:%M ngày %d/%m/%Y}"
    if item.kind == "heading":
        yield "Đây là dòng đề mục, không có kết quả."
        return
    yield from _value_lines(item)
    yield ""
    yield "Cách tính:"
    # a count is defined in words that only developers need
    yield f"  {item.formula if item.section or Formula.parse(item.formula) else 'đếm trực tiếp từ nguồn'}"
    for term in explanation.terms:
        value = "chưa có số liệu" if term.value is None else shown(term.value, 6)
        yield f"  {term.code}: {term.label} = {value}"
    for breakdown in explanation.breakdowns:
        yield ""
        yield from _breakdown_lines(breakdown, all_units=all_units)
    yield ""
    models = ", ".join(item.inputs.get("models") or []) or "chưa có"
    yield f"Mô hình dbt: {models}"
    yield f"Bộ dữ liệu: {'; '.join(map(explanation.name, item.sources)) or 'không có'}"
    yield ""
    yield from _load_lines(explanation)
    listed = [measure for measure in explanation.measures if rows_query(measure, explanation.period.id)]
    if listed:
        yield ""
        yield "Lệnh ghi ra từng dòng (bảng CSV):"
        yield from (f"  cchc explain {explanation.period.id} {item.catalogue_code} --rows {m}" for m in listed)
    for title, query in explanation.queries:
        yield ""
        yield f"{title}:"
        yield from (f"  {line}" for line in query.splitlines())


@cache
def measure_catalogue() -> dict[str, Any]:
    """Bases and measures of measures.yaml."""
    return yaml.safe_load(_MEASURES.read_text(encoding="utf-8"))


def rows_query(measure: str, period_id: str) -> str | None:
    """The query that lists the rows a measure counts, ready to run; None when the catalogue has none."""
    entry = measure_catalogue()["measures"].get(measure)
    if entry is None:
        return None
    query = measure_catalogue()["bases"][entry["base"]]["rows"].replace("{condition}", entry["condition"])
    # checked by ReportingPeriod.parse before it comes here
    return query.replace(":period_id", f"'{period_id}'").rstrip()


def total_query(measure: str, period_id: str) -> str | None:
    """The query that makes the measure of its listed rows, so that both can be held against the report."""
    rows = rows_query(measure, period_id)
    if rows is None:
        return None
    total = measure_catalogue()["measures"][measure].get("total", "count(*)")
    return f"select coalesce({total}, 0) as total from ({rows}) as listed"


def listed_rows(connection: Connection, explanation: Explanation, measure: str) -> Iterator[Sequence[Any]]:
    """The column names, then the rows a measure of the explained figure is made of. Raises UnknownCode."""
    query = rows_query(measure, explanation.period.id)
    if query is None or measure not in explanation.measures:
        known = ", ".join(explanation.measures) or "không có"
        raise UnknownCode(f"Chỉ tiêu này không có số đo «{measure}»; các số đo: {known}.")
    result = connection.execution_options(stream_results=True).execute(text(query))
    yield tuple(result.keys())
    yield from result


# --- what is known ------------------------------------------------------------------------------------------------


def _indicator(record: Any) -> Indicator:
    return Indicator(
        form_no=record["form_no"],
        code=record["code"],
        label=record["label"],
        unit=record["unit"] or "",
        kind=record["kind"],
        value=record["value"],
        display=record["display"] or "",
        status=record["status"],
        formula=record["formula"] or "",
        sources=tuple(record["sources"] or ()),
        inputs=record["inputs"] or {},
        as_of_at=record["as_of_at"],
    )


def _figure(connection: Connection, period_id: str, key: str) -> Indicator | None:
    """A figure of the text by its key; None when there is none of that name."""
    if not _MEASURE.fullmatch(key):
        return None
    record = connection.execute(_FIGURE, {"period_id": period_id, "key": key}).mappings().one_or_none()
    if record is None:
        return None
    numerator, denominator = (" + ".join((record[side] or "").split()) for side in ("numerator", "denominator"))
    formula = f"({numerator}) / ({denominator})" if denominator else numerator
    if record["scale"] != 1:
        formula += f" × {plain(record['scale'])}"
    return Indicator(
        form_no=0,
        code=record["code"],
        label=record["label"],
        unit=record["unit"] or "",
        kind="ratio" if denominator else "count",
        value=record["value"],
        display=record["display"] or "",
        status=record["status"],
        formula=formula,
        sources=tuple(record["sources"] or ()),
        inputs=record["inputs"],
        as_of_at=record["as_of_at"],
        section=record["section"],
    )


def _find(indicators: dict[str, Indicator], code: str) -> Indicator:
    """`3.3.1.1` and `3/3.1.1` are row 3.1.1 of form 3."""
    match = _CODE.fullmatch(code.strip())
    found = indicators.get(f"{match['form']}.{match['code']}") if match else None
    if found is not None:
        return found
    form = code.strip()[:1]
    known = [item.catalogue_code for item in indicators.values() if str(item.form_no) == form]
    hint = f" Biểu {form} có các mã: {', '.join(known)}." if known else ""
    raise UnknownCode(
        f"Không có chỉ tiêu «{code}». Mã gồm số biểu rồi đến số thứ tự, ví dụ 3.3.1.1 hoặc 3/3.1.1 "
        f"cho chỉ tiêu 3.1.1 của biểu 3; số liệu của lời văn gọi bằng khóa, ví dụ documents_sent.{hint}"
    )


def _terms(indicator: Indicator, indicators: dict[str, Indicator]) -> Iterator[Term]:
    values = indicator.inputs.get("terms") or {}
    for code in sorted(values, key=lambda code: _place(code, indicator)):
        row = indicators.get(code)
        value = values[code]
        label = row.label if row is not None else _measure_label(code, indicators)
        # terms are what was measured: dong, whatever unit the row is shown in
        if row is not None and row.kind == "amount":
            label = f"{label} (đồng)"
        yield Term(
            code, label, None if value is None else Decimal(str(value)), tuple(_leaves(code, indicators, 1, depth=0))
        )


def _place(code: str, indicator: Indicator) -> tuple[int, str]:
    """Where a term stands in the formula; a count's only measure is not in it."""
    at = indicator.formula.find(code)
    return (at if at >= 0 else len(indicator.formula), code)


def _leaves(code: str, indicators: dict[str, Indicator], sign: int, *, depth: int) -> Iterator[tuple[int, str]]:
    """The measures that a row adds up, through rows that are sums of rows."""
    row = indicators.get(code)
    if row is None:
        yield sign, code
        return
    formula = Formula.parse(row.formula)
    if depth >= 10 or (formula is not None and formula.denominator):
        return
    signs = {term: factor for factor, term in formula.numerator} if formula else {}
    for term in row.inputs.get("terms", {}):
        yield from _leaves(term, indicators, sign * signs.get(term, 1), depth=depth + 1)


def _measure_label(code: str, indicators: dict[str, Indicator]) -> str:
    entry = measure_catalogue()["measures"].get(code, {})
    if "label" in entry:
        return entry["label"]
    # most measures are a row of their own
    rows = (row for row in indicators.values() if row.kind != "ratio" and list(row.inputs.get("terms", {})) == [code])
    return next((row.label for row in rows), "số đếm từ nguồn")


def _breakdowns(connection: Connection, period_id: str, terms: Sequence[Term]) -> Iterator[Breakdown]:
    """By unit, terms that are counted from the same kind of rows side by side."""
    bases: dict[str, list[Term]] = {}
    for term in terms:
        found = {_additive_base_of(measure) for _, measure in term.measures}
        if len(found) == 1 and (base := found.pop()) is not None:
            bases.setdefault(base, []).append(term)
    for base, group in bases.items():
        counts: dict[str, list[Decimal]] = {}
        for at, term in enumerate(group):
            for sign, measure in term.measures:
                for unit, total in connection.execute(text(_by_unit_query(measure)), {"period_id": period_id}):
                    counts.setdefault(unit or "không rõ", [Decimal(0)] * len(group))[at] += sign * total
        units = sorted(((name, tuple(totals)) for name, totals in counts.items() if any(totals)), key=_by_size)
        yield Breakdown(measure_catalogue()["bases"][base]["unit_heading"], tuple(group), tuple(units))


def _by_size(unit: tuple[str, tuple[Decimal, ...]]) -> tuple[Decimal, str]:
    return -max(unit[1]), unit[0]


def _additive_base_of(measure: str) -> str | None:
    entry = measure_catalogue()["measures"].get(measure, {"additive": False})
    has_units = entry.get("additive", True) and "unit" in measure_catalogue()["bases"][entry["base"]]
    return entry["base"] if has_units else None


def _by_unit_query(measure: str) -> str:
    entry = measure_catalogue()["measures"][measure]
    base = measure_catalogue()["bases"][entry["base"]]
    if "by_unit" in base and "column" in entry:
        return (
            base["by_unit"]
            .replace("{column}", entry["column"])
            .replace("{by_unit_condition}", entry["by_unit_condition"])
        )
    rows = base["rows"].replace("{condition}", entry["condition"])
    total = entry.get("total", "count(*)")
    return f"select listed.{base['unit']} as unit, {total} as total from ({rows}) as listed group by 1"


def _mart_queries(
    period_id: str, measures: Iterable[str], indicators: dict[str, Indicator]
) -> Iterator[tuple[str, str]]:
    for measure in measures:
        query = rows_query(measure, period_id)
        if query is not None:
            yield f"Lệnh SQL liệt kê từng dòng của “{_measure_label(measure, indicators)}”", f"{query};"


def _raw_queries(loads: Sequence[Load]) -> Iterator[tuple[str, str]]:
    """Whatever the measure, its loads say which rows of which files can have been counted."""
    tables: dict[str, list[str]] = {}
    for load in loads:
        name = re.sub(r"\W+", "_", plain_text(f"{load.source}__{load.dataset}"))
        if _MEASURE.fullmatch(name):
            tables.setdefault(name, []).append(str(load.load_id))
    for name, load_ids in tables.items():
        query = f"select *\nfrom raw.{name}\nwhere _load_id in ({', '.join(load_ids)})\norder by _load_id, _row;"
        yield f"Lệnh SQL liệt kê dòng nguồn đã nạp (raw.{name})", query


# --- what is said -------------------------------------------------------------------------------------------------


def _value_lines(item: Indicator) -> Iterator[str]:
    unit = item.unit if item.unit == "%" else f" {item.unit.lower()}" if item.unit and "=" not in item.unit else ""
    if item.value is None:
        reason = "chưa có số liệu nguồn" if item.status == "missing" else "không phát sinh trong kỳ"
        yield f"Giá trị: để trống ({reason})"
    else:
        exact = plain(item.value).replace(".", ",")
        full = "" if exact.replace(",", "") == re.sub(r"\D", "", item.display) else f" (chưa làm tròn: {exact})"
        yield f"Giá trị: {item.display}{unit}{full}"
    yield f"Tình trạng: {_STATUSES.get(item.status, item.status)}"


def _breakdown_lines(breakdown: Breakdown, *, all_units: bool) -> Iterator[str]:
    terms = breakdown.terms
    has_rate = len(terms) == 2 and all(re.fullmatch(r"[\d.]+", term.code) for term in terms)
    heads = [term.code for term in terms] + (["Tỷ lệ %"] if has_rate else [])
    listed = breakdown.units if all_units else breakdown.units[:_MOST_UNITS]
    table = [[name, *_counts(totals, has_rate=has_rate)] for name, totals in listed]
    rest = breakdown.units[len(listed) :]
    if rest:
        name = f"{vietnamese(len(rest))} mục khác (thêm --all để xem hết)"
        table.append([name, *_counts(_added(rest, len(terms)), has_rate=has_rate)])
    totals = _added(breakdown.units, len(terms))
    table.append(["Cộng", *_counts(totals, has_rate=has_rate)])
    yield f"Theo {breakdown.heading.lower()}:"
    widths = [max(len(row[at]) for row in [[breakdown.heading, *heads], *table]) for at in range(len(heads) + 1)]
    for row in [[breakdown.heading, *heads], *table]:
        numbers = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        yield f"  {row[0].ljust(widths[0])}  {'  '.join(numbers)}"
    for term, total in zip(terms, totals, strict=True):
        if term.value is not None and term.value != total:
            yield f"  Chú ý: cộng lại được {shown(total)}, chỉ tiêu ghi {shown(term.value)}."


def _added(units: Sequence[tuple[str, tuple[Decimal, ...]]], width: int) -> tuple[Decimal, ...]:
    return tuple(sum((totals[at] for _, totals in units), Decimal(0)) for at in range(width))


def _counts(totals: Sequence[Decimal], *, has_rate: bool) -> list[str]:
    cells = [shown(total) for total in totals]
    if has_rate:
        numerator, denominator = totals
        cells.append(shown(100 * numerator / denominator) if denominator else "")
    return cells


def _load_lines(explanation: Explanation) -> Iterator[str]:
    loads = explanation.loads
    yield f"Lần nạp và tệp nguồn ({vietnamese(len(loads))}):"
    if not loads:
        yield "  chưa có"
    for load in loads:
        names = ", ".join(load.names) or "không rõ tên"
        yield f"  {explanation.name(f'{load.source}.{load.dataset}')}: {names}"
        yield f"    sha256 {load.digest}"
        yield (
            f"    đọc {vietnamese(load.rows_read)} dòng, nạp {vietnamese(load.rows_loaded)},"
            f" loại {vietnamese(load.rows_rejected)}, trùng {vietnamese(load.rows_duplicate)};"
            f" nạp lúc {load.finished_at.astimezone(LOCAL_ZONE):%H:%M %d/%m/%Y}; lần nạp {load.load_id}"
        )
        yield f"    bản gốc: {load.landing_uri}"
