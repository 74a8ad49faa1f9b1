"""bao-cao.docx: the draft of the report, in the layout of Decree 30/2020/NĐ-CP, appendix I.

A4, margins 20 to 25 mm above and below, 30 to 35 left, 15 to 20 right; Times New Roman 13 to 14; the motto beside the
issuer; page numbers top centre from the second page on. Number, date and signature are left to those who sign.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC
from typing import Any

from docx import Document
from docx.document import Document as DocxDocument
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_COLOR_INDEX
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Emu, Mm, Pt, RGBColor
from docx.table import Table as DocxTable
from docx.table import _Cell
from docx.text.paragraph import Paragraph as DocxParagraph

from publish import text_charts
from publish.appendix import SYNTHETIC_LINE, Masthead
from publish.figures import Report
from publish.office_package import pinned
from publish.text_sentences import Chart, Draft, Paragraph, Run, Table, draft
from publish.typography import text_width

FILE_NAME = "bao-cao.docx"
DRAFT_LINE = "DỰ THẢO"

_FONT = "Times New Roman"
_SIZE, _TABLE_SIZE, _SMALL_SIZE = 14, 12, 11
_MARGINS = {"top_margin": 20, "bottom_margin": 20, "left_margin": 30, "right_margin": 15}
_TEXT_WIDTH = 210 - 30 - 15
_ISSUER_WIDTH = 60
_RIGHT_WIDTH = _TEXT_WIDTH - _ISSUER_WIDTH
_CELL_PADDING = 1.9
_POINTS_PER_MM = 72 / 25.4
_STYLES = {"h1": "Heading 1", "h2": "Heading 2", "h3": "Heading 3", "p": "Body Text", "ask": "Body Text"}
_BOX = ("top", "left", "bottom", "right")


def render(report: Report, masthead: Masthead) -> bytes:
    """The document's bytes; the same report gives the same bytes. Raises FiguresUnfit as `draft` does."""
    text = draft(report, masthead.province_name, masthead.issuer_name)
    document = Document()
    _set_up(document)
    _banner(document, report, masthead)
    _head(document, report, text, masthead)
    _blocks(document, text.body)
    _signature(document, text)
    title = document.add_paragraph(text.notes_title, "Note Title")
    title.paragraph_format.page_break_before = True
    _blocks(document, text.notes)
    _properties(document, report, text, masthead)
    file = io.BytesIO()
    document.save(file)
    return pinned(file.getvalue(), report.as_of_at)


# --- the page -----------------------------------------------------------------------------------------------------


def _set_up(document: DocxDocument) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    for side, size in _MARGINS.items():
        setattr(section, side, Mm(size))
    section.header_distance = section.footer_distance = Mm(10)
    section.different_first_page_header_footer = True
    _page_number(section.header.paragraphs[0])
    _language(document)
    centre, left, both = WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.LEFT, WD_ALIGN_PARAGRAPH.JUSTIFY
    _style(document, "Normal", _SIZE, alignment=left)
    _style(document, "Header", _SIZE, alignment=centre)
    _style(document, "Body Text", _SIZE, after=6, alignment=both, indent=10)
    _style(document, "Heading 1", _SIZE, bold=True, before=6, after=6, alignment=left, indent=10)
    _style(document, "Heading 2", _SIZE, bold=True, before=6, after=6, alignment=left, indent=10)
    _style(document, "Heading 3", _SIZE, bold=True, italic=True, after=6, alignment=left, indent=10)
    _style(document, "Caption", _TABLE_SIZE, bold=True, before=6, after=4, alignment=centre)
    for name, size, options in (
        ("Report Title", _SIZE, {"bold": True, "alignment": centre}),
        ("Report Rule", 2, {"alignment": centre}),
        ("Draft Banner", _SMALL_SIZE, {"alignment": centre}),
        ("Note Title", _SIZE, {"bold": True, "after": 6, "alignment": centre}),
        ("Table Text", _TABLE_SIZE, {"alignment": left}),
        ("Recipients", _SMALL_SIZE, {"alignment": left}),
        ("Picture", _SIZE, {"before": 6, "alignment": centre}),
    ):
        document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH).base_style = document.styles["Normal"]
        _style(document, name, size, **options)
    document.styles["Picture"].paragraph_format.keep_with_next = True


