"""Progress a person can watch: a bar on a terminal, one line per finished step elsewhere, always with counts."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

_stream: TextIO | None = None


def show_on(stream: TextIO | None) -> None:
    """Send progress to `stream`: the refresh keeps the terminal for it while the logs go to a file."""
    global _stream
    _stream = stream


def console() -> Console:
    """The console that progress and summaries are written to."""
    # in a task of Airflow every line on stderr is logged as an error
    stream = _stream or (sys.stdout if "AIRFLOW_CTX_DAG_ID" in os.environ else sys.stderr)
    return Console(file=stream, highlight=False, soft_wrap=not stream.isatty())


def vietnamese(number: int) -> str:
    """54148 → `54.148`."""
    return f"{number:,}".replace(",", ".")


@dataclass
class Bar:
    """A step under way. `advance` and `update` may be called from any thread."""

    description: str
    total: int
    completed: int = 0
    _display: Progress | None = field(default=None, repr=False)
    _task: object = field(default=None, repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def advance(self, count: int = 1) -> None:
        with self._lock:
            self.update(self.completed + count)

    def update(self, completed: int, total: int | None = None) -> None:
        with self._lock:
            self.completed = completed
            self.total = self.total if total is None else total
            if self._display is not None:
                self._display.update(self._task, completed=completed, total=self.total or None, counts=self.counts)

    @property
    def counts(self) -> str:
        done = vietnamese(self.completed)
        return f"{done}/{vietnamese(self.total)}" if self.total else done


@contextmanager
def bar(description: str, total: int = 0, unit: str = "") -> Iterator[Bar]:
    """A bar for one long step; `total` 0 = not known beforehand."""
    target = console()
    started = time.monotonic()
    if target.is_terminal:
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[counts]} " + unit, markup=False),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=target, transient=True) as display:
            step = Bar(description, total, _display=display)
            step._task = display.add_task(description, total=total or None, counts=step.counts)
            yield step
    else:
        step = Bar(description, total)
        yield step
    seconds = f"{time.monotonic() - started:.1f}".replace(".", ",")
    # a step that counted nothing and has nothing to count, such as starting something, shows its time alone
    counted = f"{step.counts} {unit}".rstrip() + " · " if unit or step.total or step.completed else ""
    # a file's name may hold brackets and colons, which rich would take for markup and emoji
    target.print(f"  ✔ {description}: {counted}{seconds} giây", markup=False, emoji=False)
