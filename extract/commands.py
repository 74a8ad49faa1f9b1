"""Commands of this room: load, status, contracts, template, diff."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import RowMapping, text

from cchc import cli, progress, warehouse
from cchc.reporting_calendar import current_periods, runs_after
from cchc.settings import get_settings
from extract import documents, sources
from extract.contract import contracts
from extract.csv_reader import UnreadableFile
from extract.privacy import MissingPseudonymKey

# one report with its rehearsals
_SHOWN_RUNS = 3
_STATUS = text("""
    select
        source, dataset,
        count(*) filter (where status = 'loaded') as loaded,
        count(*) filter (where status = 'refused') as refused,
        sum(rows_read), sum(rows_loaded), sum(rows_rejected), max(covers_to_on), max(finished_at)
    from ops.load
    group by source, dataset
    order by source, dataset
""")


# of the cut-offs that were checked last, who still owes what
_OWED = text("""
    select
        period_id, department, count(*) as expected,
        count(*) filter (where status = 'accepted') as accepted,
        count(*) filter (where status in ('not_received', 'partial')) as missing,
        count(*) filter (where status = 'refused') as refused,
        count(*) filter (where status = 'accepted_with_rejects') as with_rejects,
        count(*) filter (where status = 'failed') as failed,
        bool_or(is_late) as is_late,
        max(contact) as contact, max(due_on) as due_on, max(checked_at) as checked_at
    from ops.delivery
    where period_id = any(:periods)
        or not exists (select from ops.delivery where period_id = any(:periods))
        and checked_at = (select max(checked_at) from ops.delivery)
    group by period_id, department
    order by due_on, department collate "C"
""")
_UNSURE_MAIL = text("""
    select subject, state, coalesce(error, ''), claimed_at
    from ops.mail
    where closed_at is null
        and (
            state in ('failed', 'unknown')
            or (state = 'sending' and claimed_at < clock_timestamp() - interval '1 hour')
        )
    order by mail_id
