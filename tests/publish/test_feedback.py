"""Feedback slips: real workbooks through the real loader into PostgreSQL, and back to the department that sent them."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.styles import Font
from openpyxl.worksheet.worksheet import Worksheet
from sqlalchemy import Engine, text

from cchc.periods import ReportingPeriod
from cchc.settings import Settings
from publish import feedback_sheets, output
from publish.feedback import FIRST_SHEET, deadline
from publish.feedback_ledger import MOST_LISTED
from publish.feedback_sheets import sheet_title
from publish.report import publish_report
from tests.extract.conftest import Exports
from tests.extract.department_files import good_book, saved
from tests.extract.test_workbooks import Inbox
from tests.publish.figures_by_hand import PERIOD, Figures

DATA = Path(__file__).parents[1] / "extract" / "data"
NAME = "bien-che_2024-06-14.xlsx"
BEFORE_CUT_OFF = datetime(2024, 6, 10, 3, 30, tzinfo=UTC)
RED, YELLOW = "00FF9C9C", "00FFEB84"
Query = Callable[..., list[tuple]]

pytestmark = pytest.mark.usefixtures("figures", "listed")


class Slips:
    """Publishes, and opens what came of it."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings
        self.folder = Path(settings.out) / PERIOD / "phieu-phan-hoi"

    def publish(self, at: datetime = BEFORE_CUT_OFF, out: str = "") -> list[str]:
        """The names of the slips that this run wrote."""
        written = publish_report(
            self._engine, self._settings, PERIOD, out or self._settings.out, False, generated_at=at
        )
        return [path.rsplit("/", 1)[1] for path in written if "/phieu-phan-hoi/" in path]

    def book(self, department: str = "so-noi-vu") -> Workbook:
        return load_workbook(self.folder / f"{department}.xlsx")

    def first_page(self, department: str = "so-noi-vu") -> Worksheet:
        return self.book(department)[FIRST_SHEET]

    def text(self, department: str = "so-noi-vu") -> str:
        cells = (cell.value for row in self.first_page(department).iter_rows() for cell in row)
        return "\n".join(cell for cell in cells if cell)

    def findings(self, department: str = "so-noi-vu") -> list[tuple[str | None, ...]]:
        """The rows of the long table."""
        rows = list(self.first_page(department).iter_rows(values_only=True))
        begin = next(at for at, row in enumerate(rows) if row[:3] == ("Tệp", "Trang", "Ô")) + 1
        end = next(at for at in range(begin, len(rows)) if rows[at][6] is None)
        return rows[begin:end]


@pytest.fixture
def slips(engine: Engine, settings: Settings) -> Slips:
    return Slips(engine, settings)


def _wrong_book() -> Workbook:
    book = good_book("bien_che", rows_per_sheet=3)
    book["Cong chuc"]["C3"] = "12,356.5"
    return book


# -------------------------------------------------------------------------------------------------- the marked sheets


def test_a_wrong_cell_is_red_and_says_what_is_wrong_and_expected(inbox: Inbox, slips: Slips) -> None:
    inbox.drop(_wrong_book())
    inbox.load()

    assert slips.publish() == ["so-noi-vu.xlsx"]
    book = slips.book()
    assert book.sheetnames == [FIRST_SHEET, "Cong chuc"]
    cell = book["Cong chuc"]["C3"]
    assert (cell.value, cell.fill.fgColor.rgb) == ("12,356.5", RED)
    assert "không rõ là số nào" in cell.comment.text
    assert "dấu chấm ngăn hàng nghìn" in cell.comment.text
    others = [c for row in book["Cong chuc"].iter_rows() for c in row if c.coordinate != "C3"]
    assert not [c.coordinate for c in others if c.comment or c.fill.fill_type]
    [(file, sheet, place, column, value, problem, remedy)] = slips.findings()
    assert (file, sheet, place, column, value) == (NAME, "Cong chuc", "C3", "Có mặt", "12,356.5")
    assert "không rõ là số nào" in problem
    assert remedy.startswith("Ghi lại kiểu Việt Nam")
    link = next(c for row in slips.first_page().iter_rows() for c in row if c.hyperlink)
    assert (link.value, link.hyperlink.location, link.hyperlink.target) == ("C3", "'Cong chuc'!C3", None)


