"""Files made to harm their reader: each is refused, or costs its own line, within bounds of time and memory.

Each case is read by a process of its own whose address space is limited: what would take the machine's memory ends that
process, and the test is red.
"""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zstandard

from tests.extract.department_files import good_book, saved

# what docs/security.md promises: MB of resident memory above an idle reader, seconds on an idle core (tests allow more)
MEMORY_MB = 900
SECONDS = 60
ADDRESS_SPACE = 6 << 30

READ_WORKBOOK = """
    from extract.workbook_file import Limits, Workbook
    from extract.csv_reader import UnreadableFile
    try:
        workbook = Workbook(open(path, "rb").read(), Limits(100_000_000, 1_000_000_000))
        for name in workbook.sheet_names:
            workbook.sheet(name)
        print("read")
    except UnreadableFile as error:
        print("refused:", str(error)[:200])
"""
READ_EXPORT = """
    from extract.contract import contracts
    from extract.csv_reader import CsvReader, UnreadableFile, open_export
    try:
        with open(path, "rb") as stored:
            reader = CsvReader(open_export(stored, path), contracts()["one_stop"].tables[0])
            good = broken = 0
            for block in reader.blocks():
                good, broken = good + block.frame.height, broken + len(block.broken)
        print("read", good, broken)
    except UnreadableFile as error:
        print("refused:", str(error)[:200])
"""
READ_DECLARED = """
    from publish import declared
    try:
        found = declared.read(open(path, "rb").read(), path, {})
        print("read", len(found.rows) + len(found.strangers))
    except declared.DeclaredUnreadable as error:
        print("refused:", str(error)[-200:])
"""
MEASURE = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (%d, %d))
path = sys.argv[1]
def peak():
    # not ru_maxrss, which begins at what the parent process had
    return int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) // 1024
import polars, extract.workbook_file, extract.csv_reader, extract.contract, publish.declared
extract.contract.contracts()
before = peak()
%s
print(peak() - before)
"""


def harm(script: str, content: bytes | Path, folder: Path, name: str) -> tuple[str, int]:
    """(what the reader said, MB it took)."""
    path = folder / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-c", MEASURE % (ADDRESS_SPACE, ADDRESS_SPACE, textwrap.dedent(script)), str(path)],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        cwd=folder,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "", "POLARS_MAX_THREADS": "2"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    said, took = done.stdout.splitlines()
    return said, int(took)


def _with(changes: dict[str, bytes | Iterator[bytes]], source: str = "bien_che") -> bytes:
    """A good workbook with parts replaced or added."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(saved(good_book(source)))) as book,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for info in book.infolist():
            if info.filename not in changes:
                archive.writestr(info, book.read(info))
        for name, blocks in changes.items():
            with archive.open(name, "w") as part:
                for block in [blocks] if isinstance(blocks, bytes) else blocks:
                    part.write(block)
    return target.getvalue()


def _opendocument(content: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<m/>")
        archive.writestr("content.xml", content)
    return target.getvalue()


_SHEET = "xl/worksheets/sheet1.xml"
_HEAD = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1">'
_TAIL = b"</row></sheetData></worksheet>"
_ODF = (
    b'<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    b'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    b'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
    b'<table:table table:name="Cong chuc"><table:table-row><table:table-cell office:value-type="string"><text:p>'
    b"%s</text:p></table:table-cell></table:table-row></table:table></office:spreadsheet></office:body>"
    b"</office:document-content>"
)
_LAUGHS = b'<!DOCTYPE x [<!ENTITY a "%s">%s]>' % (
    b"ha" * 500,
    b"".join(b'<!ENTITY %c "%s">' % (letter, b"&%c;" % (letter - 1) * 10) for letter in b"bcdefghij"),
)
_OUTSIDE = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
# stays below what expat takes for an attack by itself: 50 MB become 2 GB
_SLOW_LAUGHS = b'<!DOCTYPE x [<!ENTITY a "%s">]>' % (b"ha" * 250_000)

WORKBOOKS: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "a bomb": ("b.xlsx", lambda: _with({"xl/media/i.png": (bytes(1 << 20) for _ in range(1_100))}), "giải nén"),
    "a sheet that is one bomb": (
        "b.xlsx",
        lambda: _with({_SHEET: (b" " * (1 << 20) for _ in range(1_100))}),
        "giải nén",
    ),
    "a bomb in the shared strings": (
        "b.xlsx",
        lambda: _with({"xl/sharedStrings.xml": (b"<si><t>a</t></si>" * 61_681 for _ in range(1_100))}),
        "giải nén",
    ),
    "laughs in the workbook": (
        "b.xlsx",
        lambda: _with({"xl/workbook.xml": _LAUGHS + b"<workbook>&j;</workbook>"}),
        "DOCTYPE",
    ),
    "laughs in an opendocument": ("b.ods", lambda: _opendocument(_LAUGHS + _ODF % b"&j;"), "DOCTYPE"),
    "slow laughs in an opendocument": (
        "b.ods",
        lambda: _opendocument(_SLOW_LAUGHS + _ODF % (b"&a;" * 40 + b" " * 20_000_000)),
        "DOCTYPE",
    ),
    "laughs in another encoding": (
        "b.ods",
        lambda: _opendocument(
            ('<?xml version="1.0" encoding="UTF-16"?>' + (_LAUGHS + _ODF % b"&j;").decode()).encode("utf-16")
        ),
        "DOCTYPE",
    ),
    "a file of this machine": ("b.ods", lambda: _opendocument(_OUTSIDE + _ODF % b"&a;"), "DOCTYPE"),
    "failed cells that never end": (
        "b.xlsx",
        lambda: _with({_SHEET: _HEAD + b'<c r="A1" t="e">' * 2_000_000 + _TAIL}),
        "",
    ),
    "formulas that never end": ("b.xlsx", lambda: _with({_SHEET: _HEAD + b"<c><f>" * 5_000_000 + _TAIL}), ""),
    "spaces that never end": (
        "b.xlsx",
        lambda: _with({_SHEET: _HEAD + (b"<c><f>1</f>" + b" " * 3_000_000) * 3 + _TAIL}),
        "",
    ),
    "attributes that never end": (
        "b.xlsx",
        lambda: _with({_SHEET: _HEAD + b"<c " + b't="e" ' * 4_000_000 + _TAIL}),
        "",
    ),
    "repeated for ever": (
        "b.ods",
        lambda: _opendocument(
            (_ODF % b"1").replace(b"<table:table-row>", b'<table:table-row table:number-rows-repeated="99999999999">')
        ),
        "trải rộng",
    ),
}


