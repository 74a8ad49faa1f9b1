"""Pseudonyms, their key, and what may be shown."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from cchc.settings import Settings
from extract.privacy import MissingPseudonymKey, Pseudonyms, label, pseudonym_key, shown


def test_a_pseudonym_is_the_hmac_of_the_number() -> None:
    expected = hmac.new(b"k" * 32, b"033090001234", hashlib.sha256).hexdigest()
    assert Pseudonyms(b"k" * 32).of("033090001234") == expected


def test_the_same_number_is_the_same_person_only_under_one_key() -> None:
    one, other = Pseudonyms(b"k" * 32), Pseudonyms(b"K" * 32)
    assert one.of("1") == one.of("1")
    assert one.of("1") != one.of("2")
    assert one.of("1") != other.of("1")


def test_a_placeholder_is_nobody() -> None:
    assert Pseudonyms(b"k" * 32, ["000000001"]).of("000000001") is None


@pytest.mark.parametrize("key", ["k", "k" * 31])
def test_a_short_key_is_refused(key: str) -> None:
    with pytest.raises(MissingPseudonymKey, match="32"):
        pseudonym_key(Settings(pseudonym_key=key))


def test_a_key_of_32_characters_is_used() -> None:
    assert pseudonym_key(Settings(pseudonym_key="k" * 32)) == b"k" * 32


@pytest.mark.parametrize("key", [None, ""])
def test_without_a_key_nothing_personal_is_read(key: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CCHC_PSEUDONYM_KEY", raising=False)
    with pytest.raises(MissingPseudonymKey, match="CCHC_PSEUDONYM_KEY"):
        pseudonym_key(Settings(pseudonym_key=key))


def test_the_sample_makes_up_a_key_and_keeps_it_to_itself(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CCHC_PSEUDONYM_KEY", raising=False)
    settings = Settings(var=tmp_path / "var", synthetic=True)
    key = pseudonym_key(settings)
    assert len(key) >= 32
    assert pseudonym_key(settings) == key
    [kept] = (tmp_path / "var").iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    kept.write_text("")  # a crash while it was written
    assert len(pseudonym_key(settings)) >= 32


PERSONAL = [
    "Ánh",
    "ANH",
    "An",
    "0912345678",
    "0912.345.678",
    "091-234-5678",
    "+84912345678",
    "033090001234",
    "033090001",
]
PERSONAL += ["033.090.001.234", "C1234567", "B12345678", "0101234567-001", "a@b.vn", "Số 5", "Thôn Đông", "12 Lê Lợi"]
HARMLESS = ["7", "-50000", "12.5", "50.000", "20240230120000", "20240115", "15/01/2024", "2024-01-15 08:30:00", "NULL"]
HARMLESS += ["H31.05", "H31.05-2401-12", "000.00.05.H31-240115", "H31"]


@pytest.mark.parametrize("value", PERSONAL)
def test_what_could_be_somebodys_is_not_shown_beside_personal_columns(value: str) -> None:
    assert shown(value, beside_personal=True) is None


@pytest.mark.parametrize("value", HARMLESS)
def test_what_is_harmless_is_shown(value: str) -> None:
    assert shown(value, beside_personal=True) == value


@pytest.mark.parametrize(
    "value", [value for value in PERSONAL if any(sign in value for sign in "@") or value[:2] == "03"]
)
def test_numbers_of_persons_and_addresses_of_mail_are_never_shown(value: str) -> None:
    assert shown(value, beside_personal=False) is None


def test_a_label_is_one_short_line() -> None:
    assert label(" Ghi\n\tchú\0 ") == "Ghi chú"
    assert label(" \n") is None
    assert len(label("x" * 1000) or "") == 60
