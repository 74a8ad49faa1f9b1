"""Publishing a report: every file that a period's figures give, each whole or not at all."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Engine

from cchc.settings import Settings
from publish import appendix, completeness_page, feedback, indicators, output, submission, text_report
from publish.contacts import Contact, ContactsUnreadable, read_contacts
from publish.feedback_ledger import slugs
from publish.figures import Report, read_report
from publish.sheet_style import modified_moment

_log = logging.getLogger(__name__)
# what a report is made of, in the period's folder; slips and the like are not sent to the ministry
FILE_NAMES = (indicators.FILE_NAME, appendix.FILE_NAME, text_report.FILE_NAME)


def publish_report(
    engine: Engine,
    settings: Settings,
    period_id: str,
    out_url: str,
    synthetic: bool,
    *,
    issuer_name: str | None = None,
    generated_at: datetime | None = None,
) -> list[str]:
    """Write the files of a report, the page on who has sent what and the slips to `{out_url}/{period_id}/`.

    Returns where they are. The issuer is the people's committee of the province unless named. Unfit figures change no
    file.
    """
    with engine.connect() as connection:
        report = read_report(connection, period_id)
    folder = output.join(out_url, report.period.id)
    appendix_url = output.join(folder, appendix.FILE_NAME)
    masthead = appendix.Masthead(
        issuer_name=issuer_name or f"Ủy ban nhân dân {settings.province_name}",
        province_name=settings.province_name,
        synthetic=synthetic,
        generated_at=generated_at or datetime.now(UTC),
    )
    table = indicators.render(report)
    document = text_report.render(report, masthead)
    workbook = _appendix(report, masthead, output.read_if_there(appendix_url))
    written = [
        output.write(output.join(folder, indicators.FILE_NAME), table),
        output.write(appendix_url, workbook),
        output.write(output.join(folder, text_report.FILE_NAME), document),
    ]
    with engine.begin() as connection:
        written += completeness_page.refresh(connection, report.period, _contacts(settings), folder, masthead)
    with engine.connect() as connection:
        written += feedback.write_slips(connection, report, folder, masthead)
        return written + submission.write_changes(connection, period_id, folder)


def _contacts(settings: Settings) -> dict[str, tuple[Contact, ...]]:
    """A list of contacts that cannot be read costs nobody the report; the reminders will say so."""
    try:
        return read_contacts(settings.contacts, slugs())
    except ContactsUnreadable as error:
        _log.warning("%s", error)
        return {}


def _appendix(report: Report, masthead: appendix.Masthead, published: bytes | None) -> bytes:
    """The appendix; the same figures keep the moment, and so the bytes, of their first publication."""
    first_moment = modified_moment(published) if published else None
    if first_moment is not None:
        unchanged = appendix.render(report, replace(masthead, generated_at=first_moment))
        if unchanged == published:
            return published
    return appendix.render(report, masthead)
