"""Reading what people wrote: numbers as they are written, and the appendix in whatever it came."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from openpyxl import Workbook, load_workbook

from publish import appendix
from publish.declared import Declared, DeclaredUnreadable, choices_of, read, read_number
from publish.figures import read_report
from tests.publish.figures_by_hand import PERIOD, Figures
from tests.publish.published_report import HEADER, computed, declared, document, published, text_file, workbook

LABELS = computed().labels()


@pytest.mark.parametrize(
    ("text", "kind", "value", "decimals"),
    [
        ("54.328", "count", "54328", 0),
        ("1.234.567", "count", "1234567", 0),
        ("06", "count", "6", 0),
        ("0", "count", "0", 0),
        ("1740", "count", "1740", 0),
        ("99,66", "percent", "99.66", 2),
        ("99,8", "percent", "99.8", 1),
        ("100%", "percent", "100", 0),
        ("90,65%", "percent", "90.65", 2),
        ("90,65 %", "percent", "90.65", 2),
        ("19.921.000", "amount", "19921000", 0),
        ("12.356,5", "amount", "12356.5", 1),
        ("-3,5", "amount", "-3.5", 1),
        ("\u00a05\u200a", "count", "5", 0),
    ],
)
def test_vietnamese_numbers_are_read_as_they_stand(text: str, kind: str, value: str, decimals: int) -> None:
    reading = read_number(text, kind)

    assert (reading.value, reading.decimals, reading.remarks) == (Decimal(value), decimals, ())


@pytest.mark.parametrize(
    ("text", "kind", "value", "remark"),
    [
        ("97.72%", "percent", "97.72", "dấu thập phân"),
        ("97.72", "percent", "97.72", "dấu thập phân"),
        ("99.668", "percent", "99.668", "dấu thập phân"),
        ("12356.5", "amount", "12356.5", "dấu thập phân"),
        ("22 039", "count", "22039", "khoảng trắng"),
        ("139 người", "count", "139", "“người”"),
        ("Có", "count", "1", "ghi số 1"),
    ],
)
def test_what_had_to_be_overlooked_is_said(text: str, kind: str, value: str, remark: str) -> None:
    reading = read_number(text, kind, choices_of("Có = 1; Không = 0"))

    assert reading.value == Decimal(value)
    assert remark in " ".join(reading.remarks)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("22.6290", "count"),
        ("22.6290", "amount"),
        ("1.23.456", "count"),
        ("12,356.5", "amount"),
        ("1,234,567", "count"),
        ("97.72", "count"),
        ("1,234", "count"),
        ("3/7", "percent"),
        ("đạt", "count"),
        ("0.123", "count"),
    ],
)
def test_what_has_no_single_meaning_stays_unread(text: str, kind: str) -> None:
    reading = read_number(text, kind)

    assert reading.value is None
    assert reading.fault


@pytest.mark.parametrize("text", ["", "  ", "-", "–", "Chưa có số liệu"])
def test_blanks(text: str) -> None:
    assert read_number(text, "count").is_blank


def test_an_estimate_is_no_figure() -> None:
    reading = read_number("trên 90%", "percent")

    assert (reading.value, reading.fault, reading.is_approximate) == (None, None, True)


def test_choices() -> None:
    assert choices_of("Trực tuyến = 0 Phát phiếu = 1 Kết hợp = 2") == {"Trực tuyến": 0, "Phát phiếu": 1, "Kết hợp": 2}
    assert choices_of("Hồ sơ") == {}


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (workbook(published()), "phu-luc.xlsx"),
        (workbook(published(), one_sheet=True), "phu-luc.xlsx"),
        (document(published()), "phu-luc.docx"),
        # the kind goes by the bytes, not by the name
        (document(published()), "phu-luc"),
    ],
)
def test_every_row_in_its_form(content: bytes, name: str) -> None:
    found = read(content, name, LABELS)

    assert [(row.form_no, row.code, row.text) for row in found.rows] == [
        (int(row["form"]), row["code"], row["published"]) for row in published()
    ]
    assert (found.strangers, found.has_appendix) == ((), True)


def test_the_forms_are_told_apart_by_their_labels_alone() -> None:
    book = Workbook()
    sheet = book.active
    sheet.append(["Số TT", "Nội dung", "Số liệu"])
    for row in published():
        sheet.append([row["code"], f"  {row['label'].upper()}:", row["published"]])

    assert len(_read(book).rows) == 144


def test_numbers_in_cells_are_read_as_they_are_shown() -> None:
    book = _book([["3.1.1", "Tổng số hồ sơ TTHC đã giải quyết xong"]])
    cell = book.active.cell(3, 3)
    shown = []
    for value, number_format in [
        (54328, "General"),
        (99.66867913414813, "0.00"),
        (0.9966867913, "0.00%"),
        (99.5, "#,##0.##"),
        (12.5, "General"),
        (54328, "#,##0"),
        (99.66867913414813, '[<99.665]General;[<99.675]"99,67";General'),
        (54328, r"[>=1000000]0\.000\.000;[>=1000]0\.000;General"),
        (True, "General"),
    ]:
        cell.value, cell.number_format = value, number_format
        shown.append(_read(book).rows[0].text)

    assert shown == ["54328", "99,67", "99,67%", "99,5", "12,5", "54328", "99,67", "54328", "1"]


def test_what_excel_made_of_a_number_is_told() -> None:
    book = _book([["3.1.1", "Tổng số hồ sơ TTHC đã giải quyết xong"]])
    book.active.cell(3, 3).value = date(2024, 1, 3)
    assert "đổi số thành ngày" in read_number(_read(book).rows[0].text, "count").fault
    book.active.cell(3, 3).value = "=1+1"
    assert "công thức chưa được tính" in read_number(_read(book).rows[0].text, "count").fault


def test_codes_that_became_numbers_or_days_or_carry_the_form() -> None:
    found = _read(
        _book(
            [
                [1.4, "Tổng số TTHC thuộc thẩm quyền giải quyết tại địa phương", "1740"],
                [datetime(2024, 2, 1), "Số TTHC liên thông cùng cấp", "99"],
                ["3.3.1.2.", "Số hồ sơ TTHC giải quyết đúng hạn", "5"],
                ["3.1", "Tỷ lệ hồ sơ TTHC do các sở, ngành tiếp nhận được giải quyết đúng hạn", "5"],
            ]
        )
    )

    assert [(row.code, row.text) for row in found.rows] == [
        ("1.4", "1740"),
        ("2.1", "99"),
        ("3.1.2", "5"),
        ("3.1", "5"),
    ]
    assert "được hiểu theo tên" in found.rows[1].remarks[0]


def test_rows_of_no_form_are_kept_apart() -> None:
    found = _read(_book([["2.1", "Số TTHC liên thông cùng cấp", "99"], ["9.9", "Một chỉ tiêu tự thêm", "5"]]))

    assert [row.code for row in found.rows] == ["2.1"]
    assert [(row.form_no, row.code, row.text) for row in found.strangers] == [(3, "9.9", "5")]


def test_deleted_text_and_copies_for_old_programs_are_not_read() -> None:
    content = document([row for row in published() if row["form"] == "2"])
    spoiled = _replaced(
        content,
        b'<w:t xml:space="preserve">50 </w:t>',
        b"<w:t>5</w:t></w:r><w:del><w:r><w:delText>7</w:delText></w:r></w:del><w:moveFrom><w:r><w:t>8</w:t></w:r>"
        b"</w:moveFrom><w:ins><w:r><w:t>0</w:t></w:r></w:ins><w:r>",
    )

    assert read(spoiled, "a.docx", LABELS).rows[0].text == "50"


def test_our_own_appendix_reads_back_as_printed(figures: Figures) -> None:
    masthead = appendix.Masthead("UBND tỉnh X", "tỉnh X", True, datetime(2024, 6, 15, tzinfo=UTC))
    figures.set(1, "6.1", value=None, display=None, status="missing")
    with figures.engine.connect() as connection:
        content = appendix.render(read_report(connection, PERIOD), masthead)
    found = {(str(row.form_no), row.code): row.text for row in read(content, "phu-luc.xlsx", LABELS).rows}

    expected = {(row["form_no"], row["code"]): row["display"] for row in figures.catalogue}
    expected["1", "6.1"] = "Chưa có số liệu"
    # whole numbers carry no points in the cell
    assert {key: text.replace(".", "") for key, text in found.items()} == {
        key: text.replace(".", "") for key, text in expected.items()
    }


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"", "a.xlsx", "rỗng"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "a.xlsx", "mật khẩu"),
        (workbook(published())[:5000], "a.xlsx", "bị hỏng"),
        (document(published())[:900], "a.docx", "bị hỏng"),
        (b"<html><table></table></html>", "a.xlsx", "đổi đuôi"),
        (b"\xff\x00\x81nothing", "a.csv", "UTF-8"),
        (b"a,b\n1,2\n", "a.csv", "section, key, value"),
        (b"section,key,value,note\nI,x,1,2,3\n", "a.csv", "ngoặc kép"),
        (b"section,key,value\nI,,1\n", "a.csv", "cột key"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(content: bytes, name: str, message: str) -> None:
    with pytest.raises(DeclaredUnreadable, match=message):
        read(content, name, LABELS)


def test_a_document_without_the_table_is_refused() -> None:
    with pytest.raises(DeclaredUnreadable, match="không tìm thấy bảng phụ lục"):
        _read(Workbook(), rows=[["Xin chào"]])


def test_a_document_type_is_refused_wherever_it_hides() -> None:
    harmful = '<!DOCTYPE w [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    with pytest.raises(DeclaredUnreadable, match="DOCTYPE"):
        read(document(published(), before=harmful), "a.docx", LABELS)
    spoiled = _replaced(workbook(published()), b"<workbook ", harmful.encode() + b"<workbook ")
    with pytest.raises(DeclaredUnreadable, match="DOCTYPE"):
        read(spoiled, "a.xlsx", LABELS)


def test_a_package_that_unpacks_to_too_much_is_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package, package.open("word/document.xml", "w") as part:
        for _ in range(310):
            part.write(b" " * 1_000_000)
    with pytest.raises(DeclaredUnreadable, match="quá lớn"):
        read(file.getvalue(), "a.docx", LABELS)


def test_figures_of_the_text() -> None:
    found = declared(workbook(published()), text_file())
    by_key = {figure.key: figure for figure in found.figures}

    assert len(by_key) == len(found.figures) == 80
    assert (by_key["documents_received"].text, by_key["documents_received"].section) == ("22.6290", "II.6.b")


@pytest.mark.parametrize(
    "content",
    [
        "section,key,value\nII.5.a,a,12,7\n",
        'section,key,value\nII.5.a,a,"12,7"\n\n',
        "\ufeffsection;key;value\nII.5.a;a;12,7\n",
        "Value\tKey\tSection\n12,7\ta\tII.5.a\n",
    ],
)
def test_csv_as_people_save_it(content: str) -> None:
    (figure,) = read(content.encode(), "a.csv", LABELS).figures

    assert (figure.section, figure.key, figure.text) == ("II.5.a", "a", "12,7")


def _book(rows: list[list[object]]) -> Workbook:
    book = Workbook()
    book.active.title = "Biểu 3"
    book.active.append(["Biểu mẫu 3"])
    book.active.append([HEADER[0], HEADER[1], HEADER[3]])
    for row in rows:
        book.active.append(row)
    return book


def _read(book: Workbook, rows: list[list[object]] | None = None) -> Declared:
    for row in rows or []:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    assert load_workbook(io.BytesIO(file.getvalue()))
    return read(file.getvalue(), "phu-luc.xlsx", LABELS)


def _replaced(content: bytes, old: bytes, new: bytes) -> bytes:
    """The package with `old` replaced in every part that has it."""
    file, count = io.BytesIO(), 0
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(file, "w") as target:
        for name in source.namelist():
            part = source.read(name)
            count += part.count(old)
            target.writestr(name, part.replace(old, new))
    assert count
    return file.getvalue()
