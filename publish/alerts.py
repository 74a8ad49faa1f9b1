"""Alerts to the owner of the warehouse: what failed, why, what to do. Each matter once, until it is over.

An alert is open from the moment it went out until the task succeeds, the source is fresh or the report is published;
only what breaks again after that is told again.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from cchc import warehouse
from cchc.periods import ReportingPeriod
from cchc.reporting_calendar import FINAL, current_periods, runs_of_year
from cchc.settings import Settings
from publish import completeness, mail
from publish.completeness import NOT_RECEIVED, PARTIAL, REFUSED
from publish.contacts import addresses
from publish.feedback_ledger import sources
from publish.sheet_style import day

_log = logging.getLogger(__name__)
# the final run and its retries have had their time
_FINAL_RUN = timedelta(hours=6)
# what is older than this nobody can do anything about any more; a new installation is not told of old reports
_RECENT = timedelta(days=15)
_MOST_LETTERS = 300
_RUNBOOK = "docs/runbook.md"

_NEWEST_FILES = text("""
    select source, dataset, max(finished_at) as newest_at
    from ops.load
    where status = 'loaded' and dataset <> '*'
    group by source, dataset
""")
_NEWEST_PULLS = text("""
    select source, dataset, max(arrived_at) as newest_at
    from ops.arrival
    where outcome in ('new', 'repeat')
    group by source, dataset
""")
_PUBLISHED = text("""
    select exists (
        select from ops.publication
        where (report_requests ->> :period_id)::timestamptz >= :cut_off
    )
