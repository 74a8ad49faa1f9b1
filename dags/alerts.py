"""Callbacks of every task: a failure is told to the owner once, a success closes the matter.

They never fail a task: what goes wrong in here is a line in its log.
"""

from __future__ import annotations

import logging
from typing import Any

from cchc.settings import get_settings

_log = logging.getLogger(__name__)


def on_failure(context: Any) -> None:
    """After the last try of a task."""
    from publish import alerts

    instance = context["ti"]
    try:
        alerts.tell_of_failure(get_settings(), instance.dag_id, instance.task_id, context.get("exception"))
    except Exception as error:  # an alert that cannot be sent must not hide the failure itself
        _log.error("không gửi được thư báo: %s", type(error).__name__)


def on_success(context: Any) -> None:
    """Done, or nothing to do."""
    from publish import alerts

    instance = context["ti"]
    try:
        alerts.over(get_settings(), instance.dag_id, instance.task_id)
    except Exception as error:
        _log.error("không khép được thư báo: %s", type(error).__name__)