def test_the_sheet_looks_as_it_was_sent(inbox: Inbox, slips: Slips) -> None:
    book = _wrong_book()
    sheet = book["Cong chuc"]
    sheet.insert_rows(1)
    sheet["A1"] = "BIÊN CHẾ CÔNG CHỨC"
    sheet["A1"].font = Font(name=".VnTime", size=15, bold=True)
    sheet.merge_cells("A1:C1")
    sheet.column_dimensions["A"].width = 47
    sheet.row_dimensions[1].height = 33
    sheet["C3"].number_format = "#,##0"
    for row in range(4, 6):
        sheet.row_dimensions[row].hidden = True
    inbox.drop(book)
    inbox.load()
    slips.publish()

    shown = slips.book()["Cong chuc"]
    assert (shown["A1"].value, shown["A1"].font.name, shown["A1"].font.sz) == ("BIÊN CHẾ CÔNG CHỨC", ".VnTime", 15)
    assert [merged.coord for merged in shown.merged_cells.ranges] == ["A1:C1"]
    assert (shown.column_dimensions["A"].width, shown.row_dimensions[1].height) == (47, 33)
    assert shown["C3"].number_format == "#,##0"
    # the wrong cell is now in row 4: it must be seen, its neighbour stays as hidden as it was
    assert shown["C4"].fill.fgColor.rgb == RED
    assert (shown.row_dimensions[4].hidden, shown.row_dimensions[5].hidden) == (False, True)
    for row in sheet.iter_rows():
        for cell in row:
            assert shown[cell.coordinate].value == cell.value


def test_what_a_cell_says_never_runs_and_nothing_else_of_the_file_comes_along(inbox: Inbox, slips: Slips) -> None:
    book = _wrong_book()
    sheet = book["Cong chuc"]
    sheet["H1"] = "Ghi chú"
    sheet["H2"].value, sheet["H2"].data_type = '=HYPERLINK("http://x.invalid","a")', "s"
    sheet["H3"] = "=1+1"
    sheet["C4"].value, sheet["C4"].data_type = "@SUM(A1)", "s"
    sheet["H4"].hyperlink = "http://x.invalid/"
    sheet["H4"].comment = openpyxl.comments.Comment("riêng", "Nguyễn Văn Ánh")
    book.create_sheet("Nháp")["A1"] = "không gửi ai"
    book.properties.lastModifiedBy = "Nguyễn Văn Ánh"
    book.defined_names["x"] = openpyxl.workbook.defined_name.DefinedName("x", attr_text="'[1]S'!$A$1")
    # a formula comes with the value that was in its cell
    content = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved(book))) as source, zipfile.ZipFile(content, "w") as target:
        for info in source.infolist():
            target.writestr(info, re.sub(rb"<f>1\+1</f><v ?(/>|></v>)", b"<f>1+1</f><v>2</v>", source.read(info)))
    inbox.drop(content.getvalue())
    inbox.load()
    slips.publish()

    with zipfile.ZipFile(slips.folder / "so-noi-vu.xlsx") as package:
        parts = {name: package.read(name).decode("utf-8", "replace") for name in package.namelist()}
    everything = "\n".join(parts.values())
    assert "<f>" not in everything
    assert "vbaProject" not in everything
    assert "externalLink" not in everything
    assert "TargetMode" not in everything
    assert "Nguyễn Văn Ánh" not in everything
    assert "không gửi ai" not in everything
    assert '<definedName name="x"' not in everything
    shown = slips.book()["Cong chuc"]
    assert shown["H3"].value == 2
    assert (shown["H2"].data_type, shown["H2"].quotePrefix) == ("s", True)
    listed = next(row for row in slips.first_page().iter_rows() if row[4].value == "@SUM(A1)")
    assert (listed[4].data_type, listed[4].quotePrefix) == ("s", True)


