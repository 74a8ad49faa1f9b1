"""Reminders into a real mail server: who gets one, when, and never twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from cchc.periods import LOCAL_ZONE
from cchc.reporting_calendar import reminder_due
from cchc.settings import Settings
from publish import mail
from publish.contacts import ContactsUnreadable
from publish.reminders import remind
from publish.report import publish_report
from tests.extract.department_files import good_book
from tests.extract.test_workbooks import Inbox
from tests.publish.letters import Box, body, box  # noqa: F401

Query = Callable[..., list[tuple]]
NOI_VU, DAU_TU = "so-noi-vu@tinh-mau.invalid", "so-ke-hoach-dau-tu@tinh-mau.invalid"
DEPARTMENT_COUNT = 6

pytestmark = pytest.mark.usefixtures("figures", "listed")


def _day(day: int, hour: int = 8) -> datetime:
    return datetime(2024, 6, day, hour, tzinfo=LOCAL_ZONE)


@pytest.mark.parametrize(
    ("day", "due"),
    [(3, None), (4, 10), (5, 10), (10, 10), (11, 3), (12, 3), (13, 1), (14, 1), (15, None)],
)
def test_the_newest_reminder_is_due_until_the_next(day: int, due: int | None) -> None:
    found = reminder_due(_day(day))
    assert (found and (found[0].id, found[1])) == (due and ("2024-H1", due))


def test_ten_three_and_one_day_before_one_letter_each(engine: Engine, box: Box, query: Query) -> None:  # noqa: F811
    sent = {}
    for day in range(1, 17):
        # the scheduler may run a day twice
        for _ in range(2):
            remind(engine, box.settings, _day(day))
        if box.letters():
            sent[day] = len(box.by_address())
        box.empty()
    assert sent == {4: DEPARTMENT_COUNT, 11: DEPARTMENT_COUNT, 13: DEPARTMENT_COUNT}
    rows = query("select period_id, days_before, count(*), count(distinct message_id) from ops.mail group by 1, 2")
    assert sorted(rows) == [("2024-H1", days, 6, 6) for days in (1, 3, 10)]
    assert query("select distinct state, sent_at is not null from ops.mail") == [("sent", True)]


def test_after_days_without_a_scheduler_the_newest_is_sent_alone(engine: Engine, box: Box) -> None:  # noqa: F811
    remind(engine, box.settings, _day(14))
    assert len(box.by_address()) == DEPARTMENT_COUNT
    assert "hôm nay là ngày cuối" in box.by_address()[NOI_VU]["Subject"]


def test_a_letter_says_what_lacks_by_when_and_how(engine: Engine, box: Box, inbox: Inbox) -> None:  # noqa: F811
    wrong = good_book("bien_che", rows_per_sheet=3)
    wrong["Cong chuc"]["C3"] = "12,356.5"
    inbox.drop(wrong)
    inbox.load()
    publish_report(engine, box.settings, "2024-H1", box.settings.out, False, generated_at=_day(4, 3))
    assert remind(engine, box.settings, _day(4)) == {mail.SENT: DEPARTMENT_COUNT}
    letter = box.by_address()[NOI_VU]
    assert letter["Subject"] == "Nhắc gửi số liệu báo cáo CCHC 6 tháng đầu năm 2024: hạn 14/6/2024 (còn 10 ngày)"
    said = body(letter)
    for expected in (
        "Kính gửi: Sở Nội vụ",
        "- Biên chế công chức (bien-che_2024-06-14.xlsx): 1 dòng bị loại.",
        "- Tuyển dụng, Bổ nhiệm, Kỷ luật.",
        "Tệp cong-vu_<ngày số liệu>.xlsx (3 trang), vào thư mục so-noi-vu.",
        "Phiếu phản hồi kèm theo",
        "lưu tệp vào thư mục so-noi-vu của hộp nhận số liệu",
    ):
        assert expected in said, said
    # what is wrong in a cell stands in the slip alone
    assert "12,356.5" not in said
    [slip] = letter.iter_attachments()
    assert slip.get_filename() == "phieu-phan-hoi-so-noi-vu-2024-H1.xlsx"
    published = Path(box.settings.out) / "2024-H1" / "phieu-phan-hoi" / "so-noi-vu.xlsx"
    assert slip.get_content() == published.read_bytes()
    assert not list(box.by_address()[DAU_TU].iter_attachments())


def test_who_has_sent_everything_well_gets_none_not_even_when_a_bad_file_follows(
    engine: Engine,
    box: Box,  # noqa: F811
    inbox: Inbox,
    query: Query,
) -> None:
    good = good_book("thu_hut_dau_tu")
    inbox.drop(good, "thu-hut-dau-tu_2024-06-01.xlsx", "so-ke-hoach-dau-tu")
    inbox.load("thu_hut_dau_tu")
    counts = remind(engine, box.settings, _day(4))
    assert counts == {mail.SENT: DEPARTMENT_COUNT - 1, "not_needed": 1}
    assert DAU_TU not in box.by_address()
    box.empty()
    inbox.drop(b"no workbook", "thu-hut-dau-tu_2024-06-06.xlsx", "so-ke-hoach-dau-tu")
    inbox.load("thu_hut_dau_tu")
    remind(engine, box.settings, _day(7))
    assert box.letters() == []
    remind(engine, box.settings, _day(11))
    assert "thu-hut-dau-tu_2024-06-06.xlsx" in body(box.by_address()[DAU_TU])


def test_a_letter_that_the_server_refused_is_tried_again_and_once(
    engine: Engine,
    box: Box,  # noqa: F811
    query: Query,
) -> None:
    box.faults += ["451 later", "550 no"]
    assert remind(engine, box.settings, _day(4)) == {mail.FAILED: 2, mail.SENT: DEPARTMENT_COUNT - 2}
    assert sorted(query("select state, error, count(*) from ops.mail group by 1, 2")) == [
        ("failed", "máy chủ thư trả lời mã 451", 1),
        ("failed", "máy chủ thư trả lời mã 550", 1),
        ("sent", None, 4),
    ]
    before = query("select message_id from ops.mail order by 1")
    assert remind(engine, box.settings, _day(4, 9)) == {mail.SENT: 2, mail.KNOWN: DEPARTMENT_COUNT - 2}
    assert len(box.by_address()) == DEPARTMENT_COUNT
    assert query("select message_id from ops.mail order by 1") == before
    assert query("select attempt_count, count(*) from ops.mail group by 1 order by 1") == [(1, 4), (2, 2)]


def test_no_server_at_all_is_tried_again(engine: Engine, box: Box) -> None:  # noqa: F811
    away = box.settings.model_copy(update={"smtp_port": 9})
    assert remind(engine, away, _day(4)) == {mail.FAILED: DEPARTMENT_COUNT}
    assert remind(engine, box.settings, _day(4)) == {mail.SENT: DEPARTMENT_COUNT}


_ALONE = """
from datetime import datetime
from cchc import warehouse
from cchc.settings import get_settings
from publish.reminders import remind
with warehouse.engine(get_settings()) as engine:
    remind(engine, get_settings(), datetime.fromisoformat("2024-06-04T08:00+07:00"))
