"""The CSV reader against Python's csv module, hostile files and its own limits."""

from __future__ import annotations

import csv
import gzip
import io
import random
import subprocess
import sys
import textwrap
from collections.abc import Iterable

import pytest
import zstandard
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from extract.contract import Table
from extract.csv_reader import (
    BAD_QUOTES,
    BAD_RETURN,
    LONGEST_RECORD,
    NOT_UTF8,
    NUL_BYTE,
    TOO_LONG,
    WRONG_FIELD_COUNT,
    CsvReader,
    UnreadableFile,
    open_export,
)

Row = list[str]


def table(*names: str, optional: Iterable[str] = ()) -> Table:
    """A contract of plain texts, the headers spelled in capitals."""
    columns = [
        {
            "name": name,
            "physicalName": name.upper(),
            "physicalType": "text",
            "logicalType": "string",
            "required": name not in optional,
        }
        for name in names
    ]
    return Table.model_validate({"name": "t", "physicalName": "t", "properties": columns})


def read(
    content: bytes, contract: Table | None = None, block_bytes: int = 1 << 22, name: str = "x.csv"
) -> tuple[list[tuple[int, Row]], list[tuple[int, str]]]:
    """(line, fields) of the good records, (line, reason) of the others."""
    reader = CsvReader(open_export(io.BytesIO(content), name), contract or table("a", "b"), block_bytes)
    good: list[tuple[int, Row]] = []
    broken: list[tuple[int, str]] = []
    for block in reader.blocks():
        lines = block.frame["_row"].to_list()
        good += zip(lines, map(list, block.frame.drop("_row").fill_null("").rows()), strict=True)
        broken += block.broken
    return sorted(good), sorted(broken)


def header_of(content: bytes, contract: Table) -> CsvReader:
    return CsvReader(io.BytesIO(content), contract)


def expected(rows: Iterable[Row], line_end: str) -> tuple[bytes, list[tuple[int, Row]]]:
    """What csv.writer makes of the rows, and the physical line where each begins."""
    content, places, line = "", [], 1
    for row in rows:
        target = io.StringIO()
        csv.writer(target, lineterminator=line_end).writerow(row)
        # only a CR inside quotes is data, and this writer quotes it only when its line end has one
        written = target.getvalue()
        places.append((line, row))
        line += written.count("\n")
        content += written
    return content.encode(), places[1:]


# ------------------------------------------------------------------------------------------ any table, any block

cells = st.text(
    st.one_of(
        st.sampled_from([*",\"\n;\t '\\.đắ𠮷"]),
        st.characters(codec="utf-8", exclude_characters="\0\r"),
    ),
    max_size=12,
)
with_returns = st.one_of(cells, st.sampled_from(["\r", "a\r", "\r\n", "x\ry", "\n\r", '"\r"']))


@given(
    rows=st.lists(st.lists(with_returns, min_size=3, max_size=3), max_size=25),
    block_bytes=st.sampled_from([1, 7, 64, 256, 4096, 1 << 22]),
)
@example(rows=[["", "", ""], ["", "", '"'], ["\n", '""', "\r\n"]], block_bytes=1)
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_table_of_texts_comes_back(rows: list[Row], block_bytes: int) -> None:
    content, places = expected([["A", "B", "C"], *rows], "\r\n")
    assert read(content, table("a", "b", "c"), block_bytes) == (places, [])


