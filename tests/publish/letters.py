"""The mail box of a test: a real SMTP server on the loopback interface, and its letters as people read them."""

from __future__ import annotations

import email
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from cchc.settings import Settings
from sample import mail as player

OWNER = "truc@so.invalid"


@dataclass
class Box:
    """`faults` are answered, in turn, to the next letters; a callable is run, after which the line breaks."""

    settings: Settings
    folder: Path
    faults: list[Any]

    def letters(self) -> list[EmailMessage]:
        return [
            email.message_from_bytes(path.read_bytes(), policy=default) for path in sorted(self.folder.glob("*.eml"))
        ]

    def by_address(self) -> dict[str, EmailMessage]:
        found = {letter["X-Envelope-To"]: letter for letter in self.letters()}
        assert len(found) == len(self.letters()), "somebody got two"
        return found

    def empty(self) -> None:
        for path in self.folder.glob("*.eml"):
            path.unlink()


def body(letter: EmailMessage) -> str:
    return letter.get_body().get_content()


@pytest.fixture
def box(settings: Settings, tmp_path: Path) -> Iterator[Box]:
    faults: list[Any] = []

    def answer(envelope: Any) -> str | None:
        fault = faults.pop(0) if faults else None
        return fault(envelope) if callable(fault) else fault

    contacts = tmp_path / "danh-ba.csv"
    player.write_contacts(contacts)
    with player.serve(tmp_path / "mail", answer=answer) as played:
        changed = {
            "smtp_host": player.HOST,
            "smtp_port": played.port,
            "smtp_security": "none",
            "smtp_sender": player.SENDER,
            "alert_to": OWNER,
            "contacts": str(contacts),
        }
        yield Box(settings.model_copy(update=changed), played.folder, faults)
