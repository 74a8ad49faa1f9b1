"""Workbooks from the inbox into a real PostgreSQL: one transaction for a file, one refusal for a file that is none."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import Engine, text

from cchc.settings import Settings
from extract import sources, workbooks
from extract.contract import contracts
from extract.ledger import LoadOutcome
from extract.workbooks import workbook_name

from .department_files import AGENCIES, good_book, saved

Query = Callable[..., list[tuple]]
DIGEST = "0" * 64
DATA = Path(__file__).parent / "data"
NAME = "bien-che_2024-06-14.xlsx"
WORKBOOKS = [name for name, contract in contracts().items() if contract.custom("reader") == "workbook"]


class Inbox:
    """Drops files and loads a source, as a department and a scheduler would."""

    def __init__(self, settings: Settings, loader: Engine) -> None:
        self.settings = settings
        self._loader = loader

    def drop(self, content: bytes | openpyxl.Workbook, name: str = NAME, folder: str = "so-noi-vu") -> Path:
        path = Path(self.settings.inbox) / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else saved(content))
        return path

    def load(self, source: str = "bien_che", **changes: object) -> list[LoadOutcome]:
        return sources.load_source(self.settings.model_copy(update=changes), self._loader, source)


@pytest.fixture
def inbox(settings: Settings, loader: Engine) -> Inbox:
    return Inbox(settings, loader)


@pytest.fixture
def listed(engine: Engine) -> None:
    """The portal's list of agencies is in the warehouse."""
    with engine.begin() as connection:
        connection.execute(
            text(
                "insert into ops.load values (1, 'portal', 'agency', :digest, '1', 'loaded', null, null, null,"
                " 1, 1, 0, 0, 0, 1, 'x', 'x', now(), now())"
            ),
            {"digest": DIGEST},
        )
        connection.execute(
            text(
                "insert into ops.arrival (source, dataset, name, digest, load_id, outcome)"
                " values ('portal', 'agency', 'LayDanhMucCoQuan', :digest, 1, 'new')"
            ),
            {"digest": DIGEST},
        )
        for row, agency in enumerate(AGENCIES):
            connection.execute(
                text(
                    "insert into raw.portal__agency (_load_id, _row, madonvi, tendonvi, capdonvi, madonvicha, madiaban,"
                    " ngayhieuluc, ngayhethieuluc) values (1, :row, :code, :name, :level, :parent, :area, '2000-01-01',"
                    " case when :level > 1 then date '2025-07-01' end)"
                ),
                {"row": row} | {f: getattr(agency, f) for f in ("code", "name", "level", "parent", "area")},
            )


# --------------------------------------------------------------------------------------------------------- good files


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize("source", WORKBOOKS)
def test_every_sheet_of_every_contract_arrives(inbox: Inbox, query: Query, source: str) -> None:
    contract = contracts()[source]
    name = f"{contract.custom('dataset')}_2024-06-14.xlsx"
    inbox.drop(good_book(source), name, contract.custom("department"))
    outcomes = inbox.load(source)
    assert [(o.dataset, o.outcome, o.rows_read, o.rows_loaded, o.message) for o in outcomes] == [
        (table.name, "new", 2, 2, "") for table in contract.tables
    ]
    for table in contract.tables:
        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        rows = query(f"select _row, {columns} from raw.{table.physical_name}")
        assert len(rows) == 2, table.name
        assert all(None not in row for row in rows), table.name


@pytest.mark.usefixtures("listed")
def test_the_ledger_knows_file_sheet_and_day(inbox: Inbox, query: Query) -> None:
    inbox.drop(good_book("bien_che"))
    inbox.load()
    assert query(
        "select dataset, status, covers_from_on, covers_to_on, rows_read, rows_loaded,"
        " count(*) over (partition by digest) from ops.load where source = 'bien_che' order by dataset"
    ) == [
        (sheet, "loaded", date(2024, 6, 14), date(2024, 6, 14), 2, 2, 3)
        for sheet in ("cong_chuc", "moc_2015", "vien_chuc")
    ]
    assert query("select distinct name, outcome from ops.arrival where source = 'bien_che'") == [(NAME, "new")]
    assert query("select agency, posts_assigned, present, _row from raw.bien_che__cong_chuc order by _row") == [
        ("H31", 10, 10, 2),
        ("H31.01", 11, 11, 3),
    ]