""")
_MAIL_STATES = {
    "failed": "chưa gửi được, sẽ gửi lại",
    "unknown": "không rõ đã đi chưa",
    "sending": "không rõ đã đi chưa",
}


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("load")(load)
    app.command("status")(status)
    app.command("contracts")(write_contract_documents)
    app.command("template")(write_templates)
    app.command("diff")(compare_layout)


def load(
    source: Annotated[list[str] | None, typer.Argument(help="Tên nguồn; để trống = mọi nguồn")] = None,
) -> None:
    """Nạp những gì mới của các nguồn vào kho dữ liệu."""
    settings = get_settings()
    names = source or list(contracts())
    if unknown := [name for name in names if name not in contracts()]:
        typer.echo(f"Không có nguồn: {', '.join(unknown)}. Các nguồn: {', '.join(contracts())}", err=True)
        raise typer.Exit(cli.BAD_USAGE)
    try:
        with warehouse.available(settings) as url:
            with warehouse.engine_on(url) as engine:
                sources.prepare(engine)
            with warehouse.engine_on(url, "loader") as engine:
                outcomes = [outcome for name in names for outcome in sources.load_source(settings, engine, name)]
    except MissingPseudonymKey as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(cli.BAD_USAGE) from None
    for outcome in outcomes:
        rows = f"đọc {progress.vietnamese(outcome.rows_read)}, nạp {progress.vietnamese(outcome.rows_loaded)}, "
        rows += (
            f"loại {progress.vietnamese(outcome.rows_rejected)}, trùng {progress.vietnamese(outcome.rows_duplicate)}"
        )
        typer.echo(f"{outcome.source} · {outcome.name} · {outcome.outcome} · {outcome.message or rows}")
    if any(outcome.needs_attention for outcome in outcomes):
        raise typer.Exit(cli.WARNINGS)


def status() -> None:
    """Kho dữ liệu đang có gì (lần nạp, số dòng, ngày phủ đến, lần cuối của từng nguồn) và các lần chạy báo cáo tới."""
    settings = get_settings()
    with warehouse.available(settings) as url, warehouse.engine_on(url) as engine:
        sources.prepare(engine)
        with engine.connect() as connection:
            rows = connection.execute(_STATUS).all()
            due = [period.id for period in current_periods(datetime.now(UTC))]
            owed = connection.execute(_OWED, {"periods": due}).mappings().all()
            letters = connection.execute(_UNSURE_MAIL).all()
    if not rows:
        typer.echo("Kho dữ liệu còn trống: chưa nạp nguồn nào")
    for name, dataset, loaded, refused, read, kept, rejected, covers_to, finished in rows:
        covers = f" · phủ đến {covers_to:%d/%m/%Y}" if covers_to else ""
        typer.echo(
            f"{name} · {dataset}: {loaded} lần nạp, {refused} lần từ chối · đọc {progress.vietnamese(int(read))}, "
            f"nạp {progress.vietnamese(int(kept))}, loại {progress.vietnamese(int(rejected))}{covers} · "
            f"lần cuối {finished.astimezone():%d/%m/%Y %H:%M}"
        )
    for line in (*_owed_lines(owed), *(_mail_line(*letter) for letter in letters)):
        typer.echo(line)
    for run in islice(runs_after(datetime.now(UTC)), _SHOWN_RUNS):
        typer.echo(f"Lịch · {run.at:%d/%m/%Y %H:%M} · {run.name} · {run.period.title_vi}")


def _owed_lines(owed: Sequence[RowMapping]) -> Iterator[str]:
    for period_id, own in groupby(owed, key=itemgetter("period_id")):
        departments = list(own)
        done = sum(row["accepted"] == row["expected"] for row in departments)
        first = departments[0]
        yield (
            f"Gửi số liệu · {period_id}, hạn {first['due_on']:%d/%m/%Y}: {done}/{len(departments)} đơn vị đủ và đúng · "
            f"kiểm tra lúc {first['checked_at'].astimezone():%d/%m/%Y %H:%M}"
        )
        for row in departments:
            what = [f"{row[key]} {name}" for key, name in _OWED_NAMES.items() if row[key]]
            if what:
                late = " · chậm" if row["is_late"] else ""
                call = f" · gọi {row['contact']}" if row["contact"] else ""
                yield f"  {row['department']}: {', '.join(what)} / {row['expected']} bộ số liệu{late}{call}"


_OWED_NAMES = {
    "missing": "chưa gửi hoặc còn thiếu",
    "refused": "bị từ chối",
    "with_rejects": "có dòng bị loại",
    "failed": "chưa đọc được",
}


def _mail_line(subject: str, state: str, error: str, claimed_at: datetime) -> str:
    why = f" ({error})" if error else ""
    return f"Thư · {claimed_at.astimezone():%d/%m/%Y %H:%M} · {subject}: {_MAIL_STATES[state]}{why}"


def write_contract_documents() -> None:
    """Viết lại những gì sinh từ quy ước: nguồn của dbt và trang docs/sources.md."""
    for path in documents.write():
        typer.echo(path)


def write_templates(
    dataset: Annotated[str | None, typer.Argument(help="Bộ dữ liệu, ví dụ bien-che; để trống = tất cả")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Thư mục ghi biểu mẫu")] = None,
) -> None:
    """Ghi biểu mẫu trống (.xlsx) cho các đơn vị, có danh sách chọn và kiểm tra nhập liệu, theo quy ước."""
    from extract.template import write_template

    known = {c.custom("dataset"): c for c in contracts().values() if c.custom("reader") == "workbook"}
    if dataset is not None and dataset not in known:
        typer.echo(f"Không có bộ dữ liệu «{dataset}». Các bộ dữ liệu: {', '.join(known)}", err=True)
        raise typer.Exit(cli.BAD_USAGE)
    folder = out or Path(get_settings().out) / "bieu-mau"
    for contract in [known[dataset]] if dataset else known.values():
        typer.echo(write_template(contract, folder))


def compare_layout(
    file: Annotated[
        Path, typer.Argument(help="Tệp .xlsx, .xlsm, .xls hoặc .ods của một đơn vị", exists=True, dir_okay=False)
    ],
) -> None:
    """So cấu trúc của một tệp với quy ước trước khi nạp: cột thêm, thiếu, đổi tên, đổi chỗ."""
    from extract.layout_diff import contract_for, differences
    from extract.workbook_file import Limits, Workbook, too_large

    settings = get_settings()
    try:
        if file.stat().st_size > settings.max_workbook_bytes:
            raise UnreadableFile(too_large(file.stat().st_size, settings.max_workbook_bytes))
        workbook = Workbook(file.read_bytes(), Limits(settings.max_workbook_bytes, settings.max_unpacked_bytes))
    except UnreadableFile as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(cli.FAILED) from None
    contract = contract_for(file.name, workbook)
    if contract is None:
        typer.echo("Không quy ước nào có các trang của tệp này", err=True)
        raise typer.Exit(cli.WARNINGS)
    typer.echo(f"So với quy ước {contract.name} (phiên bản {contract.version})")
    found = differences(workbook, contract)
    for difference in found:
        mark = "✘" if difference.is_serious else "•"
        typer.echo(f"  {mark} {difference.sheet} · {_DIFFERENCES[difference.kind]}: {difference.message}")
    if found:
        raise typer.Exit(cli.WARNINGS)
    typer.echo("  ✔ Không có khác biệt")


_DIFFERENCES = {
    "added": "thêm",
    "missing": "thiếu",
    "renamed": "đổi tên",
    "moved": "đổi chỗ",
    "unreadable": "không đọc được",
}
