"""What a refresh did, said once at its end: sources, refusals, indicators, warnings, files, time per step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy import Connection, text

from cchc.progress import vietnamese
from publish import submission
from publish.figures import DataWarning

# A load can have several arrivals in a run (the same bytes under two names): its rows count once.
_SOURCES = text("""
    with arrivals as (
        select * from ops.arrival where arrived_at >= :since
    ),

    file_counts as (
        select
            source,
            count(*) filter (where outcome = 'new') as file_new_count,
            count(*) filter (where outcome = 'repeat') as file_repeat_count,
            count(*) filter (where outcome in ('refused', 'failed')) as file_refused_count,
            count(*) filter (where outcome = 'skipped') as file_skipped_count
        from arrivals
        group by source
    ),

    row_counts as (
        select
            source,
            sum(rows_read)::bigint as rows_read,
            sum(rows_loaded)::bigint as rows_loaded,
            sum(rows_rejected)::bigint as rows_rejected,
            sum(rows_duplicate)::bigint as rows_duplicate,
            sum(rows_held)::bigint as rows_held
        from ops.load
        where load_id in (select load_id from arrivals where outcome in ('new', 'refused'))
        group by source
    )

    select
        source, coalesce(names.source_name, '') as source_name,
        file_new_count, file_repeat_count, file_refused_count, file_skipped_count,
        coalesce(rows_read, 0) as rows_read,
        coalesce(rows_loaded, 0) as rows_loaded,
        coalesce(rows_rejected, 0) as rows_rejected,
        coalesce(rows_duplicate, 0) as rows_duplicate,
        coalesce(rows_held, 0) as rows_held
    from file_counts
    left join row_counts using (source)
    left join lateral (
        select min(source_name) as source_name from reporting.rpt_source_status as named
        where named.source = file_counts.source
    ) as names on true
    order by source collate "C"
""")
_NOT_LOADED = text("""
    select
        arrival.source, coalesce(names.source_name, '') as source_name, arrival.name, arrival.outcome,
        coalesce(load.refused_reason, arrival.message, '') as reason
    from ops.arrival as arrival
    left join ops.load as load using (load_id)
    left join lateral (
        select min(source_name) as source_name from reporting.rpt_source_status as named
        where named.source = arrival.source
    ) as names on true
    where arrival.arrived_at >= :since and arrival.outcome in ('refused', 'failed', 'skipped')
    order by arrival.arrival_id
""")
# by who must act on it, then by file
_LOAD_WARNINGS = text("""
    with arrivals as (
        select load_id, array_agg(distinct name order by name) as files
        from ops.arrival
        where arrived_at >= :since and outcome = 'new'
        group by load_id
    ),

    names as (
        select distinct source, dataset, dataset_name, owner_name from reporting.rpt_source_status
    )

    select
        coalesce(names.owner_name, load.source) as owner_name,
        coalesce(names.dataset_name, load.dataset) as dataset_name,
        warning.message,
        -- a load can have come under two names: its rows count once
        sum(warning.row_count) filter (where file.place = 1)::bigint as row_count,
        array_agg(distinct file.name order by file.name) as files
    from ops.load_warning as warning
    inner join arrivals on warning.load_id = arrivals.load_id
    inner join ops.load as load on warning.load_id = load.load_id
    left join names on load.source = names.source and load.dataset = names.dataset
    cross join lateral unnest(arrivals.files) with ordinality as file (name, place)
    group by names.owner_name, load.source, names.dataset_name, load.dataset, warning.message
    order by 1, min(file.name) collate "C", 2, 3
""")
_INDICATORS = text("""
    select
        count(*) filter (where status = 'ok') as ok_count,
        count(*) filter (where status = 'stale') as stale_count,
        count(*) filter (where status = 'missing') as missing_count
    from reporting.rpt_indicator
    where period_id = :period_id and kind <> 'heading'
""")
_DATA_WARNINGS = text("""
    select code, message, row_count
    from reporting.rpt_data_warning
    where period_id = :period_id
    order by code collate "C", message collate "C"