@pytest.mark.usefixtures("listed")
def test_the_same_bytes_are_loaded_once(inbox: Inbox, query: Query) -> None:
    content = saved(good_book("bien_che"))
    inbox.drop(content)
    inbox.load()
    inbox.drop(content, "bien-che_2024-06-14_v2.xlsx")
    outcomes = inbox.load()
    assert {o.outcome for o in outcomes} == {"repeat"}
    assert query("select count(*) from raw.bien_che__cong_chuc") == [(2,)]
    assert query("select count(*) from ops.load where source = 'bien_che'") == [(3,)]
    names = query("select name, count(*) from ops.arrival where source = 'bien_che' group by name order by name")
    assert names == [("bien-che_2024-06-14.xlsx", 6), ("bien-che_2024-06-14_v2.xlsx", 3)]


@pytest.mark.usefixtures("listed")
def test_money_is_stored_in_dong(inbox: Inbox, query: Query) -> None:
    book = good_book("tu_chu_tai_chinh")
    book["Kien nghi kiem toan"]["B3"] = "12,75"
    inbox.drop(book, "tu-chu-tai-chinh_2024-06-14.xlsx", "so-tai-chinh")
    inbox.load("tu_chu_tai_chinh")
    assert query("select amount::text, done::text from raw.tu_chu_tai_chinh__kien_nghi_kiem_toan order by _row") == [
        ("12750000000", "50000000000"),
        ("50000000000", "50000000000"),
    ]


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize("ending", ["xlsm", "xls", "ods"])
def test_other_kinds_of_files(inbox: Inbox, query: Query, ending: str) -> None:
    name = f"bien-che_2024-06-14_v10.{ending}"
    if ending == "xlsm":
        inbox.drop(good_book("bien_che"), name)
    else:
        inbox.drop((DATA / f"bien-che.{ending}").read_bytes(), name)
    assert [(o.outcome, o.rows_rejected) for o in inbox.load()] == [("new", 0), ("new", 0), ("new", 0)]
    assert query("select agency, present from raw.bien_che__cong_chuc order by _row") == [("H31", 10), ("H31.01", 11)]


# -------------------------------------------------------------------------------------------------------- wrong rows


@pytest.mark.usefixtures("listed")
def test_a_rejected_row_names_sheet_cell_column_value_and_reason(inbox: Inbox, query: Query) -> None:
    book = good_book("bien_che")
    book["Cong chuc"]["C3"] = "12,356.5"
    book["Cong chuc"]["A3"] = "Sở Không Có"
    inbox.drop(book)
    outcomes = inbox.load()
    assert [(o.dataset, o.rows_read, o.rows_loaded, o.rows_rejected) for o in outcomes] == [
        ("cong_chuc", 2, 1, 1),
        ("vien_chuc", 2, 2, 0),
        ("moc_2015", 2, 2, 0),
    ]
    [(row, sheet, cell, column, value, code, reason, faults)] = query(
        "select row_number, sheet, cell, column_name, value, reason_code, reason, faults from ops.rejected_row"
    )
    assert (row, sheet, cell, column, value, code) == (
        *(3, "Cong chuc", "A3", "Cơ quan, đơn vị", "Sở Không Có", "unknown_agency"),
    )
    assert "không có trong danh mục cơ quan của Cổng DVC vào ngày 14/06/2024" in reason
    assert [(fault["cell"], fault["code"]) for fault in faults] == [
        ("A3", "unknown_agency"),
        ("C3", "ambiguous_number"),
    ]


@pytest.mark.usefixtures("listed")
def test_a_repeated_key_is_rejected_and_the_first_stays(inbox: Inbox, query: Query) -> None:
    book = good_book("bien_che", rows_per_sheet=1)
    book["Cong chuc"].append(["UBND tỉnh", 99, 98, 0, 0, 0])
    inbox.drop(book)
    assert (inbox.load()[0].rows_loaded, inbox.load()[0].outcome) == (1, "repeat")
    assert query("select present from raw.bien_che__cong_chuc") == [(10,)]
    assert query("select cell, value, reason_code from ops.rejected_row") == [("A3", "H31", "duplicate_key")]