@given(
    rows=st.lists(st.lists(cells, min_size=2, max_size=2), max_size=25),
    block_bytes=st.sampled_from([1, 64, 999]),
    last_line_end=st.booleans(),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_also_with_plain_line_ends_and_a_last_line_without(
    rows: list[Row], block_bytes: int, last_line_end: bool
) -> None:
    content, places = expected([["A", "B"], *rows], "\n")
    assert read(content if last_line_end else content.removesuffix(b"\n"), None, block_bytes) == (places, [])


def test_a_large_table_with_line_breaks_in_quotes_comes_back_over_block_borders() -> None:
    chance = random.Random(5)
    words = ["", "a", "Số 5, đường X", "dòng\nhai", 'nói "vâng"', "\n\n", "x" * 300, "\r\n"]
    rows = [[chance.choice(words) for _ in range(4)] for _ in range(30_000)]
    content, places = expected([["A", "B", "C", "D"], *rows], "\r\n")
    assert len(content) > 2 << 20
    contract = table("a", "b", "c", "d")
    for block_bytes in (1 << 14, 1 << 20, 4 << 20):
        assert read(content, contract, block_bytes) == (places, [])


@given(
    content=st.lists(
        st.sampled_from([b'"', b",", b"\n", b"\r\n", b"\r", b"a", b"b,c\n", b'"x\n"', b"\xff", b"\0"])
    ).map(b"".join),
    block_bytes=st.sampled_from([2, 64, 1 << 22]),
)
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_hostile_bytes_are_read_the_same_whatever_the_blocks(content: bytes, block_bytes: int) -> None:
    """No crash, every line in at most one record, and the block size decides nothing."""
    content = b"A,B\n" + content
    good, broken = read(content, None, block_bytes)
    assert (good, broken) == read(content, None, 1 << 20)
    lines = [line for line, _ in good + broken]
    assert len(lines) == len(set(lines))
    assert all(2 <= line <= content.count(b"\n") + 1 for line in lines)


# ------------------------------------------------------------------------------------------------------- header


def test_columns_in_any_order_and_case_with_a_byte_order_mark() -> None:
    content = b'\xef\xbb\xbfb ,"A"\r\n2,1\r\n'
    assert read(content) == ([(2, ["2", "1"])], [])
    assert header_of(content, table("a", "b")).header.columns == {"b": 0, "a": 1}


def test_unknown_columns_are_left_out_and_reported() -> None:
    content = "A,Ghi chú,B,\n1,x,2,y\n".encode()
    assert read(content) == ([(2, ["1", "2"])], [])
    assert header_of(content, table("a", "b")).header.unknown == ["Ghi chú", "thứ 4"]


def test_an_unknown_header_is_shown_fit_for_a_message() -> None:
    content = b"A,B,x\0y,0912345678,a@b.vn," + b"z" * 5000 + b"\n"
    assert header_of(content, table("a", "b")).header.unknown == ["x y", "thứ 4", "thứ 5", "z" * 59 + "…"]


def test_a_missing_optional_column_is_reported() -> None:
    reader = header_of(b"A\n1\n", table("a", "b", optional=["b"]))
    assert reader.header.missing_optional == ["B"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Tệp rỗng"),
        (b"\xef\xbb\xbf", "Tệp rỗng"),
        (b"\r\n \n", "Tệp rỗng"),
        (b"B,C\n1,2\n", "Thiếu cột bắt buộc: A"),
        (b"A;B\n1;2\n", "Thiếu cột bắt buộc: A, B"),
        (b"A,B,a\n1,2,3\n", "Cột A có hai lần"),
        (b'A,"B\n1,2\n', "Không đọc được dòng tiêu đề"),
        (b"A,B\r1,2\r", "Không đọc được dòng tiêu đề"),
        ("A,B,Ghi chú\n".encode("cp1258"), "không phải UTF-8"),
        ("A,B\n1,2\n".encode("utf-16"), "UTF-8"),
        (b"A,B," + b"x" * LONGEST_RECORD + b"\n", "Không đọc được dòng tiêu đề"),
    ],
)
def test_a_file_without_a_usable_header_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(UnreadableFile, match=message):
        header_of(content, table("a", "b"))


def test_a_refusal_does_not_quote_a_first_line_that_is_somebodys_record() -> None:
    with pytest.raises(UnreadableFile) as refused:
        header_of("H31.05-240115-00012,Nguyễn Văn Ánh,033090001234\n".encode(), table("a", "b"))
    assert "nh" in str(refused.value)
    assert not any(part in str(refused.value) for part in ("Ánh", "0330", "H31"))


def test_a_header_alone_gives_no_records() -> None:
    assert read(b"A,B") == read(b"A,B\r\n") == ([], [])


def test_lines_count_from_the_files_first_also_after_blank_ones_and_a_header_of_two_lines() -> None:
    assert read(b'\r\n\nA,B,"C\nC"\n1,2,3\n') == ([(5, ["1", "2"])], [])


# --------------------------------------------------------------------------------------------------- bad records


