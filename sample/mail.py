"""A mail server on the loopback interface, which takes every letter and keeps it as a file."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
SENDER = "kho-cchc@tinh-mau.invalid"
OWNER = "nguoi-phu-trach@tinh-mau.invalid"

_BOXES = {
    "Sở Nội vụ": "so-noi-vu",
    "Sở Tài chính": "so-tai-chinh",
    "Sở Tư pháp": "so-tu-phap",
    "Sở Kế hoạch và Đầu tư": "so-ke-hoach-dau-tu",
    "Sở Thông tin và Truyền thông": "so-tttt",
    "Văn phòng UBND tỉnh": "van-phong-ubnd",
}


@dataclass(frozen=True)
class PlayedMail:
    """Where the server listens and where its letters lie, `0001.eml` first."""

    port: int
    folder: Path

    def letters(self) -> list[Path]:
        return sorted(self.folder.glob("*.eml"))


@contextmanager
def serve(folder: Path, port: int = 0, answer: Callable[[Any], str | None] | None = None) -> Iterator[PlayedMail]:
    """Take letters while the block runs. `answer` may give another answer than `250`, or raise, for a letter."""
    from aiosmtpd.controller import Controller

    folder.mkdir(parents=True, exist_ok=True)

    class Box:
        async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:
            said = answer(envelope) if answer else None
            if said is None or said.startswith("250"):
                number = len(list(folder.glob("*.eml"))) + 1
                recipients = ", ".join(envelope.rcpt_tos)
                head = f"X-Envelope-To: {recipients}\r\n".encode()
                (folder / f"{number:04d}.eml").write_bytes(head + envelope.original_content)
            return said or "250 OK"

    # the library greets the port it was told, so it must be told a real one
    port = port or _free_port()
    controller = Controller(Box(), hostname=HOST, port=port)
    controller.start()
    try:
        yield PlayedMail(port, folder)
    finally:
        controller.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def write_contacts(path: Path) -> None:
    """The province's list of contacts, for CCHC_CONTACTS."""
    rows = ["Đơn vị,Người liên hệ,Điện thoại,Thư điện tử"]
    rows += [
        f"{name},Đầu mối CCHC,0221.000.{number:04d},{box}@tinh-mau.invalid"
        for number, (name, box) in enumerate(_BOXES.items(), start=1)
    ]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
