"""One installation as an operator has it: real processes on folders of its own."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import text

from cchc import warehouse
from cchc.settings import Settings

CCHC = str(Path(sys.executable).with_name("cchc"))
PERIOD = "2024-H1"


class Machine:
    """One installation: its own state folder, inbox, outputs and embedded warehouse (or one at `warehouse_url`)."""

    def __init__(self, folder: Path, province: Path, warehouse_url: str | None = None) -> None:
        self.folder = folder
        self.province = province
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder / "home"),
            "LANG": "C.UTF-8",
            "CCHC_VAR": str(folder / "var"),
            "CCHC_OUT": str(folder / "out"),
            "CCHC_LANDING": str(folder / "landing"),
            "CCHC_PSEUDONYM_KEY": "a key for tests that is long enough",
            "CCHC_SYNTHETIC": "true",
        }
        if warehouse_url is not None:
            self.environment["CCHC_WAREHOUSE_URL"] = warehouse_url
        (folder / "home").mkdir(parents=True)

    def run(self, *command: str, check: tuple[int, ...] = (0, 3)) -> subprocess.CompletedProcess[str]:
        """A command while the player serves the province."""
        done = subprocess.run(
            [CCHC, "serve-sample", str(self.province), "--", *command],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=280,
        )
        assert done.returncode in check, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def start(self, *command: str) -> subprocess.Popen[str]:
        """A command on the province's inbox, in the background."""
        return subprocess.Popen(
            command, env=self.environment | {"CCHC_INBOX": str(self.province / "inbox")}, cwd=self.folder
        )

    @property
    def settings(self) -> Settings:
        return Settings(var=self.folder / "var", warehouse_url=self.environment.get("CCHC_WAREHOUSE_URL"))

    def ask(self, statement: str) -> list[tuple]:
        with warehouse.engine(self.settings) as engine, engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(statement))]

    def marts(self) -> dict[str, list[str]]:
        """Every published table, row by row as text."""
        with warehouse.engine(self.settings) as engine, engine.connect() as connection:
            # moments are compared as moments, whatever zone a server shows them in
            connection.execute(text("set timezone = 'Asia/Ho_Chi_Minh'"))
            tables = connection.execute(
                text(
                    "select schemaname || '.' || tablename from pg_tables "
                    "where schemaname in ('marts', 'reporting', 'reference') order by 1"
                )
            ).scalars()
            return {
                table: sorted(connection.execute(text(f"select t::text from {table} as t")).scalars())
                for table in tables.all()
            }

    def indicators(self) -> dict[tuple[str, str], dict[str, str]]:
        with open(self.folder / "out" / PERIOD / "indicators.csv", newline="") as file:
            return {(row["form"], row["code"]): row for row in csv.DictReader(file)}


def wait_until(condition: Callable[[], bool]) -> None:
    """Until it is so, one minute at the most."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.01)
