"""Office files whose bytes say nothing of the clock: the same content, the same bytes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import datetime

from cchc.periods import LOCAL_ZONE


def pinned(content: bytes, moment: datetime, edit: Callable[[str, bytes], bytes] | None = None) -> bytes:
    """The package with every member dated `moment`, local time; `edit` may change a part, given its name."""
    local = moment.astimezone(LOCAL_ZONE)
    stamp = (local.year, local.month, local.day, local.hour, local.minute, local.second)
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(file, "w") as target:
        for member in source.infolist():
            part = source.read(member)
            entry = zipfile.ZipInfo(member.filename, stamp)
            entry.create_system = 3
            entry.external_attr = 0o600 << 16
            target.writestr(entry, edit(member.filename, part) if edit else part, compress_type=zipfile.ZIP_DEFLATED)
    return file.getvalue()
