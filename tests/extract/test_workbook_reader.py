"""Every normal variation of a workbook loads as it is; everything that cannot be read is refused with its cell."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from openpyxl.worksheet.worksheet import Worksheet

from extract.cells import BrokenCell
from extract.contract import contracts
from extract.csv_reader import UnreadableFile
from extract.workbook_file import Workbook

from .department_files import (
    LIMITS,
    STAFF,
    STAFF_HEADER,
    good_book,
    good_row,
    labels_of,
    read,
    saved,
    sheet_file,
    table_of,
)

DATA = Path(__file__).parent / "data"
AGENCIES_OF_STAFF = ["H31.02", "H31.32", "H31.05"]
PRESENT = [58, 88, 69]


def staff(change: Callable[[Worksheet], Any] = lambda sheet: None, rows: list | None = None) -> bytes:
    """The staffing sheet after `change`."""
    book, sheet = sheet_file(rows or [STAFF_HEADER, *STAFF])
    change(sheet)
    return saved(book)


def assert_staff(content: bytes | list[list[Any]]) -> None:
    found = read(content)
    assert found.faults == {}
    assert found.column("agency") == AGENCIES_OF_STAFF
    assert found.column("posts_assigned") == [60, 90, 70]
    assert found.column("present") == PRESENT
    assert not [key for key in found.warnings if key[0] not in ("missing_column", "unknown_column")]


# ----------------------------------------------------------------------------------------- what stands around the table


@pytest.mark.parametrize("count", [0, 1, 5, 12])
def test_a_title_block(count: int) -> None:
    title = [
        *(["CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"], ["Độc lập - Tự do - Hạnh phúc"], ["SỞ NỘI VỤ"], []),
        *(["BIỂU BIÊN CHẾ CƠ QUAN, ĐƠN VỊ"], ["Số liệu có mặt đến ngày 14/6/2024"], [None, None, None, "ĐVT: người"]),
        *([], ["Kèm theo Báo cáo số 12/BC-SNV"], ["Biểu 1"], [], ["(Tổng số)"]),
    ]
    content = [*title[:count], STAFF_HEADER, *STAFF]
    assert_staff(content)
    assert read(content).rows == [count + 2, count + 3, count + 4]


def test_a_header_of_two_rows_with_merged_cells() -> None:
    rows = [
        ["STT", "Cơ quan, đơn vị", "Biên chế", None, "HĐLĐ theo NĐ 111", None, "Số cắt giảm trong năm"],
        [None, None, "được giao", "có mặt", "được giao", "có mặt", None],
        [1, "Sở Nội vụ", 60, 58, 3, 2, 1],
    ]

    def merge(sheet: Worksheet) -> None:
        for cells in ("A1:A2", "B1:B2", "C1:D1", "E1:F1", "G1:G2"):
            sheet.merge_cells(cells)

    [row] = read(staff(merge, rows)).good
    assert list(row.values()) == [3, "H31.02", 60, 58, 3, 2, 1]


def test_the_unit_in_a_merged_heading() -> None:
    rows = [
        ["STT", "Thông tin", None, "Sè kiÕn nghÞ (tû ®ång)"],
        [None, "Kiến nghị", "Ghi chú", None],
        [1, "Giảm chi", None, 2],
    ]

    def merge(sheet: Worksheet) -> None:
        for cells in ("A1:A2", "B1:C1", "D1:D2"):
            sheet.merge_cells(cells)

    book, sheet = sheet_file(rows, "Kien nghi kiem toan")
    merge(sheet)
    [row] = read(saved(book), "tu_chu_tai_chinh", "Kien nghi kiem toan").good
    assert row["amount"] == "2000000000"


def test_a_header_of_three_rows_and_a_numbering_row() -> None:
    rows = [
        ["STT", "Cơ quan, đơn vị", "Năm 2024", None, None],
        [None, None, "Công chức", None, "Có mặt"],
        [None, None, "Biên chế được giao", "Trong đó: nữ", "Tổng số"],
        ["(1)", "(2)", "(3)", "(4)", "(5)=(3)-(4)"],
        [1, "Sở Nội vụ", 60, 20, 58],
    ]

    def merge(sheet: Worksheet) -> None:
        for cells in ("A1:A3", "B1:B3", "C1:E1", "C2:D2"):
            sheet.merge_cells(cells)

    found = read(staff(merge, rows))
    assert [(r["_row"], r["agency"], r["posts_assigned"], r["present"]) for r in found.good] == [(5, "H31.02", 60, 58)]
    assert found.faults == {}


@pytest.mark.parametrize(
    "numbering", [["(1)", "(2)", "(3)", "(4)"], [1, 2, 3, 4], ["A", "B", 1, 2], ["1", "2", "3", "4"]]
)
def test_a_numbering_row(numbering: list[Any]) -> None:
    assert_staff([STAFF_HEADER, numbering, *STAFF])


@pytest.mark.parametrize(
    "header",
    [
        ["TT", "CƠ QUAN, ĐƠN VỊ", "Biên chế\nđược giao", "Có  mặt"],
        ["TT", "Cơ quan, đơn vị:", "Biên chế được giao (1)", "Có mặt*"],
        ["TT", "Tên cơ quan", "Biên chế giao năm", "Biên chế có mặt"],
        [unicodedata.normalize("NFD", label) for label in STAFF_HEADER],
        ["TT", "C¬ quan, ®¬n vÞ", "Biªn chÕ ®\u00adîc giao", "Cã mÆt"],
        ["TT", "  Cơ quan , đơn vị ", "Biên chế được giao²", "Có mặt [1]"],
    ],
    ids=["case and line breaks", "colon and footnotes", "other labels", "NFD", "TCVN3", "spaces and superscript"],
)
def test_header_texts(header: list[str]) -> None:
    assert_staff([header, *STAFF])


def test_a_very_wide_sheet_is_told_of_in_few_words() -> None:
    found = read([[*STAFF_HEADER, *(f"Cột {at}" for at in range(16_380))], *STAFF])
    unknown = [message for (code, _), message in found.warnings.items() if code == "unknown_column"]
    assert len(found.good) == 3
    assert len(unknown) == 51
    assert "Còn 16.330 cột khác không có trong quy ước, được bỏ qua" in unknown


def test_each_cell_of_a_header_has_its_own_font_and_footnote() -> None:
    rows = [
        ["STT¹", "Cơ quan, đơn vị", "Biên chế", None, "HĐLĐ theo NĐ 111 (2)", None],
        [None, None, "®\u00adîc giao", "có mặt :", "®\u00adîc giao", "có mặt"],
        [1, "Sở Nội vụ", 60, 58, 3, 2],
        ["I", "UBND huyện Văn Lâm"],
    ]

    def merge(sheet: Worksheet) -> None:
        for cells in ("A1:A2", "B1:B2", "C1:D1", "E1:F1"):
            sheet.merge_cells(cells)

    found = read(staff(merge, rows))
    assert [list(row.values())[1:6] for row in found.good] == [["H31.02", 60, 58, 3, 2]]
    # the footnote does not hide the column of serial numbers, whose mark makes even an agency's name a heading
    assert found.faults == {}
    assert [key for key in found.warnings if key[0] == "unknown_column"] == []


def test_columns_in_another_order_and_extra_columns() -> None:
    rows = [["Có mặt", "Ghi chú", "Cơ quan, đơn vị", "Số nữ", "Biên chế được giao"]]
    rows += [[present, "", agency, 5, posts] for _, agency, posts, present in STAFF]
    assert_staff(rows)
    unknown = [message for (code, _), message in read(rows).warnings.items() if code == "unknown_column"]
    assert unknown == ["Cột «Số nữ» (cột D) không có trong quy ước, được bỏ qua"]


@pytest.mark.parametrize("title", [" Cong chuc ", "CONG CHUC", "cong  chuc", "Công chức"])
def test_sheet_names(title: str) -> None:
    book, _ = sheet_file([STAFF_HEADER, *STAFF], title)
    book.create_sheet("Vien chuc", 0)
    assert_staff(saved(book))


def test_hidden_rows_and_columns_and_sheets_count() -> None:
    def hide(sheet: Worksheet) -> None:
        sheet.row_dimensions[3].hidden = True
        sheet.column_dimensions["D"].hidden = True
        sheet.parent.create_sheet("khác")
        sheet.sheet_state = "hidden"

    assert_staff(staff(hide))


GROUPS = [
    ["I", "Khối sở, ngành"],
    STAFF[0],
    STAFF[2],
    ["II", "UBND cấp huyện"],
    STAFF[1],
]


@pytest.mark.parametrize(
    "group",
    [
        ["I", "Khối sở, ngành"],
        ["A", "Sở, ban, ngành", 130, 127],
        [None, "Khối sở, ngành"],
        [None, "I. Các sở, ngành"],
        ["I", "Khối sở, ngành", 130, "127"],
        ["Khối sở, ngành"],
    ],
)
def test_group_rows(group: list[Any]) -> None:
    found = read([STAFF_HEADER, group, STAFF[0], STAFF[2]])
    assert (found.column("agency"), found.faults) == (["H31.02", "H31.05"], {})
    assert not [key for key in found.warnings if key[0] != "missing_column"]


def test_a_block_with_its_own_sum_is_a_group_row_even_in_a_column_of_codes() -> None:
    header = ["Mã cơ quan", "Tên cơ quan", "Khối", "Số phòng giảm trong kỳ"]
    rows = [["H31.02", "Sở Nội vụ", "Sở, ban, ngành", 1], ["H31.05", "Sở Tài chính", "Sở, ban, ngành", None]]
    found = read([header, ["Khối sở, ban, ngành", None, None, 1], *rows], "to_chuc_bo_may", "Co quan")
    assert (found.column("agency_code"), found.faults) == (["H31.02", "H31.05"], {})
    # anything else without the words that a row must have is a wrong row, not a heading
    found = read([header, ["Nhóm 1", None, None, 1], *rows], "to_chuc_bo_may", "Co quan")
    assert found.faults


def test_totals_and_subtotals_are_no_data() -> None:
    rows = [STAFF_HEADER, ["Tổng cộng", None, 220, 215], GROUPS[0], *GROUPS[1:3], [None, "Cộng khối sở", 130, 127]]
    rows += [
        GROUPS[3],
        GROUPS[4],
        [None, "Cộng", "90", 88],
        [],
        [None, "TỔNG SỐ:", "220", 215],
        [None, "Tæng céng", 220, 215],
    ]
    found = read(rows)
    assert (found.column("present"), found.faults) == ([58, 69, 88], {})
    assert not [key for key in found.warnings if key[0] != "missing_column"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([*STAFF, [None, "Tổng cộng", 220, 214]], "Ô tổng D5 (Có mặt) ghi 214 nhưng cộng các dòng được 215"),
        (
            [*STAFF, [None, "Cộng", "1.220", 215]],
            "Ô tổng C5 (Biên chế được giao) ghi 1.220 nhưng cộng các dòng được 220",
        ),
        ([["I", "Khối sở", 130, 128], STAFF[0], STAFF[2]], "Ô tổng D2 (Có mặt) ghi 128 nhưng cộng các dòng được 127"),
        (
            [*GROUPS[:3], [None, "Cộng khối sở", 130, 1], GROUPS[4]],
            "Ô tổng D5 (Có mặt) ghi 1 nhưng cộng các dòng được 127",
        ),
        ([[None, "Tổng số", 220, 9], *STAFF], "Ô tổng D2 (Có mặt) ghi 9 nhưng cộng các dòng được 215"),
        ([*STAFF, [None, "Tổng cộng", 220, "12.5"]], "Ô tổng D5 (Có mặt) không rõ là số nào"),
    ],
)
def test_a_total_that_does_not_add_up_names_both_numbers(rows: list, message: str) -> None:
    found = read([STAFF_HEADER, *rows])
    assert any(message in text for text in found.warnings.values()), found.warnings
    assert found.faults == {}


@pytest.mark.parametrize("total", [[None, "Cộng", 90, 88], [None, "Cộng", 220, 215], [None, "Tổng cộng", 220, 215]])
def test_a_bare_sum_below_a_group_may_end_the_group_or_the_table(total: list) -> None:
    assert not [key for key in read([STAFF_HEADER, *GROUPS, total]).warnings if key[0] != "missing_column"]


def test_a_group_row_with_figures_is_the_sum_of_its_own_group() -> None:
    rows = [STAFF_HEADER, ["I", "Khối sở", 130, 127], *GROUPS[1:3], ["II", "UBND cấp huyện", 90, 88], STAFF[1]]
    assert not [key for key in read(rows).warnings if key[0] != "missing_column"]
    rows[1] = ["I", "Khối sở", 220, 215]
    assert "Ô tổng C2 (Biên chế được giao) ghi 220 nhưng cộng các dòng được 130" in str(read(rows).warnings)


def test_a_total_may_be_named_in_an_optional_column() -> None:
    rows = [["Ngày đối thoại", "Chủ trì", "Đối tượng"], ["14/6/2024", "Chủ tịch", "Doanh nghiệp"], [None, "Tổng cộng"]]
    found = read(rows, "chi_dao_dieu_hanh", "Doi thoai")
    assert (len(found.good), found.faults) == (1, {})


PUBLIC_STAFF = ["Cơ quan chủ quản", "Lĩnh vực", "Số người làm việc được giao", "Có mặt"]
BY_FIELD = [
    ["Sở Tài chính", "Giáo dục", 30, 28],
    ["Sở Nội vụ", "Giáo dục", 40, 38],
    ["Cộng Giáo dục", None, 70, 66],
    ["Sở Tài chính", "Y tế", 68, 68],
    ["Sở Tài chính", "Văn hóa", 7, 7],
    ["Sở Nội vụ", "Văn hóa", 9, 9],
    ["Cộng văn hoá", None, 16, 16],
    ["Tổng cộng", None, 154, 150],
]


def totals_told(rows: list[list[Any]], sheet: str = "Vien chuc", source: str = "bien_che") -> list[str]:
    """Every warning of a total; no row of the sheet may be rejected."""
    found = read(rows, source, sheet)
    assert found.faults == {}
    return [message for (code, _), message in found.warnings.items() if code.startswith("total")]


def test_a_group_of_one_row_needs_no_sub_total_of_its_own() -> None:
    assert totals_told([PUBLIC_STAFF, *BY_FIELD]) == []
    # written once, in an extra column, the groups are as clear
    parts = [["Phần A"], [None], [], ["Phần B"], ["Phần C"], [None], [], []]
    rows = [[*row[:1], str(at), *row[2:], *part] for at, (row, part) in enumerate(zip(BY_FIELD, parts, strict=True))]
    rows[2][:2], rows[6][:2], rows[7][:2] = ["Cộng A", None], ["Cộng C", None], ["Tổng cộng", None]
    assert totals_told([[*PUBLIC_STAFF, "Phần"], *rows]) == []


@pytest.mark.parametrize(
    ("at", "stated", "message"),
    [
        (2, 71, "C4 (Số người làm việc được giao) ghi 71 nhưng cộng các dòng được 70"),
        (6, 17, "C8 (Số người làm việc được giao) ghi 17 nhưng cộng các dòng được 16"),
        (6, 85, "C8 (Số người làm việc được giao) ghi 85 nhưng cộng các dòng được 84"),
        # the sum of the last group, and the sum of the sub-totals alone
        (7, 16, "C9 (Số người làm việc được giao) ghi 16 nhưng cộng các dòng được 154"),
        (7, 86, "C9 (Số người làm việc được giao) ghi 86 nhưng cộng các dòng được 154"),
    ],
)
def test_a_wrong_sub_total_is_told_with_the_sum_it_is_nearest_to(at: int, stated: int, message: str) -> None:
    rows = [list(row) for row in BY_FIELD]
    rows[at][2] = stated
    assert totals_told([PUBLIC_STAFF, *rows]) == [f"Ô tổng {message}"]


def test_parts_of_groups_without_headings_have_totals_too() -> None:
    rows = [*BY_FIELD[:3], ["Tổng phần 1", None, 70, 66], *BY_FIELD[3:7], ["Tổng phần 2", None, 84, 84], BY_FIELD[7]]
    assert totals_told([PUBLIC_STAFF, *rows]) == []
    rows[8] = ["Tổng phần 2", None, 83, 84]
    assert totals_told([PUBLIC_STAFF, *rows]) == [
        "Ô tổng C10 (Số người làm việc được giao) ghi 83 nhưng cộng các dòng được 84"
    ]


def test_a_total_in_the_middle_is_of_what_is_above_it_or_of_all() -> None:
    extra = ["Sở Nội vụ", "Khác", 5, 5]
    assert totals_told([PUBLIC_STAFF, *BY_FIELD, extra]) == []
    assert totals_told([PUBLIC_STAFF, *BY_FIELD[:7], ["Tổng cộng", None, 159, 155], extra]) == []
    assert len(totals_told([PUBLIC_STAFF, *BY_FIELD[:7], ["Tổng cộng", None, 160, 155], extra])) == 1


@pytest.mark.parametrize("name", ["Cộng Y tế", "CỘNG: y  tế", "Cộng cả hai sở", "Tổng Y tế", "Tổng số người ngành y"])
def test_a_sub_total_may_be_named_after_anything(name: str) -> None:
    assert totals_told([PUBLIC_STAFF, BY_FIELD[3], [name, None, 68, 68]]) == []


@pytest.mark.parametrize("name", ["Tổng công ty Thủy lợi", "Cộng đồng doanh nghiệp", "Cộng hòa", "Tổng hợp số liệu"])
def test_a_name_that_only_begins_like_a_sum_is_a_row(name: str) -> None:
    found = read([PUBLIC_STAFF, BY_FIELD[3], [name, None, 68, 68]], "bien_che", "Vien chuc")
    assert set(found.cells) == {"A3", "B3"}


@pytest.mark.parametrize(("stated", "is_told"), [(220, False), (280, False), (250, True)])
def test_a_total_may_leave_out_a_row_that_is_rejected(stated: int, is_told: bool) -> None:
    # the row that repeats an agency has figures that can be read
    found = read([STAFF_HEADER, *STAFF, [4, "Sở Nội vụ", 60, 0], [None, "Tổng cộng", stated, 215]])
    assert found.rows == [2, 3, 4]
    assert ("ghi 250 nhưng cộng các dòng được" in str(found.warnings)) == is_told
    assert ("total_mismatch" in str(found.warnings)) == is_told


def test_a_total_in_a_column_of_remarks_right_of_the_figures() -> None:
    rows = [["Hình thức", "Số phiếu", "Ngày khảo sát", "Nội dung"], ["Phát phiếu", 100, "14/6/2024", "Hài lòng"]]
    assert totals_told([*rows, [None, 100, None, "TỔNG CỘNG"]], "Khao sat", "chi_dao_dieu_hanh") == []


def test_a_total_is_told_in_the_unit_of_the_sheet() -> None:
    rows = [["Kiến nghị", "Số kiến nghị (tỷ đồng)"], ["Nộp ngân sách", "12,5"], ["Giảm chi", 7], ["Tổng cộng", 20]]
    [message] = totals_told(rows, "Kien nghi kiem toan", "tu_chu_tai_chinh")
    assert message == "Ô tổng B4 (Số kiến nghị) ghi 20 nhưng cộng các dòng được 19,5"


def test_many_totals_take_no_long_time() -> None:
    rows: list[list[Any]] = [PUBLIC_STAFF]
    for number in range(10_000):
        rows += [["Sở Nội vụ", f"Lĩnh vực {number}", 1, 1], ["Cộng", None, 1, 1]]
    content = saved(sheet_file(rows, "Vien chuc")[0])
    started = process_time()
    assert read(content, "bien_che", "Vien chuc").faults == {}
    assert process_time() - started < 20


def test_a_total_in_a_hidden_row_is_checked_too() -> None:
    def hide(sheet: Worksheet) -> None:
        sheet.append([None, "Tổng cộng", 220, 999])
        sheet.row_dimensions[5].hidden = True

    found = read(staff(hide))
    assert "ghi 999 nhưng cộng các dòng được 215" in found.warnings["total_mismatch", "Có mặt"]


def test_blank_rows_count_for_nothing() -> None:
    assert_staff([[], STAFF_HEADER, [], STAFF[0], [" "], STAFF[1], [], [], STAFF[2], [], [4], [5]])


@pytest.mark.parametrize(
    "foot",
    [
        [["Ghi chú: số liệu chưa gồm hợp đồng"]],
        [[None, "(*) Kể cả biệt phái"], [None, "(1) Theo Nghị định 111"]],
        [
            [],
            [None, None, "Hưng Yên, ngày 14 tháng 6 năm 2024"],
            [None, "NGƯỜI LẬP BIỂU", None, "GIÁM ĐỐC"],
            [],
            [None, "Nguyễn Văn A", None, "Trần Thị B"],
        ],
        [[None, "Người lập biểu", "Kế toán trưởng", "Giám đốc"], [None, "Lê A", "Lê B", "Lê C"]],
        [[None, "KT. GIÁM ĐỐC"], [None, "PHÓ GIÁM ĐỐC"], [None, "(Đã ký)"], [None, "Trần B"]],
        [["Nơi nhận:"], ["- Như trên;"], ["- Lưu: VT."]],
        [[], [None, "Số liệu do các đơn vị tự báo cáo"]],
        [[None, "Tổng cộng", 220, 215], [None, "Gồm cả biên chế dự phòng"]],
    ],
)
def test_signatures_and_footnotes_are_no_data(foot: list) -> None:
    assert_staff([STAFF_HEADER, *STAFF, *foot])


def test_a_repeated_header_is_no_data() -> None:
    assert_staff([STAFF_HEADER, STAFF[0], STAFF_HEADER, *STAFF[1:]])


def test_what_looks_like_a_heading_and_is_data_stays_data() -> None:
    rows = [
        ["Tên ban", "Quyết định thành lập"],
        ["Tổng kho dự trữ", "1/QĐ"],
        ["Các dự án giao thông", "2/QĐ"],
        ["I. Ban A", ""],
    ]
    assert read(rows, "to_chuc_bo_may", "Ban quan ly").column("name") == [
        "Tổng kho dự trữ",
        "Các dự án giao thông",
        "I. Ban A",
    ]


def test_a_row_that_lacks_something_is_rejected_and_not_taken_for_a_heading() -> None:
    found = read([STAFF_HEADER, [1, "Sở Nội vụ"], [2, "UBND huyện Văn Lâm", 90], STAFF[2]])
    assert {cell: code for cell, (code, _) in found.cells.items()} == {
        **dict.fromkeys(("C2", "D2", "D3"), "required"),
    }
    assert found.rows == [4]


def test_a_bad_last_row_is_not_taken_for_a_footnote() -> None:
    found = read([STAFF_HEADER, *STAFF, [4, "Thanh tra tỉnh", "nhiều", 3]])
    assert found.cells == {"C5": ("not_a_number", "nhiều")}


# ---------------------------------------------------------------------------------------------------------------- cells


def test_numbers_as_text() -> None:
    rows = [[1, "Sở Nội vụ", "22.039", "1 608", "-", "–", None], [2, "Sở Tài chính", "1.608.000", 5.0, 0, "0", "7"]]
    found = read(
        [[*STAFF_HEADER, "HĐLĐ theo NĐ 111 được giao", "HĐLĐ theo NĐ 111 có mặt", "Số cắt giảm trong năm"], *rows]
    )
    assert [list(row.values())[2:] for row in found.good] == [[22039, 1608, 0, 0, 0], [1608000, 5, 0, 0, 7]]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("12,356.5", "ambiguous_number"),
        ("12.5", "ambiguous_number"),
        ("1,234", "not_a_whole_number"),
        (22.039, "not_a_whole_number"),
        ("-", "not_a_number"),
        ("nhiều", "not_a_number"),
        (datetime(2024, 6, 14), "not_a_number"),
        (-3, "below_minimum"),
        ("-1.608", "below_minimum"),
        (None, "required"),
    ],
)
def test_a_number_that_cannot_be_read_is_rejected_with_its_cell(value: object, code: str) -> None:
    found = read([STAFF_HEADER, STAFF[0], [2, "Sở Tài chính", value, 69], STAFF[1]])
    assert [(cell, fault) for cell, (fault, _) in found.cells.items()] == [("C3", code)]
    assert found.rows == [2, 4]
    assert found.reasons.startswith(("Biên chế được giao ", "Thiếu Biên chế được giao"))


def test_decimals_and_their_rules() -> None:
    header = [labels_of(column)[-1] for column in table_of("tu_chu_tai_chinh", "Tu chu").columns]
    shares = ["12,7", 10, "99,99", "85 %", 100, "9,9", None, "-5", 101, "12.5", None]
    groups = ["Nhóm 3"] * 7 + ["Nhóm 1"] * 4
    rows = [[f"U{i}", f"Đơn vị {i}", g, s, None] for i, (g, s) in enumerate(zip(groups, shares, strict=True))]
    found = read([header, *rows], "tu_chu_tai_chinh", "Tu chu")
    assert found.column("recurrent_share") == ["12.7", "10", "99.99", "85", None]
    assert {cell: code for cell, (code, _) in found.cells.items()} == {
        "D6": "range_when",
        "D7": "range_when",
        "D8": "required_when",
        "D9": "below_minimum",
        "D10": "above_maximum",
        "D11": "ambiguous_number",
    }


@pytest.mark.parametrize(
    "value", [date(2024, 6, 14), datetime(2024, 6, 14), "14/6/2024", "14-06-2024", "14.6.2024", "2024-06-14"]
)
def test_dates(value: object) -> None:
    header = ["Ngày đối thoại", "Chủ trì", "Đối tượng"]
    found = read([header, [value, "Chủ tịch UBND tỉnh", "Doanh nghiệp"]], "chi_dao_dieu_hanh", "Doi thoai")
    assert found.column("held_on") == [date(2024, 6, 14)]


def test_an_optional_date_that_cannot_be_read_rejects_the_row() -> None:
    table = table_of("chi_dao_dieu_hanh", "Ke hoach CCHC")
    header = [labels_of(column)[0] for column in table.columns]
    rows = [
        ["1", "Việc A", "Sở Nội vụ", "31/2/2024", None],
        ["2", "Việc B", None, None, 45457],
        ["3", "Việc C", None, None, None],
    ]
    found = read([header, *rows], "chi_dao_dieu_hanh", "Ke hoach CCHC")
    assert found.cells == {"D2": ("not_a_date", "31/2/2024"), "E3": ("not_a_date", "45457")}
    assert found.column("task_no") == ["3"]


def test_yes_and_no() -> None:
    header = ["Đơn vị", "Cấp", "Liên thông QLVBĐH", "Kết nối Một cửa điện tử", "Họp trực tuyến"]
    rows = [
        ["Sở Nội vụ", "sở,  NGÀNH", "x", "Có", "1"],
        ["Sở Tài chính", "Sở, ngành", "", "Không", 0],
        ["TP. Hưng Yên", "Huyện", "✓", "có", "X"],
    ]
    rows.append(["Xã Lạc Đạo", "Xã", "chắc có", 1, True])
    found = read([header, *rows], "chinh_quyen_so", "Ket noi")
    assert [tuple(row.values())[1:] for row in found.good] == [
        ("H31.02", "Sở, ngành", True, True, True),
        ("H31.05", "Sở, ngành", False, False, False),
        ("H31.31", "Huyện", True, True, True),
    ]
    assert found.cells == {"C5": ("not_yes_or_no", "chắc có")}


def test_values_outside_a_list_are_named_with_the_list() -> None:
    table = table_of("thu_hut_dau_tu", "Du an")
    row = good_row(table, 0)
    row[2] = "Trong tỉnh"
    found = read([[labels_of(c)[0] for c in table.columns], row, good_row(table, 1)], "thu_hut_dau_tu", "Du an")
    assert found.cells == {"C2": ("not_in_list", "Trong tỉnh")}
    assert "Nguồn vốn đầu tư phải là một trong: Trong nước, Nước ngoài" in found.reasons


def test_legacy_and_unicode_text_stand_in_one_sheet() -> None:
    rows = [
        [1, "Së Néi vô", 60, 58],
        [2, "Huyện Văn Lâm", 90, 88],
        [3, "Së Tµi chÝnh", 70, 69],
        [None, "Tæng céng", 220, 215],
    ]
    assert_staff([STAFF_HEADER, *rows])
    table = table_of("chi_dao_dieu_hanh", "Van ban")
    header = [labels_of(column)[0] for column in table.columns]
    row = ["12/Q§-UBND", "14/6/2024", "C«ng v¨n", "VÒ c¶i c¸ch hµnh chÝnh", "UBND tỉnh"]
    [good] = read([header, row], "chi_dao_dieu_hanh", "Van ban").good
    assert list(good.values())[1:] == [
        "12/QĐ-UBND",
        date(2024, 6, 14),
        "Công văn",
        "Về cải cách hành chính",
        "UBND tỉnh",
    ]


@pytest.mark.parametrize("ending", ["xlsx", "xls", "ods"])
def test_formulas_count_by_their_value_and_errors_are_rejected(ending: str) -> None:
    found = read((DATA / f"cong-thuc-loi.{ending}").read_bytes())
    assert found.cells == {"C3": ("formula_error", "#DIV/0!"), "D4": ("formula_error", "#N/A")}
    assert "là công thức bị lỗi #DIV/0!" in found.reasons
    assert [(row["agency"], row["posts_assigned"]) for row in found.good] == [("H31.02", 60), ("H31.17", 13)]


def test_a_formula_error_in_an_optional_or_blank_as_zero_column_is_no_blank() -> None:
    def break_it(sheet: Worksheet) -> None:
        sheet["E1"] = "Số cắt giảm trong năm"
        sheet["E2"] = "#REF!"
        sheet["E2"].data_type = "e"

    assert read(staff(break_it)).cells == {"E2": ("formula_error", "#REF!")}


def test_a_formula_never_calculated_is_no_blank() -> None:
    def add_formula(sheet: Worksheet) -> None:
        sheet["D2"] = "=50+8"

    assert read(staff(add_formula)).cells == {"D2": ("formula_without_value", None)}


def test_errors_of_large_sheets_are_all_found() -> None:
    rows = [[i, "Sở Nội vụ", 60, 58] for i in range(30_000)]

    def break_some(sheet: Worksheet) -> None:
        for row in range(2, 30_000, 1000):
            sheet.cell(row, 3, "#REF!").data_type = "e"

    workbook = Workbook(staff(break_some, [STAFF_HEADER, *rows]), LIMITS)
    found = workbook.sheet("Cong chuc").rows
    assert [at for at, row in enumerate(found) if row[2] == BrokenCell("#REF!")] == list(range(1, 29_999, 1000))


# ------------------------------------------------------------------------------------------------------------ agencies


@pytest.mark.parametrize("name", ["H31.02", "SỞ NỘI VỤ", "Sở  Nội vụ ", "Së Néi vô", "Sở NV"])
def test_agencies_are_stored_as_codes(name: str) -> None:
    assert read([STAFF_HEADER, [1, name, 60, 58]]).column("agency") == ["H31.02"]


def test_an_unknown_agency_rejects_the_row() -> None:
    found = read([STAFF_HEADER, [1, "Sở Ngoại giao", 60, 58], STAFF[1]])
    assert found.cells == {"B2": ("unknown_agency", "Sở Ngoại giao")}


def test_communes_by_name_and_code() -> None:
    header = ["Đơn vị", "Cấp", "Liên thông QLVBĐH"]
    rows = [[unit, "Xã", "x"] for unit in ("Xã Lạc Đạo", 11986, "UBND phường Lam Sơn", "H31.32.08")]
    assert read([header, *rows], "chinh_quyen_so", "Ket noi").column("unit") == [
        *("H31.32.02", "H31.32.01", "H31.31.01", "H31.32.08"),
    ]


# ---------------------------------------------------------------------------------------------------------------- keys


def test_of_repeated_keys_the_first_good_row_stays() -> None:
    rows = [[1, "Sở Nội vụ", "12.5", 1], [2, "H31.02", 60, 58], [3, "SỞ NỘI VỤ", 61, 59], STAFF[1]]
    found = read([STAFF_HEADER, *rows])
    assert found.rows == [3, 5]
    assert found.cells == {"C2": ("ambiguous_number", "12.5"), "B4": ("duplicate_key", "H31.02")}
    assert "(dòng 3)" in found.reasons


@pytest.mark.parametrize(
    ("source", "sheet"),
    [(n, t.custom("sheet")) for n, c in contracts().items() for t in c.tables if t.custom("reader") == "workbook"],
)
def test_a_repeated_row_of_every_sheet(source: str, sheet: str) -> None:
    book = good_book(source)
    last = book[sheet].max_row
    for at in range(1, len(table_of(source, sheet).columns) + 1):
        book[sheet].cell(last + 1, at, book[sheet].cell(last, at).value)
    found = read(saved(book), source, sheet)
    if table_of(source, sheet).key:
        assert [fault.code for faults in found.faults.values() for fault in faults] == ["duplicate_key"]
        assert list(found.faults) == [last + 1]
    else:
        assert [code for code, _ in found.warnings] == ["unique"]
        assert len(found.good) == 3


# ------------------------------------------------------------------------------------------------------ key and value


def test_keys_and_values() -> None:
    rows = [["Nội dung", "Giá trị"], ["LGSP:", "đang làm"], ["Kiến trúc CQĐT phiên bản mới nhất", "Hoàn thành"]]
    rows += [
        ["BÁO CÁO ĐỊNH KỲ PHẢI GỬI", "1.200"],
        ["Hộp thư công vụ", 2500.0],
        ["Báo cáo định kỳ gửi qua Hệ thống", 990],
    ]
    found = read(rows, "chinh_quyen_so", "Nen tang")
    assert {row["key"]: row["value"] for row in found.good} == {
        "LGSP": "Đang làm",
        "Kiến trúc CQĐT phiên bản mới nhất": "Hoàn thành",
        "Báo cáo định kỳ phải gửi": "1200",
        "Hộp thư công vụ": "2500",
        "Báo cáo định kỳ gửi qua Hệ thống": "990",
    }


def test_a_value_that_does_not_fit_its_key() -> None:
    rows = [
        ["Nội dung", "Giá trị"],
        ["LGSP", "Gần xong"],
        ["Hộp thư công vụ", "nhiều"],
        ["Báo cáo định kỳ phải gửi", -1],
    ]
    rows += [["Báo cáo năm", 3], ["Kiến trúc CQĐT phiên bản mới nhất", None]]
    found = read(rows, "chinh_quyen_so", "Nen tang")
    assert {cell: code for cell, (code, _) in found.cells.items()} == {
        "B2": "not_in_list",
        "B3": "not_a_number",
        "B4": "below_minimum",
        "A5": "not_in_list",
        "B6": "required",
    }


# --------------------------------------------------------------------------------------------------------------- money

AUDIT = ["Kiến nghị", "Số kiến nghị", "Đã thực hiện"]


@pytest.mark.parametrize(
    "rows",
    [
        [["ĐVT: tỷ đồng"], AUDIT],
        [["KIẾN NGHỊ KIỂM TOÁN"], [None, None, "Đơn vị tính:  Tỷ đồng"], AUDIT],
        [["Kiến nghị", "Số kiến nghị (tỷ đồng)", "Đã thực hiện (tỷ đồng)"]],
        [["§VT: tû ®ång"], AUDIT],
    ],
)
def test_money_takes_its_unit_from_the_header(rows: list) -> None:
    found = read([*rows, ["Nộp NSNN", "12,75", 3]], "tu_chu_tai_chinh", "Kien nghi kiem toan")
    assert [(row["amount"], row["done"]) for row in found.good] == [("12750000000", "3000000000")]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [([AUDIT], "Không thấy đơn vị tính"), ([["ĐVT: tỷ đồng"], ["ĐVT: triệu đồng"], AUDIT], "Có nhiều đơn vị tính")],
)
def test_money_without_one_unit_is_refused(rows: list, reason: str) -> None:
    with pytest.raises(UnreadableFile, match=reason):
        read([*rows, ["Nộp NSNN", 12, 3]], "tu_chu_tai_chinh", "Kien nghi kiem toan")


# ----------------------------------------------------------------------------------------------------- refused sheets


def test_a_missing_sheet_names_both() -> None:
    with pytest.raises(UnreadableFile, match="Thiếu trang «Cong chuc»; các trang trong tệp: «Trang 1»"):
        read(saved(sheet_file([STAFF_HEADER, *STAFF], "Trang 1")[0]))


def test_two_sheets_of_one_name_are_refused() -> None:
    book, _ = sheet_file([STAFF_HEADER, *STAFF])
    book.create_sheet("CONG CHUC ")
    with pytest.raises(UnreadableFile, match="Có 2 trang cùng tên «Cong chuc»"):
        read(saved(book))


def test_a_missing_required_column_names_both_labels() -> None:
    with pytest.raises(UnreadableFile) as refused:
        read([["STT", "Cơ quan, đơn vị", "Biên chế được giao", "Hiện diện"], *STAFF])
    assert "Thiếu cột bắt buộc «Có mặt / Biên chế có mặt»" in str(refused.value)
    assert "«Hiện diện»" in str(refused.value)


def test_a_sheet_without_a_header_is_refused() -> None:
    with pytest.raises(
        UnreadableFile, match="Không tìm thấy dòng tiêu đề: cần các cột «Cơ quan, đơn vị / Tên cơ quan»"
    ):
        read([["a", "b"], [1, 2]])
    with pytest.raises(UnreadableFile, match="trang trống"):
        read([])


def test_two_columns_of_one_label_are_refused() -> None:
    with pytest.raises(UnreadableFile, match="cột D và E"):
        read([[*STAFF_HEADER, "Có mặt"], [*STAFF[0], 5]])


@pytest.mark.parametrize(
    ("source", "sheet", "outcome"),
    [
        ("to_chuc_bo_may", "Co quan", "refused"),
        ("to_chuc_bo_may", "DVSNCL", "refused"),
        ("bien_che", "Cong chuc", "refused"),
        ("bien_che", "Vien chuc", "refused"),
        ("tu_chu_tai_chinh", "Tu chu", "refused"),
        ("chinh_quyen_so", "Van ban dien tu", "refused"),
        ("chinh_quyen_so", "Ket noi", "refused"),
        ("cong_vu", "Ky luat", "silent"),
        ("cong_vu", "Bo nhiem", "silent"),
        ("chi_dao_dieu_hanh", "Doi thoai", "silent"),
        ("chi_dao_dieu_hanh", "Khao sat", "silent"),
        ("chi_dao_dieu_hanh", "Tap huan", "silent"),
        ("cong_vu", "Tuyen dung", "warned"),
    ],
)
def test_sheets_without_rows(source: str, sheet: str, outcome: str) -> None:
    header = [labels_of(column)[0] for column in table_of(source, sheet).columns]
    if outcome == "refused":
        with pytest.raises(UnreadableFile, match="chỉ có tiêu đề"):
            read([header], source, sheet)
    else:
        found = read([header], source, sheet)
        assert found.good == []
        assert bool(found.warnings) == (outcome == "warned")
