"""Nothing that is named or shown holds a secret."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

from cchc.settings import PROJECT_ROOT, Settings

SECRET_FIELDS = [name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)]
# a long run of letters and digits that are given a name of a secret
_ASSIGNED = re.compile(
    r"""(?i)\b\w*(?:password|secret|token|pseudonym_key|api_?key)["']?\s*[:=]\s*["']([^"'{}$]{8,})["']"""
)


def test_settings_hide_every_secret_however_they_are_shown() -> None:
    values = {name: f"khoa-bi-mat-{number}-{'x' * 32}" for number, name in enumerate(SECRET_FIELDS)}
    assert len(values) >= 4
    settings = Settings(**values)
    for shown in (repr(settings), str(settings), f"{settings}", str(settings.model_dump()), settings.model_dump_json()):
        assert "khoa-bi-mat" not in shown


def test_product_code_and_its_settings_hold_no_secret() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    rooms = ("cchc/", "extract/", "publish/", "dags/", "dbt/", "sql/", "Makefile", "pyproject.toml", ".ci/")
    files = [PROJECT_ROOT / name for name in tracked.stdout.split() if name.startswith(rooms)]
    assert len(files) > 100
    found = []
    for path in files:
        if path.suffix in (".py", ".yaml", ".yml", ".sql", ".toml", "") and path.is_file():
            found += [(path.name, value) for value in _ASSIGNED.findall(path.read_text(errors="replace"))]
    assert found == []


def test_the_search_would_find_one() -> None:
    assert _ASSIGNED.findall('budget_client_secret = "khoa-rat-bi-mat"') == ["khoa-rat-bi-mat"]


def test_no_secret_is_put_where_airflow_keeps_it() -> None:
    """Tasks take the settings themselves: no call in a DAG file reads a secret, so none can become an argument."""
    for path in Path(PROJECT_ROOT / "dags").glob("*.py"):
        names = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
        if path.name != "local_airflow.py":
            assert not names & {"get_secret_value", *SECRET_FIELDS}, path.name
