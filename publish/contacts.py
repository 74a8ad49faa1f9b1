"""Whom to call in each department: a CSV that the province keeps (`CCHC_CONTACTS`). Addresses are never code."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from publish import output

COLUMNS = ("Đơn vị", "Người liên hệ", "Điện thoại", "Thư điện tử")
_ADDRESS = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+", re.ASCII)


class ContactsUnreadable(ValueError):
    """The list of contacts cannot be used. The message names the line, not the person."""


@dataclass(frozen=True)
class Contact:
    """One person of a department; what is not known is blank."""

    name: str
    phone: str
    address: str

    def __str__(self) -> str:
        return ", ".join(part for part in (self.name, self.phone, self.address) if part)


def read_contacts(url: str, departments: Iterable[str]) -> dict[str, tuple[Contact, ...]]:
    """{department: its contacts}, in the order of the file; a department without one is not in it.

    `url` is a file or any fsspec URL; blank gives none. The file is UTF-8 with the header COLUMNS, its fields parted by
    commas or semicolons; a department may have several lines. Raises ContactsUnreadable for a file that is not there,
    a column that lacks, a department that no contract names and an address that is none.
    """
    if not url:
        return {}
    content = output.read_if_there(url)
    if content is None:
        raise ContactsUnreadable(f"Không có tệp danh bạ {url}")
    try:
        lines = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ContactsUnreadable(f"{url}: danh bạ phải lưu ở dạng CSV UTF-8") from None
    heading = lines.partition("\n")[0]
    table = csv.reader(io.StringIO(lines), delimiter=";" if heading.count(";") > heading.count(",") else ",")
    columns = [_plain(cell) for cell in next(table, [])]
    if missing := [name for name in COLUMNS if _plain(name) not in columns]:
        raise ContactsUnreadable(f"{url}: thiếu cột {', '.join(missing)}")
    at = [columns.index(_plain(name)) for name in COLUMNS]
    known = {_plain(name): name for name in departments}
    found: dict[str, tuple[Contact, ...]] = {}
    for row in table:
        if not any(cell.strip() for cell in row):
            continue
        department, name, phone, address = (" ".join(row[n].split()) if n < len(row) else "" for n in at)
        if _plain(department) not in known:
            raise ContactsUnreadable(f"{url}, dòng {table.line_num}: không có đơn vị «{department}»")
        if address and not _ADDRESS.fullmatch(address):
            raise ContactsUnreadable(f"{url}, dòng {table.line_num}: địa chỉ thư không đúng dạng")
        owner = known[_plain(department)]
        found[owner] = (*found.get(owner, ()), Contact(name, phone, address))
    return found


def addresses(listed: str) -> tuple[str, ...]:
    """The addresses of a setting, which commas part; raises ContactsUnreadable."""
    found = tuple(address.strip() for address in listed.split(",") if address.strip())
    if not all(_ADDRESS.fullmatch(address) for address in found):
        raise ContactsUnreadable("Địa chỉ thư trong cấu hình không đúng dạng")
    return found


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", " ".join(text.split())).casefold()
