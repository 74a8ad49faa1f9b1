"""Commands of this room: load, status, contracts."""

from __future__ import annotations

from typing import Annotated

import typer
from sqlalchemy import text

from cchc import cli, progress, warehouse
from cchc.settings import get_settings
from extract import documents, sources
from extract.contract import contracts
from extract.privacy import MissingPseudonymKey

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


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("load")(load)
    app.command("status")(status)
    app.command("contracts")(write_contract_documents)


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
    """Kho dữ liệu đang có gì: số lần nạp, số dòng, ngày phủ đến và lần nạp cuối của từng nguồn."""
    settings = get_settings()
    with warehouse.available(settings) as url, warehouse.engine_on(url) as engine:
        sources.prepare(engine)
        with engine.connect() as connection:
            rows = connection.execute(_STATUS).all()
    if not rows:
        typer.echo("Kho dữ liệu còn trống: chưa nạp nguồn nào")
    for name, dataset, loaded, refused, read, kept, rejected, covers_to, finished in rows:
        covers = f" · phủ đến {covers_to:%d/%m/%Y}" if covers_to else ""
        typer.echo(
            f"{name} · {dataset}: {loaded} lần nạp, {refused} lần từ chối · đọc {progress.vietnamese(int(read))}, "
            f"nạp {progress.vietnamese(int(kept))}, loại {progress.vietnamese(int(rejected))}{covers} · "
            f"lần cuối {finished.astimezone():%d/%m/%Y %H:%M}"
        )


def write_contract_documents() -> None:
    """Viết lại những gì sinh từ quy ước: nguồn của dbt và trang docs/sources.md."""
    for path in documents.write():
        typer.echo(path)