@pytest.mark.usefixtures("listed")
def test_a_sheet_without_a_good_row_is_refused_and_the_others_load(inbox: Inbox, query: Query) -> None:
    book = good_book("bien_che", rows_per_sheet=1)
    book["Cong chuc"]["B2"] = "nhiều"
    inbox.drop(book)
    outcomes = inbox.load()
    assert [o.outcome for o in outcomes] == ["refused", "new", "new"]
    assert query(
        "select status, rows_read, rows_loaded, rows_rejected, rows_held from ops.load where dataset = 'cong_chuc'"
    ) == [("refused", 1, 0, 1, 0)]
    assert query("select cell from ops.rejected_row") == [("B2",)]


@pytest.mark.usefixtures("listed")
def test_a_refused_sheet_leaves_the_last_good_version(inbox: Inbox, query: Query) -> None:
    inbox.drop(good_book("bien_che"))
    inbox.load()
    worse = good_book("bien_che")
    del worse["Cong chuc"]
    worse["Vien chuc"]["D2"] = 77
    inbox.drop(worse, "bien-che_2024-06-14_v2.xlsx")
    refused, *others = [o for o in inbox.load() if o.name.endswith("_v2.xlsx")]
    assert refused.message == "Thiếu trang «Cong chuc»; các trang trong tệp: «Vien chuc», «Moc 2015»"
    assert [o.outcome for o in others] == ["new", "new"]
    assert query("select count(*) from raw.bien_che__cong_chuc") == [(2,)]
    assert query("select count(*) from raw.bien_che__vien_chuc") == [(4,)]


@pytest.mark.usefixtures("listed")
def test_communes_are_those_of_the_day(inbox: Inbox, query: Query) -> None:
    book = good_book("chinh_quyen_so", rows_per_sheet=1)
    book["Ket noi"]["A2"] = "Xã Lạc Đạo"
    content = saved(book)
    inbox.drop(content, "chinh-quyen-so_2025-06-30.xlsx", "so-tttt")
    inbox.load("chinh_quyen_so")
    assert query("select unit from raw.chinh_quyen_so__ket_noi") == [("H31.32.02",)]
    book["Ket noi"]["B2"] = "Xã"
    inbox.drop(saved(book), "chinh-quyen-so_2025-07-01.xlsx", "so-tttt")
    inbox.load("chinh_quyen_so")
    assert query("select reason_code, value from ops.rejected_row") == [("unknown_agency", "Xã Lạc Đạo")]


def test_without_the_list_of_agencies_nothing_is_rejected_for_good(inbox: Inbox, query: Query) -> None:
    inbox.drop(good_book("bien_che"))
    [outcome] = inbox.load()
    assert (outcome.outcome, outcome.dataset) == ("failed", "*")
    assert "Chưa có danh mục cơ quan" in outcome.message
    assert query("select count(*) from ops.load") == [(0,)]


