"""bao-cao.docx: every figure, what is missing, the trend, and a package that Word can open."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from docx import Document
from docx.document import Document as DocxDocument
from docx.enum.text import WD_COLOR_INDEX
from docx.oxml.ns import qn
from docx.shared import Mm
from docx.text.paragraph import Paragraph as DocxParagraph
from docx.text.run import Run

from cchc.periods import ReportingPeriod, end_of_day
from publish import text_report
from publish.appendix import SYNTHETIC_LINE, Masthead
from publish.figures import FiguresUnfit, Report, read_report
from publish.text_sentences import TEMPLATE, draft, following, period_words, trend
from tests.publish.figures_by_hand import PERIOD, Figures

BEFORE = "2023-H1"
MASTHEAD = Masthead("Ủy ban nhân dân tỉnh Hưng Yên", "tỉnh Hưng Yên", False, datetime(2024, 6, 15, tzinfo=UTC))
PUBLISHED = Path(__file__).parent / "data" / "narrative_2024_h1.csv"


@pytest.fixture
def read(figures: Figures) -> Callable[[], Report]:
    def reading() -> Report:
        with figures.engine.connect() as connection:
            return read_report(connection, PERIOD)

    return reading


def document_of(report: Report, masthead: Masthead = MASTHEAD) -> DocxDocument:
    return Document(io.BytesIO(text_report.render(report, masthead)))


def paragraphs(document: DocxDocument) -> list[DocxParagraph]:
    """Every paragraph in the order of reading, those in tables included."""
    return [DocxParagraph(element, document) for element in document.element.body.iter(qn("w:p"))]


def runs(document: DocxDocument) -> list[Run]:
    return [run for paragraph in paragraphs(document) for run in paragraph.runs]


def text_of(document: DocxDocument) -> str:
    return "\n".join(paragraph.text for paragraph in paragraphs(document))


def line_with(document: DocxDocument, words: str) -> str:
    (found,) = [paragraph.text for paragraph in paragraphs(document) if words in paragraph.text]
    return found


def standing_out(document: DocxDocument, words: str) -> list[Run]:
    return [
        run
        for run in runs(document)
        if words in run.text and run.bold and run.font.highlight_color == WD_COLOR_INDEX.YELLOW
    ]


# --- every figure ---------------------------------------------------------------------------------------------------


def test_every_figure_of_the_warehouse_stands_in_the_text(figures: Figures, read: Callable[[], Report]) -> None:
    # each figure shows a number of its own, so that none can stand in for another
    for place, row in enumerate(figures.narrative):
        mark = f"7.{place:03},25"
        figures.set_text(row["key"], value=Decimal(f"7{place:03}.25"), display=mark)
    shown = text_of(document_of(read()))

    missing = [row["key"] for place, row in enumerate(figures.narrative) if f"7.{place:03},25" not in shown]
    assert missing == []


def test_every_figure_that_the_province_published_is_one_of_them(figures: Figures) -> None:
    with PUBLISHED.open(encoding="utf-8", newline="") as file:
        published = {row["key"] for row in csv.DictReader(file)}
    assert len(published) == 78
    assert published <= {row["key"] for row in figures.narrative}


def test_figures_are_shown_as_the_warehouse_shows_them(read: Callable[[], Report]) -> None:
    document = document_of(read())

    assert "39/61 nhiệm vụ, đạt 63,93%." in line_with(document, "Kế hoạch CCHC năm 2024 đề ra")
    assert "đã phân bổ 12.356,5 tỷ đồng. Đến ngày 10/6/2024 đã giải ngân 2.518 tỷ đồng, đạt 12,64% kế hoạch" in text_of(
        document
    )
    table = next(table for table in document.tables if "Cơ quan tiếp nhận" in table.cell(0, 0).text)
    assert [[cell.text for cell in row.cells] for row in table.rows][1:] == [
        ["Các sở, ngành", "54.328", "54.148", "180", "99,67%"],
        ["UBND cấp huyện", "39.815", "39.743", "72", "99,82%"],
        ["UBND cấp xã", "113.845", "113.832", "13", "99,99%"],
    ]


def test_the_parts_of_the_report_are_headings(read: Callable[[], Report]) -> None:
    document = document_of(read())
    parts = [p.text.split(".")[0] for p in document.paragraphs if p.style.name == "Heading 1"]
    fields = [p.text.split(".")[0] for p in document.paragraphs if p.style.name == "Heading 2"]

    assert parts == ["I", "II", "III", "IV", "V"]
    assert fields == [*"12345", *"123456", *"123"]


# --- missing, stale, blank ------------------------------------------------------------------------------------------


def test_a_figure_without_its_source_stands_out_and_is_never_nought(
    figures: Figures, read: Callable[[], Report]
) -> None:
    for key in ("plan_tasks_done", "plan_tasks_done_rate"):
        figures.set_text(
            key, status="missing", value=None, display=None, lacking_datasets=["chi_dao_dieu_hanh.ke_hoach_cchc"]
        )
    document = document_of(read())

    mark = "[chưa có số liệu: Kế hoạch cải cách hành chính (Sở Nội vụ)]"
    assert line_with(document, "Kế hoạch CCHC năm 2024 đề ra").endswith(f"{mark}/61 nhiệm vụ, đạt {mark}.")
    # twice for the number of tasks and its rate
    assert len(standing_out(document, mark)) == 2
    assert "Có 2 số liệu của báo cáo chưa có" in text_of(document)
    # what was not computed is neither above nor below its level, and nothing is left of it to do
    assert "Tỷ lệ hoàn thành Kế hoạch cải cách hành chính năm" not in text_of(document)
    assert "nhiệm vụ còn lại" not in text_of(document)
    notes = document.tables[-1]
    assert [cell.text for cell in notes.rows[1].cells][1:] == ["Chưa có", "Kế hoạch cải cách hành chính (Sở Nội vụ)"]


def test_a_row_of_the_appendix_without_its_source_stands_out_too(figures: Figures, read: Callable[[], Report]) -> None:
    for code in ("3.2", "3.2.1"):
        figures.set(3, code, status="missing", value=None, display=None, sources=["one_stop.dossier"])
    document = document_of(read())

    mark = "[chưa có số liệu: Hệ thống một cửa điện tử]"
    table = next(table for table in document.tables if "Cơ quan tiếp nhận" in table.cell(0, 0).text)
    # the late ones are a difference: unknown like its parts
    assert [cell.text for cell in table.rows[2].cells] == ["UBND cấp huyện", mark, "39.743", mark, mark]
    assert len(standing_out(document, mark)) == 3
    assert "hồ sơ TTHC giải quyết quá hạn" not in text_of(document)
    assert "chưa có số liệu" in alt_texts(document)[0]


def test_a_chart_marks_what_is_stale_too(figures: Figures, read: Callable[[], Report]) -> None:
    figures.set_text("investment_disbursed", status="stale", lacking_datasets=["budget.disbursement"])
    assert "Đã giải ngân: Số vốn 2.518 (*)." in alt_texts(document_of(read()))[2]


def test_stale_figures_are_marked_and_explained(figures: Figures, read: Callable[[], Report]) -> None:
    figures.set_text("documents_sent", status="stale", lacking_datasets=["chinh_quyen_so.van_ban_dien_tu"])
    document = document_of(read())

    assert "65.637 (*)" in line_with(document, "văn bản điện tử, trong đó")
    assert "(*) Số liệu cũ" in text_of(document)
    assert "Có 1 số liệu phải dùng bản cũ" in text_of(document)
    assert [run.text for run in runs(document) if run.text.endswith("(*)") and run.font.highlight_color] == [
        "65.637 (*)"
    ]


def test_nothing_to_divide_by_is_not_nought(figures: Figures, read: Callable[[], Report]) -> None:
    figures.set_text("audit_recommendations_done_rate", value=None, display=None)
    assert "đạt [không phát sinh] (tính đến" in text_of(document_of(read()))


def test_a_whole_report_marks_nothing_as_missing(read: Callable[[], Report]) -> None:
    shown = text_of(document_of(read()))
    assert "[chưa có số liệu" not in shown
    assert "(*)" not in shown
    assert "Các số liệu của phần lời đều có nguồn" in shown


def test_a_sentence_with_a_figure_that_nobody_knows_writes_no_report(
    figures: Figures, read: Callable[[], Report]
) -> None:
    figures.execute("delete from reporting.rpt_narrative where key = 'divisions_cut'")
    with pytest.raises(FiguresUnfit, match="divisions_cut"):
        text_report.render(read(), MASTHEAD)


@pytest.mark.parametrize(
    ("sentence", "message"),
    [
        ("{{ row('9/1') }}", "phụ lục không có dòng 9/1"),
        ("{{ plan_tasks_done", "không dựng được"),
        ("{% for x in 3 %}{% endfor %}", "không dựng được"),
    ],
)
def test_a_broken_sentence_is_named(read: Callable[[], Report], sentence: str, message: str) -> None:
    template = {**yaml.safe_load(TEMPLATE.read_text(encoding="utf-8")), "body": [{"p": sentence}]}
    with pytest.raises(FiguresUnfit, match=message):
        draft(read(), "tỉnh Hưng Yên", "UBND", template)


# --- the year before ------------------------------------------------------------------------------------------------


@pytest.fixture
def two_years(figures: Figures) -> Figures:
    """The first halves of 2024 and of 2023, which was the same until a test changes it."""
    figures.fill(BEFORE)
    figures.fill_narrative(BEFORE)
    return figures


def test_the_trend_goes_up_down_or_nowhere(two_years: Figures, read: Callable[[], Report]) -> None:
    two_years.set_text("units_inspected", BEFORE, value=8)
    two_years.set_text("legal_documents_issued_province", BEFORE, value=1025)
    two_years.set_text("online_dossier_rate", BEFORE, value=Decimal("90.15"))
    document = document_of(read())

    year = "so với cùng kỳ năm 2023"
    assert f"tại 11 cơ quan, đơn vị (tăng 3 đơn vị {year}), gồm" in text_of(document)
    assert f"quy phạm pháp luật (QPPL) (giảm 1.005 văn bản {year}), gồm" in text_of(document)
    # 92,350458… − 90,15
    assert f"đạt 92,35% (tăng 2,2 điểm phần trăm {year});" in text_of(document)
    assert "đạt 63,93% (bằng cùng kỳ năm 2023)." in line_with(document, "Kế hoạch CCHC năm 2024 đề ra")
    compared = next(table for table in document.tables if "Kỳ này" in table.cell(0, 1).text)
    rows = {row.cells[0].text: [cell.text for cell in row.cells][1:] for row in compared.rows}
    assert rows["Tỷ lệ hồ sơ nộp trực tuyến"] == ["92,35%", "tăng 2,2 điểm phần trăm"]
    assert rows["Số cơ quan, đơn vị đã kiểm tra CCHC (đơn vị)"] == ["11", "tăng 3 đơn vị"]


def test_rows_of_the_appendix_have_a_trend(two_years: Figures, read: Callable[[], Report]) -> None:
    two_years.execute(
        "update reporting.rpt_indicator set value = 10 where period_id = :p and form_no = 1 and code = '1'", p=BEFORE
    )
    assert "đã ban hành 6 văn bản chỉ đạo, quán triệt công tác CCHC (giảm 4 văn bản so với" in text_of(
        document_of(read())
    )


@pytest.mark.parametrize(
    "spoil",
    [
        {"status": "stale"},
        {"status": "missing", "value": None},
        # a feed that was never asked so far back
        {"value": 0},
        {"value": None},
    ],
)
def test_no_trend_on_a_year_before_that_is_not_whole(
    two_years: Figures, read: Callable[[], Report], spoil: dict
) -> None:
    two_years.set_text("units_inspected", BEFORE, **spoil)
    assert "tại 11 cơ quan, đơn vị, gồm" in text_of(document_of(read()))


def test_no_trend_of_a_figure_that_is_stale(two_years: Figures, read: Callable[[], Report]) -> None:
    two_years.set_text("units_inspected", status="stale")
    assert "tại 11 (*) cơ quan, đơn vị, gồm" in text_of(document_of(read()))


def test_half_of_a_period_is_not_compared_with_a_whole_one(two_years: Figures, read: Callable[[], Report]) -> None:
    early = end_of_day(ReportingPeriod.parse(PERIOD).to_on.replace(month=5, day=31))
    two_years.execute("update reporting.rpt_indicator set as_of_at = :at where period_id = :p", at=early, p=PERIOD)
    assert "cùng kỳ năm 2023" not in text_of(document_of(read()))

    two_years.execute(
        "update reporting.rpt_indicator set as_of_at = :at where period_id = :p", at=early.replace(year=2023), p=BEFORE
    )
    assert "cùng kỳ năm 2023" in text_of(document_of(read()))


def test_without_a_year_before_nothing_is_said_of_it(read: Callable[[], Report]) -> None:
    shown = text_of(document_of(read()))
    assert "cùng kỳ" not in shown
    assert "Tăng, giảm" not in shown


@pytest.mark.parametrize(
    ("now", "before", "unit", "expected"),
    [
        ("63", "50", "dự án", " (tăng 13 dự án so với cùng kỳ năm 2023)"),
        ("1000", "54148", "Hồ sơ", " (giảm 53.148 hồ sơ so với cùng kỳ năm 2023)"),
        ("12.345", "12", "%", " (tăng 0,35 điểm phần trăm so với cùng kỳ năm 2023)"),
        ("12", "12.0", "%", " (bằng cùng kỳ năm 2023)"),
        ("12.001", "12", "%", " (tương đương cùng kỳ năm 2023)"),
    ],
)
def test_a_trend_in_words(now: str, before: str, unit: str, expected: str) -> None:
    assert trend(Decimal(now), Decimal(before), unit, 2023) == expected


# --- part III -------------------------------------------------------------------------------------------------------


def test_rates_are_told_apart_by_their_level(figures: Figures, read: Callable[[], Report]) -> None:
    figures.set_text("digitised_rate", value=Decimal("89.99"), display="89,99")
    figures.set_text("plan_tasks_done_rate", value=50, display="50")
    shown = text_of(document_of(read()))

    assert "- Tỷ lệ hồ sơ được số hóa mới đạt 89,99%, thấp hơn mức theo dõi 90%." in shown
    # half of the year has passed, and that much is enough
    assert "- Tỷ lệ hoàn thành Kế hoạch cải cách hành chính năm đạt 50%, không thấp hơn mức theo dõi 50%." in shown
    assert "- Tỷ lệ giải ngân vốn đầu tư công mới đạt 12,64%, thấp hơn mức theo dõi 50%." in shown
    assert "- Còn 265 hồ sơ TTHC giải quyết quá hạn." in shown
    assert "- Còn 2 nhiệm vụ Chính phủ, Thủ tướng Chính phủ giao quá hạn chưa hoàn thành." in shown


def test_what_only_people_can_write_is_marked(read: Callable[[], Report]) -> None:
    asked = [run for run in runs(document_of(read())) if run.text.startswith("[Đơn vị bổ sung: ")]
    assert len(asked) >= 8
    assert all(run.font.highlight_color == WD_COLOR_INDEX.YELLOW for run in asked)


def test_warnings_of_the_data_are_in_the_notes(figures: Figures, read: Callable[[], Report]) -> None:
    figures.warn("x", "Có tệp lạ | **đậm**\x07\ue000missing\ue001x\ue002", 1234)
    rows = [[" ".join(cell.text.split()) for cell in row.cells] for row in document_of(read()).tables[-1].rows]
    assert rows[1] == ["1", "Có tệp lạ / *đậm* missing x", "1.234"]


# --- the layout -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("period", "words", "next_words"),
    [
        ("2024-M05", "tháng 5 năm 2024", "tháng 6 năm 2024"),
        ("2024-M12", "tháng 12 năm 2024", "tháng 1 năm 2025"),
        ("2024-Q1", "quý I năm 2024", "quý II năm 2024"),
        ("2024-Q4", "quý IV năm 2024", "quý I năm 2025"),
        ("2024-H1", "6 tháng đầu năm 2024", "6 tháng cuối năm 2024"),
        ("2024-H2", "6 tháng cuối năm 2024", "năm 2025"),
        ("2024-9M", "9 tháng đầu năm 2024", "quý IV năm 2024"),
        ("2024-Y", "năm 2024", "năm 2025"),
    ],
)
def test_periods_in_words(read: Callable[[], Report], period: str, words: str, next_words: str) -> None:
    wanted = ReportingPeriod.parse(period)
    assert (period_words(wanted), following(wanted)) == (words, next_words)
    text = draft(replace(read(), period=wanted), "tỉnh Hưng Yên", "Ủy ban nhân dân tỉnh Hưng Yên")
    assert text.subject == f"Công tác cải cách hành chính {words} của tỉnh Hưng Yên"


def test_the_head_follows_decree_30(read: Callable[[], Report]) -> None:
    document = document_of(read())
    left, right = document.tables[0].rows[0].cells

    assert [p.text for p in left.paragraphs if p.text] == ["ỦY BAN NHÂN DÂN", "TỈNH HƯNG YÊN", "Số: ......../BC-UBND"]
    assert [p.text for p in right.paragraphs if p.text] == [
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "Độc lập - Tự do - Hạnh phúc",
        "Hưng Yên, ngày ...... tháng ...... năm 2024",
    ]
    title = [p.text for p in document.paragraphs if p.style.name == "Report Title"]
    assert title == ["BÁO CÁO", "Công tác cải cách hành chính 6 tháng đầu năm 2024 của tỉnh Hưng Yên"]
    section = document.sections[0]
    size = (section.page_width, section.page_height)
    margins = (section.top_margin, section.bottom_margin, section.left_margin, section.right_margin)
    # Word keeps twentieths of a point
    assert [round(length / Mm(1)) for length in (*size, *margins)] == [210, 297, 20, 20, 30, 15]
    assert section.different_first_page_header_footer
    assert "PAGE" in section.header.paragraphs[0]._p.xml
    assert "PAGE" not in section.first_page_header._element.xml
    left, right = next(t for t in document.tables if "Nơi nhận" in t.cell(0, 0).text).rows[0].cells
    assert left.paragraphs[0].text == "Nơi nhận:"
    assert right.paragraphs[0].text == "TM. ỦY BAN NHÂN DÂN"


def test_the_first_page_says_draft_and_whether_the_data_is_made_up(read: Callable[[], Report]) -> None:
    first = document_of(read()).paragraphs[0].text
    assert first.startswith("DỰ THẢO\n")
    assert "số liệu tính đến hết ngày 14/6/2024" in first
    assert SYNTHETIC_LINE not in first
    assert SYNTHETIC_LINE in document_of(read(), replace(MASTHEAD, synthetic=True)).paragraphs[0].text


def test_fonts_and_language_are_those_of_the_decree(read: Callable[[], Report]) -> None:
    styles = document_of(read()).styles
    for name in ("Normal", "Body Text", "Heading 1", "Heading 2", "Heading 3"):
        fonts = styles[name].element.rPr.rFonts
        assert {fonts.get(qn(f"w:{script}")) for script in ("ascii", "hAnsi", "eastAsia", "cs")} == {"Times New Roman"}
        assert fonts.get(qn("w:asciiTheme")) is None
        assert styles[name].font.size.pt == 14
    assert 'w:lang w:val="vi-VN"' in styles.element.xml


def test_no_paragraph_is_empty_but_the_rules(read: Callable[[], Report]) -> None:
    for paragraph in paragraphs(document_of(read())):
        is_rule = paragraph.style.name == "Report Rule"
        assert is_rule or paragraph.text.strip() or paragraph._p.findall(f".//{qn('w:drawing')}"), paragraph._p.xml


def test_tables_repeat_their_header(read: Callable[[], Report]) -> None:
    tables = [table for table in document_of(read()).tables if table.style.name == "Table Grid"]
    assert len(tables) >= 3
    for table in tables:
        assert table.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None


def alt_texts(document: DocxDocument) -> list[str]:
    return [shape._inline.docPr.get("descr") for shape in document.inline_shapes]


def test_charts_say_in_words_what_they_show(read: Callable[[], Report]) -> None:
    texts = alt_texts(document_of(read()))
    assert len(texts) == 3
    assert texts[0].endswith(
        "Các sở, ngành: Đúng hạn 54.148, Quá hạn 180; UBND cấp huyện: Đúng hạn 39.743, Quá hạn 72;"
        " UBND cấp xã: Đúng hạn 113.832, Quá hạn 13."
    )
    assert "Đã giải ngân: Số vốn 2.518" in texts[2]


def test_charts_follow_their_figures(figures: Figures, read: Callable[[], Report]) -> None:
    def pictures() -> list[bytes]:
        package = zipfile.ZipFile(io.BytesIO(text_report.render(read(), MASTHEAD)))
        return [package.read(name) for name in sorted(package.namelist()) if name.endswith(".png")]

    before = pictures()
    figures.set_text("investment_disbursed", value=5000, display="5.000")
    after = pictures()
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, True, False]
    assert all(len(picture) < 150_000 for picture in after)


def test_the_package_is_whole_and_says_nothing_of_the_clock(read: Callable[[], Report]) -> None:
    content = text_report.render(read(), MASTHEAD)
    assert content == text_report.render(read(), replace(MASTHEAD, generated_at=datetime(2030, 1, 1, tzinfo=UTC)))

    package = zipfile.ZipFile(io.BytesIO(content))
    assert package.testzip() is None
    names = set(package.namelist())
    for name in names:
        if name.endswith((".xml", ".rels")):
            ElementTree.fromstring(package.read(name))
    relations = package.read("word/_rels/document.xml.rels").decode()
    assert {f"word/{target}" for target in re.findall(r'Target="(media/[^"]+)"', relations)} <= names
    core = package.read("docProps/core.xml").decode()
    assert core.count("2024-06-14T16:59:59Z") == 2
    assert {entry.date_time for entry in package.infolist()} == {(2024, 6, 14, 23, 59, 58)}


def test_properties_stand_in_the_order_of_the_schema(read: Callable[[], Report]) -> None:
    # Word refuses a file whose paragraph properties are out of order; LibreOffice does not mind
    order = (
        "pStyle", "keepNext", "keepLines", "pageBreakBefore", "widowControl", "numPr", "pBdr", "shd", "tabs",
        "spacing", "ind", "jc", "rPr",
    )  # fmt: skip
    for paragraph in paragraphs(document_of(read())):
        found = [child.tag.split("}")[1] for child in (paragraph._p.pPr if paragraph._p.pPr is not None else [])]
        assert found == sorted(found, key=order.index)
