"""The command `cchc`. Each room of the project registers its own commands as entry points, so the kernel imports none."""

from __future__ import annotations

from importlib.metadata import entry_points

import typer

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
    build()()