@pytest.mark.parametrize("block_bytes", [1, 8, 64, 4096])
@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"1\n", WRONG_FIELD_COUNT),
        (b"1,2,3\n", WRONG_FIELD_COUNT),
        (b'1,"x\ny",3\n', WRONG_FIELD_COUNT),
        (b'1,x"y\n', BAD_QUOTES),
        (b'1,"x"y\n', BAD_QUOTES),
        (b'1, "x"\n', BAD_QUOTES),
        (b'"1,x\n', BAD_QUOTES),
        (b'1,"x"\ry\n', BAD_QUOTES),
        (b"1,x\ry\n", BAD_RETURN),
        (b"1,x\r\r\n", BAD_RETURN),
        (b"1,\xff\n", NOT_UTF8),
        (b"1,\xed\xa0\x80\n", NOT_UTF8),
        (b'"\xc3\n",2\n', NOT_UTF8),
        (b"1,\0\n", NUL_BYTE),
    ],
)
def test_a_bad_record_costs_only_itself(bad: bytes, reason: str, block_bytes: int) -> None:
    before, after = b'1,2\n"3\n",4\n', b'5,"6""7"\n\n"8\n\n",9\n10,11'
    line = 1 + b"A,B\n".count(b"\n") + before.count(b"\n")
    good, broken = read(b"A,B\n" + before + bad + after, None, block_bytes)
    assert broken == [(line, reason)]
    last = line + bad.count(b"\n")
    assert good == [
        (2, ["1", "2"]),
        (3, ["3\n", "4"]),
        (last, ["5", '6"7']),
        (last + 2, ["8\n\n", "9"]),
        (last + 5, ["10", "11"]),
    ]


@pytest.mark.parametrize("block_bytes", [16, 4096, 4 << 20])
def test_an_unclosed_quote_costs_its_line_and_not_the_rest_of_the_file(block_bytes: int) -> None:
    count = 3000
    content = b'A,B\n1,"x\n' + b"1,2\n" * count
    good, broken = read(content, None, block_bytes)
    assert broken == [(2, BAD_QUOTES)]
    assert [line for line, _ in good] == list(range(3, 3 + count))


def test_an_unclosed_quote_in_the_last_record_is_not_read_as_its_text() -> None:
    assert read(b'A,B\n1,2\n3,"x\n4,y') == ([(2, ["1", "2"]), (4, ["4", "y"])], [(3, BAD_QUOTES)])


def test_a_stray_quote_far_into_a_large_file_costs_one_line() -> None:
    lines = [f'{n},"x\ny{n}"\n'.encode() for n in range(100_000)]
    lines[70_000] = b'1,a"b\n'
    good, broken = read(b"A,B\n" + b"".join(lines), None, 1 << 18)
    assert broken == [(2 + 2 * 70_000, BAD_QUOTES)]
    assert len(good) == len(lines) - 1
    assert good[-1] == (2 + 2 * 99_999 - 1, ["99999", "x\ny99999"])


def test_blank_lines_are_no_records() -> None:
    assert read(b"A,B\n\n1,2\r\n\r\n\n3,4\n\n") == ([(3, ["1", "2"]), (6, ["3", "4"])], [])


def test_a_record_of_commas_is_a_record() -> None:
    assert read(b"A,B\n,\n") == ([(2, ["", ""])], [])


# ---------------------------------------------------------------------------------------------------- long ones


@pytest.mark.parametrize("block_bytes", [4096, 4 << 20])
@pytest.mark.parametrize("quote", [b"", b'"'])
def test_a_record_of_1_mib_is_read_and_a_longer_one_is_not(block_bytes: int, quote: bytes) -> None:
    longest = b"1," + quote + b"x" * (LONGEST_RECORD - 3 - 2 * len(quote)) + quote + b"\n"
    assert len(longest) == LONGEST_RECORD
    for length, expected_broken in ((0, []), (1, [(3, TOO_LONG)])):
        record = longest.replace(b"x", b"x" * (1 + length), 1)
        good, broken = read(b"A,B\n1,2\n" + record + b"3,4\n", None, block_bytes)
        assert broken == expected_broken
        assert good[0] == (2, ["1", "2"])
        assert good[-1] == (4, ["3", "4"])
        assert len(good) == 3 - length


MEASURE = """
    import io, itertools
    from extract.csv_reader import CsvReader
    from extract.contract import contracts

    def peak():
        # not ru_maxrss, which begins at what the parent process had
        status = open("/proc/self/status").read()
        return int(status.split("VmHWM:")[1].split()[0]) // 1024

    class Stream:
        def __init__(self, parts): self.parts, self.rest = parts, b""
        def read(self, size):
            while len(self.rest) < size:
                part = next(self.parts, b"")
                if not part: break
                self.rest += part
            block, self.rest = self.rest[:size], self.rest[size:]
            return block

    table = contracts()["one_stop"].tables[0]
    header = ",".join(column.header for column in table.columns).encode() + b"\\n"
    filler = b"," * (len(table.columns) - 1) + b"\\n"

    def measure(parts):
        before = peak()
        reader = CsvReader(Stream(iter(itertools.chain([header], parts))), table)
        found = [(block.frame.height, list(block.broken)[:3]) for block in reader.blocks()]
        print(sum(n for n, _ in found), [b for _, many in found for b in many][:3], peak() - before)
    measure([filler * 50_000])
"""


