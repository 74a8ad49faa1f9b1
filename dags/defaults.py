"""What every DAG of this project shares: owner, retries, time-outs, zone. Imported by Airflow's DAG files."""

from __future__ import annotations

from datetime import timedelta

import pendulum

from cchc.settings import get_settings
from dags import alerts

OWNER = "cchc"
ZONE = pendulum.timezone("Asia/Ho_Chi_Minh")
# the first day a DAG may run for; periods before it are a backfill
START = pendulum.datetime(2024, 1, 1, tz=ZONE)

TASK_DEFAULTS = {
    "owner": OWNER,
    "retries": 2,
    "retry_delay": timedelta(seconds=get_settings().retry_delay_seconds),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=30),
    "execution_timeout": timedelta(hours=1),
    "on_failure_callback": alerts.on_failure,
    "on_success_callback": alerts.on_success,
    "on_skipped_callback": alerts.on_success,
}
