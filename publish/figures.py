"""The figures of one report, read once; every writer works from the same reading."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, RowMapping, text

from cchc.periods import LOCAL_ZONE, ReportingPeriod

# One statement, because a publication renames the whole schema: a second one might already read the next.
_FIGURES = text("""
    with warnings as (
        select coalesce(
            jsonb_agg(
                jsonb_build_object('code', code, 'message', message, 'row_count', row_count)
                order by code collate "C", message collate "C"
            ),
            '[]'
        ) as warnings
        from reporting.rpt_data_warning
        where period_id = :period_id
    ),

    names as (
        select
            coalesce(
                jsonb_object_agg(source_dataset_id, dataset_name || ' (' || owner_name || ')'), '{}'
            ) as dataset_names
        from reporting.rpt_source_status
        where period_id = :period_id
    ),

    -- the text's part of the reading: figures of the text, and of the same period a year before what there is
    narrative as (
        select jsonb_agg(
            jsonb_build_object(
                'period_id', period_id, 'key', key, 'label', label, 'unit', unit, 'value', value::text,
                'display', display, 'status', status, 'datasets', lacking_datasets, 'as_of', as_of
            )
            order by sort_order
        ) as figures
        from reporting.rpt_narrative
        where period_id in (:period_id, :before_id)
    ),

    year_before as (
        select jsonb_agg(
            jsonb_build_object(
                'form_no', form_no, 'code', code, 'value', value::text, 'status', status, 'as_of_at', as_of_at
            )
        ) as indicators
        from reporting.rpt_indicator
        where period_id = :before_id
    )

    select
        form.form_no, form.form_title, form.code, form.label, form.unit, form.kind, form.display, form.note,
        indicator.status, indicator.value, indicator.sources, indicator.as_of_at, warnings.warnings,
        names.dataset_names,
        -- once is enough
        case
            when row_number() over (order by form.form_no, form.sort_order) = 1
                then jsonb_build_object(
                    'narrative', coalesce(narrative.figures, '[]'),
                    'year_before', coalesce(year_before.indicators, '[]')
                )
        end as text_figures
    from reporting.rpt_form as form
    left join reporting.rpt_indicator as indicator
        on form.period_id = indicator.period_id
        and form.form_no = indicator.form_no
        and form.code = indicator.code
    cross join warnings
    cross join names
    cross join narrative
    cross join year_before
    where form.period_id = :period_id
    order by form.form_no, form.sort_order