def in_a_process(script: str) -> list[str]:
    script = textwrap.dedent(MEASURE) + textwrap.dedent(script)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[1:]


def test_a_line_of_60_mb_takes_no_memory() -> None:
    plain, quoted = in_a_process("""
        measure([filler, *([b"x" * (1 << 20)] * 60), b"\\n", filler])
        measure([filler, b'"', *([b"x" * (1 << 20)] * 60), b"\\n", filler])
    """)
    for line in (plain, quoted):
        assert line.startswith(f"2 [(3, '{TOO_LONG}')] ")
        assert int(line.split()[-1]) < 25


def test_a_file_of_short_bad_lines_takes_no_memory() -> None:
    [line] = in_a_process("""measure([b"x\\n" * (1 << 19)] * 6)""")
    assert line.startswith(f"0 [(2, '{WRONG_FIELD_COUNT}'), ")
    assert int(line.split()[-1]) < 200


# --------------------------------------------------------------------------------------------------- compression

CONTENT = b"A,B\n" + b"".join(b"%d,%d\n" % (n, n * n) for n in range(50_000))


def test_gzip_also_of_several_members() -> None:
    packed = gzip.compress(CONTENT[:1000]) + gzip.compress(CONTENT[1000:])
    assert read(packed, name="x.csv.gz") == read(CONTENT)


def test_zstandard_also_of_several_and_skippable_frames_and_without_a_stated_size() -> None:
    skippable = b"\x50\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"12345"
    stream = zstandard.ZstdCompressor(write_checksum=True).compressobj()
    unsized = stream.compress(CONTENT[1000:]) + stream.flush()
    packed = skippable + zstandard.compress(CONTENT[:1000]) + skippable + unsized + skippable
    assert read(packed, name="x.csv.zst") == read(CONTENT)


def _spoilt(packed: bytes) -> list[bytes]:
    middle = len(packed) // 2
    return [
        packed[:2],
        packed[:middle],
        packed[:-1],
        packed[:middle] + bytes([packed[middle] ^ 0xFF]) + packed[middle + 1 :],
        packed[:10] + b"\xff" * 200,
        packed + b"rubbish",
        CONTENT,
    ]


@pytest.mark.parametrize("which", range(7))
@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_a_spoilt_or_cut_archive_is_refused(ending: str, which: int) -> None:
    pack = gzip.compress if ending == ".gz" else zstandard.ZstdCompressor(write_checksum=True).compress
    with pytest.raises(UnreadableFile, match="hỏng hoặc bị cắt cụt"):
        read(_spoilt(pack(CONTENT))[which], name=f"x.csv{ending}")


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_an_archive_of_nothing_is_an_empty_file(ending: str) -> None:
    pack = gzip.compress if ending == ".gz" else zstandard.compress
    for content in (b"", pack(b"")):
        with pytest.raises(UnreadableFile, match="Tệp rỗng"):
            read(content, name=f"x.csv{ending}")


def test_a_small_archive_of_much_takes_no_memory() -> None:
    [zst, gz] = in_a_process("""
        import gzip, zstandard
        from extract.csv_reader import open_export
        inner = [header, *([filler * 20_000] * 200)]
        for pack, name in ((zstandard.compress, "x.zst"), (gzip.compress, "x.gz")):
            packed = pack(b"".join(inner)); inner_size = sum(map(len, inner)); assert len(packed) * 100 < inner_size
            stream = open_export(io.BytesIO(packed), name)
            before = peak()
            total = sum(len(block) for block in iter(lambda: stream.read(1 << 20), b""))
            print(total == inner_size, peak() - before)
    """)
    for line in (zst, gz):
        assert line.startswith("True ")
        assert int(line.split()[-1]) < 60


def test_a_failing_disk_is_not_the_departments_fault() -> None:
    class Failing(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output error"):
        CsvReader(Failing(), table("a", "b"))


def test_blocks_come_as_they_are_read() -> None:
    """A reader that waited for the end of the file would hold all of it."""
    reader = CsvReader(io.BytesIO(b"A,B\n" + b"1,2\n" * 700_000), table("a", "b"), 1 << 20)
    heights = [block.frame.height for block in reader.blocks()]
    assert sum(heights) == 700_000
    assert max(heights) <= 1 << 16
    assert len(heights) > 10
