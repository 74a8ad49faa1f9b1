"""`cchc refresh` in one process: its pieces. The whole run is tested end to end elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cchc import settings as settings_module
from cchc.periods import UnknownPeriod, as_of_moment
from cchc.settings import PROJECT_ROOT, Settings
from dags import one_process, steps


@pytest.mark.parametrize(
    ("as_of", "moment"),
    [
        # a day stands for its last moment, however it is written
        ("2024-06-05", "2024-06-05T23:59:59.999999+07:00"),
        ("20240605", "2024-06-05T23:59:59.999999+07:00"),
        # a moment is that moment, local unless it says otherwise
        ("2024-06-05T17:00", "2024-06-05T17:00:00+07:00"),
        ("2024-06-05 17:00:30", "2024-06-05T17:00:30+07:00"),
        ("2024-06-05T00:00", "2024-06-05T00:00:00+07:00"),
        ("2024-06-05T10:00Z", "2024-06-05T17:00:00+07:00"),
        ("2024-06-05T10:00:00+00:00", "2024-06-05T17:00:00+07:00"),
    ],
)
def test_as_of(as_of: str, moment: str) -> None:
    assert as_of_moment(as_of) == datetime.fromisoformat(moment)
    assert as_of_moment(as_of).utcoffset() is not None
    # what the command hands to the DAG means the same there
    assert as_of_moment(as_of_moment(as_of).isoformat()) == datetime.fromisoformat(moment)


def test_no_as_of_is_the_periods_own() -> None:
    assert as_of_moment(None) is None


@pytest.mark.parametrize("as_of", ["", "hôm qua", "05/06/2024", "2024-06", "2024-06-31", "2024-06-05T25:00"])
def test_what_is_no_moment_is_refused_in_words_for_people(as_of: str) -> None:
    with pytest.raises(ValueError, match="không phải ngày hay thời điểm"):
        as_of_moment(as_of)


@pytest.fixture
def configured(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings as the steps see them."""
    monkeypatch.setattr(steps, "get_settings", lambda: settings)
    return settings


@pytest.mark.parametrize(
    ("as_of", "moment"),
    [
        (None, datetime(2024, 6, 14, 16, 59, 59, 999999, UTC)),
        ("2024-06-05", datetime(2024, 6, 5, 16, 59, 59, 999999, UTC)),
        ("2024-06-05T17:00", datetime(2024, 6, 5, 10, tzinfo=UTC)),
    ],
)
def test_prepare_notes_the_period_and_its_moment(
    configured: Settings, query: Callable[..., list[tuple]], as_of: str | None, moment: datetime
) -> None:
    steps.prepare("2024-H1", as_of)
    assert query("select period_id, as_of_at from ops.report_request") == [("2024-H1", moment)]


def test_prepare_refuses_what_is_no_period_before_it_touches_anything(
    configured: Settings, query: Callable[..., list[tuple]]
) -> None:
    with pytest.raises(UnknownPeriod):
        steps.prepare("2024-H3", None)
    with pytest.raises(ValueError, match="không phải ngày"):
        steps.prepare("2024-H1", "hôm qua")
    assert query("select count(*) from ops.report_request") == [(0,)]


def test_steps_read_the_settings_of_the_environment() -> None:
    assert steps.get_settings is settings_module.get_settings


LOG = """2026-01-01 [info] Task started
Traceback (most recent call last):
  File "steps.py", line 1, in build
ValueError: an earlier error
    raise BuildFailed: indented, so not the message
cchc.transform.BuildFailed: 2 mô hình hoặc kiểm tra không đạt
  fct_dossier: khoá trùng
2026-01-01 [info] Task finished: Failed
"""


def test_the_last_error_of_a_log_is_named(tmp_path: Path) -> None:
    log = tmp_path / "refresh.log"
    log.write_text(LOG)
    # with what belongs to it: the names of the tests that failed
    assert one_process.last_error(log).splitlines() == [
        "cchc.transform.BuildFailed: 2 mô hình hoặc kiểm tra không đạt",
        "  fct_dossier: khoá trùng",
    ]
    log.write_text("ValueError: long\n" + "  more\n" * 100)
    assert len(one_process.last_error(log).splitlines()) == 9


def test_a_log_without_an_error_shows_its_end(tmp_path: Path) -> None:
    log = tmp_path / "refresh.log"
    log.write_text("\n".join(f"2026 line {number}" for number in range(20)))
    assert one_process.last_error(log).splitlines() == [f"2026 line {number}" for number in range(15, 20)]
    log.write_bytes(b"\xff\xfe not utf-8")
    assert "not utf-8" in one_process.last_error(log)


def test_airflow_is_configured_under_var_unless_the_user_said_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {"AIRFLOW__CORE__EXECUTOR": "CeleryExecutor"}
    monkeypatch.setattr(os, "environ", environment)
    one_process.configure_airflow(Settings(var=tmp_path))
    assert environment["AIRFLOW__CORE__EXECUTOR"] == "CeleryExecutor"
    assert environment["AIRFLOW__CORE__DAGS_FOLDER"] == str(PROJECT_ROOT / "dags")
    assert environment["AIRFLOW__CORE__LOAD_EXAMPLES"] == "False"
    for name in ("AIRFLOW_HOME", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "AIRFLOW__LOGGING__BASE_LOG_FOLDER"):
        assert str(tmp_path / "airflow") in environment[name]


def test_a_second_refresh_waits_for_the_first(tmp_path: Path) -> None:
    configured = Settings(var=tmp_path)
    (tmp_path / "airflow").mkdir()
    order = []

    def second() -> None:
        with one_process._one_at_a_time(configured):
            order.append("second")

    thread = threading.Thread(target=second)
    with one_process._one_at_a_time(configured):
        thread.start()
        time.sleep(0.2)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


NOISY = """
import os, subprocess, sys
from pathlib import Path
from cchc import progress
from dags import one_process

print("before")
try:
    with one_process._terminal_for_progress_only(Path(sys.argv[1])):
        print("a library prints")
        print("a library warns", file=sys.stderr)
        os.write(2, b"a C library writes\\n")
        subprocess.run([sys.executable, "-c", "print('a child prints')"])
        with progress.bar("Nạp", total=2, unit="tệp") as bar:
            bar.advance(2)
        raise ValueError("it went wrong")
except ValueError:
    print("after")
    with progress.bar("Ghi", unit="tệp"):
        pass
"""


def test_the_terminal_shows_progress_and_the_log_has_the_rest(tmp_path: Path) -> None:
    log = tmp_path / "log" / "refresh.log"
    done = subprocess.run(
        [sys.executable, "-c", NOISY, str(log)], capture_output=True, encoding="utf-8", check=True, cwd=tmp_path
    )
    assert done.stdout == "before\nafter\n"
    assert [line.split(" · ")[0] for line in done.stderr.splitlines()] == ["  ✔ Nạp: 2/2 tệp", "  ✔ Ghi: 0 tệp"]
    logged = log.read_text(encoding="utf-8")
    for line in ("a library prints", "a library warns", "a C library writes", "a child prints", "it went wrong"):
        assert line in logged
    assert one_process.last_error(log) == "ValueError: it went wrong"
