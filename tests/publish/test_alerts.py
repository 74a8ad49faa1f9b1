"""Alerts into a real mail server: three lines, once, and again only when it breaks again."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from cchc.periods import LOCAL_ZONE
from publish import alerts, mail
from tests.extract.department_files import good_book
from tests.extract.test_workbooks import Inbox
from tests.publish.letters import OWNER, Box, body, box  # noqa: F401

Query = Callable[..., list[tuple]]
AFTER = datetime(2024, 6, 15, 8, tzinfo=LOCAL_ZONE)

pytestmark = pytest.mark.usefixtures("listed")


def test_a_failed_task_is_told_once_until_it_has_succeeded(box: Box) -> None:  # noqa: F811
    error = RuntimeError("cột thiếu\nrow: 033090001234")
    for expected in (mail.SENT, mail.KNOWN):
        assert alerts.tell_of_failure(box.settings, "marts", "build", error) == expected
    [letter] = box.letters()
    assert (letter["To"], letter["Subject"]) == (OWNER, "[CCHC] Bước marts.build bị lỗi")
    what, why, todo = body(letter).splitlines()
    assert what.startswith("Việc gì: Bước «build» của quy trình «marts»")
    assert why == "Vì sao: RuntimeError: cột thiếu"
    assert todo.startswith("Cần làm: ")
    assert todo.endswith("docs/runbook.md#martsbuild")
    assert alerts.tell_of_failure(box.settings, "marts", "report", error) == mail.SENT
    alerts.over(box.settings, "marts", "build")
    assert alerts.tell_of_failure(box.settings, "marts", "build", error) == mail.SENT
    assert alerts.tell_of_failure(box.settings, "marts", "report", error) == mail.KNOWN
    assert len(box.letters()) == 3
    assert len({letter["Message-ID"] for letter in box.letters()}) == 3


def test_a_matter_whose_name_begins_like_another_stays_open(box: Box) -> None:  # noqa: F811
    alerts.tell_of_failure(box.settings, "marts", "build_all", "x")
    alerts.over(box.settings, "marts", "build")
    assert alerts.tell_of_failure(box.settings, "marts", "build_all", "x") == mail.KNOWN


def test_a_warehouse_that_is_down_is_told_of_too(box: Box) -> None:  # noqa: F811
    from pydantic import SecretStr

    down = box.settings.model_copy(update={"warehouse_url": SecretStr("postgresql://nobody:secret@127.0.0.1:9/x")})
    for expected in (mail.SENT, mail.KNOWN):
        assert alerts.tell_of_failure(down, "marts", "build", OSError("connection refused")) == expected
    assert len(box.letters()) == 1
    assert "secret" not in body(box.letters()[0])
    # it is back
    alerts.over(box.settings, "marts", "build")
    assert alerts.tell_of_failure(down, "marts", "build", OSError("again")) == mail.SENT


def test_nobody_to_tell_is_a_line_in_the_log(box: Box, query: Query, caplog) -> None:  # noqa: F811
    for missing in ({"smtp_host": None}, {"alert_to": ""}):
        with caplog.at_level("INFO"):
            settings = box.settings.model_copy(update=missing)
            assert alerts.tell_of_failure(settings, "marts", "build", "x") is None
    assert caplog.text.count("CCHC_ALERT_TO, không gửi: Bước marts.build bị lỗi") == 2
    assert query("select count(*) from ops.mail") == [(0,)]


def test_a_source_is_stale_when_its_contract_says_so(
    engine: Engine,
    box: Box,  # noqa: F811
    inbox: Inbox,
) -> None:
    inbox.drop(good_book("bien_che"))
    inbox.load()
    now = datetime.now(UTC)

    def check(days: float) -> list[str]:
        # which cut-off is near depends on the day that this test runs on
        return [topic for topic in alerts.check(engine, box.settings, now + timedelta(days=days)) if "stale" in topic]

    def told() -> list[str]:
        return [body(letter) for letter in box.letters() if "đã cũ" in letter["Subject"]]

    assert check(2.9) == []
    assert check(3.1) == check(3.2) == ["stale/portal"]
    assert len(told()) == 1
    assert "Cơ quan, đơn vị" in told()[0]
    assert "cách đây 3 ngày, quy ước là không quá 3 ngày" in told()[0]
    assert sorted(check(101)) == ["stale/bien_che", "stale/portal"]
    assert len(told()) == 2
    # a pull that brings nothing new is a pull; the same file in the inbox again is no new file
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "insert into ops.arrival (source, dataset, name, digest, load_id, outcome, arrived_at) "
            "select source, dataset, name, digest, load_id, 'repeat', arrived_at + interval '100 days' from ops.arrival"
        )
    assert check(101) == ["stale/bien_che"]
    assert sorted(check(104)) == ["stale/bien_che", "stale/portal"]
    assert len(told()) == 3


def test_a_report_that_is_overdue_is_told_once(engine: Engine, box: Box, query: Query) -> None:  # noqa: F811
    def overdue(moment: datetime) -> bool:
        return "overdue/2024-H1" in alerts.check(engine, box.settings, moment)

    assert not overdue(AFTER.replace(hour=7))
    assert overdue(AFTER)
    assert overdue(AFTER + timedelta(days=1))
    [letter] = [letter for letter in box.letters() if "chưa được công bố" in letter["Subject"]]
    assert "cchc refresh 2024-H1" in body(letter)
    assert not overdue(AFTER + timedelta(days=16))

    def publish(as_of: str) -> None:
        with engine.begin() as connection:
            connection.exec_driver_sql(
                "insert into ops.publication (code_version, load_ids, report_requests, test_count, warning_count) "
                "values ('v', '{}', %s, 1, 0)",
                (json.dumps({"2024-H1": as_of}),),
            )

    # a rehearsal is not the report
    publish("2024-06-11T02:00:00+07:00")
    assert overdue(AFTER)
    publish("2024-06-14T23:59:59.999999+07:00")
    assert not overdue(AFTER)
    assert query("select closed_at is not null from ops.mail where topic = 'overdue/2024-H1'") == [(True,), (True,)]


def test_who_missed_the_cut_off_is_told_once(engine: Engine, box: Box, inbox: Inbox) -> None:  # noqa: F811
    def late(moment: datetime) -> bool:
        return "late/2024-H1" in alerts.check(engine, box.settings, moment)

    # a warehouse that did not exist then blames nobody
    assert not late(AFTER)
    inbox.drop(good_book("bien_che"))
    inbox.load()
    with engine.begin() as connection:
        connection.exec_driver_sql("update ops.arrival set arrived_at = '2024-06-10'")
    assert not late(AFTER - timedelta(days=1))
    assert late(AFTER)
    assert late(AFTER + timedelta(days=2))
    [letter] = [letter for letter in box.letters() if "Quá hạn" in letter["Subject"]]
    said = body(letter)
    assert "Sở Nội vụ (14 bộ số liệu)" in said
    assert "Sở Tư pháp (4 bộ số liệu)" in said