""")
_OUTCOMES = {"refused": "bị từ chối", "failed": "lỗi", "skipped": "bỏ qua"}
_MOST_WARNINGS = 20
_MOST_FILES = 3


@dataclass(frozen=True)
class SourceCounts:
    """What came from one source: files by outcome; rows read = loaded + rejected + duplicate + held."""

    source: str
    source_name: str
    file_new_count: int
    file_repeat_count: int
    file_refused_count: int
    file_skipped_count: int
    rows_read: int
    rows_loaded: int
    rows_rejected: int
    rows_duplicate: int
    rows_held: int


@dataclass(frozen=True)
class NotLoaded:
    """A file or a pull that did not load, and why."""

    source: str
    source_name: str
    name: str
    outcome: str
    reason: str


@dataclass(frozen=True)
class LoadWarning:
    """What the loads of a dataset warn of, with the files and the department that can mend it."""

    owner_name: str
    dataset_name: str
    message: str
    row_count: int
    files: tuple[str, ...]


@dataclass(frozen=True)
class RefreshSummary:
    """The account of one refresh of one period."""

    period_id: str
    sources: tuple[SourceCounts, ...]
    not_loaded: tuple[NotLoaded, ...]
    ok_count: int
    stale_count: int
    missing_count: int
    load_warnings: tuple[LoadWarning, ...]
    data_warnings: tuple[DataWarning, ...]
    steps: Sequence[tuple[str, float]] = field(default=())
    files: Sequence[str] = field(default=())
    since: submission.SinceSubmission | None = None

    @property
    def needs_a_person(self) -> bool:
        """Something in here must be read by a person: the refresh ends with exit code 3.

        A feed that is not configured is skipped and said so, which alone is nothing to act on: what it leaves
        open shows as missing or stale indicators.
        """
        return bool(
            self.stale_count
            or self.missing_count
            or self.load_warnings
            or self.data_warnings
            or any(item.outcome != "skipped" for item in self.not_loaded)
            or any(source.rows_rejected for source in self.sources)
        )


def collect(
    connection: Connection,
    period_id: str,
    since: datetime,
    *,
    steps: Sequence[tuple[str, float]] = (),
    files: Sequence[str] = (),
) -> RefreshSummary:
    """Read the account of what arrived from `since` on, and of the period's figures as published now."""
    run, period = {"since": since}, {"period_id": period_id}
    indicators = connection.execute(_INDICATORS, period).mappings().one()
    return RefreshSummary(
        period_id=period_id,
        sources=tuple(SourceCounts(**row) for row in connection.execute(_SOURCES, run).mappings()),
        not_loaded=tuple(NotLoaded(**row) for row in connection.execute(_NOT_LOADED, run).mappings()),
        load_warnings=tuple(
            LoadWarning(**{**row, "files": tuple(row["files"])})
            for row in connection.execute(_LOAD_WARNINGS, run).mappings()
        ),
        data_warnings=tuple(DataWarning(**row) for row in connection.execute(_DATA_WARNINGS, period).mappings()),
        steps=tuple(steps),
        files=tuple(files),
        since=submission.since_submission(connection, period_id),
        **indicators,
    )


def show(summary: RefreshSummary, console: Console) -> None:
    """Print the account: tables on a terminal, plain lines in a log."""
    if console.is_terminal:
        _show_tables(summary, console)
    for line in _lines(summary, with_counts=not console.is_terminal):
        # Text, not str: a file name may hold what rich takes for markup
        console.print(Text(line), soft_wrap=True)


def _show_tables(summary: RefreshSummary, console: Console) -> None:
    table = Table(title=f"Kết quả cập nhật kỳ {summary.period_id}", title_justify="left")
    table.add_column("Nguồn", overflow="fold")
    for heading in ("Tệp mới", "Đã nạp trước", "Từ chối", "Đọc", "Nạp", "Loại", "Trùng", "Giữ lại"):
        table.add_column(heading, justify="right")
    for source in summary.sources:
        counts = (
            source.file_new_count, source.file_repeat_count, source.file_refused_count, source.rows_read,
            source.rows_loaded, source.rows_rejected, source.rows_duplicate, source.rows_held,
        )  # fmt: skip
        style = "yellow" if source.file_refused_count or source.rows_rejected else ""
        table.add_row(Text(_printable(_named(source))), *map(vietnamese, counts), style=style)
    if summary.sources:
        console.print(table)
    if summary.steps:
        steps = Table(title="Thời gian từng bước", title_justify="left")
        steps.add_column("Bước", min_width=20)
        steps.add_column("Giây", justify="right")
        for name, seconds in summary.steps:
            steps.add_row(Text(_printable(name)), _seconds(seconds))
        steps.add_row("Cộng", _seconds(sum(seconds for _, seconds in summary.steps)), style="bold")
        console.print(steps)


