"""Every reader against bytes that nobody meant to send: it refuses or reads, and accounts for each row it read.

`corpus/` holds files that once broke a reader or that are worth starting from; each is replayed in every run, then
changed at random. `CCHC_FUZZ_EXAMPLES` is how many examples each reader gets (default 150: half a minute in all).
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import docx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extract import budget, portal
from extract.check import Checker
from extract.contract import contracts
from extract.csv_reader import CsvReader, UnreadableFile, open_export
from extract.feeds import batches
from extract.landing import Landed
from extract.privacy import Pseudonyms
from extract.transport import FeedError, load_json
from extract.workbook_file import Limits, Workbook
from extract.workbook_reader import read_sheet, sheet_of
from publish import declared
from tests.extract.conftest import GOOD_ROW
from tests.extract.department_files import good_book, names, saved

CORPUS = Path(__file__).parent / "corpus"
EXAMPLES = int(os.environ.get("CCHC_FUZZ_EXAMPLES", "150"))
fuzzed = settings(
    max_examples=EXAMPLES,
    # an example that takes longer is one that would hold a load up
    deadline=timedelta(seconds=20),
    derandomize="CCHC_FUZZ_EXAMPLES" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@st.composite
def changed(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """A seed with pieces cut out, repeated, replaced or put in, or bytes of no seed at all."""
    content = bytearray(draw(st.sampled_from([*seeds, b""])))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(content)))
        end = min(len(content), at + draw(st.integers(0, 64)))
        match draw(st.sampled_from(["cut", "repeat", "replace", "end"])):
            case "cut":
                del content[at:end]
            case "repeat":
                content[at:at] = content[at:end] * draw(st.integers(1, 50))
            case "replace":
                content[at:end] = draw(st.one_of(st.binary(max_size=40), st.sampled_from(NASTY)))
            case "end":
                del content[at:]
    return bytes(content)


NASTY = [
    b'"', b'""', b'"\n', b"\r", b"\r\n", b"\n", b",", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"=1+1",
    b"-", b"99999999999999999999999999999999", b"1e400", b"NaN", b"-0", b"\xe2\x80\x8b", "ộ".encode(),
    b"../../etc/passwd",
    b"'; drop table ops.load; --", b"{", b"}", b"[", b"]", b"null", b"\\ud800", b"\\u0000", b"<", b">", b"&lt;",
    b"<!DOCTYPE x>", b't="e"', b' r="XFD1048576"', b' r="a1"',
]  # fmt: skip


def corpus(reader: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted((CORPUS / reader).iterdir())]


# --------------------------------------------------------------------------------------------------------- exports

EXPORTS = contracts()["one_stop"].tables[0]


def _export() -> bytes:
    return (",".join(GOOD_ROW) + "\r\n" + ",".join(f'"{cell}"' for cell in GOOD_ROW.values()) + "\r\n").encode() * 1


def read_export(content: bytes, ending: str = ".csv", block_bytes: int = 4 << 20) -> None:
    checker = Checker(EXPORTS, Pseudonyms(b"k" * 32))
    try:
        reader = CsvReader(open_export(io.BytesIO(content), f"x{ending}"), EXPORTS, block_bytes)
        for block in reader.blocks():
            checked = checker.check(block.frame)
            # read = loaded + rejected: repeats are dropped later, by the database
            assert block.record_count == checked.good.height + len(checked.faults) + len(block.broken)
            lines = [*checked.good["_row"], *checked.faults, *(row for row, _ in block.broken)]
            assert len(set(lines)) == len(lines)
    except UnreadableFile as error:
        assert str(error)


@fuzzed
@given(changed([_export(), *corpus("export")]), st.sampled_from([".csv", ".csv.gz", ".csv.zst"]), st.integers(1, 200))
def test_export(content: bytes, ending: str, block_bytes: int) -> None:
    read_export(content, ending)
    # however small the blocks are in which it comes
    read_export(content, block_bytes=block_bytes)


# -------------------------------------------------------------------------------------------------------- workbooks

BOOK = saved(good_book("bien_che"))


def read_workbook(content: bytes, source: str = "bien_che") -> None:
    contract = contracts()[source]
    try:
        workbook = Workbook(content, Limits(10_000_000, 50_000_000))
    except UnreadableFile as error:
        assert str(error)
        return
    for table in contract.tables:
        try:
            batch = read_sheet(workbook.sheet(sheet_of(workbook, table)), table, contract, names()).batch
        except UnreadableFile as error:
            assert str(error)
            continue
        checked = Checker(table).check(batch.frame, batch.found)
        assert batch.frame.height == checked.good.height + len(checked.faults)


@st.composite
def changed_package(draw: st.DrawFn, whole: bytes) -> bytes:
    """A package whose parts are changed before they are packed: random bytes of a zip seldom get past its checksum."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        touched = draw(st.sets(st.sampled_from(source.namelist()), max_size=2))
        for name in source.namelist():
            content = source.read(name)
            archive.writestr(name, draw(changed([content])) if name in touched else content)
    return target.getvalue()


