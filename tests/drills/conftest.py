"""A small province for every drill, and the marts of a run that nothing disturbed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cchc.settings import PROJECT_ROOT, Settings
from sample.province import write_province
from tests.machine import PERIOD


@pytest.fixture(scope="session")
def province(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("province")
    write_province(folder, PERIOD, seed=41, scale=0.005)
    return folder


@pytest.fixture
def environment(settings: Settings) -> dict[str, str]:
    """The settings of the test as a process of its own finds them."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(settings.var),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(PROJECT_ROOT),
        "CCHC_VAR": str(settings.var),
        "CCHC_INBOX": settings.inbox,
        "CCHC_LANDING": settings.landing,
        "CCHC_OUT": settings.out,
        "CCHC_WAREHOUSE_URL": settings.warehouse_url.get_secret_value(),
        "CCHC_PSEUDONYM_KEY": settings.pseudonym_key.get_secret_value(),
    }


@pytest.fixture
def program(environment: dict[str, str]) -> Callable[..., str]:
    """Run Python in a process of its own, as `python …`; returns what it printed."""

    def run(*arguments: str, **more: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments], env=environment | more, capture_output=True, text=True, timeout=240
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    return run