def _lines(summary: RefreshSummary, *, with_counts: bool) -> list[str]:
    """The account line by line; without what a terminal shows as tables unless `with_counts`."""
    lines = []
    if with_counts:
        lines.append(f"Kết quả cập nhật kỳ {summary.period_id}")
        lines += [_source_line(source) for source in summary.sources]
    if not summary.sources:
        lines.append("Không có tệp hay lần lấy dữ liệu nào trong lần chạy này")
    for item in summary.not_loaded:
        reason = item.reason or "không rõ lý do"
        lines.append(f"{_OUTCOMES[item.outcome].capitalize()}: {_named(item)}, {item.name}: {reason}")
    ok, stale, missing = map(vietnamese, (summary.ok_count, summary.stale_count, summary.missing_count))
    lines.append(f"Chỉ tiêu: {ok} đủ số liệu, {stale} dùng số liệu cũ, {missing} chưa có số liệu")
    lines += _load_warning_lines(summary.load_warnings)
    lines += _data_warning_lines(summary.data_warnings)
    if with_counts:
        lines += [f"Bước {name}: {_seconds(seconds)} giây" for name, seconds in summary.steps]
    if summary.since is not None:
        lines += submission.lines(summary.since)
    lines += [f"Tệp kết quả: {file}" for file in summary.files]
    return [_printable(line) for line in lines]


def _source_line(source: SourceCounts) -> str:
    files = [
        f"{vietnamese(count)} {name}"
        for count, name in (
            (source.file_new_count, "mới"),
            (source.file_repeat_count, "đã nạp trước"),
            (source.file_refused_count, "bị từ chối"),
            (source.file_skipped_count, "bỏ qua"),
        )
        if count
    ]
    rows = (
        f"đọc {vietnamese(source.rows_read)} dòng, nạp {vietnamese(source.rows_loaded)},"
        f" loại {vietnamese(source.rows_rejected)}, trùng {vietnamese(source.rows_duplicate)}"
    )
    held = f", giữ lại {vietnamese(source.rows_held)}" if source.rows_held else ""
    return f"Nguồn {_named(source)}: tệp {', '.join(files)}; {rows}{held}"


def _named(item: SourceCounts | NotLoaded) -> str:
    return f"{item.source_name} ({item.source})" if item.source_name else item.source


def _load_warning_lines(warnings: Sequence[LoadWarning]) -> list[str]:
    """A paragraph for each department, so that each can be sent its own."""
    lines = []
    for owner, found in groupby(warnings, key=lambda warning: warning.owner_name):
        own = list(found)
        lines.append(f"Cảnh báo khi nạp, {owner} ({vietnamese(len(own))}):")
        for warning in own[:_MOST_WARNINGS]:
            files = ", ".join(warning.files[:_MOST_FILES])
            if (more := len(warning.files) - _MOST_FILES) > 0:
                files += f" và {vietnamese(more)} tệp khác"
            rows = f" ({vietnamese(warning.row_count)} dòng)" if warning.row_count else ""
            lines.append(f"  {files} · {warning.dataset_name}: {warning.message}{rows}")
        if len(own) > _MOST_WARNINGS:
            lines.append(f"  còn {vietnamese(len(own) - _MOST_WARNINGS)} cảnh báo khác")
    return lines


def _data_warning_lines(warnings: Sequence[DataWarning]) -> list[str]:
    lines = [f"Cảnh báo về dữ liệu ({vietnamese(len(warnings))}):"] if warnings else []
    # how many is in the sentence itself
    lines += [f"  {warning.message}" for warning in warnings[:_MOST_WARNINGS]]
    if len(warnings) > _MOST_WARNINGS:
        lines.append(f"  còn {vietnamese(len(warnings) - _MOST_WARNINGS)} cảnh báo khác")
    return lines


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f}".replace(".", ",")


def _printable(line: str) -> str:
    """File names and messages come from outside: no control character of theirs reaches the terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in line)
