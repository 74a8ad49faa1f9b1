"""What both players share: a server on the loopback interface, faults by chance from a seed, answers that break off."""

from __future__ import annotations

import hashlib
import socket
import sys
import threading
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

ENDING = frozenset({"too many requests", "server error", "time-out", "cut"})


class TransferFaults(Protocol):
    """What ends a transfer, and how often: a number is the share of answers it happens to, True is always."""

    seed: int
    in_a_row: int
    too_many_requests: float
    retry_after: str
    server_error: float
    time_out: float
    time_out_seconds: float
    cut: float


class Player(Protocol):
    """What the shared parts need of a player."""

    faults: Any
    faults_played: Counter[str]
    ended: Counter[str]
    emptied: Counter[str]
    lock: threading.Lock
    stopped: threading.Event

    def handle(self, request: Any, *question: Any) -> None: ...


def ends_transfer(player: Player, request: Handler, chance: Chance) -> bool:
    """Whether this answer ended before it began."""
    faults: TransferFaults = player.faults
    if not chance.may_end:
        return False
    if chance("too many requests", faults.too_many_requests):
        request.send(429, b"{}", {"Retry-After": retry_after(faults.retry_after)} if faults.retry_after else {})
    elif chance("server error", faults.server_error):
        request.send((500, 502, 503, 504)[chance.pick("status", 4)], b"<html>Bad Gateway</html>")
    elif chance("time-out", faults.time_out):
        player.stopped.wait(faults.time_out_seconds)
        request.hang_up()
    else:
        return False
    return True


class Chance:
    """Draws for one question at its nth asking, the same whatever else goes on."""

    def __init__(self, player: Player, key: str, turn: int) -> None:
        self._player = player
        self._key = key
        self._turn = turn
        self._gives_rows = False

    def __call__(self, fault: str, share: float) -> bool:
        happens = share > 0 and (share >= 1 or self._draw(fault) < share * 2**32)
        if happens:
            with self._player.lock:
                self._player.faults_played[fault] += 1
                if fault in ENDING:
                    self._player.ended[self._key] += 1
        return happens

    def pick(self, what: str, choices: int) -> int:
        return self._draw(f"pick {what}") % choices

    @property
    def may_end(self) -> bool:
        return self._player.ended[self._key] < self._player.faults.in_a_row

    @property
    def may_empty(self) -> bool:
        return self._player.emptied[self._key] == 0

    def empty(self) -> None:
        self._player.emptied[self._key] = 1

    def give_rows(self) -> None:
        self._gives_rows = True

    def passed(self) -> None:
        """An answer got through: this question may meet faults again, an empty one only after rows did."""
        with self._player.lock:
            self._player.ended[self._key] = 0
            if self._gives_rows:
                self._player.emptied[self._key] = 0

    def _draw(self, what: str) -> int:
        text = f"{self._player.faults.seed}|{self._key}|{self._turn}|{what}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def retry_after(form: str) -> str:
    if form == "date":
        # Two seconds ahead of a moment cut to whole seconds is more than one second from now.
        return format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    return form


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], player: Player, handler: type[Handler]) -> None:
        self.player = player
        super().__init__(address, handler)

    def handle_error(self, request: object, client_address: object) -> None:
        # Readers hang up in the middle of an answer; that is no news.
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def cut(self, body: bytes, form: int) -> None:
        """Half an answer: with its full length announced, with none announced, or none of it at all."""
        if form < 2:
            self.send_response(200)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            if form == 0:
                self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body[: len(body) // 2])
        self.hang_up()

    def hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *args: object) -> None:
        """Silent: requests carry the password and the session."""