def test_a_total_that_does_not_add_up_is_yellow(inbox: Inbox, slips: Slips) -> None:
    book = good_book("bien_che", rows_per_sheet=3)
    book["Cong chuc"].append(["Tổng cộng", 99, 33, *[None] * 3])
    inbox.drop(book)
    inbox.load()
    slips.publish()

    cell = slips.book()["Cong chuc"]["B5"]
    assert (cell.value, cell.fill.fgColor.rgb) == (99, YELLOW)
    assert "ghi 99 nhưng cộng các dòng được 33" in cell.comment.text
    [row] = slips.findings()
    assert row[2:5] == ("B5", "Biên chế được giao", "99")
    assert "Dòng bị loại không được tính" not in slips.text()


def test_several_totals_of_one_column_are_marked_each(inbox: Inbox, slips: Slips) -> None:
    rows = good_book("bien_che", rows_per_sheet=4)["Cong chuc"]
    book = good_book("bien_che", rows_per_sheet=2)
    sheet = book["Cong chuc"]
    sheet.append(["Cộng", 1000, *[None] * 4])
    for row in (4, 5):
        sheet.append([cell.value for cell in rows[row]])
    sheet.append(["Tổng cộng", 2000, *[None] * 4])
    inbox.drop(book)
    inbox.load()
    slips.publish()

    assert {row[2] for row in slips.findings()} == {"B4", "B7"}
    assert all(slips.book()["Cong chuc"][cell].comment for cell in ("B4", "B7"))