@pytest.mark.parametrize("case", WORKBOOKS)
def test_a_workbook_made_to_harm_is_refused_within_bounds(tmp_path: Path, case: str) -> None:
    name, make, reason = WORKBOOKS[case]
    content = make()
    assert len(content) < 20_000_000
    said, took = harm(READ_WORKBOOK, content, tmp_path, name)
    assert said.startswith("refused:"), said
    assert reason in said
    assert "root:" not in said
    assert took < MEMORY_MB


def test_an_opendocument_deep_in_itself_ends_no_process(tmp_path: Path) -> None:
    content = _opendocument(_ODF % (b"<text:s>" * 500_000 + b"</text:s>" * 500_000))
    said, took = harm(READ_WORKBOOK, content, tmp_path, "b.ods")
    assert said.startswith(("read", "refused:"))
    assert took < MEMORY_MB


def _header() -> bytes:
    from extract.contract import contracts

    return ",".join(column.header for column in contracts()["one_stop"].tables[0].columns).encode() + b"\n"


def _packed(blocks: Iterator[bytes], path: Path) -> Path:
    with gzip.open(path, "wb", 1) if path.suffix == ".gz" else zstandard.open(path, "wb") as target:
        target.write(_header())
        for block in blocks:
            target.write(block)
    return path


BIG = 1_024  # MiB
EXPORTS: dict[str, tuple[Callable[[], Iterator[bytes]], str]] = {
    "a line of 1 GiB": (lambda: (b"a" * (1 << 20) for _ in range(BIG)), "read 0 1"),
    "a quoted field of 1 GiB": (lambda: (b'"' + b"a" * (1 << 20) for _ in range(BIG)), "read 0 1"),
    "a quoted field of 1 GiB with line ends": (
        lambda: iter([b'"', *(b"a" * 1023 + b"\n" for _ in range(200_000))]),
        "read 0",
    ),
    "nothing but line ends": (lambda: (b"\n" * (1 << 20) for _ in range(BIG // 4)), "read 0 0"),
    "NUL bytes": (lambda: (bytes(1 << 20) for _ in range(BIG // 4)), "read 0 1"),
}


@pytest.mark.parametrize("ending", [".csv.gz", ".csv.zst"])
@pytest.mark.parametrize("case", EXPORTS)
def test_an_export_made_to_harm_costs_its_line_within_bounds(tmp_path: Path, case: str, ending: str) -> None:
    blocks, expected = EXPORTS[case]
    path = _packed(blocks(), tmp_path / f"ho-so_20240101_20240131{ending}")
    assert path.stat().st_size < 20_000_000
    said, took = harm(READ_EXPORT, path, tmp_path, path.name)
    assert said.startswith(expected), said
    assert took < 400


DECLARED = {
    "a bomb": (lambda: _with({"xl/media/i.xml": (bytes(1 << 20) for _ in range(400))}), "refused: "),
    "laughs": (lambda: _with({"xl/workbook.xml": _LAUGHS + b"<workbook>&j;</workbook>"}), "refused: "),
    "a file of this machine": (lambda: _with({"xl/sharedStrings.xml": _OUTSIDE + b"<sst>&a;</sst>"}), "refused: "),
    "rows that never end": (
        lambda: _with({_SHEET: _HEAD.replace(b'"1"', b'"1048576"') + b'<c r="XFD1048576"><v>1</v></c>' + _TAIL}),
        "refused: ",
    ),
}


@pytest.mark.parametrize("case", DECLARED)
def test_a_declared_report_made_to_harm_is_refused_within_bounds(tmp_path: Path, case: str) -> None:
    make, expected = DECLARED[case]
    said, took = harm(READ_DECLARED, make(), tmp_path, "bao-cao.xlsx")
    assert said.startswith(expected), said
    assert "root:" not in said
    assert took < MEMORY_MB