@pytest.mark.usefixtures("listed")
def test_a_file_is_loaded_whole_or_not_at_all(inbox: Inbox, query: Query, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox.drop(good_book("bien_che"))
    real = workbooks.load_within

    def fail(connection: object, arrived: object, *args: object, **options: object) -> LoadOutcome:
        if arrived.table.name == "moc_2015":
            raise RuntimeError("mất điện")
        return real(connection, arrived, *args, **options)

    monkeypatch.setattr(workbooks, "load_within", fail)
    with pytest.raises(RuntimeError):
        inbox.load()
    assert query("select count(*) from ops.load where source = 'bien_che'") == [(0,)]
    assert query("select count(*) from raw.bien_che__cong_chuc") == [(0,)]
    monkeypatch.undo()
    assert [o.outcome for o in inbox.load()] == ["new", "new", "new"]


# ------------------------------------------------------------------------------------------------ files refused whole


def _truncated() -> bytes:
    content = saved(good_book("bien_che"))
    return content[: len(content) // 2]


def _word() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    return target.getvalue()


def _locked_xls() -> bytes:
    """An .xls whose second record says that the rest is encrypted."""
    content = bytearray((DATA / "bien-che.xls").read_bytes())
    begins = content.index(b"\x09\x08\x10\x00\x00\x06\x05\x00")
    content[begins + 20 : begins + 22] = b"\x2f\x00"
    return bytes(content)


def _locked_ods() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(DATA / "bien-che.ods") as source, zipfile.ZipFile(target, "w") as archive:
        for info in source.infolist():
            content = source.read(info)
            if info.filename == "META-INF/manifest.xml":
                content = content.replace(b"</manifest:manifest>", b"<manifest:encryption-data/></manifest:manifest>")
            archive.writestr(info, content)
    return target.getvalue()


def _bomb() -> bytes:
    """A part of 200 MB in 200 kB, whose directory entry says it has 1000 bytes."""
    book = io.BytesIO(saved(good_book("bien_che")))
    with zipfile.ZipFile(book, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/image1.png", bytes(200_000_000))
        archive.getinfo("xl/media/image1.png").file_size = 1000
    return book.getvalue()


REFUSED = {
    "truncated": (_truncated, NAME, "Tệp bị hỏng hoặc tải lên dở dang"),
    "html": (
        lambda: b"<html><table><tr><td>1</td></tr></table></html>",
        "bien-che_2024-06-14.xls",
        "trang web hoặc XML",
    ),
    "xml": (lambda: b'\xef\xbb\xbf<?xml version="1.0"?><Workbook/>', "bien-che_2024-06-14.xls", "trang web hoặc XML"),
    "mhtml": (lambda: b"MIME-Version: 1.0\n\n<html>", "bien-che_2024-06-14.xls", "trang web hoặc XML"),
    "csv": (lambda: "Cơ quan,Có mặt\nSở,1".encode(), NAME, "Tệp không phải sổ tính"),
    "word": (_word, NAME, "Tệp không phải sổ tính"),
    "empty": (lambda: b"", NAME, "Tệp rỗng"),
    "locked xlsx": (lambda: (DATA / "co-mat-khau.xlsx").read_bytes(), NAME, "Tệp có mật khẩu"),
    "locked xls": (_locked_xls, "bien-che_2024-06-14.xls", "Tệp có mật khẩu"),
    "locked ods": (_locked_ods, "bien-che_2024-06-14.ods", "Tệp có mật khẩu"),
}


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_is_no_workbook_is_refused_with_one_reason(inbox: Inbox, query: Query, case: str) -> None:
    make, name, reason = REFUSED[case]
    inbox.drop(make(), name)
    [outcome] = inbox.load()
    assert (outcome.outcome, outcome.dataset) == ("refused", "*")
    assert reason in outcome.message
    assert query("select dataset, status, refused_reason, covers_to_on from ops.load where source = 'bien_che'") == [
        ("*", "refused", outcome.message, date(2024, 6, 14))
    ]
    [again] = inbox.load()
    assert (again.outcome, again.load_id) == ("refused", outcome.load_id)
    assert query("select count(*) from ops.load where source = 'bien_che'") == [(1,)]
    assert query("select count(*) from ops.arrival where source = 'bien_che'") == [(2,)]


@pytest.mark.usefixtures("listed")
def test_a_good_version_stands_when_a_later_one_is_no_workbook(inbox: Inbox, query: Query) -> None:
    inbox.drop(good_book("bien_che"))
    inbox.load()
    inbox.drop(_truncated(), "bien-che_2024-06-14_v2.xlsx")
    assert sorted(o.outcome for o in inbox.load()) == ["refused", "repeat", "repeat", "repeat"]
    assert query("select count(*) from raw.bien_che__cong_chuc") == [(2,)]


@pytest.mark.usefixtures("listed")
def test_the_limits_are_settings(inbox: Inbox) -> None:
    path = inbox.drop(good_book("bien_che"))
    size = path.stat().st_size
    [outcome] = inbox.load(max_workbook_bytes=size - 1)
    assert (outcome.outcome, "cho phép" in outcome.message) == ("refused", True)
    assert not list(Path(inbox.settings.landing).rglob("*.xlsx"))
    [outcome] = inbox.load(max_unpacked_bytes=20_000)
    assert (outcome.outcome, "giải nén" in outcome.message) == ("refused", True)
    # neither is final: with the limits as they should be the file is good
    assert {o.outcome for o in inbox.load(max_workbook_bytes=size)} == {"new"}


@pytest.mark.usefixtures("listed")
def test_a_bomb_is_refused_whatever_its_directory_says(inbox: Inbox) -> None:
    content = _bomb()
    assert len(content) < 1_000_000
    assert sum(info.file_size for info in zipfile.ZipFile(io.BytesIO(content)).infolist()) < 1_000_000
    inbox.drop(content)
    [outcome] = inbox.load(max_unpacked_bytes=100_000_000)
    assert outcome.message.startswith("Tệp khi giải nén lớn hơn 100 MB cho phép")


_READ_WITHIN_LIMITS = """
import resource, sys
from extract.csv_reader import UnreadableFile
from extract.workbook_file import Limits, Workbook

content = sys.stdin.buffer.read()
resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
try:
    sheet = Workbook(content, Limits(100_000_000, 1_000_000_000)).sheet("Cong chuc")
    print(len(sheet.rows))
except UnreadableFile as error:
    print(error)
"""


def _read_within_limits(content: bytes) -> str:
    """The reason or the number of rows, from a process whose memory is bounded: a broken guard ends that one only."""
    done = subprocess.run([sys.executable, "-c", _READ_WITHIN_LIMITS], input=content, capture_output=True, check=True)
    return done.stdout.decode()


def test_a_stray_cell_far_away_does_not_take_all_memory() -> None:
    book = good_book("bien_che")
    book["Cong chuc"]["XFD1048576"] = "lạc"
    assert "trải rộng 17.179.869.184 ô" in _read_within_limits(saved(book))
    book = good_book("bien_che")
    book["Cong chuc"]["H1048576"] = "xa, nhưng trong một trang hẹp"
    assert _read_within_limits(saved(book)) == "1048576\n"


@pytest.mark.parametrize(
    "place",
    [
        'r="ZZZZZ99999999999"',
        'r="A99999999"',
        'r="xfd1048576"',
        "r='XFD1048576'",
        'r = "XFD1048576"',
        "r='AAAA1'",
        'r\n="XFD1048576"',
    ],
)
def test_a_cell_in_a_place_that_no_sheet_has_refuses_the_file(place: str) -> None:
    content = _with_part(good_book("bien_che"), "xl/worksheets/sheet1.xml", b'r="B2"', place.encode())
    reason = _read_within_limits(content)
    assert "Tệp bị hỏng" in reason or "trải rộng 17.179.869.184 ô" in reason, reason


def _with_part(book: openpyxl.Workbook, part: str, old: bytes, new: bytes) -> bytes:
    """The book's bytes with the one `old` in a part of it replaced."""
    source, target = zipfile.ZipFile(io.BytesIO(saved(book))), io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in source.namelist():
            content = source.read(name)
            if name == part:
                assert content.count(old) == 1
                content = content.replace(old, new)
            archive.writestr(name, content)
    return target.getvalue()


@pytest.mark.parametrize(
    "name",
    [
        "bien-che.xlsx",
        "bien-che_2024-06-31.xlsx",
        "bien-che_14-06-2024.xlsx",
        "bien-che_2024-06-14_v0.xlsx",
        "bien-che_2024-06-14_V.xlsx",
        "bien-che_2024-06-14.csv",
        "bien-che-moi_2024-06-14.xlsx",
    ],
)
def test_a_name_that_does_not_fit_is_told(inbox: Inbox, query: Query, name: str) -> None:
    inbox.drop(good_book("bien_che"), name)
    outcomes = [outcome for source in WORKBOOKS for outcome in inbox.load(source)]
    assert [(o.outcome, o.name) for o in outcomes] == [("refused", name)]
    assert "Tên tệp không đúng mẫu" in outcomes[0].message
    assert query("select count(*) from ops.load") == [(0,)]


def test_names() -> None:
    named = workbook_name("Bien-Che_2024-06-14_v10.XLSX")
    assert (named.dataset, named.as_of, named.version, named.ending) == ("bien-che", date(2024, 6, 14), 10, "xlsx")
    assert workbook_name("bien-che_2024-06-14.ods").version == 1


def test_a_departments_datasets_do_not_take_each_others_files(inbox: Inbox) -> None:
    inbox.drop(good_book("cong_vu"), "cong-vu_2024-06-14.xlsx")
    assert inbox.load("bien_che") == []
    assert {o.source for o in inbox.load("cong_vu")} == {"cong_vu"}
