"""Retention: originals in the landing store that were kept long enough are deleted, and each deletion is noted.

An original is kept while one of these holds:

- the last day its data is about, or the last time it arrived, is less than `years` years ago;
- a signed report (`ops.submission`) rests on it: a figure names one of its loads, or it is of a dataset that no figure
  of that report names (lists, the text) and was in the publication the report was taken from.

Only the file goes: its rows in `raw`, its ledger entry and its digest stay, so every figure keeps its explanation.
"""

from __future__ import annotations

import getpass
import re
import socket
from dataclasses import dataclass
from datetime import UTC, datetime

from fsspec.core import url_to_fs
from sqlalchemy import Connection, Engine, text

from cchc.backup import ORIGINALS_LOCK
from cchc.settings import Settings

_ORIGINAL = re.compile(r"(?P<source>[a-z0-9_]+)/(?P<start>[0-9a-f]{2})/(?P<digest>(?P=start)[0-9a-f]{62})(\.[a-z.]+)?")

_LAST_NEEDED = text("""
    select source, digest, max(moment) as last_needed_at
    from (
        select source, digest, finished_at as moment from ops.load
        union all
        select source, digest, (covers_to_on + 1)::timestamptz from ops.load where covers_to_on is not null
        union all
        select source, digest, arrived_at from ops.arrival where digest is not null
    ) as needed
    group by source, digest
""")
_SIGNED = text("""
    with named as (
        select distinct submission_id, unnest(load_ids) as load_id from ops.submitted_figure
    ),

    known as (
        select distinct named.submission_id, load.source, load.dataset
        from named inner join ops.load as load using (load_id)
    ),

    rests_on as (
        select load_id from named
        union
        select load.load_id
        from ops.submission as submission
        inner join ops.publication as publication using (publication_id)
        inner join ops.load as load on load.load_id = any(publication.load_ids)
        where
            load.status = 'loaded'
            and not exists (
                select from known
                where
                    known.submission_id = submission.submission_id
                    and known.source = load.source and known.dataset = load.dataset
            )
    )

    select distinct load.source, load.digest from rests_on inner join ops.load as load using (load_id)
""")
_NOTE = text("""
    insert into ops.original_deletion
        (source, digest, landing_uri, byte_count, last_needed_at, kept_years, deleted_by)
    select :source, :digest, :uri, :byte_count, :last_needed_at, :years, :deleted_by
    -- a run that was killed between the note and the deletion has noted it already
    where not exists (
        select from ops.original_deletion where landing_uri = :uri and deleted_at > :last_needed_at
    )
""")


@dataclass(frozen=True)
class Original:
    """One file of the landing store; `last_needed_at` is what its age is counted from."""

    source: str
    digest: str
    path: str
    uri: str
    byte_count: int
    last_needed_at: datetime


def expired(settings: Settings, engine: Engine, now: datetime | None = None) -> list[Original]:
    """The originals that may go, the oldest first. `engine` acts as loader. Deletes nothing."""
    with engine.connect() as connection:
        return _expired(connection, settings, now or datetime.now(UTC))


def delete_expired(settings: Settings, engine: Engine, now: datetime | None = None) -> list[Original]:
    """Note each original that may go in `ops.original_deletion`, then delete it; returns them, the oldest first.

    The note is committed before the file goes: a run that is killed in between is finished by the next one. A backup
    that is being written is waited for. Raises OSError when the store refuses; what was deleted until then is noted.
    """
    deleted = []
    with engine.connect() as connection:
        connection.execute(text("select pg_advisory_lock(:key)"), {"key": ORIGINALS_LOCK})
        connection.commit()
        try:
            originals = _expired(connection, settings, now or datetime.now(UTC))
            connection.rollback()
            filesystem, _ = url_to_fs(settings.landing)
            for original in originals:
                connection.execute(
                    _NOTE,
                    {
                        "source": original.source,
                        "digest": original.digest,
                        "uri": original.uri,
                        "byte_count": original.byte_count,
                        "last_needed_at": original.last_needed_at,
                        "years": settings.retention_years,
                        "deleted_by": _who(),
                    },
                )
                connection.commit()
                filesystem.rm_file(original.path)
                deleted.append(original)
        finally:
            connection.rollback()
            connection.execute(text("select pg_advisory_unlock(:key)"), {"key": ORIGINALS_LOCK})
            connection.commit()
    return deleted


def _expired(connection: Connection, settings: Settings, now: datetime) -> list[Original]:
    last_needed = {(row.source, row.digest): row.last_needed_at for row in connection.execute(_LAST_NEEDED)}
    signed = {(row.source, row.digest) for row in connection.execute(_SIGNED)}
    oldest_kept = _years_before(now, settings.retention_years)
    filesystem, base = url_to_fs(settings.landing)
    if not filesystem.exists(base):
        return []
    found = []
    for path, entry in filesystem.find(base, detail=True).items():
        match = _ORIGINAL.fullmatch(path.removeprefix(base).lstrip("/"))
        if match is None:
            # nothing of ours: nobody has said that it may go
            continue
        known = (match["source"], match["digest"])
        # a file of which the ledger knows nothing, landed by a run that was killed, counts from when it was written
        moment = last_needed.get(known) or filesystem.modified(path)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        if moment < oldest_kept and known not in signed:
            found.append(Original(*known, path, filesystem.unstrip_protocol(path), entry["size"], moment))
    return sorted(found, key=lambda original: (original.last_needed_at, original.path))


def _years_before(moment: datetime, years: int) -> datetime:
    try:
        return moment.replace(year=moment.year - years)
    except ValueError:  # 29 February
        return moment.replace(year=moment.year - years, day=28)


def _who() -> str:
    return f"{getpass.getuser()}@{socket.gethostname()}"