def _style(
    document: DocxDocument,
    name: str,
    size: float,
    *,
    bold: bool = False,
    italic: bool = False,
    before: float = 0,
    after: float = 0,
    alignment: WD_ALIGN_PARAGRAPH,
    indent: float = 0,
) -> None:
    style = document.styles[name]
    style.font.name, style.font.size, style.font.bold, style.font.italic = _FONT, Pt(size), bold, italic
    style.font.color.rgb = RGBColor(0, 0, 0)
    fonts = style.element.rPr.rFonts
    # a theme font, where a style names one, goes before the font of the style
    for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{theme}"), None)
    for script in ("eastAsia", "cs"):
        fonts.set(qn(f"w:{script}"), _FONT)
    layout = style.paragraph_format
    layout.space_before, layout.space_after, layout.line_spacing = Pt(before), Pt(after), 1.0
    layout.alignment, layout.first_line_indent = alignment, Mm(indent)


def _language(document: DocxDocument) -> None:
    """Vietnamese, or the spelling checker underlines every word."""
    for run_properties in document.styles.element.iter(qn("w:rPr")):
        for language in run_properties.findall(qn("w:lang")):
            language.set(qn("w:val"), "vi-VN")


def _page_number(paragraph: DocxParagraph) -> None:
    run = paragraph.add_run()
    for kind, text in (("begin", None), (None, "PAGE"), ("end", None)):
        element = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            element.set(qn("w:fldCharType"), kind)
        else:
            element.text = text
        run._r.append(element)


def _properties(document: DocxDocument, report: Report, text: Draft, masthead: Masthead) -> None:
    moment = report.as_of_at.astimezone(UTC).replace(microsecond=0, tzinfo=None)
    properties = document.core_properties
    properties.title, properties.author = f"{text.kind}: {text.subject}", masthead.issuer_name
    properties.last_modified_by, properties.comments, properties.language = masthead.issuer_name, "", "vi-VN"
    properties.created = properties.modified = moment


# --- the head -----------------------------------------------------------------------------------------------------


def _banner(document: DocxDocument, report: Report, masthead: Masthead) -> None:
    banner = document.add_paragraph(style="Draft Banner")
    heading = banner.add_run(DRAFT_LINE)
    heading.bold, heading.font.size = True, Pt(16)
    heading.add_break()
    as_of = report.as_of_at
    banner.add_run(
        f"Lập tự động từ kho dữ liệu, số liệu tính đến hết ngày {as_of.day}/{as_of.month}/{as_of.year}."
        " Kiểm tra và bổ sung những chỗ tô sáng trước khi trình ký."
    )
    if masthead.synthetic:
        banner.add_run().add_break()
        notice = banner.add_run(SYNTHETIC_LINE)
        notice.bold, notice.font.color.rgb = True, RGBColor(0xC0, 0, 0)
    _border(banner, _BOX, space=3)
    banner.paragraph_format.space_after = Pt(10)


