"""The figures of one report, read once; every writer works from the same reading."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from operator import itemgetter

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
    )

    select
        form.form_no, form.form_title, form.code, form.label, form.unit, form.kind, form.display, form.note,
        indicator.status, indicator.value, indicator.sources, indicator.as_of_at, warnings.warnings,
        names.dataset_names
    from reporting.rpt_form as form
    left join reporting.rpt_indicator as indicator
        on form.period_id = indicator.period_id
        and form.form_no = indicator.form_no
        and form.code = indicator.code
    cross join warnings
    cross join names
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
class Report:
    """Everything the reporting tables say about one period, cut at one as-of moment."""

    period: ReportingPeriod
    as_of_at: datetime
    forms: tuple[Form, ...]
    warnings: tuple[DataWarning, ...]

    def rows(self) -> Iterator[tuple[Form, Row]]:
        """Every row with its form, in the order of the report."""
        return ((form, row) for form in self.forms for row in form.rows)


def read_report(connection: Connection, period_id: str) -> Report:
    """Read one period from the reporting schema; raises FiguresUnfit when it is not whole."""
    period = ReportingPeriod.parse(period_id)
    records = connection.execute(_FIGURES, {"period_id": period_id}).mappings().all()
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
    return Report(period, moments.pop().astimezone(LOCAL_ZONE), tuple(forms), warnings)


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
