"""Tells the scheduler that files arrived in the inbox. Runs in Airflow's triggerer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from cchc.settings import get_settings

_log = logging.getLogger(__name__)


class InboxTrigger(BaseEventTrigger):
    """Fires when the listing of the inbox folders of one reader changed and has been still for one interval.

    It fires once at its start too, if there is any file: what arrived while no triggerer ran must not wait, and loading
    what is known already costs next to nothing. `reader` is csv or workbook, `seconds` the time between two looks.
    """

    def __init__(self, reader: str, seconds: float) -> None:
        super().__init__()
        self.reader = reader
        self.seconds = seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return "dags.inbox_trigger.InboxTrigger", {"reader": self.reader, "seconds": self.seconds}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        told: frozenset[tuple] = frozenset()
        before = None
        while True:
            try:
                found = await asyncio.to_thread(self._listing)
            except OSError as error:
                # the load that the clock starts will be red and say so; here it only must not end the watch
                _log.warning("inbox cannot be listed: %s", error)
            else:
                # a file that still grows is looked at again later
                if found == before and found - told:
                    yield TriggerEvent({"new_files": len(found - told)})
                if found == before:
                    told = found
                before = found
            await asyncio.sleep(self.seconds)

    def _listing(self) -> frozenset[tuple]:
        from extract.exports import list_inbox
        from extract.sources import inbox_folders

        inbox = get_settings().inbox
        return frozenset(
            (folder, file.name, file.byte_count, str(file.changed_at))
            for folder in inbox_folders(self.reader)
            for file in list_inbox(inbox, folder)
        )
