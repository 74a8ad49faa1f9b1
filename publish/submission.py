"""Sign-off: the figures as submitted, kept for good, and what has changed since.

A submission is a version of a period's report. It is written once; a correction is the next version. The files that
were sent are kept beside the report in `da-gui/v<version>/`, with their SHA-256 in `ops.submission`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, Engine, Row, text

from cchc.periods import LOCAL_ZONE
from cchc.progress import vietnamese
from publish import output
from publish.figures import FiguresUnfit

FOLDER = "da-gui"
CHANGES_NAME = "thay-doi-sau-khi-gui.txt"

# one statement, so that both parts are of one publication
_FIGURES = text("""
    select
        form_no || '/' || code as figure_key, label, unit, value, display, status,
        array(select jsonb_array_elements_text(coalesce(inputs -> 'load_ids', '[]'))::bigint) as load_ids,
        as_of_at
    from reporting.rpt_indicator
    where period_id = :period_id and kind <> 'heading'
    union all
    select key, label, unit, value, display, status, '{}'::bigint[], null
    from reporting.rpt_narrative
    where period_id = :period_id
""")
_LATEST = text("""
    select submission_id, version, submitted_by, submitted_at, as_of_at, load_ids, code_version
    from ops.submission
    inner join ops.publication using (publication_id)
    where period_id = :period_id
    order by version desc
    limit 1
""")
_SUBMITTED = text(
    "select figure_key, label, value, display, status, load_ids from ops.submitted_figure where submission_id = :id"
)
_NEW_LOADS = text("""
    select load.load_id, load.source, load.dataset, load.finished_at,
        (
            select arrival.name from ops.arrival as arrival
            where arrival.load_id = load.load_id order by arrival.arrival_id limit 1
        ) as name
    from ops.load as load
    where load.load_id = any(:ids) and not load.load_id = any(:known)
    order by load.finished_at, load.load_id
""")


class NothingToSubmit(ValueError):
    """The period's report cannot be frozen; the message says why."""


@dataclass(frozen=True)
class Submission:
    """One frozen version of a report."""

    period_id: str
    version: int
    submitted_by: str
    submitted_at: datetime
    as_of_at: datetime
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Load:
    """A load that came after the submission."""

    source: str
    dataset: str
    name: str
    finished_at: datetime


@dataclass(frozen=True)
class Change:
    """One figure that is no longer what was submitted; `loads` are the new loads it is computed from."""

    key: str
    label: str
    before: str
    after: str
    loads: tuple[Load, ...]


@dataclass(frozen=True)
class SinceSubmission:
    """What a report shows now against its newest submission."""

    submission: Submission
    changes: tuple[Change, ...]
    as_of_moved_to: datetime | None
    code_changed: bool


def freeze(
    engine: Engine, out_url: str, period_id: str, submitted_by: str, note: str, files: Sequence[str]
) -> Submission:
    """Keep the period's published figures and files as submitted, as a new version.

    `files` are names in the period's folder. Raises NothingToSubmit when the period is not published, a file is not
    there, or nothing differs from the newest version.
    """
    folder = output.join(out_url, period_id)
    contents = {}
    for name in files:
        content = output.read_if_there(output.join(folder, name))
        if content is None:
            raise NothingToSubmit(f"Chưa có tệp {name} của kỳ {period_id}; hãy chạy `cchc refresh {period_id}` trước")
        contents[name] = content
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    with engine.begin() as connection:
        # two people at once: the second one waits and becomes the next version, or learns that nothing differs
        connection.execute(text("select pg_advisory_xact_lock(hashtext('submission ' || :id))"), {"id": period_id})
        figures, as_of_at = _figures(connection, period_id)
        latest = _latest(connection, period_id)
        if latest is not None:
            submitted = _submitted(connection, latest.submission_id)
            if _same(figures, submitted) and latest.as_of_at == as_of_at:
                raise NothingToSubmit(
                    f"Báo cáo kỳ {period_id} không khác phiên bản {latest.version} đã chốt ngày "
                    f"{latest.submitted_at.astimezone(LOCAL_ZONE):%d/%m/%Y}"
                )
        row = connection.execute(
            text(
                "insert into ops.submission (period_id, version, submitted_by, note, as_of_at, publication_id, "
                "file_digests) select :period_id, :version, :submitted_by, :note, :as_of_at, max(publication_id), "
                "cast(:digests as jsonb) from ops.publication "
                "returning submission_id, period_id, version, submitted_by, submitted_at, as_of_at"
            ),
            {
                "period_id": period_id,
                "version": latest.version + 1 if latest else 1,
                "submitted_by": submitted_by,
                "note": note or None,
                "as_of_at": as_of_at,
                "digests": json.dumps(digests),
            },
        ).one()
        connection.execute(
            text(
                "insert into ops.submitted_figure (submission_id, figure_key, label, unit, value, display, status, "
                "load_ids) values (:submission_id, :figure_key, :label, :unit, :value, :display, :status, :load_ids)"
            ),
            [{**figure, "submission_id": row.submission_id} for figure in figures.values()],
        )
        # before the commit: a version whose files could not be kept is none
        kept = output.join(folder, FOLDER, f"v{row.version}")
        paths = tuple(output.write(output.join(kept, name), content) for name, content in contents.items())
    return Submission(period_id, row.version, submitted_by, row.submitted_at, row.as_of_at, paths)


