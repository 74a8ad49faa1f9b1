"""What the DAGs hand over to each other: files in the inbox, rows in raw, published marts."""

from __future__ import annotations

from airflow.sdk import Asset, AssetWatcher

from cchc.settings import get_settings
from dags.inbox_trigger import InboxTrigger

_POLL_SECONDS = get_settings().inbox_poll_seconds

EXPORTS = Asset(
    name="exports_in_inbox",
    uri="cchc://inbox/exports",
    watchers=[AssetWatcher(name="exports", trigger=InboxTrigger("csv", _POLL_SECONDS))],
)
WORKBOOKS = Asset(
    name="workbooks_in_inbox",
    uri="cchc://inbox/workbooks",
    watchers=[AssetWatcher(name="workbooks", trigger=InboxTrigger("workbook", _POLL_SECONDS))],
)
ONE_STOP = Asset(name="raw_one_stop", uri="cchc://raw/one_stop")
PORTAL = Asset(name="raw_portal", uri="cchc://raw/portal")
BUDGET = Asset(name="raw_budget", uri="cchc://raw/budget")
DEPARTMENTS = Asset(name="raw_departments", uri="cchc://raw/departments")
MARTS = Asset(name="marts", uri="cchc://marts")