""")


class FiguresUnfit(ValueError):
    """The reporting tables hold nothing, or something that must not reach paper."""


@dataclass(frozen=True)
class Row:
    """One row of a form, headings included."""

    code: str
    label: str
    unit: str
    kind: str
    value: Decimal | None
    display: str
    status: str
    note: str
    sources: tuple[str, ...]
    source_names: tuple[str, ...] = ()

    @property
    def is_heading(self) -> bool:
        return self.kind == "heading"

    @property
    def depth(self) -> int:
        return self.code.count(".")


@dataclass(frozen=True)
class Form:
    """One form of the appendix, rows in its order."""

    number: int
    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class DataWarning:
    """What a person must know about the data behind the report."""

    code: str
    message: str
    row_count: int | None


@dataclass(frozen=True)
class NarrativeFigure:
    """One figure of the text; `datasets` are those that lack when its status is not ok."""

    key: str
    label: str
    unit: str
    value: Decimal | None
    display: str
    status: str
    datasets: tuple[str, ...]
    as_of_on: date


@dataclass(frozen=True)
class YearBefore:
    """What the warehouse has of the same period a year before: value by key of the text and by form and code.

    Only figures whose sources were whole: half a year before is no base for a comparison.
    """

    period: ReportingPeriod
    as_of_at: datetime
    narrative: Mapping[str, Decimal]
    rows: Mapping[tuple[int, str], Decimal]


@dataclass(frozen=True)
class Report:
    """Everything the reporting tables say about one period, cut at one as-of moment."""

    period: ReportingPeriod
    as_of_at: datetime
    forms: tuple[Form, ...]
    warnings: tuple[DataWarning, ...]
    narrative: tuple[NarrativeFigure, ...] = ()
    year_before: YearBefore | None = None
    dataset_names: Mapping[str, str] = field(default_factory=dict)

    def rows(self) -> Iterator[tuple[Form, Row]]:
        """Every row with its form, in the order of the report."""
        return ((form, row) for form in self.forms for row in form.rows)


def read_report(connection: Connection, period_id: str) -> Report:
    """Read one period from the reporting schema; raises FiguresUnfit when it is not whole."""
    period = ReportingPeriod.parse(period_id)
    before = period.year_before
    records = connection.execute(_FIGURES, {"period_id": period_id, "before_id": before.id}).mappings().all()
    if not records:
        raise FiguresUnfit(f"Kho chưa có số liệu kỳ {period_id}; hãy chạy `cchc refresh {period_id}` trước")
    forms = []
    for (number, title), group in groupby(records, key=itemgetter("form_no", "form_title")):
        forms.append(Form(number, title, tuple(_row(number, record) for record in group)))
    _check_keys(forms)
    moments = {record["as_of_at"] for record in records}
    if len(moments) != 1:
        raise FiguresUnfit(f"Số liệu kỳ {period_id} có nhiều thời điểm chốt: {sorted(map(str, moments))}")
    warnings = tuple(DataWarning(item["code"], item["message"], item["row_count"]) for item in records[0]["warnings"])
    found = records[0]["text_figures"]
    return Report(
        period,
        moments.pop().astimezone(LOCAL_ZONE),
        tuple(forms),
        warnings,
        tuple(_narrative(item) for item in found["narrative"] if item["period_id"] == period_id),
        _year_before(before, found["narrative"], found["year_before"]),
        records[0]["dataset_names"],
    )


def _narrative(item: Mapping[str, Any]) -> NarrativeFigure:
    return NarrativeFigure(
        key=item["key"],
        label=item["label"],
        unit=item["unit"] or "",
        # as text on the way, because the JSON reader would make a float of it
        value=_finite(item["value"], item["key"]),
        display=item["display"] or "",
        status=item["status"],
        datasets=tuple(item["datasets"] or ()),
        as_of_on=date.fromisoformat(item["as_of"]),
    )


def _finite(value: str | None, name: str) -> Decimal | None:
    number = None if value is None else Decimal(value)
    if number is not None and not number.is_finite():
        raise FiguresUnfit(f"Số liệu {name} có giá trị không phải là số: {value}")
    return number


def _year_before(
    period: ReportingPeriod, narrative: list[Mapping[str, Any]], indicators: list[Mapping[str, Any]]
) -> YearBefore | None:
    if not indicators:
        return None
    return YearBefore(
        period,
        datetime.fromisoformat(indicators[0]["as_of_at"]).astimezone(LOCAL_ZONE),
        {
            item["key"]: Decimal(item["value"])
            for item in narrative
            if item["period_id"] == period.id and item["status"] == "ok" and item["value"] is not None
        },
        {
            (item["form_no"], item["code"]): Decimal(item["value"])
            for item in indicators
            if item["status"] == "ok" and item["value"] is not None
        },
    )


def _row(form_no: int, record: RowMapping) -> Row:
    if record["status"] is None:
        raise FiguresUnfit(f"Biểu {form_no}, chỉ tiêu {record['code']} không có trong rpt_indicator")
    value, sources = record["value"], tuple(record["sources"] or ())
    if value is not None and not value.is_finite():
        raise FiguresUnfit(f"Biểu {form_no}, chỉ tiêu {record['code']} có giá trị không phải là số: {value}")
    return Row(
        code=record["code"],
        label=record["label"],
        unit=record["unit"] or "",
        kind=record["kind"],
        value=value,
        display=record["display"] or "",
        status=record["status"],
        note=record["note"] or "",
        sources=sources,
        source_names=tuple(record["dataset_names"].get(source, source) for source in sources),
    )


def _check_keys(forms: list[Form]) -> None:
    # A form in two pieces, or a code twice, would still look right on paper.
    seen: set[tuple[int, str]] = set()
    for form in forms:
        for row in form.rows:
            if (form.number, row.code) in seen:
                raise FiguresUnfit(f"Biểu {form.number} có hai dòng mang số {row.code}")
            seen.add((form.number, row.code))
    if len({form.number for form in forms}) != len(forms):
        raise FiguresUnfit("Một biểu mẫu có hai tên khác nhau trong rpt_form")
