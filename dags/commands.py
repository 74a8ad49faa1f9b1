"""Commands of this room: refresh, up, down."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cchc import cli, warehouse
from cchc.periods import ReportingPeriod, UnknownPeriod, as_of_moment
from cchc.progress import console
from cchc.settings import get_settings
from dags import local_airflow, one_process
from extract.privacy import MissingPseudonymKey, pseudonym_key
from publish import completeness_page, feedback, output, summary
from publish.report import FILE_NAMES


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("refresh")(refresh)
    app.command("up")(up)
    app.command("down")(down)


def refresh(
    period: Annotated[str, typer.Argument(help="Kỳ báo cáo, ví dụ 2024-H1")],
    as_of: Annotated[
        str | None, typer.Option(help="Chốt số liệu tại ngày (2024-06-05, hết ngày) hoặc thời điểm (2024-06-05T17:00)")
    ] = None,
) -> None:
    """Làm mới báo cáo của một kỳ: nạp, dựng, kiểm tra, công bố, ghi tệp."""
    settings = get_settings()
    try:
        wanted = ReportingPeriod.parse(period)
        moment = as_of_moment(as_of)
        pseudonym_key(settings)
    except (UnknownPeriod, MissingPseudonymKey, ValueError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(cli.BAD_USAGE) from None
    with warehouse.available(settings) as url:
        try:
            run = one_process.run(settings, wanted.id, moment.isoformat() if moment else None)
        except one_process.RefreshFailed as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(cli.FAILED) from None
        with warehouse.engine_on(url, "transformer") as engine, engine.connect() as connection:
            folder = output.join(settings.out, wanted.id)
            slips = output.join(folder, feedback.FOLDER)
            done = summary.collect(
                connection,
                wanted.id,
                run.started_at,
                steps=run.steps,
                files=[
                    *(output.join(folder, name) for name in (*FILE_NAMES, completeness_page.FILE_NAME)),
                    *(output.join(slips, name) for name in output.names(slips)),
                ],
            )
    summary.show(done, console())
    if done.needs_a_person or run.failed_tasks:
        raise typer.Exit(cli.WARNINGS)


def up(
    port: Annotated[int, typer.Option(help="Cổng của giao diện Airflow; 0 = cổng trống bất kỳ")] = 8080,
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Chạy ngay trong cửa sổ này, dừng bằng Ctrl-C")
    ] = False,
) -> None:
    """Khởi động Airflow trên máy này: giao diện, bộ lập lịch và các tiến trình của nó; mọi thứ nằm trong var."""
    settings = get_settings()
    try:
        pseudonym_key(settings)
        if foreground:
            # a password belongs on a screen, not into a file
            local_airflow.serve(settings, port, typer.echo if sys.stdout.isatty() else lambda _login: None)
        else:
            typer.echo(local_airflow.start_in_background(settings, port))
    except MissingPseudonymKey as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(cli.BAD_USAGE) from None
    except local_airflow.AirflowNotReady as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(cli.FAILED) from None


def down() -> None:
    """Dừng Airflow trên máy này."""
    try:
        local_airflow.stop(get_settings())
    except local_airflow.AirflowNotReady as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(cli.FAILED) from None
    typer.echo("Đã dừng Airflow.")
