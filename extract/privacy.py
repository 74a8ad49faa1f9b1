"""Personal data stays out: identity numbers become keyed pseudonyms, and a value shown to people is harmless."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Iterable

from cchc.settings import Settings

_SHORTEST_KEY = 32
# identity numbers have 9 or 12 digits, tax codes 10 or 13, phones 10 or 11, however they are grouped; a moment has 14
_NUMBER_OF_A_PERSON = re.compile(r"(?<![0-9])(?:[0-9][ .-]?){8,12}[0-9](?![0-9])")
# Beside personal columns only what cannot be a name, an address or a document's number is shown: small numbers, days
# and moments, codes of a known shape, words for nothing. A passport (C1234567) is none of these.
_HARMLESS = re.compile(
    r"""
    [+-]?[0-9]{1,6}([.,][0-9]{1,3})? | -[0-9]{1,8} | (19|20)[0-9]{6} | (19|20)[0-9]{12}
    | [0-9]{1,2}/[0-9]{1,2}/[0-9]{4} | [0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?)?
    | ([0-9]{3}[.][0-9]{2}[.][0-9]{2}[.])?[A-Z][0-9]{2}([.][0-9]{2,3})*([-/_][0-9]{0,6}){0,3}
    | null | none | nan | true | false | n/a
    """,
    re.VERBOSE | re.IGNORECASE,
)
_LONGEST_SHOWN = 60


class MissingPseudonymKey(RuntimeError):
    """No key is configured, or one too short to keep numbers from being found by trying."""


def pseudonym_key(settings: Settings) -> bytes:
    """The configured key; for the synthetic sample alone, one made up and kept under `var`."""
    if settings.pseudonym_key is not None:
        key = settings.pseudonym_key.get_secret_value().encode()
        if len(key) < _SHORTEST_KEY:
            raise MissingPseudonymKey(f"CCHC_PSEUDONYM_KEY phải dài ít nhất {_SHORTEST_KEY} ký tự")
        return key
    if not settings.synthetic:
        raise MissingPseudonymKey(
            "Chưa đặt CCHC_PSEUDONYM_KEY: không có khóa thì không được đọc dữ liệu cá nhân. "
            "Tạo khóa ngẫu nhiên dài ít nhất 32 ký tự và giữ nguyên qua các lần chạy"
        )
    path = settings.var / "sample-pseudonym-key"
    if not path.exists() or path.stat().st_size < _SHORTEST_KEY:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32))
    return path.read_text().encode()


class Pseudonyms:
    """HMAC-SHA256 of identity numbers, as hexadecimal text; placeholders are nobody."""

    def __init__(self, key: bytes, placeholders: Iterable[str] = ()) -> None:
        self._key = key
        self._placeholders = frozenset(placeholders)

    def of(self, identity: str) -> str | None:
        if identity in self._placeholders:
            return None
        return hmac.digest(self._key, identity.encode(), "sha256").hex()


def shown(value: str | None, beside_personal: bool) -> str | None:
    """A wrong value as quarantine and messages may show it; None when it could tell who somebody is.

    Beside personal columns a value may be a neighbour's that a stray comma has shifted, so only what is harmless in
    itself is shown.
    """
    if not value:
        return None
    if beside_personal:
        return value if _HARMLESS.fullmatch(value) else None
    return label(value)


def label(text: str) -> str | None:
    """Somebody else's text made fit for one line of a message; None when it is blank or looks like personal data."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    if "@" in line or _NUMBER_OF_A_PERSON.search(line):
        return None
    return one_line(line)


def one_line(text: str | None) -> str | None:
    """A text made fit for one line of a message, whatever it says; None when it is blank."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text or "").split())
    return (line if len(line) <= _LONGEST_SHOWN else line[: _LONGEST_SHOWN - 1] + "…") or None
