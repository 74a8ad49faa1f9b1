"""`cchc refresh`: the DAG that the scheduler runs, run here and now in this process."""

from __future__ import annotations

import fcntl
import itertools
import os
import re
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cchc import progress
from cchc.settings import Settings
from dags import local_airflow

# what Airflow and dbt begin a line of their logs with
_LOG_LINE = re.compile(r"\[?\d|Traceback ")
_MESSAGE_LINES = 9


class RefreshFailed(RuntimeError):
    """The refresh did not reach its end. The message is for the person in front of the terminal."""


@dataclass
class RefreshRun:
    """What a refresh left behind: when it began, how long each step took, its log."""

    started_at: datetime
    log: Path
    steps: list[tuple[str, float]] = field(default_factory=list)
    failed_tasks: list[str] = field(default_factory=list)


def run(settings: Settings, period_id: str, as_of: str | None) -> RefreshRun:
    """Run the `refresh` DAG once; raises RefreshFailed when the report could not be made."""
    started = time.monotonic()
    log = settings.var / "log" / f"refresh-{datetime.now():%Y%m%d-%H%M%S}-{os.getpid()}.log"
    result = RefreshRun(datetime.now(UTC), log)
    configure_airflow(settings)
    with _one_at_a_time(settings), _terminal_for_progress_only(log):
        with progress.bar("Khởi động Airflow"):
            _prepare_metadata()
            from dags.refresh import refresh

            flow = refresh()
            for task in flow.tasks:
                # whoever waits at the terminal wants the error, not another try in two minutes
                task.retries = 0
        result.steps.append(("Khởi động Airflow", time.monotonic() - started))
        dag_run = flow.test(run_conf={"period": period_id, "as_of": as_of})
        for instance in sorted(dag_run.get_task_instances(), key=lambda i: i.start_date or datetime.now(UTC)):
            if instance.start_date and instance.end_date:
                seconds = (instance.end_date - instance.start_date).total_seconds()
                result.steps.append((_STEP_NAMES.get(instance.task_id, instance.task_id), seconds))
            if instance.state == "failed":
                result.failed_tasks.append(instance.task_id)
        succeeded = str(dag_run.state) == "success"
    if not succeeded:
        names = ", ".join(_STEP_NAMES.get(name, name) for name in result.failed_tasks)
        raise RefreshFailed(f"Không làm mới được báo cáo; bước lỗi: {names}.\n{last_error(log)}\nNhật ký: {log}")
    return result


_STEP_NAMES = {
    "prepare": "Chuẩn bị kho dữ liệu",
    "load_one_stop": "Nạp hồ sơ một cửa",
    "load_portal": "Lấy dữ liệu Cổng dịch vụ công",
    "load_budget": "Lấy dữ liệu ngân sách",
    "load_departments": "Nạp sổ của các sở",
    "build": "Dựng, kiểm tra và công bố",
    "report": "Ghi báo cáo",
}


def configure_airflow(settings: Settings) -> None:
    """Airflow's environment for one process, where the user has not said otherwise. Must come before its import."""
    home = local_airflow.home_of(settings)
    home.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", f"sqlite:///{home / 'one-process.db'}")
    for name, value in local_airflow.base_environment(settings).items():
        os.environ.setdefault(name, value)


def _prepare_metadata() -> None:
    from airflow.utils import db

    try:
        db.check_migrations(timeout=0)
    except TimeoutError:
        db.initdb()


@contextmanager
def _one_at_a_time(settings: Settings) -> Iterator[None]:
    """A second refresh on this machine waits for the first: they share Airflow's metadata."""
    with (settings.var / "airflow" / "refresh.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _terminal_for_progress_only(log: Path) -> Iterator[None]:
    """Send all that libraries print to the log file; the terminal is left to progress bars."""
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    terminal = os.dup(2)
    saved = os.dup(1)
    with log.open("ab", buffering=0) as target, os.fdopen(os.dup(terminal), "w", encoding="utf-8") as shown:
        os.dup2(target.fileno(), 1)
        os.dup2(target.fileno(), 2)
        progress.show_on(shown)
        previous = _stop_at_once_when_told_to(terminal)
        try:
            yield
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            progress.show_on(None)
            for number, handler in previous.items():
                signal.signal(number, handler)
            os.dup2(saved, 1)
            os.dup2(terminal, 2)
            os.close(saved)
            os.close(terminal)


def _stop_at_once_when_told_to(terminal: int) -> dict[int, Any]:
    """End the process on Ctrl-C and SIGTERM; returns the handlers that were there.

    Airflow takes an interrupt for the failure of one task and goes on with the next. Nothing needs a farewell: open
    transactions are rolled back by the server, and the embedded server ends with its last user.
    """

    def stop(number: int, _frame: object) -> None:
        os.write(
            terminal, "\nĐã dừng theo yêu cầu; những gì đang nạp dở được hủy, chạy lại lúc nào cũng được.\n".encode()
        )
        os._exit(128 + number)

    return {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}


def last_error(log: Path) -> str:
    """The lines of the log that name the last error, with the first of those that belong to its message."""
    lines = log.read_text(errors="replace").splitlines()
    marks = ("Error", "Failed", "Exception", "MissingPseudonymKey", "UnknownPeriod")
    named = [
        i for i, line in enumerate(lines) if line[:1].isalpha() and any(mark in line.split(":")[0] for mark in marks)
    ]
    if not named:
        return "\n".join(lines[-5:])
    message = lines[named[-1] : named[-1] + _MESSAGE_LINES]
    belonging = itertools.takewhile(lambda line: line and not _LOG_LINE.match(line), message[1:])
    return "\n".join([message[0].strip(), *belonging])