def since_submission(connection: Connection, period_id: str) -> SinceSubmission | None:
    """What changed since the newest submission of a period, and which loads made it; None when there is none."""
    latest = _latest(connection, period_id)
    if latest is None:
        return None
    figures, as_of_at = _figures(connection, period_id)
    submitted = _submitted(connection, latest.submission_id)
    newest = connection.execute(
        text("select load_ids, code_version from ops.publication order by publication_id desc limit 1")
    ).one()
    loads = {
        row.load_id: Load(row.source, row.dataset, row.name, row.finished_at)
        for row in connection.execute(_NEW_LOADS, {"ids": newest.load_ids, "known": latest.load_ids})
    }
    changes = []
    for key in [*figures, *(key for key in submitted if key not in figures)]:
        before, after = submitted.get(key), figures.get(key)
        if before is None or after is None or _shown(before) != _shown(after):
            named = after or before
            new_loads = tuple(loads[i] for i in (after["load_ids"] if after else ()) if i in loads)
            changes.append(Change(key, named["label"], _words(before), _words(after), new_loads))
    return SinceSubmission(
        Submission(period_id, latest.version, latest.submitted_by, latest.submitted_at, latest.as_of_at),
        tuple(changes),
        as_of_at if as_of_at != latest.as_of_at else None,
        newest.code_version != latest.code_version,
    )


def write_changes(connection: Connection, period_id: str, folder: str) -> list[str]:
    """Write what changed since the newest submission into the period's folder; returns where, if there is one."""
    since = since_submission(connection, period_id)
    if since is None:
        return []
    return [output.write(output.join(folder, CHANGES_NAME), ("\n".join(lines(since)) + "\n").encode())]


def lines(since: SinceSubmission) -> list[str]:
    """What changed since the newest submission, for people; one line when nothing did."""
    sent = since.submission
    title = (
        f"So với phiên bản {sent.version} đã chốt ngày {sent.submitted_at.astimezone(LOCAL_ZONE):%d/%m/%Y} "
        f"({sent.submitted_by})"
    )
    if not since.changes:
        return [f"{title}: không có số liệu nào thay đổi"]
    found = [f"{title}: {vietnamese(len(since.changes))} số liệu thay đổi"]
    if since.as_of_moved_to is not None:
        found.append(f"  Thời điểm chốt số liệu nay là {since.as_of_moved_to.astimezone(LOCAL_ZONE):%H:%M %d/%m/%Y}")
    if since.code_changed:
        found.append("  Phiên bản phần mềm tính số liệu đã thay đổi")
    for change in since.changes:
        loads = "; ".join(
            f"{load.name} ({load.source}, nạp {load.finished_at.astimezone(LOCAL_ZONE):%d/%m/%Y %H:%M})"
            for load in change.loads
        )
        why = f", do: {loads}" if loads else ""
        found.append(f"  {change.key} {change.label}: {change.before} → {change.after}{why}")
    return found


def _figures(connection: Connection, period_id: str) -> tuple[dict[str, dict], datetime]:
    rows = connection.execute(_FIGURES, {"period_id": period_id}).mappings().all()
    moments = {row["as_of_at"] for row in rows if row["as_of_at"] is not None}
    if not moments:
        raise FiguresUnfit(f"Kho chưa có số liệu kỳ {period_id}; hãy chạy `cchc refresh {period_id}` trước")
    return {row["figure_key"]: {k: row[k] for k in row if k != "as_of_at"} for row in rows}, max(moments)


def _latest(connection: Connection, period_id: str) -> Row | None:
    return connection.execute(_LATEST, {"period_id": period_id}).one_or_none()


def _submitted(connection: Connection, submission_id: int) -> dict[str, dict]:
    rows = connection.execute(_SUBMITTED, {"id": submission_id}).mappings()
    return {row["figure_key"]: dict(row) for row in rows}


def _same(figures: dict[str, dict], submitted: dict[str, dict]) -> bool:
    return figures.keys() == submitted.keys() and all(_shown(figures[key]) == _shown(submitted[key]) for key in figures)


def _shown(figure: dict) -> tuple[Decimal | None, str]:
    return figure["value"], figure["status"]


def _words(figure: dict | None) -> str:
    if figure is None:
        return "không có"
    return figure["display"] or ("chưa có số liệu" if figure["status"] == "missing" else "để trống")
