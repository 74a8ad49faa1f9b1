"""Airflow with its state in a temporary folder; it reads its environment when it is first imported."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cchc.settings import Settings
from dags import one_process


@pytest.fixture(scope="session")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Configured as `cchc refresh` configures it; yields Airflow's home."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("AIRFLOW_")]:
        del os.environ[name]
    settings = Settings(var=tmp_path_factory.mktemp("var"))
    one_process.configure_airflow(settings)
    yield settings.var / "airflow"
    os.environ.clear()
    os.environ.update(before)
