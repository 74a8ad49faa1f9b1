"""Settings: environment variables with defaults; secrets are not shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from cchc.settings import PROJECT_ROOT, Settings, quiet_environment

SECRETS = {
    "CCHC_WAREHOUSE_URL": "postgresql://someone:warehouse-word@db.internal/cchc",
    "CCHC_PORTAL_PASSWORD": "portal-word",
    "CCHC_PSEUDONYM_KEY": "pseudonym-word-" + "x" * 32,
}


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith("CCHC_")]:
        monkeypatch.delenv(name)


def test_without_an_environment_everything_lies_in_the_project() -> None:
    settings = Settings()
    assert settings.var == PROJECT_ROOT / "var"
    assert settings.inbox == str(PROJECT_ROOT / "var" / "inbox")
    assert settings.landing == str(PROJECT_ROOT / "var" / "landing")
    assert settings.out == str(PROJECT_ROOT / "out")
    assert settings.warehouse_url is settings.portal_url is settings.pseudonym_key is None
    assert settings.synthetic is False


def test_the_environment_decides(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CCHC_VAR", str(tmp_path))
    monkeypatch.setenv("CCHC_LANDING", "s3://kho/landing")
    monkeypatch.setenv("CCHC_PORTAL_URL", "https://portal.internal")
    monkeypatch.setenv("CCHC_PORTAL_CALLS_IN_FLIGHT", "3")
    monkeypatch.setenv("CCHC_SYNTHETIC", "true")
    settings = Settings()
    assert settings.var == tmp_path
    assert settings.inbox == str(tmp_path / "inbox")
    assert settings.landing == "s3://kho/landing"
    assert settings.portal_url == "https://portal.internal"
    assert settings.portal_calls_in_flight == 3
    assert settings.synthetic is True


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WAREHOUSE_URL", "INBOX", "OUT", "VAR", "PORTAL_URL", "PSEUDONYM_KEY", "MAX_REJECT_SHARE"):
        monkeypatch.setenv(f"CCHC_{name}", "")
    assert Settings() == Settings(_env_prefix="NOTHING_HAS_THIS_")


@pytest.mark.parametrize(
    ("name", "value"),
    [("MAX_REJECT_SHARE", "1.5"), ("PORTAL_CALLS_IN_FLIGHT", "0"), ("PORTAL_CALLS_PER_SECOND", "0")],
)
def test_an_impossible_value_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"CCHC_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


def test_secrets_are_in_no_representation(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.portal_password.get_secret_value() == "portal-word"
    for shown in (repr(settings), str(settings), str(settings.model_dump()), settings.model_dump_json()):
        assert "-word" not in shown


def test_secrets_come_from_files_and_a_variable_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in SECRETS.items():
        (tmp_path / name.lower()).write_text(f"{value}\n")
    monkeypatch.setenv("CCHC_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("CCHC_PORTAL_PASSWORD", "of the environment")
    settings = Settings()
    assert settings.warehouse_url.get_secret_value() == SECRETS["CCHC_WAREHOUSE_URL"]
    assert settings.pseudonym_key.get_secret_value() == SECRETS["CCHC_PSEUDONYM_KEY"]
    assert settings.portal_password.get_secret_value() == "of the environment"
    assert "-word" not in repr(settings)


def test_a_folder_of_secrets_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CCHC_SECRETS_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(ValidationError, match="secrets_dir"):
        Settings()


def test_every_secret_is_declared_as_one() -> None:
    named = [
        name
        for name in Settings.model_fields
        if any(word in name for word in ("password", "key", "secret")) and name != "secrets_dir"
    ]
    assert {"portal_password", "pseudonym_key"} <= set(named)
    assert all("SecretStr" in str(Settings.model_fields[name].annotation) for name in [*named, "warehouse_url"])


def test_telemetry_is_off_unless_the_user_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DO_NOT_TRACK", raising=False)
    monkeypatch.setenv("DBT_SEND_ANONYMOUS_USAGE_STATS", "true")
    quiet_environment()
    assert os.environ["DO_NOT_TRACK"] == "1"
    assert os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] == "true"
    monkeypatch.delenv("DO_NOT_TRACK")