@fuzzed
@given(st.one_of(changed_package(BOOK), changed([BOOK, *corpus("workbook")])))
def test_workbook(content: bytes) -> None:
    read_workbook(content)


_CELL = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**18), 10**18),
    st.floats(allow_nan=False, allow_infinity=False),
    st.datetimes(),
    st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=30),
    st.sampled_from(["Sở Nội vụ", "Tổng cộng", "I", "1.234", "12,5", "-", "#REF!", "Cộng", "ĐVT: tỷ đồng", "=1+1"]),
)


@fuzzed
@given(st.lists(st.lists(_CELL, max_size=6), max_size=12), st.booleans())
def test_workbook_of_any_cells(rows: list[list[Any]], is_below_header: bool) -> None:
    book = good_book("bien_che")
    sheet = book["Cong chuc"]
    if not is_below_header:
        sheet.delete_rows(1, sheet.max_row)
    for row in rows:
        sheet.append([f"'{cell}" if isinstance(cell, str) and cell.startswith("=") else cell for cell in row])
    read_workbook(saved(book))


# ------------------------------------------------------------------------------------------------------------ feeds

_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
    max_leaves=12,
)


VALUES = ["2024-06-14", "14/06/2024", "2024-06-14T08:00:00+07:00", "1000", "H31.05"]


def _rows_of(fields: list[str]) -> st.SearchStrategy[list[dict[str, Any]]]:
    value = st.one_of(_JSON, st.sampled_from(VALUES))
    return st.lists(st.dictionaries(st.sampled_from(fields), value, max_size=len(fields)), max_size=6)


def account_for(parse: Callable[..., Any], source: str, dataset: str, content: bytes, folder: Path) -> None:
    """What is landed was a good answer, so it loads; its rows are all accounted for."""
    try:
        rows = list(parse(content, dataset))
    except FeedError as error:
        assert str(error)
        return
    path = folder / "landed.jsonl"
    path.write_bytes(content)
    table = contracts()[source].table(dataset)
    [batch] = batches(Landed(str(path), "0" * 64, len(content)), table, {}, parse)
    checked = Checker(table).check(batch.frame, batch.found)
    read = batch.frame.height + len(batch.faults) + batch.duplicate_count
    assert len(rows) == read
    assert batch.frame.height == checked.good.height + len(checked.faults)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@fuzzed
@given(st.data())
def test_portal_rows(folder: Path, data: st.DataObject) -> None:
    service = data.draw(st.sampled_from(portal.SERVICES))
    rows = data.draw(_rows_of([*service.shape, "SESSION", "message"]))
    body = json.dumps({"error_code": "0", "result": rows})
    line = json.dumps({"service": service.name, "body": body}).encode() + b"\n"
    account_for(portal.parse, "portal", service.dataset, line, folder)