"""


def _environment(settings: Settings) -> dict[str, str]:
    names = ("smtp_host", "smtp_port", "smtp_security", "smtp_sender", "contacts", "out")
    said = {f"CCHC_{name.upper()}": str(getattr(settings, name)) for name in names}
    return os.environ | said | {"CCHC_WAREHOUSE_URL": settings.warehouse_url.get_secret_value()}


def test_killed_while_a_letter_is_on_its_way_nobody_gets_two(
    engine: Engine,
    box: Box,  # noqa: F811
    query: Query,
) -> None:
    taken: list[str] = []

    def kill(envelope) -> str:
        # the server has the letter; who sent it will never hear so
        taken.append(envelope.rcpt_tos[0])
        os.kill(child.pid, signal.SIGKILL)
        time.sleep(0.2)
        return "250 OK"

    box.faults.append(kill)
    root = Path(__file__).parents[2]
    child = subprocess.Popen([sys.executable, "-c", _ALONE], env=_environment(box.settings), cwd=root)
    assert child.wait(60) == -signal.SIGKILL
    assert remind(engine, box.settings, _day(4)) == {mail.KNOWN: 1, mail.SENT: DEPARTMENT_COUNT - 1}
    assert len(box.by_address()) == DEPARTMENT_COUNT
    assert taken[0] in box.by_address()
    assert query("select state, count(*) from ops.mail group by 1 order by 1") == [("sending", 1), ("sent", 5)]


def test_two_schedulers_at_once_send_each_letter_once(engine: Engine, box: Box) -> None:  # noqa: F811
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda _: remind(engine, box.settings, _day(4)), range(4)))
    assert sum(count[mail.SENT] for count in counts) == DEPARTMENT_COUNT == len(box.by_address())


def test_without_a_server_nothing_is_claimed(engine: Engine, box: Box, query: Query, caplog) -> None:  # noqa: F811
    silent = box.settings.model_copy(update={"smtp_host": None})
    with caplog.at_level("INFO"):
        assert remind(engine, silent, _day(4)) == {}
    assert "CCHC_SMTP_HOST" in caplog.text
    assert query("select count(*) from ops.mail") == [(0,)]
    # who gets configured later still reminds
    assert remind(engine, box.settings, _day(6)) == {mail.SENT: DEPARTMENT_COUNT}


def test_nobody_to_write_to_is_told_and_waits_for_an_address(
    engine: Engine,
    box: Box,  # noqa: F811
    caplog,
) -> None:
    nobody = box.settings.model_copy(update={"contacts": ""})
    assert remind(engine, nobody, _day(4)) == {"no_address": DEPARTMENT_COUNT}
    assert "Sở Nội vụ: danh bạ chưa có địa chỉ thư" in caplog.text
    with pytest.raises(ContactsUnreadable):
        remind(engine, box.settings.model_copy(update={"contacts": "/khong/co.csv"}), _day(4))
    assert remind(engine, box.settings, _day(5)) == {mail.SENT: DEPARTMENT_COUNT}