def test_looks_that_cannot_be_copied_do_not_stop_the_report(
    inbox: Inbox, slips: Slips, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = _wrong_book()
    book["Cong chuc"]["B4"].font = Font(name="Arial")
    inbox.drop(book)
    inbox.load()

    def fail(self: Font) -> Font:
        if self.name == "Arial":
            raise IndexError("no such style")
        return Font()

    monkeypatch.setattr(Font, "__copy__", fail, raising=False)
    slips.publish()
    sheet = slips.book()["Cong chuc"]
    assert (sheet["C3"].fill.fgColor.rgb, sheet["B4"].value) == (RED, 12)


@pytest.mark.parametrize("ending", ["xls", "ods"])
def test_other_kinds_of_files_show_their_values(
    inbox: Inbox, slips: Slips, engine: Engine, query: Query, ending: str
) -> None:
    with engine.begin() as connection:
        connection.execute(text("delete from raw.portal__agency where madonvi = 'H31.01'"))
    inbox.drop((DATA / f"bien-che.{ending}").read_bytes(), f"bien-che_2024-06-14.{ending}")
    inbox.load()
    [(rejected,)] = query("select cell from ops.rejected_row where sheet = 'Cong chuc'")
    slips.publish()

    sheet = slips.book()["Cong chuc"]
    assert (sheet[rejected].value, sheet[rejected].fill.fgColor.rgb) == ("H31.01", RED)
    assert "danh mục cơ quan" in sheet[rejected].comment.text
    assert sheet["B2"].value == 10


def test_a_file_whose_styles_are_broken_shows_its_values(inbox: Inbox, slips: Slips) -> None:
    good = io.BytesIO(saved(_wrong_book()))
    broken = io.BytesIO()
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(broken, "w") as target:
        for info in source.infolist():
            content = source.read(info)
            target.writestr(info, content.replace(b"<cellXfs", b"<x") if info.filename == "xl/styles.xml" else content)
    inbox.drop(broken.getvalue())
    assert inbox.load()[0].rows_rejected == 1
    slips.publish()

    assert slips.book()["Cong chuc"]["C3"].fill.fgColor.rgb == RED


def test_a_sheet_is_found_however_its_name_is_spelt(inbox: Inbox, slips: Slips) -> None:
    book = good_book("kiem_soat_tthc")
    book["Ra soat"].title = "RA SOAT "
    book["RA SOAT "]["A3"] = None
    inbox.drop(book, "kiem-soat-tthc_2024-06-14.xlsx", "van-phong-ubnd")
    inbox.load("kiem_soat_tthc")
    slips.publish()
    assert slips.book("van-phong-ubnd")["Ra soat"]["A3"].fill.fgColor.rgb == RED


def test_of_a_very_large_file_the_wrong_rows_alone(inbox: Inbox, slips: Slips, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedback_sheets, "_MOST_UNPACKED", 2000)
    book = good_book("thu_hut_dau_tu", rows_per_sheet=20)
    for number in range(21, 101):
        book["Du an"].append(
            [f"{cell.value}-{number}" if cell.column == 1 else cell.value for cell in book["Du an"][2]]
        )
    [wrong] = [cell for cell in book["Du an"][90] if book["Du an"].cell(1, cell.column).value == "Vốn đăng ký"]
    wrong.value = "khoảng 120"
    inbox.drop(book, "thu-hut-dau-tu_2024-06-14.xlsx", "so-ke-hoach-dau-tu")
    inbox.load("thu_hut_dau_tu")
    slips.publish()

    sheet = slips.book("so-ke-hoach-dau-tu")["Du an"]
    assert sheet.max_row == 45
    shown = sheet.cell(45, wrong.column)
    assert (shown.value, shown.fill.fgColor.rgb) == ("khoảng 120", RED)
    assert shown.comment.text.startswith(f"Ô {wrong.coordinate} của tệp gốc.")
    [link] = [c for row in slips.first_page("so-ke-hoach-dau-tu").iter_rows() for c in row if c.hyperlink]
    assert (link.value, link.hyperlink.location) == (wrong.coordinate, f"'Du an'!{shown.coordinate}")


def test_two_sheets_of_one_name() -> None:
    assert sheet_title("Ra soat", "a_2024-06-14.xlsx", [FIRST_SHEET]) == "Ra soat"
    second = sheet_title("Ra soat", "a_2024-06-14.xlsx", [FIRST_SHEET, "Ra soat"])
    third = sheet_title("Ra soat", "a_2024-06-14.xlsx", [FIRST_SHEET, "Ra soat", second])
    assert len({"Ra soat", second, third}) == 3
    assert max(map(len, (second, third))) <= 31


def test_an_original_that_is_deleted_leaves_the_first_page(inbox: Inbox, slips: Slips) -> None:
    inbox.drop(_wrong_book())
    inbox.load()
    for path in Path(inbox.settings.landing).rglob("*.xlsx"):
        path.unlink()
    slips.publish()

    assert slips.book().sheetnames == [FIRST_SHEET]
    assert [row[2] for row in slips.findings()] == ["C3"]


# ------------------------------------------------------------------------------------------------ who gets one and when


def test_nothing_wrong_no_slip(inbox: Inbox, slips: Slips) -> None:
    inbox.drop(good_book("bien_che"))
    inbox.load()

    assert slips.publish() == []
    assert not slips.folder.exists()


def test_a_column_too_many_alone_asks_for_nothing(inbox: Inbox, slips: Slips) -> None:
    book = good_book("thu_hut_dau_tu")
    book["Du an"].cell(1, 12, "Cột lạ")
    inbox.drop(book, "thu-hut-dau-tu_2024-06-14.xlsx", "so-ke-hoach-dau-tu")
    inbox.load("thu_hut_dau_tu")
    assert slips.publish() == []


def test_a_column_that_may_be_misspelt_is_marked_at_its_header(inbox: Inbox, slips: Slips) -> None:
    book = good_book("chi_dao_dieu_hanh")
    sheet = book["Ke hoach CCHC"]
    [header] = [cell for cell in sheet[1] if cell.value == "Ngày hoàn thành"]
    header.value = "Ngày xong việc"
    inbox.drop(book, "chi-dao-dieu-hanh_2024-06-14.xlsx")
    inbox.load("chi_dao_dieu_hanh")
    slips.publish()

    marked = slips.book()["Ke hoach CCHC"][header.coordinate]
    assert marked.fill.fgColor.rgb == YELLOW
    assert "Ngày xong việc" in marked.comment.text
    assert {row[2] for row in slips.findings()} == {f"cột {header.column_letter}", None}


def test_a_slip_is_withdrawn_when_the_next_version_is_right(inbox: Inbox, slips: Slips) -> None:
    inbox.drop(_wrong_book())
    inbox.load()
    slips.publish()
    theirs = slips.folder / "so-tu-phap.xlsx"
    theirs.write_bytes(saved(Workbook()))
    (slips.folder / "ghi-chep.txt").write_text("của người khác")
    inbox.drop(good_book("bien_che"), "bien-che_2024-06-14_v2.xlsx")
    inbox.load()

    assert slips.publish() == []
    assert sorted(path.name for path in slips.folder.iterdir()) == ["ghi-chep.txt", "so-tu-phap.xlsx"]


def test_a_slip_in_a_store_is_withdrawn_as_well(inbox: Inbox, slips: Slips, tmp_path: Path) -> None:
    out = f"memory://{tmp_path}/out"
    inbox.drop(_wrong_book())
    inbox.load()
    assert slips.publish(out=out) == ["so-noi-vu.xlsx"]
    inbox.drop(good_book("bien_che"), "bien-che_2024-06-14_v2.xlsx")
    inbox.load()
    slips.publish(out=out)
    assert output.names(f"{out}/{PERIOD}/phieu-phan-hoi") == []


def test_of_another_period_nothing_is_said(inbox: Inbox, slips: Slips) -> None:
    inbox.drop(_wrong_book(), "bien-che_2023-12-14.xlsx")
    inbox.drop(_wrong_book(), "bien-che_2024-06-15.xlsx")
    inbox.load()
    assert slips.publish() == []


def test_the_newest_version_speaks_v10_above_v9(inbox: Inbox, slips: Slips) -> None:
    worse = _wrong_book()
    worse["Cong chuc"]["B3"] = "nhiều"
    inbox.drop(worse, "bien-che_2024-06-14_v9.xlsx")
    inbox.drop(_wrong_book(), "bien-che_2024-06-14_v10.xlsx")
    inbox.load()
    slips.publish()

    assert {(row[0], row[2]) for row in slips.findings()} == {("bien-che_2024-06-14_v10.xlsx", "C3")}
    assert "gửi lại với tên bien-che_2024-06-14_v11.xlsx vào thư mục so-noi-vu" in slips.text()


# --------------------------------------------------------------------------------------------------- files not accepted


def test_a_file_refused_whole_has_its_reason_and_what_counts_instead(inbox: Inbox, slips: Slips) -> None:
    inbox.drop(good_book("bien_che"))
    inbox.drop((DATA / "co-mat-khau.xlsx").read_bytes(), "bien-che_2024-06-14_v2.xlsx")
    inbox.load()
    slips.publish()

    assert slips.book().sheetnames == [FIRST_SHEET]
    [row] = slips.findings()
    assert row[:3] == ("bien-che_2024-06-14_v2.xlsx", None, "cả tệp")
    assert row[5].startswith("Tệp có mật khẩu")
    said = slips.text()
    assert "1 tệp không nhận được" in said
    assert f"Vẫn tính bản {NAME}" in said
    assert "bien-che_2024-06-14_v3.xlsx" in said


def test_a_refused_sheet_and_the_others_of_its_file(inbox: Inbox, slips: Slips) -> None:
    inbox.drop(good_book("bien_che"))
    inbox.load()
    book = _wrong_book()
    del book["Vien chuc"]
    inbox.drop(book, "bien-che_2024-06-14_v2.xlsx")
    inbox.load()
    slips.publish()

    assert [(row[1], row[2]) for row in slips.findings()] == [("Cong chuc", "C3"), ("Vien chuc", "cả trang")]
    said = slips.text()
    assert "Trang «Vien chuc»: vẫn tính bản bien-che_2024-06-14.xlsx" in said
    assert "Trang «Cong chuc», «Moc 2015»: tính bản này" in said


def test_a_sheet_without_a_good_row_still_shows_its_cells(inbox: Inbox, slips: Slips) -> None:
    book = good_book("bien_che", rows_per_sheet=1)
    book["Cong chuc"]["B2"] = "nhiều"
    inbox.drop(book)
    inbox.load()
    slips.publish()

    assert slips.book()["Cong chuc"]["B2"].fill.fgColor.rgb == RED
    assert "Trang «Cong chuc»: chưa có số liệu nào trong kỳ" in slips.text()


def test_a_misnamed_file_is_told_until_it_is_gone(inbox: Inbox, slips: Slips) -> None:
    path = inbox.drop(good_book("bien_che"), "bien-che_14-06-2024.xlsx")
    inbox.drop(good_book("bien_che", rows_per_sheet=3))
    inbox.load()
    slips.publish()
    [row] = slips.findings()
    assert row[0] == "bien-che_14-06-2024.xlsx"
    assert "Tên tệp không đúng mẫu" in row[5]

    path.unlink()
    inbox.load()
    inbox.load()
    assert slips.publish() == []


def test_a_misnamed_file_that_came_again_under_its_right_name(inbox: Inbox, slips: Slips) -> None:
    content = saved(good_book("bien_che"))
    inbox.drop(content, "bien-che.xlsx")
    inbox.drop(content)
    inbox.load()
    assert slips.publish() == []


def test_what_failed_on_our_side_is_nobodys_fault(inbox: Inbox, slips: Slips, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("delete from raw.portal__agency"))
    inbox.drop(_wrong_book())
    assert {outcome.outcome for outcome in inbox.load()} == {"failed"}
    assert slips.publish() == []


# ------------------------------------------------------------------------------------------- exports, cross-checks


def test_an_export_is_listed_line_by_line_without_personal_data(exports: Exports, slips: Slips) -> None:
    rows = exports.rows(30)
    rows[7] |= {"TrangThaiHoSo": "11", "SoGiayToChuHoSo": "033090009999"}
    rows[9] |= {"MaHoSo": "033090009999"}
    exports.load(rows, max_reject_share=0.5)
    slips.publish()

    department = "van-phong-ubnd"
    assert slips.book(department).sheetnames == [FIRST_SHEET]
    found = slips.findings(department)
    assert [(row[0], row[2], row[3], row[4]) for row in found] == [
        ("ho-so_20240101_20240131.csv", "dòng 9", "TrangThaiHoSo", "11"),
        ("ho-so_20240101_20240131.csv", "dòng 11", "MaHoSo", None),
    ]
    assert "2 dòng bị loại" in slips.text(department)
    with zipfile.ZipFile(slips.folder / f"{department}.xlsx") as package:
        everything = b"".join(package.read(name) for name in package.namelist()).decode("utf-8", "replace")
    assert not [value for value in ("033090009999", "Nguyễn Văn Ánh", "0912345678", "Điện Biên") if value in everything]


def test_a_long_list_is_cut_and_says_how_many_more(exports: Exports, slips: Slips) -> None:
    rows = exports.rows(MOST_LISTED + 51, TrangThaiHoSo="11") + exports.rows(5, first=5000)
    exports.load(rows, max_reject_share=1)
    slips.publish()

    assert len(slips.findings("van-phong-ubnd")) == MOST_LISTED
    assert "còn 51 dòng bị loại khác, chưa liệt kê trong bảng này." in slips.text("van-phong-ubnd")
    assert "Trang kèm theo" not in slips.text("van-phong-ubnd")
    assert f"{MOST_LISTED + 51} dòng bị loại" in slips.text("van-phong-ubnd")


def test_a_refused_export_is_told_until_its_days_came_otherwise(exports: Exports, slips: Slips) -> None:
    exports.load(exports.rows(4, TrangThaiHoSo="11"))
    slips.publish()
    assert "quá 5% cho phép" in slips.findings("van-phong-ubnd")[0][5]
    exports.load(exports.rows(4), "ho-so_20231215_20240131.csv")
    assert slips.publish() == []


def test_rows_of_a_feed_are_for_the_department_that_shares_it(slips: Slips, engine: Engine) -> None:
    # a pull as the loader leaves it in the ledger: two of the same service, of which the second brought only changes
    with engine.begin() as connection:
        for load_id, column in ((71, "maDuAn"), (72, "tenDuAn")):
            connection.execute(
                text(
                    "insert into ops.load values (:id, 'budget', 'project', :digest, '1', 'loaded', null, '2024-01-01',"
                    " '2024-12-31', 9, 8, 1, 0, 0, 1, 'x', 'x', now(), now() + make_interval(secs => :id))"
                ),
                {"id": load_id, "digest": f"{load_id:064}"},
            )
            connection.execute(
                text(
                    "insert into ops.arrival (source, dataset, name, digest, load_id, outcome)"
                    " values ('budget', 'project', 'du-an', :digest, :id, 'new')"
                ),
                {"id": load_id, "digest": f"{load_id:064}"},
            )
            connection.execute(
                text(
                    "insert into ops.rejected_row values (:id, 5, '', null, :column, null, 'required', 'Thiếu', "
                    "jsonb_build_array(jsonb_build_object('column', cast(:column as text), 'value', null,"
                    " 'code', 'required', 'reason', 'Thiếu ' || :column || ' (bắt buộc)')))"
                ),
                {"id": load_id, "column": column},
            )

    assert slips.publish() == ["so-tai-chinh.xlsx"]
    assert [(row[0], row[2], row[3]) for row in slips.findings("so-tai-chinh")] == [
        ("du-an", "dòng 5", "maDuAn"),
        ("du-an", "dòng 5", "tenDuAn"),
    ]
    assert "2 dòng bị loại" in slips.text("so-tai-chinh")
    assert "sửa ở phần mềm nguồn" in slips.text("so-tai-chinh")


def test_a_cross_check_goes_to_both_sides(figures: Figures, slips: Slips) -> None:
    message = (
        'Có 1 đơn vị sự nghiệp có trong trang "DVSNCL" của tệp to-chuc-bo-may (Sở Nội vụ) nhưng không có trong trang'
        ' "Tu chu" của tệp tu-chu-tai-chinh (Sở Tài chính): Trường A (H31.35.S001).'
    )
    figures.warn("unit_without_autonomy", message, 1)
    figures.warn("due_before_received", "Có 3 hồ sơ có ngày hẹn trả trước ngày tiếp nhận.", 3)

    assert slips.publish() == ["so-noi-vu.xlsx", "so-tai-chinh.xlsx"]
    for department in ("so-noi-vu", "so-tai-chinh"):
        assert f"1. {message}" in slips.text(department)


# ------------------------------------------------------------------------------------------------------ deadline, bytes


@pytest.mark.parametrize(
    ("slip_on", "due"),
    [
        (date(2024, 5, 2), date(2024, 6, 14)),
        (date(2024, 6, 13), date(2024, 6, 14)),
        (date(2024, 6, 14), date(2024, 6, 19)),  # a Friday: Monday, Tuesday, Wednesday
        (date(2024, 6, 15), date(2024, 6, 19)),  # a Saturday
        (date(2024, 6, 17), date(2024, 6, 20)),
    ],
)
def test_the_deadline(slip_on: date, due: date) -> None:
    assert deadline(ReportingPeriod.parse(PERIOD), slip_on) == due


def test_the_deadline_knows_holidays_and_the_days_worked_instead() -> None:
    # 27 April to 1 May 2024 are off, Saturday 4 May is worked
    assert deadline(ReportingPeriod.parse("2024-Q1"), date(2024, 4, 26)) == date(2024, 5, 4)


def test_the_same_findings_keep_deadline_and_bytes(inbox: Inbox, slips: Slips) -> None:
    inbox.drop(_wrong_book())
    inbox.load()
    slips.publish(datetime(2024, 6, 17, 3, 0, tzinfo=UTC))
    before = (slips.folder / "so-noi-vu.xlsx").read_bytes()
    assert "trước khi hết ngày 20/6/2024" in slips.text()
    inbox.load()
    slips.publish(datetime(2024, 6, 18, 3, 0, tzinfo=UTC))
    assert (slips.folder / "so-noi-vu.xlsx").read_bytes() == before

    worse = _wrong_book()
    worse["Cong chuc"]["B3"] = "nhiều"
    inbox.drop(worse, "bien-che_2024-06-14_v2.xlsx")
    inbox.load()
    slips.publish(datetime(2024, 6, 18, 3, 0, tzinfo=UTC))
    assert "trước khi hết ngày 21/6/2024" in slips.text()


def test_it_prints_on_a4_and_repeats_the_headings(inbox: Inbox, slips: Slips) -> None:
    inbox.drop(_wrong_book())
    inbox.load()
    slips.publish()

    sheet = slips.first_page()
    assert (sheet.page_setup.paperSize, sheet.page_setup.orientation) == ("9", "landscape") or (
        str(sheet.page_setup.paperSize) == "9" and sheet.page_setup.orientation == "landscape"
    )
    header = int(sheet.print_title_rows.split("$")[-1])
    assert sheet.cell(header, 3).value == "Ô"
    used = [cell for row in sheet.iter_rows() for cell in row if cell.value]
    assert {cell.font.name for cell in used} == {"Times New Roman"}
    assert {cell.font.sz for cell in used} <= {13, 14}
    assert all(cell.alignment.wrap_text for cell in used)
