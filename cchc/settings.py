"""Settings: environment variables, the same on the command line and in Airflow."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import DirectoryPath, Field, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SecretsSettingsSource, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parents[1]


class Settings(BaseSettings):
    """Every setting of the product. Folders may be fsspec URLs (s3://, sftp://); unset feeds are skipped.

    A setting may also be a file of `CCHC_SECRETS_DIR`, named as its variable, whatever the case
    (`cchc_portal_password`), so that no secret need stand in an environment. A variable wins over a file.
    """

    model_config = SettingsConfigDict(env_prefix="CCHC_", extra="ignore", env_ignore_empty=True)

    var: Path = Field(PROJECT_ROOT / "var", description="state of this machine: embedded server, logs, Airflow's home")
    secrets_dir: DirectoryPath | None = Field(None, description="a folder with one file for each secret setting")
    warehouse_url: SecretStr | None = Field(None, description="unset: an embedded PostgreSQL under `var`")
    inbox: str = Field("", description="where sources drop their files")
    landing: str = Field("", description="the archive of everything received, as received")
    out: str = Field("", description="where reports are written")

    portal_url: str | None = None
    portal_username: str = ""
    portal_password: SecretStr = SecretStr("")
    portal_unit: str = ""
    portal_dstcode: str = ""
    portal_calls_in_flight: int = Field(8, ge=1, le=64)
    portal_calls_per_second: float = Field(200, gt=0)

    budget_url: str | None = None
    budget_client_id: str = ""
    budget_client_secret: SecretStr = SecretStr("")

    smtp_host: str | None = Field(None, description="unset: no mail goes out, which the log says")
    smtp_port: int = Field(587, ge=1, le=65535)
    smtp_security: Literal["starttls", "ssl", "none"] = "starttls"
    smtp_username: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_sender: str = Field("", description="the address that mail comes from")
    alert_to: str = Field("", description="who hears of faults: addresses with commas between them")
    contacts: str = Field("", description="a CSV of the departments' contacts: Đơn vị, Người liên hệ, Điện thoại, Thư")

    pseudonym_key: SecretStr | None = Field(None, description="HMAC key of identity numbers, 32 characters or more")
    max_reject_share: float = Field(0.05, ge=0, le=1, description="a file with a larger share of rejects is refused")
    max_workbook_bytes: int = Field(100_000_000, gt=0, description="a larger workbook is refused unread")
    max_unpacked_bytes: int = Field(1_000_000_000, gt=0, description="and so is one that unpacks to more than this")
    retention_years: int = Field(10, ge=1, le=100, description="how long originals stay in the landing store")
    inbox_poll_seconds: float = Field(30, gt=0, description="time between two looks into the inbox")
    retry_delay_seconds: float = Field(120, gt=0, le=600, description="pause before a failed task is tried again")
    synthetic: bool = Field(False, description="the data is the sample province; the report says so")
    province_name: str = "tỉnh Hưng Yên"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the folder that the environment names; one that is not there fails as a field, not as a warning."""
        folder = os.environ.get("CCHC_SECRETS_DIR", "")
        if not folder or not Path(folder).is_dir():
            return init_settings, env_settings
        return init_settings, env_settings, SecretsSettingsSource(settings_cls, secrets_dir=folder)

    def model_post_init(self, _context: object) -> None:
        self.inbox = self.inbox or str(self.var / "inbox")
        self.landing = self.landing or str(self.var / "landing")
        self.out = self.out or str(PROJECT_ROOT / "out")


@cache
def get_settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()


def quiet_environment() -> None:
    """Switch telemetry of the libraries off: the product runs inside government networks."""
    os.environ.setdefault("DO_NOT_TRACK", "1")
    os.environ.setdefault("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