@fuzzed
@given(st.data())
def test_budget_rows(folder: Path, data: st.DataObject) -> None:
    resource = data.draw(st.sampled_from(budget.RESOURCES))
    rows = data.draw(_rows_of([*sorted(resource.fields), "x"]))
    body = json.dumps({"maLoi": "00", "tongSoTrang": 1, "tongSoDong": len(rows), "duLieu": rows})
    line = json.dumps({"service": resource.name, "body": body}).encode() + b"\n"
    account_for(budget.parse, "budget", resource.dataset, line, folder)


@fuzzed
@given(changed(corpus("feed")), st.sampled_from(["portal", "budget"]))
def test_feed_answer(content: bytes, source: str) -> None:
    """An answer as it comes over the line, before anybody knows whether it is one."""
    text = content.decode("utf-8", "replace")
    module = portal if source == "portal" else budget
    try:
        tree = module._unwrap(load_json(text, module._fold))
        if source == "budget":
            budget._page("giai-ngan", tree, text, 1)
        elif isinstance(tree, dict):
            portal._code(tree)
            portal._rows(tree)
    except (FeedError, json.JSONDecodeError, RecursionError, portal._Ambiguous):
        return


@fuzzed
@given(changed(corpus("landed")), st.sampled_from(["portal", "budget"]), st.data())
def test_landed_feed(folder: Path, content: bytes, source: str, data: st.DataObject) -> None:
    module = portal if source == "portal" else budget
    dataset = data.draw(st.sampled_from(sorted(module.DATASETS)))
    account_for(module.parse, source, dataset, content, folder)


# --------------------------------------------------------------------------------------------------- declared reports


def _document() -> bytes:
    document = docx.Document()
    document.add_paragraph("Biểu 3. Thủ tục hành chính")
    table = document.add_table(rows=2, cols=4)
    for row, cells in zip(table.rows, (["STT", "Chỉ tiêu", "Đơn vị", "Kết quả"], ["1.1", "x", "hồ sơ", "54.148"])):  # noqa: B905
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


def read_declared(content: bytes, name: str) -> None:
    try:
        found = declared.read(content, name, {(3, "1.1"): "x"})
    except declared.DeclaredUnreadable as error:
        assert name in str(error)
        return
    for row in (*found.rows, *found.strangers):
        for kind in ("count", "percent", "amount"):
            reading = declared.read_number(row.text, kind)
            assert reading.value is None or reading.fault is None
    for figure in found.figures:
        declared.read_figure(figure, "count")


DOCUMENT = _document()


@fuzzed
@given(
    st.one_of(changed_package(DOCUMENT), changed_package(BOOK), changed([DOCUMENT, *corpus("declared")])),
    st.sampled_from(["a.docx", "a.xlsx", "a.csv"]),
)
def test_declared(content: bytes, name: str) -> None:
    read_declared(content, name)


# ----------------------------------------------------------------------------------------------------------- corpus


def _replay(reader: str, content: bytes, folder: Path) -> None:
    match reader:
        case "export":
            for ending in (".csv", ".csv.gz", ".csv.zst"):
                read_export(content, ending)
        case "workbook":
            read_workbook(content)
        case "declared":
            for name in ("a.docx", "a.xlsx", "a.csv"):
                read_declared(content, name)
        case "landed":
            for module, source in ((portal, "portal"), (budget, "budget")):
                for dataset in module.DATASETS:
                    account_for(module.parse, source, dataset, content, folder)
        case "feed":
            test_feed_answer.hypothesis.inner_test(content, "portal")
            test_feed_answer.hypothesis.inner_test(content, "budget")
        case _:
            raise AssertionError(f"no reader is called {reader}")


@pytest.mark.parametrize(
    "path", sorted(p for p in CORPUS.rglob("*") if p.is_file()), ids=lambda p: f"{p.parent.name}/{p.name}"
)
def test_corpus(path: Path, tmp_path: Path) -> None:
    _replay(path.parent.name, path.read_bytes(), tmp_path)
