"""phu-luc.xlsx, read back the way a person's spreadsheet reads it."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import Cell
from openpyxl.worksheet.worksheet import Worksheet

from publish import appendix
from publish.figures import FiguresUnfit, read_report
from publish.sheet_style import modified_moment
from publish.typography import HIGHEST_ROW, wrap
from tests.publish.figures_by_hand import PERIOD, Figures
from tests.publish.spreadsheet import shown_by_spreadsheet

MASTHEAD = appendix.Masthead(
    issuer_name="Ủy ban nhân dân tỉnh Hưng Yên",
    province_name="tỉnh Hưng Yên",
    synthetic=False,
    generated_at=datetime(2024, 6, 15, 3, 30, tzinfo=UTC),
)


def _bytes(figures: Figures, masthead: appendix.Masthead = MASTHEAD) -> bytes:
    with figures.engine.connect() as connection:
        return appendix.render(read_report(connection, PERIOD), masthead)


def _book(figures: Figures, masthead: appendix.Masthead = MASTHEAD) -> Workbook:
    return load_workbook(io.BytesIO(_bytes(figures, masthead)))


def _header_row(sheet: Worksheet) -> int:
    return next(row for row in range(1, sheet.max_row + 1) if sheet.cell(row, 1).value == "STT")


def _table(sheet: Worksheet) -> dict[str, int]:
    """Code → row of the sheet; the table ends at the first row without a box."""
    rows = {}
    for row in range(_header_row(sheet) + 2, sheet.max_row + 1):
        if sheet.cell(row, 2).border.left.style is None:
            break
        rows[sheet.cell(row, 1).value] = row
    return rows


def _texts(sheet: Worksheet) -> list[str]:
    return [cell.value for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)]


def _shown(cell: Cell) -> str:
    if isinstance(cell.value, int | float):
        return shown_by_spreadsheet(cell.value, cell.number_format)
    return cell.value or ""


def test_seven_forms_hold_every_row_in_order(figures: Figures) -> None:
    book = _book(figures)

    assert book.sheetnames == [f"Biểu {number}" for number in range(1, 8)]
    found = [
        (sheet.title.removeprefix("Biểu "), code, sheet.cell(row, 2).value)
        for sheet in book
        for code, row in _table(sheet).items()
    ]
    assert found == [(row["form_no"], row["code"], row["label"]) for row in figures.catalogue]
    assert len(found) == 144


def test_numbers_stay_numbers_and_read_vietnamese(figures: Figures) -> None:
    book = _book(figures)
    for row in figures.catalogue:
        sheet = book[f"Biểu {row['form_no']}"]
        cell = sheet.cell(_table(sheet)[row["code"]], 4)
        if row["value"]:
            assert cell.data_type == "n"
            assert cell.value == pytest.approx(float(row["value"]), rel=1e-15)
            assert shown_by_spreadsheet(cell.value, cell.number_format) == row["display"]
        else:
            assert cell.value is None


def test_title_block(figures: Figures) -> None:
    texts = _texts(_book(figures)["Biểu 3"])

    assert texts[:4] == [
        "ỦY BAN NHÂN DÂN",
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "TỈNH HƯNG YÊN",
        "Độc lập - Tự do - Hạnh phúc",
    ]
    assert "PHỤ LỤC" in texts
    assert "Biểu mẫu 3: THỐNG KÊ SỐ LIỆU VỀ CẢI CÁCH THỦ TỤC HÀNH CHÍNH" in texts
    assert "Kỳ báo cáo: 6 tháng đầu năm 2024 (từ 15/12/2023 đến 14/6/2024)" in texts
    assert "Số liệu tính đến hết ngày 14/6/2024" in texts
    assert appendix.SYNTHETIC_LINE not in texts


def test_another_issuer_stands_under_the_province(figures: Figures) -> None:
    texts = _texts(_book(figures, replace(MASTHEAD, issuer_name="Sở Nội vụ"))["Biểu 1"])

    assert (texts[0], texts[2]) == ("ỦY BAN NHÂN DÂN TỈNH HƯNG YÊN", "SỞ NỘI VỤ")


@pytest.mark.parametrize(
    ("as_of_at", "line"),
    [
        ("2024-06-10 10:30+07", "Số liệu tính đến 10:30 ngày 10/6/2024"),
        ("2024-06-11 00:00+07", "Số liệu tính đến hết ngày 10/6/2024"),
        ("2024-06-10 23:30+00", "Số liệu tính đến 06:30 ngày 11/6/2024"),
    ],
)
def test_as_of_is_told_in_local_time(figures: Figures, as_of_at: str, line: str) -> None:
    figures.execute("update reporting.rpt_indicator set as_of_at = cast(:at as timestamptz)", at=as_of_at)
    sheet = _book(figures)["Biểu 1"]

    assert line in _texts(sheet)
    assert sheet.oddFooter.left.text == line


def test_sample_data_says_so_on_every_sheet(figures: Figures) -> None:
    figures.warn("unknown_agency", "Cơ quan lạ", 1)
    book = _book(figures, replace(MASTHEAD, synthetic=True))

    assert len(book.sheetnames) == 8
    assert all(appendix.SYNTHETIC_LINE in _texts(sheet) for sheet in book)


def test_missing_and_stale_are_marked_in_colour_and_words(figures: Figures) -> None:
    figures.set(3, "1.1", status="missing", value=None, display=None, sources=["kiem_soat_tthc.ra_soat"])
    figures.name_dataset("kiem_soat_tthc", "ra_soat", "Kiểm soát TTHC", "Rà soát TTHC", "Sở X")
    figures.set(3, "1.2", status="stale", note="Số liệu tại ngày 31/3/2024")
    figures.set(3, "1.3", status="stale", note="Dùng số liệu cũ của quý I")
    book = _book(figures)
    sheet = book["Biểu 3"]
    rows = _table(sheet)

    missing, stale, fresh = (sheet.cell(rows[code], 4) for code in ("1.1", "1.2", "2.1"))
    assert missing.value == "Chưa có số liệu"
    assert stale.value == 284
    assert sheet.cell(rows["1.2"], 5).value == "Số liệu cũ. Số liệu tại ngày 31/3/2024"
    assert sheet.cell(rows["1.3"], 5).value == "Dùng số liệu cũ của quý I"
    fills = {cell.fill.fgColor.rgb for cell in (missing, stale)}
    assert [cell.fill.fill_type for cell in (missing, stale)] == ["solid", "solid"]
    assert len(fills) == 2
    assert fresh.fill.fill_type is None
    legend = {sheet.cell(row, 1).fill.fgColor.rgb for row in range(max(rows.values()) + 1, sheet.max_row + 1)}
    assert fills <= legend

    notes = _texts(book["Ghi chú"])
    assert "1.1. Số TTHC đã được phê duyệt phương án đơn giản hóa" in notes
    assert "Rà soát TTHC (Sở X)" in notes


def test_the_legend_explains_what_stands_in_the_table_and_nothing_else(figures: Figures) -> None:
    figures.set(1, "1", status="stale")
    figures.set(2, "1.1", status="missing", value=None, display=None)
    explained = {
        sheet.title: [mark for mark in ("Chưa có số liệu: ", "Số liệu cũ: ") if mark in _starts(sheet)]
        for sheet in _book(figures)
        if sheet.title != "Ghi chú"
    }

    assert explained.pop("Biểu 1") == ["Số liệu cũ: "]
    assert explained.pop("Biểu 2") == ["Chưa có số liệu: "]
    assert set(map(tuple, explained.values())) == {()}


def _starts(sheet: Worksheet) -> list[str]:
    return [text.partition(": ")[0] + ": " for text in _texts(sheet)]


def test_blank_result_is_explained_where_there_is_one(figures: Figures) -> None:
    blank = "Kết quả để trống"
    book = _book(figures)

    assert [sheet.title for sheet in book if any(text.startswith(blank) for text in _texts(sheet))] == ["Biểu 3"]


def test_warnings_are_listed_and_every_form_points_at_them(figures: Figures) -> None:
    figures.warn("unknown_agency", "Cơ quan không có trong danh mục: H31.99", 1234)
    figures.warn("units_differ", "ĐVSNCL lệch giữa hai nguồn", None)
    book = _book(figures)
    notes = book["Ghi chú"]
    texts = _texts(notes)

    assert "Cơ quan không có trong danh mục: H31.99" in texts
    assert "ĐVSNCL lệch giữa hai nguồn" in texts
    counts = [cell for row in notes.iter_rows() for cell in row if cell.value == 1234]
    assert [shown_by_spreadsheet(cell.value, cell.number_format) for cell in counts] == ["1.234"]
    for sheet in book.worksheets[:7]:
        assert "Dữ liệu nguồn có 2 cảnh báo, ghi đầy đủ ở trang “Ghi chú”." in _texts(sheet)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t="])
def test_text_never_becomes_a_formula(figures: Figures, start: str) -> None:
    evil = f'{start}HYPERLINK("http://example.test","x")'
    figures.set(3, "1.2", label=evil, note=evil, unit=evil)
    figures.set(3, "1.3", display=evil)
    figures.warn("unknown_agency", evil, 1)
    content = _bytes(figures, replace(MASTHEAD, issuer_name=evil))
    book = load_workbook(io.BytesIO(content))
    sheet = book["Biểu 3"]
    rows = _table(sheet)

    cells = [sheet.cell(rows["1.2"], column) for column in (2, 3, 5)] + [sheet.cell(rows["1.3"], 4)]
    for cell in cells:
        assert (cell.value, cell.data_type, cell.quotePrefix) == (evil, "s", True)
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        for name in package.namelist():
            assert b"<f>" not in package.read(name), name


def test_control_characters_do_not_break_the_file(figures: Figures) -> None:
    figures.set(3, "1.2", note="dòng\x0b một\x01")
    sheet = _book(figures)["Biểu 3"]

    assert sheet.cell(_table(sheet)["1.2"], 5).value == "dòng một"


def test_a_display_that_contradicts_its_value_stops_the_report(figures: Figures) -> None:
    figures.set(3, "3.1.2", display="54.149")

    with pytest.raises(FiguresUnfit, match=r"Biểu 3, chỉ tiêu 3\.1\.2"):
        _bytes(figures)


def test_type_and_indent(figures: Figures) -> None:
    sheet = _book(figures)["Biểu 3"]
    rows = _table(sheet)

    heading, first, deep = (sheet.cell(rows[code], 2) for code in ("1", "1.4", "1.4.1"))
    assert heading.font.b
    assert not first.font.b
    assert [cell.alignment.indent for cell in (heading, first, deep)] == [0, 1, 2]
    for row in sheet.iter_rows():
        for cell in row:
            assert cell.font.name == "Times New Roman"
    assert {sheet.cell(row, column).font.sz for row in rows.values() for column in (1, 2, 3, 4, 5)} == {13}
    assert all(sheet.cell(row, 2).alignment.wrap_text for row in rows.values())


def test_headings_of_form_seven_are_bold_at_any_depth(figures: Figures) -> None:
    sheet = _book(figures)["Biểu 7"]
    rows = _table(sheet)

    assert sheet.cell(rows["5.1"], 2).font.b
    assert not sheet.cell(rows["5.2"], 2).font.b


def test_prints_on_a4_one_page_wide_with_its_header_on_every_page(figures: Figures) -> None:
    figures.warn("unknown_agency", "Cơ quan lạ", 1)
    book = _book(figures)
    for sheet in book:
        assert sheet.page_setup.paperSize == int(sheet.PAPERSIZE_A4)
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert sheet.page_setup.fitToWidth == 1
        margins = sheet.page_margins
        assert 20 <= round(margins.top * 25.4, 1) <= 25
        assert 20 <= round(margins.bottom * 25.4, 1) <= 25
        assert 30 <= round(margins.left * 25.4, 1) <= 35
        assert 15 <= round(margins.right * 25.4, 1) <= 20
        assert sheet.print_area == f"'{sheet.title}'!$A$1:$E${sheet.max_row}"
        assert "&P" in sheet.oddFooter.center.text
        assert sheet.oddFooter.right.text == "Lập lúc 10:30 ngày 15/6/2024"
    for sheet in book.worksheets[:7]:
        header = _header_row(sheet)
        assert sheet.print_title_rows == f"${header}:${header + 1}"
        assert sheet.freeze_panes == f"A{header + 2}"
        headings = [sheet.cell(header, column).value.replace("\n", " ") for column in range(1, 6)]
        assert headings == ["STT", "Chỉ tiêu thống kê", "Đơn vị tính", "Kết quả thống kê", "Ghi chú"]
        assert [sheet.cell(header + 1, column).value for column in range(1, 6)] == [
            "(1)",
            "(2)",
            "(3)",
            "(4)",
            "(5)",
        ]


def test_a_form_is_squeezed_only_where_that_saves_a_page(figures: Figures) -> None:
    for sheet in _book(figures).worksheets:
        heights = [sheet.row_dimensions[row].height for row in range(1, sheet.max_row + 1)]
        header = sum(heights[_header_row(sheet) - 1 : _header_row(sheet) + 1])
        page = (210 - 40) / 25.4 * 72
        pages = sheet.page_setup.fitToHeight
        if pages:
            # so much is lost at most to the rows that are not cut in two and to the repeated header
            lost = (pages - 1) * (header + max(heights))
            assert page * pages < sum(heights) + lost
            assert sum(heights) + (pages - 1) * header <= page * pages / 0.87


def test_a_short_form_is_not_squeezed(figures: Figures) -> None:
    figures.execute("delete from reporting.rpt_form where code <> '1'")

    assert {sheet.page_setup.fitToHeight for sheet in _book(figures)} == {0}


def test_columns_fill_the_paper_without_shrinking_it(figures: Figures) -> None:
    sheet = _book(figures)["Biểu 3"]
    # a digit of the default font, Times New Roman 12, is 8 pixels of 1/96 inch
    inches = sum(sheet.column_dimensions[column].width for column in "ABCDE") * 8 / 96
    paper = 297 / 25.4 - sheet.page_margins.left - sheet.page_margins.right

    assert paper - 0.1 <= inches <= paper


def test_rows_are_high_enough_for_what_is_wrapped_in_them(figures: Figures) -> None:
    figures.set(3, "1.2", note="ghi chú dài " * 30)
    for sheet in _book(figures):
        for row in _table(sheet).values():
            height = sheet.row_dimensions[row].height
            for column in range(1, 6):
                cell = sheet.cell(row, column)
                width = sheet.column_dimensions[cell.column_letter].width * 8 * 0.75 - 6
                width -= 9 * (cell.alignment.indent or 0)
                lines = wrap(_shown(cell), 13, width, bold=cell.font.b)
                assert height >= len(lines) * 13 * 1.149, (sheet.title, row, cell.value)


def test_a_warning_too_long_for_one_row_goes_on_in_the_next(figures: Figures) -> None:
    message = "Cơ quan không có trong danh mục: " + ", ".join(f"H31.{number}.{number}" for number in range(900))
    figures.warn("unknown_agency", message, 900)
    sheet = _book(figures)["Ghi chú"]
    pieces = [row for row in range(1, sheet.max_row + 1) if "H31." in str(sheet.cell(row, 2).value)]

    assert len(pieces) > 1
    assert " ".join(sheet.cell(row, 2).value for row in pieces) == message
    assert [sheet.cell(row, 1).value for row in pieces] == ["1", *[None] * (len(pieces) - 1)]
    assert [sheet.cell(row, 5).value for row in pieces] == [900, *[None] * (len(pieces) - 1)]
    assert all(sheet.row_dimensions[row].height <= HIGHEST_ROW for row in pieces)


def test_choices_of_a_unit_stand_on_lines_of_their_own(figures: Figures) -> None:
    sheet = _book(figures)["Biểu 1"]
    rows = _table(sheet)

    assert sheet.cell(rows["6.2"], 3).value == "Trực tuyến = 0\nPhát phiếu = 1\nKết hợp = 2"
    assert sheet.cell(rows["6"], 3).value == "Có = 1\nKhông = 0"
    assert sheet.cell(rows["3.1"], 3).value == "Cơ quan, đơn vị"


def test_same_figures_same_bytes(figures: Figures) -> None:
    content = _bytes(figures)

    assert _bytes(figures) == content
    assert modified_moment(content) == MASTHEAD.generated_at
    properties = load_workbook(io.BytesIO(content)).properties
    assert properties.created == datetime(2024, 6, 14, 16, 59, 59)
    figures.set(3, "3.1.2", value=54149, display="54.149")
    assert _bytes(figures) != content


def test_modified_moment_of_something_else() -> None:
    assert modified_moment(b"no workbook") is None


def test_codes_do_not_wear_warning_triangles(figures: Figures) -> None:
    with zipfile.ZipFile(io.BytesIO(_bytes(figures))) as package:
        sheet = package.read("xl/worksheets/sheet1.xml")

    # the schema fixes the order of elements: after headerFooter
    assert b"</headerFooter><ignoredErrors>" in sheet
