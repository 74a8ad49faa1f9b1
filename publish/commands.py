"""The command of this room: report."""

from __future__ import annotations

from typing import Annotated

import typer

from cchc import cli, warehouse
from cchc.periods import ReportingPeriod, UnknownPeriod
from cchc.settings import get_settings
from publish.figures import FiguresUnfit
from publish.report import publish_report


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("report")(report)


def report(period: Annotated[str, typer.Argument(help="Kỳ báo cáo đã được làm mới, ví dụ 2024-H1")]) -> None:
    """Ghi lại các tệp báo cáo của một kỳ từ số liệu đã công bố, không nạp và không tính lại."""
    settings = get_settings()
    try:
        wanted = ReportingPeriod.parse(period)
    except UnknownPeriod as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(cli.BAD_USAGE) from None
    with warehouse.engine(settings, "transformer") as engine:
        try:
            files = publish_report(engine, settings, wanted.id, settings.out, settings.synthetic)
        except FiguresUnfit as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(cli.FAILED) from None
    for file in files:
        typer.echo(file)