def _head(document: DocxDocument, report: Report, text: Draft, masthead: Masthead) -> None:
    place = masthead.province_name.removeprefix("tỉnh ").removeprefix("thành phố ")
    issuer, province = masthead.issuer_name.upper(), masthead.province_name.upper()
    lines = [issuer]
    if issuer.endswith(province) and issuer != province:
        lines = [issuer.removesuffix(province).strip(), province]
    left, right = _two_columns(document)
    _lines(left, lines, 13, bold=True)
    _rule(left, text_width(lines[-1], 13, bold=True) / 2, _ISSUER_WIDTH)
    _line(left, "Số: ......../BC-UBND", 13)
    motto = "Độc lập - Tự do - Hạnh phúc"
    _lines(right, ["CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"], 13, bold=True)
    _line(right, motto, 14, bold=True)
    _rule(right, text_width(motto, 14, bold=True), _RIGHT_WIDTH)
    _line(right, f"{place}, ngày ...... tháng ...... năm {report.period.to_on.year}", 14, italic=True)
    title = document.add_paragraph(text.kind, "Report Title")
    title.paragraph_format.space_before = Pt(14)
    document.add_paragraph(text.subject, "Report Title")
    _rule(document, _TEXT_WIDTH * _POINTS_PER_MM / 4, _TEXT_WIDTH, padding=0)
    addressee = document.add_paragraph(f"Kính gửi: {text.addressee}", "Normal")
    addressee.alignment = WD_ALIGN_PARAGRAPH.CENTER
    addressee.paragraph_format.space_before, addressee.paragraph_format.space_after = Pt(8), Pt(10)


def _signature(document: DocxDocument, text: Draft) -> None:
    left, right = _two_columns(document)
    heading = left.paragraphs[0]
    heading.style = document.styles["Recipients"]
    heading.paragraph_format.space_before = Pt(12)
    run = heading.add_run("Nơi nhận:")
    run.bold, run.italic, run.font.size = True, True, Pt(12)
    for recipient in text.recipients:
        left.add_paragraph(recipient, "Recipients")
    *titles, name = text.signers
    _lines(right, titles, _SIZE, bold=True)
    right.paragraphs[0].paragraph_format.space_before = Pt(12)
    for paragraph in right.paragraphs[1:]:
        _highlight(paragraph)
    signer = _line(right, name, _SIZE, bold=True)
    # room for the signature and the seal
    signer.paragraph_format.space_before = Pt(84)
    _highlight(signer)


def _two_columns(document: DocxDocument) -> tuple[_Cell, _Cell]:
    table = document.add_table(1, 2)
    _fix_widths(table, (_ISSUER_WIDTH, _RIGHT_WIDTH))
    _do_not_split(table.rows[0]._tr)
    return table.cell(0, 0), table.cell(0, 1)


def _lines(cell: _Cell, lines: Sequence[str], size: float, *, bold: bool) -> None:
    """Lines of a cell from its first paragraph on, which a cell always has."""
    for number, line in enumerate(lines):
        paragraph = cell.paragraphs[0] if number == 0 else cell.add_paragraph()
        _fill_line(paragraph, line, size, bold=bold)


def _line(cell: _Cell, text: str, size: float, *, bold: bool = False, italic: bool = False) -> DocxParagraph:
    return _fill_line(cell.add_paragraph(), text, size, bold=bold, italic=italic)


def _fill_line(
    paragraph: DocxParagraph, text: str, size: float, *, bold: bool = False, italic: bool = False
) -> DocxParagraph:
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    run = paragraph.add_run(text)
    run.font.size, run.bold, run.italic = Pt(size), bold, italic
    return paragraph


def _rule(place: Any, length: float, width: float, *, padding: float = _CELL_PADDING) -> None:
    """The line beneath the issuer, the motto and the subject: the border of a paragraph as long as the line."""
    paragraph = place.add_paragraph(style="Report Rule")
    margin = max((width - 2 * padding) * _POINTS_PER_MM - length, 0) / 2
    paragraph.paragraph_format.left_indent = paragraph.paragraph_format.right_indent = Pt(round(margin, 1))
    paragraph.paragraph_format.space_before, paragraph.paragraph_format.space_after = Pt(3), Pt(4)
    _border(paragraph, ("top",), space=0)


# --- the body -----------------------------------------------------------------------------------------------------


