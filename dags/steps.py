"""What the tasks do, each one call into `extract`, dbt or `publish`. No Airflow in here.

`extract` and `publish` are imported where they are used: they bring polars and openpyxl, and Airflow parses the files
that import this module again and again.
"""

from __future__ import annotations

from datetime import UTC, datetime

from cchc import progress, transform, warehouse
from cchc.periods import ReportingPeriod, as_of_moment
from cchc.reporting_calendar import current_periods
from cchc.settings import Settings, get_settings


class SourceFailed(RuntimeError):
    """A source brought nothing it should have; its last good data stays in force and the others go on."""


def prepare(period_id: str, as_of: str | None) -> None:
    """Migrate the warehouse and note which period is wanted, cut at which moment."""
    from extract import sources

    period = ReportingPeriod.parse(period_id)
    moment = as_of_moment(as_of) or period.default_as_of
    with warehouse.available(get_settings()) as url, warehouse.engine_on(url) as engine:
        sources.prepare(engine)
        transform.request_report(engine, period.id, moment)


def load(*sources: str) -> bool:
    """Load what is new of these sources; returns whether anything was, refused files included.

    Raises SourceFailed after everything that could be loaded is.
    """
    from extract.sources import known_arrivals, load_source
    from extract.sources import prepare as prepare_warehouse

    settings = get_settings()
    with warehouse.available(settings) as url:
        with warehouse.engine_on(url) as engine:
            prepare_warehouse(engine)
        with warehouse.engine_on(url, "loader") as engine:
            known = known_arrivals(engine, sources)
            outcomes = [outcome for name in sources for outcome in load_source(settings, engine, name)]
            is_news = known_arrivals(engine, sources) != known
    if failures := [f"{o.source} · {o.name}: {o.message}" for o in outcomes if o.outcome == "failed"]:
        raise SourceFailed("; ".join(failures))
    return is_news


def load_departments() -> bool:
    """Load what is new in the workbooks of every department, as `load` does."""
    from extract.sources import read_with

    return load(*read_with("workbook"))


def build() -> None:
    """Build, test and put in place the marts."""
    settings = get_settings()
    with warehouse.available(settings) as url, warehouse.engine_on(url, "transformer") as engine:
        transform.build_and_publish(settings, engine, url)


def prepare_current() -> None:
    """Note that the report now due and the one that ended last are wanted, as they stand."""
    now = datetime.now(UTC)
    for period in current_periods(now):
        moment = min(now, period.default_as_of)
        prepare(period.id, moment.isoformat())


def _migrate(settings: Settings) -> None:
    from extract import sources

    with warehouse.engine(settings) as engine:
        sources.prepare(engine)


class MailNotTaken(RuntimeError):
    """The mail server did not take some letters; they are tried again, none of the others is doubled."""


def remind(moment: str) -> dict[str, int]:
    """Send the reminders due at a moment (ISO, with a zone); returns how many letters by what became of them.

    Raises MailNotTaken after everything that could be sent is.
    """
    from publish import reminders

    settings = get_settings()
    _migrate(settings)
    with warehouse.available(settings) as url, warehouse.engine_on(url, "transformer") as engine:
        counts = reminders.remind(engine, settings, datetime.fromisoformat(moment))
    if counts["failed"]:
        raise MailNotTaken(f"{counts['failed']} thư nhắc chưa gửi được; xem ops.mail")
    return dict(counts)


def check(moment: str) -> list[str]:
    """Tell the owner of what is stale or overdue at a moment (ISO, with a zone); returns the open matters."""
    from publish import alerts

    settings = get_settings()
    _migrate(settings)
    with warehouse.available(settings) as url, warehouse.engine_on(url, "transformer") as engine:
        return alerts.check(engine, settings, datetime.fromisoformat(moment))


def report_current() -> list[str]:
    """Write the files of the report now due and of the one that ended last; returns where they are."""
    return [path for period in current_periods(datetime.now(UTC)) for path in report(period.id)]


def report(period_id: str) -> list[str]:
    """Write the files of a period; returns where they are."""
    from publish.report import publish_report

    settings = get_settings()
    with progress.bar("Ghi báo cáo", unit="tệp") as bar:
        with warehouse.available(settings) as url, warehouse.engine_on(url, "transformer") as engine:
            files = publish_report(engine, settings, period_id, settings.out, settings.synthetic)
        bar.update(len(files), len(files))
    return files


def delete_old_originals() -> int:
    """Delete the originals that were kept long enough; returns how many."""
    from extract.retention import delete_expired
    from extract.sources import prepare as prepare_warehouse

    settings = get_settings()
    with warehouse.available(settings) as url:
        with warehouse.engine_on(url) as engine:
            prepare_warehouse(engine)
        with warehouse.engine_on(url, "loader") as engine:
            return len(delete_expired(settings, engine))
