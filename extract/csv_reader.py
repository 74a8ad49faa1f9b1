"""The CSV reader: RFC 4180 in blocks, so that memory does not grow with the file.

A block of bytes is cut into records with whole-array operations; only a block that breaks the rules of quoting is
looked at record by record. What survives goes to Polars as text; typing and rules are the checker's (`extract.check`).
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
import polars as pl
import zstandard

from extract.contract import Table
from extract.privacy import label

BLOCK_BYTES = 4 << 20
LONGEST_RECORD = 1 << 20
# so that a block of short bad lines makes no mountain of objects
_MOST_RECORDS = 1 << 16
# no more than 2^17 bytes come out of 4 bytes of zstd, so this much read at a time bounds what comes out
_ZSTD_READ = 1 << 10
_ZSTD_LARGEST_WINDOW = 1 << 27
_QUOTE, _COMMA, _NEWLINE, _RETURN = b'",\n\r'

# one record; possessive, so that hostile quotes cost no backtracking
_FIELD = rb'(?:"(?:[^"]++|"")*+"|[^",\r\n]*+)'
_RECORD = re.compile(_FIELD + rb"(?:," + _FIELD + rb")*+\r?\n")
_QUOTED = re.compile(rb'"[^"]*+"')
_BLANK_LINES = re.compile(rb"(?:[ \t]*\r?\n)*")

WRONG_FIELD_COUNT = "wrong_field_count"
NOT_UTF8 = "not_utf8"
BAD_QUOTES = "bad_quotes"
BAD_RETURN = "bad_return"
TOO_LONG = "record_too_long"
NUL_BYTE = "nul_byte"

REASONS = {
    WRONG_FIELD_COUNT: "Số trường của dòng khác với dòng tiêu đề",
    NOT_UTF8: "Dòng chứa byte không phải UTF-8",
    BAD_QUOTES: "Dấu ngoặc kép đặt sai quy tắc CSV (RFC 4180)",
    BAD_RETURN: "Ký tự CR đứng lẻ ngoài ngoặc kép, sai quy tắc CSV (RFC 4180)",
    TOO_LONG: "Bản ghi dài quá 1 MiB",
    NUL_BYTE: "Dòng chứa byte NUL",
}


class UnreadableFile(ValueError):
    """The whole file is refused; the message is for the department that sent it."""


@dataclass
class Block:
    """Some records: good ones as text columns, plus `_row`, the physical line where each begins; bad ones by line."""

    frame: pl.DataFrame
    broken: list[tuple[int, str]] = field(default_factory=list)

    @property
    def record_count(self) -> int:
        return self.frame.height + len(self.broken)


@dataclass
class Header:
    """Which contract columns the file has and where, and what it has besides."""

    columns: dict[str, int]
    width: int
    unknown: list[str]
    missing_optional: list[str]


@dataclass
class _Records:
    """Places of records in a block: where they start and end, their lines, how many fields they have."""

    starts: np.ndarray
    ends: np.ndarray
    lines: np.ndarray
    fields: np.ndarray

    def __getitem__(self, part: slice | np.ndarray) -> _Records:
        return _Records(self.starts[part], self.ends[part], self.lines[part], self.fields[part])

    def __len__(self) -> int:
        return len(self.starts)


class CsvReader:
    """Reads one export by its contract. Raises UnreadableFile for a file that is refused whole."""

    def __init__(self, stream: BinaryIO, table: Table, block_bytes: int = BLOCK_BYTES) -> None:
        self._stream = stream
        self._table = table
        self._block_bytes = block_bytes
        self._line = 1
        self._rest = b""
        self._at_end = False
        self.header = self._read_header()

    def blocks(self) -> Iterator[Block]:
        """The records after the header, block by block."""
        wanted = self._block_bytes
        while True:
            self._fill(wanted)
            if not self._rest:
                return
            before = len(self._rest)
            yield from self._cut()
            # a record may be longer than a block
            wanted = self._block_bytes if len(self._rest) < before else 2 * before

    def _fill(self, wanted: int) -> None:
        """Have `wanted` bytes at hand, or all there are; the last line gets the line end it may lack."""
        parts = [self._rest]
        size = len(self._rest)
        while size < wanted and not self._at_end:
            try:
                block = self._stream.read(min(wanted, 1 << 20))
            except (EOFError, gzip.BadGzipFile, zlib.error, zstandard.ZstdError) as error:
                raise UnreadableFile("Tệp nén bị hỏng hoặc bị cắt cụt; hãy gửi lại tệp") from error
            if not block:
                self._at_end = True
                last = next((part[-1] for part in reversed(parts) if part), _NEWLINE)
                block = b"" if last == _NEWLINE else b"\n"
            parts.append(block)
            size += len(block)
        self._rest = b"".join(parts)

    def _read_header(self) -> Header:
        self._fill(LONGEST_RECORD)
        self._rest = self._rest.removeprefix(b"\xef\xbb\xbf")
        start = _BLANK_LINES.match(self._rest).end()
        if not self._rest[start:].strip():
            raise UnreadableFile("Tệp rỗng: không có cả dòng tiêu đề")
        match = _RECORD.match(self._rest, start, start + LONGEST_RECORD)
        if match is None:
            raise UnreadableFile("Không đọc được dòng tiêu đề của tệp CSV")
        self._line += self._rest.count(b"\n", 0, match.end())
        self._rest = self._rest[match.end() :]
        try:
            names = next(csv.reader(io.StringIO(match.group().decode("utf-8"), newline="")))
        except (UnicodeDecodeError, csv.Error) as error:
            raise UnreadableFile("Dòng tiêu đề không phải UTF-8 hoặc không phải CSV") from error
        return self._match_header(names)

    def _match_header(self, names: list[str]) -> Header:
        by_label = {column.header.casefold(): column for column in self._table.columns}
        columns: dict[str, int] = {}
        unknown = []
        for position, name in enumerate(names):
            column = by_label.get(name.strip().casefold())
            if column is None:
                unknown.append(label(name) or f"thứ {position + 1}")
            elif column.name in columns:
                raise UnreadableFile(f"Cột {column.header} có hai lần trong dòng tiêu đề")
            else:
                columns[column.name] = position
        missing = [column for column in self._table.columns if column.name not in columns]
        if required := [column.header for column in missing if column.required]:
            # what the line does hold is not quoted: without a header line it is somebody's record
            known = [self._table.column(name).header for name in columns]
            raise UnreadableFile(
                f"Thiếu cột bắt buộc: {', '.join(required)}; dòng đầu có {len(names)} cột, nhận ra: "
                f"{', '.join(known) or 'không cột nào'}"
            )
        return Header(columns, len(names), unknown, [column.header for column in missing])

    def _cut(self) -> Iterator[Block]:
        data = self._rest
        view = np.frombuffer(data, dtype=np.uint8)
        quotes = np.flatnonzero(view == _QUOTE)
        newlines = np.flatnonzero(view == _NEWLINE)
        ends = newlines + 1
        if quotes.size:
            ends = ends[_are_outside(newlines, quotes)]
        if not ends.size or np.diff(ends, prepend=0).max() > LONGEST_RECORD:
            yield from self._cut_one_by_one(data)
            return
        used = int(ends[-1])
        quotes = quotes[: np.searchsorted(quotes, used)]
        if not (_quotes_are_well_placed(view, quotes) and _returns_end_lines(view[:used], quotes)):
            yield from self._cut_one_by_one(data)
            return

        starts = np.concatenate(([0], ends[:-1]))
        lines = self._line + np.searchsorted(newlines, starts)
        commas = np.flatnonzero(view[:used] == _COMMA)
        if quotes.size:
            commas = commas[_are_outside(commas, quotes)]
        fields = np.diff(np.searchsorted(commas, ends), prepend=0) + 1

        self._line += int(np.searchsorted(newlines, used))
        self._rest = data[used:]
        yield from self._blocks(data, _Records(starts, ends, lines, fields), [])

    def _cut_one_by_one(self, data: bytes) -> Iterator[Block]:
        """Something is out of place: find records from line to line, so that one bad line costs itself alone."""
        found: list[tuple[int, int, int, int]] = []
        broken: list[tuple[int, str]] = []
        position, line = 0, self._line
        while position < len(data):
            match = _RECORD.match(data, position, position + LONGEST_RECORD)
            if match is not None:
                end = match.end()
                record = match.group()
                found.append((position, end, line, _QUOTED.sub(b"", record).count(b",") + 1))
            elif len(data) - position < LONGEST_RECORD and not self._at_end:
                break  # it may go on in the next block
            else:
                end = data.find(b"\n", position) + 1
                if end == 0:
                    end = len(data)
                    broken.append((line, TOO_LONG))
                    line += self._skip_to_next_line()
                elif end - position > LONGEST_RECORD:
                    broken.append((line, TOO_LONG))
                else:
                    broken.append((line, BAD_QUOTES if b'"' in data[position:end] else BAD_RETURN))
            line += data.count(b"\n", position, end)
            position = end
        self._rest = self._rest[position:]
        self._line = line
        places = np.array(found, dtype=np.int64).reshape(-1, 4).T
        yield from self._blocks(data, _Records(*places), broken)

    def _skip_to_next_line(self) -> int:
        """Drop the rest of a line too long to hold; `_rest` keeps what is being cut, then what follows that line.

        Returns how many line ends were dropped: 1, or 0 at the end of the file.
        """
        held = self._rest
        while not self._at_end:
            self._rest = b""
            self._fill(1 << 20)
            newline = self._rest.find(b"\n")
            if newline >= 0:
                self._rest = held + self._rest[newline + 1 :]
                return 1
        self._rest = held
        return 0

    def _blocks(self, data: bytes, records: _Records, broken: list[tuple[int, str]]) -> Iterator[Block]:
        for first in range(0, len(records), _MOST_RECORDS):
            yield self._block(data, records[first : first + _MOST_RECORDS])
        if broken:
            yield Block(self._to_frame(b"", np.empty(0, dtype=np.int64)), broken)

    def _block(self, data: bytes, records: _Records) -> Block:
        """Take out blank lines and records of the wrong shape; the rest becomes text columns."""
        view = np.frombuffer(data, dtype=np.uint8)
        kept = (records.ends - records.starts > 2) | ~np.isin(view[records.starts], (_NEWLINE, _RETURN))
        records = records[kept] if not kept.all() else records
        wrong = {int(i): WRONG_FIELD_COUNT for i in np.flatnonzero(records.fields != self.header.width)}
        if b"\0" in data:
            wrong |= {i: NUL_BYTE for i, record in self._each(data, records) if b"\0" in record}
        if not _is_utf8(data):
            wrong |= {i: NOT_UTF8 for i, record in self._each(data, records) if not _is_utf8(record)}
        lines = records.lines
        kept = np.ones(len(records), dtype=bool)
        kept[list(wrong)] = False
        records = records[kept] if wrong else records
        whole = len(records) > 0 and records.ends[-1] - records.starts[0] == (records.ends - records.starts).sum()
        if whole:
            data = data[records.starts[0] : records.ends[-1]]
        else:
            data = b"".join(record for _, record in self._each(data, records))
        return Block(self._to_frame(data, records.lines), [(int(lines[i]), code) for i, code in sorted(wrong.items())])

    @staticmethod
    def _each(data: bytes, records: _Records) -> Iterator[tuple[int, bytes]]:
        for i, (start, end) in enumerate(zip(records.starts.tolist(), records.ends.tolist(), strict=True)):
            yield i, data[start:end]

    def _to_frame(self, data: bytes, lines: np.ndarray) -> pl.DataFrame:
        wanted = {name: position for name, position in self.header.columns.items() if self._is_needed(name)}
        row = pl.Series("_row", lines, dtype=pl.Int64)
        if not lines.size:
            return pl.DataFrame({name: pl.Series([], dtype=pl.String) for name in wanted} | {"_row": row})
        frame = pl.read_csv(
            data,
            has_header=False,
            schema={f"column_{i + 1}": pl.String for i in range(self.header.width)},
            columns=sorted(wanted.values()),
            quote_char='"',
            truncate_ragged_lines=False,
        )
        if frame.height != lines.size:
            raise AssertionError(f"cut {lines.size} records, parsed {frame.height}")
        names = {f"column_{position + 1}": name for name, position in wanted.items()}
        return frame.rename(names).with_columns(row)

    def _is_needed(self, name: str) -> bool:
        column = self._table.column(name)
        return column.is_stored or column.custom("privacy") == "pseudonym"


def open_export(stream: BinaryIO, name: str) -> BinaryIO:
    """The uncompressed bytes of an export, by the ending of its name."""
    if name.endswith(".gz"):
        return gzip.open(stream, "rb")
    if name.endswith(".zst"):
        return io.BufferedReader(_ZstdFrames(stream), buffer_size=1 << 16)
    return stream


class _ZstdFrames(io.RawIOBase):
    """Frame after frame, uncompressed. EOFError when the last one is incomplete: zstandard's own stream takes that for
    the end.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_LARGEST_WINDOW)
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._compressed = b""
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, target: memoryview) -> int:
        while not self._ready:
            self._compressed = self._compressed or self._stream.read(_ZSTD_READ)
            if not self._compressed:
                if self._frame is not None:
                    raise EOFError("the last frame is incomplete")
                return 0
            self._frame = self._frame or self._decompressor.decompressobj()
            self._ready = memoryview(self._frame.decompress(self._compressed))
            self._compressed = b""
            if self._frame.eof:
                self._compressed = self._frame.unused_data
                self._frame = None
        count = min(len(target), len(self._ready))
        target[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _are_outside(places: np.ndarray, quotes: np.ndarray) -> np.ndarray:
    """Which places are not inside quotes: an even number of quotes comes before them."""
    return np.searchsorted(quotes, places) % 2 == 0


def _quotes_are_well_placed(view: np.ndarray, quotes: np.ndarray) -> bool:
    """Opening quotes follow a separator, closing ones precede one; a doubled quote is a closing and an opening one.

    `quotes` are those of whole records, hence even in number, and a line end follows the last.
    """
    opening, closing = quotes[0::2], quotes[1::2]
    before = view[opening[opening > 0] - 1]
    after = view[closing + 1]
    return bool(
        np.isin(before, (_COMMA, _NEWLINE, _QUOTE)).all() and np.isin(after, (_COMMA, _NEWLINE, _RETURN, _QUOTE)).all()
    )


def _returns_end_lines(view: np.ndarray, quotes: np.ndarray) -> bool:
    """Outside quotes a CR stands only before an LF."""
    returns = np.flatnonzero(view == _RETURN)
    alone = returns[view[returns + 1] != _NEWLINE] if returns.size else returns
    return not alone.size or not _are_outside(alone, quotes).any()
