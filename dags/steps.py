"""What the tasks do, each one call into `extract`, dbt or `publish`. No Airflow in here.

`extract` and `publish` are imported where they are used: they bring polars and openpyxl, and Airflow parses the files
that import this module again and again.
"""

from __future__ import annotations

from cchc import progress, transform, warehouse
from cchc.periods import ReportingPeriod, as_of_moment
from cchc.settings import get_settings


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


def load(*sources: str) -> None:
    """Load what is new of these sources; raises SourceFailed after everything that could be loaded is."""
    from extract.sources import load_source
    from extract.sources import prepare as prepare_warehouse

    settings = get_settings()
    with warehouse.available(settings) as url:
        with warehouse.engine_on(url) as engine:
            prepare_warehouse(engine)
        with warehouse.engine_on(url, "loader") as engine:
            outcomes = [outcome for name in sources for outcome in load_source(settings, engine, name)]
    if failures := [f"{o.source} · {o.name}: {o.message}" for o in outcomes if o.outcome == "failed"]:
        raise SourceFailed("; ".join(failures))


def load_departments() -> None:
    """Load what is new in the workbooks of every department; raises SourceFailed as `load` does."""
    from extract.sources import read_with

    load(*read_with("workbook"))


def build() -> None:
    """Build, test and put in place the marts."""
    settings = get_settings()
    with warehouse.available(settings) as url, warehouse.engine_on(url, "transformer") as engine:
        transform.build_and_publish(settings, engine, url)


def report(period_id: str) -> list[str]:
    """Write the files of a period; returns where they are."""
    from publish.report import publish_report

    settings = get_settings()
    with progress.bar("Ghi báo cáo", unit="tệp") as bar:
        with warehouse.available(settings) as url, warehouse.engine_on(url, "transformer") as engine:
            files = publish_report(engine, settings, period_id, settings.out, settings.synthetic)
        bar.update(len(files), len(files))
    return files
