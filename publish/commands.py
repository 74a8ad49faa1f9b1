"""The commands of this room: report, freeze, check, explain."""

from __future__ import annotations

import csv
import re
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from cchc import cli, warehouse
from cchc.periods import ReportingPeriod, UnknownPeriod
from cchc.progress import vietnamese
from cchc.settings import get_settings
from publish import check_workbook, declared, output, submission
from publish.check import Comparison, Computed, compare, read_computed
from publish.explain import UnknownCode, lines, listed_rows
from publish.explain import explain as gather
from publish.figures import FiguresUnfit
from publish.report import FILE_NAMES, publish_report
from publish.sheet_style import FORMULA_STARTS

_PLAIN_NUMBER = re.compile(r"[+-][0-9][0-9., ]*")
_Period = Annotated[str, typer.Argument(help="Kỳ báo cáo đã được làm mới, ví dụ 2024-H1")]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("report")(report)
    app.command("check")(check)
    app.command("explain")(explain)
    app.command("freeze")(freeze)


def report(period: _Period) -> None:
    """Ghi lại các tệp báo cáo của một kỳ từ số liệu đã công bố, không nạp và không tính lại."""
    settings = get_settings()
    wanted = _period(period)
    with warehouse.engine(settings, "transformer") as engine:
        try:
            files = publish_report(engine, settings, wanted.id, settings.out, settings.synthetic)
        except FiguresUnfit as error:
            raise _stop(error, cli.FAILED) from None
    for file in files:
        typer.echo(file)


def freeze(
    period: _Period,
    by: Annotated[str, typer.Option(help="Người chốt báo cáo: họ tên, chức vụ")],
    note: Annotated[str, typer.Option(help="Ghi chú, ví dụ lý do đính chính")] = "",
) -> None:
    """Chốt báo cáo đã ký gửi: giữ nguyên mọi số liệu và tệp, với người chốt và thời điểm; đính chính là bản mới."""
    settings = get_settings()
    wanted = _period(period)
    if not by.strip():
        raise _stop('Hãy ghi người chốt báo cáo: --by "Họ tên, chức vụ"', cli.BAD_USAGE)
    with warehouse.engine(settings, "transformer") as engine:
        try:
            done = submission.freeze(engine, settings.out, wanted.id, by.strip(), note.strip(), FILE_NAMES)
        except (FiguresUnfit, submission.NothingToSubmit) as error:
            raise _stop(error, cli.FAILED) from None
    typer.echo(_printable(f"Đã chốt báo cáo kỳ {wanted.id}, phiên bản {done.version}, người chốt: {done.submitted_by}"))
    for file in done.files:
        typer.echo(file)


def check(
    period: _Period,
    files: Annotated[
        list[str],
        typer.Option(
            "--declared",
            help="Tệp cần đối chiếu: phụ lục (.xlsx hoặc .docx), số liệu lời văn (.csv có cột section, key, value); "
            "ghi được nhiều lần",
        ),
    ],
) -> None:
    """Đối chiếu một báo cáo đã soạn với kho và với chính nó, ghi doi-chieu.xlsx; mã thoát 3 khi có mâu thuẫn."""
    settings = get_settings()
    wanted = _period(period)
    contents = [(file.replace("\\", "/").rsplit("/", 1)[-1], _content(file)) for file in files]
    with warehouse.engine(settings, "transformer") as engine, engine.connect() as connection:
        try:
            computed = read_computed(connection, wanted.id)
        except FiguresUnfit as error:
            raise _stop(error, cli.FAILED) from None
    comparison = compare(computed, _declared(contents, computed))
    about = check_workbook.About(
        province_name=settings.province_name,
        declared_names=tuple(name for name, _ in contents),
        synthetic=settings.synthetic,
        generated_at=datetime.now(UTC),
    )
    url = output.join(settings.out, wanted.id, check_workbook.FILE_NAME)
    path = output.write(url, check_workbook.render(comparison, about))
    _show(comparison)
    typer.echo(path)
    if comparison.contradictions:
        raise typer.Exit(cli.WARNINGS)


def explain(
    period: _Period,
    code: Annotated[
        str, typer.Argument(help="Số biểu rồi đến số thứ tự, ví dụ 3.3.1.1 hoặc 3/3.1.1; hoặc khóa của số liệu lời văn")
    ],
    all_units: Annotated[bool, typer.Option("--all", help="Liệt kê mọi đơn vị")] = False,
    rows_of: Annotated[
        str | None, typer.Option("--rows", help="Chỉ ghi các dòng của một số đo, thành bảng CSV")
    ] = None,
) -> None:
    """Giải thích một con số: công thức, số đếm theo đơn vị, mô hình, tệp nguồn và lệnh liệt kê từng dòng."""
    settings = get_settings()
    wanted = _period(period)
    with warehouse.engine(settings, "transformer") as engine, engine.connect() as connection:
        try:
            explanation = gather(connection, wanted.id, code)
            if rows_of is not None:
                table = csv.writer(sys.stdout, lineterminator="\n")
                for row in listed_rows(connection, explanation, rows_of):
                    table.writerow(cell_for_people(cell) for cell in row)
                return
        except UnknownCode as error:
            raise _stop(error, cli.BAD_USAGE) from None
        except FiguresUnfit as error:
            raise _stop(error, cli.FAILED) from None
    for line in lines(explanation, all_units=all_units):
        typer.echo(_printable(line))


def _period(period: str) -> ReportingPeriod:
    try:
        return ReportingPeriod.parse(period)
    except UnknownPeriod as error:
        raise _stop(error, cli.BAD_USAGE) from None


def _content(file: str) -> bytes:
    try:
        content = output.read_if_there(file)
    except (OSError, ValueError, ImportError) as error:
        raise _stop(f"{file}: không đọc được tệp ({error})", cli.BAD_USAGE) from None
    if content is None:
        raise _stop(f"{file}: không có tệp này", cli.BAD_USAGE)
    return content


def _declared(contents: list[tuple[str, bytes]], computed: Computed) -> declared.Declared:
    found = declared.Declared()
    for name, content in contents:
        try:
            found += declared.read(content, name, computed.labels())
        except declared.DeclaredUnreadable as error:
            raise _stop(error, cli.BAD_USAGE) from None
    return found


def _show(comparison: Comparison) -> None:
    for finding in comparison.contradictions:
        what = f" ({finding.label})" if finding.label else ""
        typer.echo(_printable(f"Sai: {finding.place}{what}: {finding.reason}"))
    wrong, remarks = len(comparison.contradictions), len(comparison.remarks)
    found = f"{vietnamese(wrong)} mâu thuẫn" if wrong else "Không có mâu thuẫn"
    typer.echo(f"{found}, {vietnamese(remarks)} lưu ý")


def _stop(message: object, code: int) -> typer.Exit:
    typer.echo(_printable(str(message)), err=True)
    return typer.Exit(code)


def cell_for_people(cell: object) -> object:
    """A cell of a CSV that somebody opens in a spreadsheet program: text of a department becomes no formula there.

    The apostrophe is what such a program takes for "this is text" (OWASP, CSV injection).
    """
    if not isinstance(cell, str):
        return cell
    text = _printable(cell)
    return f"'{text}" if text.startswith(FORMULA_STARTS) and not _PLAIN_NUMBER.fullmatch(text) else text


def _printable(line: str) -> str:
    """What people declared comes from outside: no control character of theirs reaches the terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in line)
