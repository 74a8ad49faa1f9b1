"""The command `cchc`. Each room registers its own commands as entry points, so the kernel imports none of them."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points

import typer
from pydantic import ValidationError

from cchc import settings

DONE, FAILED, BAD_USAGE, WARNINGS = 0, 1, 2, 3


def build() -> typer.Typer:
    """The Typer application with the commands of every room."""
    app = typer.Typer(
        name="cchc",
        help="Kho dữ liệu và báo cáo cải cách hành chính của tỉnh.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )

    @app.callback()
    def _root() -> None:
        """Kho dữ liệu và báo cáo cải cách hành chính của tỉnh."""

    for point in sorted(entry_points(group="cchc.commands"), key=lambda point: point.name):
        point.load()(app)
    return app


def main() -> None:
    """Entry point of the console script. Exit codes: 0 done, 1 failed, 2 bad usage, 3 done with warnings."""
    settings.quiet_environment()
    try:
        settings.get_settings()
    except ValidationError as error:
        # names and reasons only: what was set may be a secret
        for fault in error.errors(include_input=False, include_context=False):
            name = f"CCHC_{'_'.join(map(str, fault['loc']))}".upper()
            typer.echo(f"Biến môi trường {name} không hợp lệ: {fault['msg']}", err=True)
        sys.exit(BAD_USAGE)
    build()()