def _blocks(document: DocxDocument, blocks: Sequence[Paragraph | Table | Chart]) -> None:
    after_table = False
    for block in blocks:
        if isinstance(block, Table):
            _table(document, block)
        elif isinstance(block, Chart):
            _chart(document, block)
        else:
            paragraph = document.add_paragraph(style=_STYLES[block.style])
            _runs(paragraph, block.runs)
            if after_table:
                # a table has no space of its own after it
                paragraph.paragraph_format.space_before = Pt(6)
        after_table = isinstance(block, Table)


def _runs(paragraph: DocxParagraph, runs: Sequence[Run], *, bold: bool | None = None) -> None:
    for item in runs:
        run = paragraph.add_run(item.text)
        run.bold = True if item.kind in ("bold", "missing") else bold
        if item.kind in ("missing", "ask", "stale"):
            run.font.highlight_color = WD_COLOR_INDEX.YELLOW
        if item.kind in ("ask", "blank"):
            run.italic = True


def _table(document: DocxDocument, table: Table) -> None:
    caption = document.add_paragraph(f"Bảng: {table.caption}", "Caption")
    caption.paragraph_format.keep_with_next = True
    made = document.add_table(1 + len(table.rows), len(table.header), "Table Grid")
    _fix_widths(made, [_TEXT_WIDTH * width / sum(table.widths) for width in table.widths])
    header = OxmlElement("w:tblHeader")
    made.rows[0]._tr.get_or_add_trPr().append(header)
    for cell, text in zip(made.rows[0].cells, table.header, strict=True):
        _cell(document, cell, (Run(text),), centred=True, bold=True)
    for row, texts in zip(made.rows[1:], table.rows, strict=True):
        for column, (cell, runs) in enumerate(zip(row.cells, texts, strict=True)):
            _cell(document, cell, runs, centred=column > 0 and sum(len(run.text) for run in runs) < 20)
    for row in made.rows:
        _do_not_split(row._tr)


def _cell(document: DocxDocument, cell: _Cell, runs: Sequence[Run], *, centred: bool, bold: bool | None = None) -> None:
    paragraph = cell.paragraphs[0]
    paragraph.style = document.styles["Table Text"]
    if centred:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _runs(paragraph, runs, bold=bold)


def _chart(document: DocxDocument, chart: Chart) -> None:
    paragraph = document.add_paragraph(style="Picture")
    picture = paragraph.add_run().add_picture(io.BytesIO(text_charts.png(chart)), width=Mm(_TEXT_WIDTH - 5))
    properties = picture._inline.docPr
    properties.set("title", chart.title)
    properties.set("descr", text_charts.description(chart))
    document.add_paragraph(f"Biểu đồ: {chart.title} ({chart.unit})", "Caption")


# --- what the library has no words for ----------------------------------------------------------------------------


def _highlight(paragraph: DocxParagraph) -> None:
    for run in paragraph.runs:
        run.font.highlight_color = WD_COLOR_INDEX.YELLOW


def _fix_widths(table: DocxTable, widths: Sequence[float]) -> None:
    """Widths in millimetres, for every cell: Word goes by the cells, LibreOffice by the grid."""
    table.autofit = False
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    for column, width in zip(table.columns, widths, strict=True):
        size = Emu(Mm(round(width, 1)))
        column.width = size
        for cell in column.cells:
            cell.width = size


def _do_not_split(row: Any) -> None:
    row.get_or_add_trPr().append(OxmlElement("w:cantSplit"))


def _border(paragraph: DocxParagraph, sides: Sequence[str], *, space: int) -> None:
    borders = OxmlElement("w:pBdr")
    for side in sides:
        line = OxmlElement(f"w:{side}")
        for name, value in (("val", "single"), ("sz", "6"), ("space", str(space)), ("color", "000000")):
            line.set(qn(f"w:{name}"), value)
        borders.append(line)
    # the schema wants it early among the properties
    paragraph._p.get_or_add_pPr().insert_element_before(
        borders, "w:shd", "w:tabs", "w:suppressAutoHyphens", "w:spacing", "w:ind", "w:jc", "w:rPr", "w:sectPr"
    )