""")


@dataclass(frozen=True)
class Alert:
    """One matter: `topic` tells it from others, `section` is where the runbook speaks of it."""

    topic: str
    subject: str
    what: str
    why: str
    todo: str
    section: str


def tell(engine: Engine, settings: Settings, alert: Alert) -> str | None:
    """Send an alert once; returns as `mail.send_once` does, None when there is nobody to send it to."""
    addressed = _addressed(settings, alert)
    return mail.send_once(engine, *addressed) if addressed else None


def tell_of_failure(settings: Settings, dag_id: str, task_id: str, error: BaseException | str | None) -> str | None:
    """Tell of a task that failed for good, also when what failed is the warehouse itself."""
    alert = Alert(
        topic=_task_topic(dag_id, task_id),
        subject=f"Bước {dag_id}.{task_id} bị lỗi",
        what=f"Bước «{task_id}» của quy trình «{dag_id}» bị lỗi sau mọi lần thử lại.",
        why=_first_line(error),
        todo="Xem nhật ký của bước này trong Airflow, xử lý theo hướng dẫn rồi cho chạy lại (Clear).",
        section=f"{dag_id}{task_id}",
    )
    addressed = _addressed(settings, alert)
    if addressed is None:
        return None
    try:
        with warehouse.engine(settings, "transformer") as engine:
            return mail.send_once(engine, *addressed)
    except (OperationalError, OSError, RuntimeError) as unreachable:
        _log.warning("kho không trả lời (%s); thư báo được nhớ bằng tệp", type(unreachable).__name__)
        return _tell_without_warehouse(settings, *addressed)


def over(settings: Settings, dag_id: str, task_id: str) -> None:
    """A task succeeded: when it fails again, that is news."""
    if settings.smtp_host is None:
        return
    topic = _task_topic(dag_id, task_id)
    _marker(settings, topic).unlink(missing_ok=True)
    with warehouse.engine(settings, "transformer") as engine:
        mail.close(engine, lambda opened: opened == topic)


def check(engine: Engine, settings: Settings, now: datetime) -> list[str]:
    """Look for stale sources, a report that is overdue and deliveries that missed the cut-off; tell of each once.

    Returns the topics that are open at `now` (with a zone).
    """
    with engine.connect() as connection:
        found = [*_stale(connection, now), *_overdue(connection, now), *_late(connection, now)]
    for alert in found:
        tell(engine, settings, alert)
    topics = [alert.topic for alert in found]
    mail.close(engine, lambda opened: opened.startswith(("stale/", "overdue/")) and opened not in topics)
    return topics


def _stale(connection: Connection, now: datetime) -> Iterable[Alert]:
    files, pulls = (
        {(row.source, row.dataset): row.newest_at for row in connection.execute(query)}
        for query in (_NEWEST_FILES, _NEWEST_PULLS)
    )
    for source in sources():
        newest = pulls if source.is_feed else files
        # a source that never came, or is not configured, is missing and not stale
        ages = {name: now - newest[source.name, name] for name in source.sheets if (source.name, name) in newest}
        old = {name: age for name, age in ages.items() if age > timedelta(days=source.fresh_days)}
        if old:
            names = ", ".join(source.dataset_names[name] for name in old)
            yield Alert(
                topic=f"stale/{source.name}",
                subject=f"Nguồn {source.name} đã cũ",
                what=f"Nguồn «{source.title}» ({source.owner}) không có số liệu mới: {names}.",
                why=f"Lần nhận gần nhất cách đây {max(old.values()).days} ngày, "
                f"quy ước là không quá {source.fresh_days} ngày.",
                todo="Kiểm tra kết nối và thư mục nhận; nếu đều tốt thì gọi đơn vị gửi (`cchc status` có danh bạ).",
                section="source-stale",
            )


def _overdue(connection: Connection, now: datetime) -> Iterable[Alert]:
    period, _ = current_periods(now)
    final = next(run for run in runs_of_year(period.year) if run.period == period and run.kind == FINAL)
    if not _FINAL_RUN <= now - final.at <= _RECENT:
        return
    asked = {"period_id": period.id, "cut_off": period.default_as_of}
    if not connection.execute(_PUBLISHED, asked).scalar_one():
        yield Alert(
            topic=f"overdue/{period.id}",
            subject=f"Báo cáo {period.id} chưa được công bố",
            what=f"Báo cáo {period.title_vi} chốt ngày {day(period.to_on)} chưa có bản chính thức.",
            why=f"Lần chạy chính thức lúc {final.at:%H:%M} {day(final.at)} chưa xong, hoặc có kiểm tra không đạt.",
            todo=f"Xem quy trình «refresh» trong Airflow; chạy tay: cchc refresh {period.id}.",
            section="missed-deadline",
        )


def _late(connection: Connection, now: datetime) -> Iterable[Alert]:
    period: ReportingPeriod = current_periods(now)[0]
    if now - period.default_as_of > _RECENT:
        return
    owed = [
        delivery
        for delivery in completeness.deliveries(connection, period, now)
        if delivery.is_late and not delivery.is_fetched and delivery.status in (NOT_RECEIVED, PARTIAL, REFUSED)
    ]
    if owed:
        names = ", ".join(
            f"{department} ({len(own)} bộ số liệu)" for department, own in completeness.by_department(owed).items()
        )
        yield Alert(
            topic=f"late/{period.id}",
            subject=f"Quá hạn gửi số liệu {period.id}",
            what=f"Đã qua hạn {day(period.to_on)} của báo cáo {period.title_vi} mà số liệu chưa đủ.",
            why=f"Còn thiếu: {names}.",
            todo="Gọi các đơn vị theo tinh-hinh-gui.xlsx trong thư mục của kỳ; báo cáo đang ghi rõ chỗ thiếu.",
            section="missing-deliveries",
        )


def _addressed(settings: Settings, alert: Alert) -> tuple[mail.MailServer, mail.Letter] | None:
    server, to = mail.server_of(settings), addresses(settings.alert_to)
    if server is None or not to:
        _log.info("Chưa cấu hình CCHC_SMTP_HOST hay CCHC_ALERT_TO, không gửi: %s", alert.subject)
        return None
    body = f"Việc gì: {alert.what}\nVì sao: {alert.why}\nCần làm: {alert.todo} Hướng dẫn: {_RUNBOOK}#{alert.section}\n"
    return server, mail.Letter(mail.ALERT, alert.topic, to, f"[CCHC] {alert.subject}", body)


def _tell_without_warehouse(settings: Settings, server: mail.MailServer, letter: mail.Letter) -> str:
    """Once too, as far as this machine knows."""
    marker = _marker(settings, letter.topic)
    marker.parent.mkdir(parents=True, exist_ok=True)
    try:
        marker.open("x").close()
    except FileExistsError:
        return mail.KNOWN
    state = mail.send(server, letter)
    if state == mail.FAILED:
        marker.unlink(missing_ok=True)
    return state


def _marker(settings: Settings, topic: str) -> Path:
    return settings.var / "alerts" / hashlib.sha256(topic.encode()).hexdigest()[:32]


def _task_topic(dag_id: str, task_id: str) -> str:
    return f"task/{dag_id}/{task_id}"


def _first_line(error: BaseException | str | None) -> str:
    """The first line alone: what follows in a database's message may be a row of data."""
    if error is None:
        return "không rõ; xem nhật ký."
    said = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    kind = f"{type(error).__name__}: " if isinstance(error, BaseException) else ""
    return f"{kind}{said}"[:_MOST_LETTERS]
