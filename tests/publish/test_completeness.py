"""Complete or not: real files through the real loader, and what ops.delivery and its page say of them."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest
from openpyxl import load_workbook
from sqlalchemy import Engine

from cchc import warehouse
from cchc.periods import LOCAL_ZONE, ReportingPeriod
from cchc.settings import Settings
from publish import completeness_page
from publish.appendix import Masthead
from publish.completeness import Delivery, deliveries, expected_from, keep
from publish.contacts import Contact, ContactsUnreadable, addresses, read_contacts
from publish.feedback_ledger import slugs
from tests.extract.conftest import Exports
from tests.extract.department_files import good_book
from tests.extract.test_workbooks import Inbox

H1 = ReportingPeriod.parse("2024-H1")
BEFORE = datetime(2024, 6, 4, 8, tzinfo=LOCAL_ZONE)
AFTER = datetime(2024, 6, 15, 8, tzinfo=LOCAL_ZONE)
Query = Callable[..., list[tuple]]

pytestmark = pytest.mark.usefixtures("listed")


def _found(engine: Engine, now: datetime = BEFORE) -> dict[tuple[str, str], Delivery]:
    with engine.connect() as connection:
        return {(d.source, d.dataset): d for d in deliveries(connection, H1, now)}


def _received(engine: Engine, moment: datetime) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("update ops.arrival set arrived_at = %s", (moment,))


@pytest.mark.parametrize(
    ("period", "months", "first"),
    [
        ("2024-Q1", 3, date(2023, 12, 15)),
        ("2024-H1", 3, date(2024, 3, 15)),
        ("2024-Y", 3, date(2024, 9, 15)),
        ("2024-H1", 12, date(2023, 12, 15)),
        ("2024-M06", 3, date(2024, 5, 15)),
    ],
)
def test_a_file_counts_for_the_cut_off_its_frequency_gives_it(period: str, months: int, first: date) -> None:
    assert expected_from(ReportingPeriod.parse(period), months) == first


def test_every_dataset_of_every_contract_is_expected(engine: Engine) -> None:
    found = _found(engine)
    assert len(found) > 40
    assert {d.department for d in found.values()} == set(slugs())
    assert found["bien_che", "cong_chuc"].status == "not_received"
    assert found["portal", "agency"].status == "accepted"
    assert found["one_stop", "dossier"].reason == "Chưa có tệp nào của kỳ"


def test_the_newest_version_speaks_and_what_is_counted_is_named(inbox: Inbox, engine: Engine) -> None:
    inbox.drop(good_book("bien_che"))
    wrong = good_book("bien_che", rows_per_sheet=3)
    wrong["Cong chuc"]["C3"] = "chín"
    inbox.drop(wrong, "bien-che_2024-06-14_v2.xlsx")
    refused = good_book("bien_che")
    refused["Vien chuc"]["A1"] = refused["Vien chuc"]["B1"] = refused["Vien chuc"]["C1"] = "?"
    inbox.drop(refused, "bien-che_2024-06-14_v3.xlsx")
    inbox.load()
    found = _found(engine)
    staff = found["bien_che", "vien_chuc"]
    assert (staff.status, staff.file_version, staff.counted_file_name) == (
        "refused",
        3,
        "bien-che_2024-06-14_v2.xlsx",
    )
    assert staff.reason
    assert found["bien_che", "cong_chuc"].status == "accepted"
    (Path(inbox.settings.inbox) / "so-noi-vu" / "bien-che_2024-06-14_v3.xlsx").unlink()


def test_rejected_rows_are_not_quite_accepted(inbox: Inbox, engine: Engine) -> None:
    wrong = good_book("bien_che", rows_per_sheet=3)
    wrong["Cong chuc"]["C3"] = "chín"
    inbox.drop(wrong)
    inbox.load()
    staff = _found(engine)["bien_che", "cong_chuc"]
    assert (staff.status, staff.rejected_row_count, staff.is_complete) == ("accepted_with_rejects", 1, False)
    assert (staff.as_of_on, staff.file_name) == (date(2024, 6, 14), "bien-che_2024-06-14.xlsx")


def test_the_file_of_the_first_quarter_is_not_that_of_the_half_year(inbox: Inbox, engine: Engine) -> None:
    inbox.drop(good_book("bien_che"), "bien-che_2024-03-14.xlsx")
    inbox.load()
    staff = _found(engine)["bien_che", "cong_chuc"]
    assert (staff.status, staff.counted_file_name) == ("not_received", "bien-che_2024-03-14.xlsx")
    assert staff.reason == "Mới có tệp đến ngày 14/3/2024; cần tệp có ngày số liệu từ 15/3/2024"


def test_late_is_what_came_after_the_cut_off_or_has_not_come(inbox: Inbox, engine: Engine) -> None:
    inbox.drop(good_book("bien_che"))
    inbox.load()
    # a warehouse that began after the cut-off cannot say
    assert _found(engine, AFTER)["bien_che", "cong_chuc"].is_late is None
    _received(engine, BEFORE)
    found = _found(engine, AFTER)
    assert found["bien_che", "cong_chuc"].is_late is False
    assert found["cong_vu", "tuyen_dung"].is_late is True
    assert _found(engine, BEFORE)["cong_vu", "tuyen_dung"].is_late is False
    with engine.begin() as connection:
        connection.exec_driver_sql("update ops.arrival set arrived_at = %s where source = 'bien_che'", (AFTER,))
    assert _found(engine, AFTER)["bien_che", "cong_chuc"].is_late is True


def test_exports_must_cover_every_day_together(exports: Exports, engine: Engine) -> None:
    exports.drop(exports.rows(3), "ho-so_20231201_20240131.csv")
    exports.drop(exports.rows(3, first=10), "ho-so_20240130_20240531.csv")
    exports.load_all()
    dossiers = _found(engine)["one_stop", "dossier"]
    assert (dossiers.status, dossiers.reason) == (
        "partial",
        "Còn thiếu hồ sơ của các ngày: 1/6/2024 đến 14/6/2024",
    )
    exports.drop(exports.rows(3, first=20), "ho-so_20240601_20240630.csv")
    exports.load_all()
    dossiers = _found(engine)["one_stop", "dossier"]
    assert (dossiers.status, dossiers.as_of_on) == ("accepted", date(2024, 6, 14))


def test_a_refused_export_is_named_while_its_days_are_missing(exports: Exports, engine: Engine) -> None:
    exports.drop(exports.rows(3), "ho-so_20231201_20240531.csv")
    exports.drop(b"no,header\n", "ho-so_20240601_20240614.csv")
    exports.load_all()
    dossiers = _found(engine)["one_stop", "dossier"]
    assert dossiers.status == "refused"
    assert dossiers.reason.startswith("ho-so_20240601_20240614.csv: ")
    exports.drop(exports.rows(3, first=20), "ho-so_20240531_20240614.csv")
    exports.load_all()
    assert _found(engine)["one_stop", "dossier"].status == "accepted"


def test_the_table_is_written_anew_by_the_role_that_publishes(
    inbox: Inbox, engine: Engine, warehouse_url, query: Query
) -> None:
    contacts = {"Sở Nội vụ": (Contact("Đầu mối", "0221", "a@b.invalid"), Contact("", "0222", ""))}
    with warehouse.engine_on(warehouse_url, "transformer") as transformer:
        for _ in range(2):
            with transformer.begin() as connection:
                keep(connection, deliveries(connection, H1, BEFORE), contacts, BEFORE)
    [(count, departments, called)] = query(
        "select count(*), count(distinct department), max(contact) from ops.delivery where period_id = '2024-H1'"
    )
    assert (count, departments, called) == (len(_found(engine)), len(slugs()), "Đầu mối, 0221, a@b.invalid; 0222")


def test_the_page_names_who_owes_what_and_whom_to_call(inbox: Inbox, engine: Engine, tmp_path: Path) -> None:
    inbox.drop(good_book("bien_che"))
    inbox.load()
    contacts = {"Sở Nội vụ": (Contact("Đầu mối", "0221.000", "a@b.invalid"),)}

    def publish(moment: datetime) -> bytes:
        masthead = Masthead("Ủy ban nhân dân tỉnh", "tỉnh", True, moment)
        with engine.begin() as connection:
            [path] = completeness_page.refresh(connection, H1, contacts, str(tmp_path), masthead)
        return Path(path).read_bytes()

    first = publish(BEFORE)
    cells = [c.value for row in load_workbook(io.BytesIO(first)).active.iter_rows() for c in row if c.value]
    text = "\n".join(cells)
    assert "hạn gửi: hết ngày 14/6/2024" in text
    assert "Sở Nội vụ: 3/17 bộ số liệu đạt. Liên hệ: Đầu mối, 0221.000, a@b.invalid" in text
    assert "Sở Tư pháp: 0/4 bộ số liệu đạt. Liên hệ: chưa có trong danh bạ" in text
    assert "Biên chế công chức, Số người làm việc trong đơn vị sự nghiệp, Mốc 2015 để tính tinh giản biên chế" in cells
    # the same state keeps its moment
    assert publish(BEFORE.replace(hour=9)) == first
    inbox.drop(good_book("bien_che", rows_per_sheet=4), "bien-che_2024-06-14_v2.xlsx")
    inbox.load()
    assert publish(BEFORE.replace(hour=9)) != first


def test_contacts_are_read_as_excel_saves_them(tmp_path: Path) -> None:
    path = tmp_path / "danh-ba.csv"
    path.write_text(
        "\ufeffĐơn vị;Người liên hệ;Điện thoại;Thư điện tử\nSỞ NỘI VỤ;A;1;a@b.vn\nSở Nội vụ;B;2;\n;;;\n",
        encoding="utf-8",
    )
    assert read_contacts(str(path), slugs()) == {"Sở Nội vụ": (Contact("A", "1", "a@b.vn"), Contact("B", "2", ""))}
    assert read_contacts("", slugs()) == {}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("Đơn vị,Điện thoại\n", "thiếu cột Người liên hệ, Thư điện tử"),
        ("Đơn vị,Người liên hệ,Điện thoại,Thư điện tử\nSở Lạ,A,1,a@b.vn\n", "dòng 2: không có đơn vị «Sở Lạ»"),
        ("Đơn vị,Người liên hệ,Điện thoại,Thư điện tử\nSở Nội vụ,A,1,a b\n", "dòng 2: địa chỉ thư"),
    ],
)
def test_contacts_that_are_wrong_are_told_by_line(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "danh-ba.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ContactsUnreadable, match=said):
        read_contacts(str(path), slugs())
    with pytest.raises(ContactsUnreadable, match="Không có tệp"):
        read_contacts(str(path) + "x", slugs())
    with pytest.raises(ContactsUnreadable):
        addresses("a@b.vn, c")


def test_status_shows_who_owes_what(settings: Settings, engine: Engine, capsys, monkeypatch) -> None:
    from extract import commands

    with engine.begin() as connection:
        contacts = {"Sở Tư pháp": (Contact("Đầu mối", "0221", ""),)}
        keep(connection, deliveries(connection, H1, AFTER), contacts, AFTER)
    monkeypatch.setattr(commands, "get_settings", lambda: settings)
    commands.status()
    said = capsys.readouterr().out
    assert "Gửi số liệu · 2024-H1, hạn 14/06/2024: 0/6 đơn vị đủ và đúng" in said
    assert "  Sở Tư pháp: 4 chưa gửi hoặc còn thiếu / 4 bộ số liệu · gọi Đầu mối, 0221" in said
