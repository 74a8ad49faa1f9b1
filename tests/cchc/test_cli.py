"""The command line: every command explains itself in Vietnamese, exit codes mean what they should."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import click
import pytest
import typer
from typer.testing import CliRunner

from cchc import cli, settings

COMMANDS = {
    "refresh",
    "up",
    "down",
    "load",
    "status",
    "contracts",
    "template",
    "diff",
    "report",
    "check",
    "explain",
    "freeze",
    "backup",
    "restore",
    "retention",
    "sample",
    "serve-sample",
}
# letters that no English word has
_VIETNAMESE = re.compile("[ăâđêôơư\u0300\u0301\u0303\u0309\u0323]")


@pytest.fixture(scope="module")
def group() -> click.Group:
    return typer.main.get_command(cli.build())


@pytest.fixture
def cchc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Run a command in this process, its folders in the test's own and no server started by mistake."""
    for name in [name for name in os.environ if name.startswith("CCHC_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CCHC_VAR", str(tmp_path / "var"))
    monkeypatch.setenv("CCHC_OUT", str(tmp_path / "out"))
    settings.get_settings.cache_clear()
    yield lambda *words: CliRunner().invoke(cli.build(), words)
    settings.get_settings.cache_clear()
    assert not (tmp_path / "var" / "postgres").exists(), "bad usage started a server"


def _is_vietnamese(words: str) -> bool:
    return _VIETNAMESE.search(unicodedata.normalize("NFD", words.lower()).replace("\u031b", "ơ")) is not None


def test_the_commands_are_these(group: click.Group) -> None:
    assert set(group.commands) == COMMANDS


def test_every_command_and_every_argument_has_help_in_vietnamese(group: click.Group) -> None:
    assert _is_vietnamese(group.help)
    for name, command in group.commands.items():
        assert command.help, name
        assert _is_vietnamese(command.help), name
        for parameter in command.params:
            if parameter.name != "help":
                # "2024-H1" alone would not explain anything
                assert _is_vietnamese(getattr(parameter, "help", None) or ""), f"{name} {parameter.name}"


def test_help_of_every_command_can_be_printed(group: click.Group) -> None:
    for name in group.commands:
        result = CliRunner().invoke(cli.build(), [name, "--help"])
        assert result.exit_code == cli.DONE, result.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["no-such-command"], "no-such-command"),
        (["refresh"], "Missing argument"),
        (["refresh", "2024-H3"], "không phải là kỳ báo cáo"),
        (["refresh", "2024-H1", "--as-of", "hôm qua"], "không phải ngày hay thời điểm"),
        (["refresh", "2024-H1"], "CCHC_PSEUDONYM_KEY"),
        (["refresh", "2024-H1", "--no-such-option"], "no-such-option"),
        (["report"], "Missing argument"),
        (["report", "nửa đầu năm"], "không phải là kỳ báo cáo"),
        (["load", "sao-hoả"], "Không có nguồn: sao-hoả"),
        (["sample"], "Missing argument"),
    ],
)
def test_bad_usage_is_exit_code_2_and_says_what_is_wrong(cchc, words: list[str], message: str) -> None:
    result = cchc(*words)
    assert result.exit_code == cli.BAD_USAGE, result.output
    assert message in result.output
    assert "Traceback" not in result.output


def test_a_period_that_the_sample_cannot_make_is_bad_usage(cchc, tmp_path: Path) -> None:
    result = cchc("sample", str(tmp_path / "sample"), "--period", "2024-H9")
    assert result.exit_code == cli.BAD_USAGE
    assert not (tmp_path / "sample").exists()


def test_a_pseudonym_key_that_is_too_short_is_refused_without_showing_it(cchc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CCHC_PSEUDONYM_KEY", "ngắn-quá")
    settings.get_settings.cache_clear()
    result = cchc("refresh", "2024-H1")
    assert result.exit_code == cli.BAD_USAGE
    assert "ngắn-quá" not in result.output


def _run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from cchc.cli import main; main()", *words],
        capture_output=True,
        text=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("CCHC_")} | environment,
    )


def test_a_setting_that_cannot_be_is_bad_usage_and_secrets_stay_secret() -> None:
    done = _run("status", CCHC_MAX_REJECT_SHARE="5", CCHC_PSEUDONYM_KEY="bí-mật" * 10)
    assert done.returncode == cli.BAD_USAGE
    assert "CCHC_MAX_REJECT_SHARE không hợp lệ" in done.stderr
    assert "bí-mật" not in done.stderr
    assert "Traceback" not in done.stderr


def test_help_does_not_wait_for_airflow_or_dbt_to_be_imported() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys\nfrom cchc import cli\ncli.build()\nprint(sorted({'airflow', 'dbt'} & set(sys.modules)))",
        ],
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "[]", done.stderr
