"""The player: the finance department's budget feed on the loopback interface, faults included.

It answers from `{folder}/budget/*.json` and reads a file again when it changed. A file holds every version of every
row, as a feed that keeps its history does. Faults come by chance from a seed, drawn for each question by itself.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sample.player import Chance, Handler, Server, ends_transfer

Row = dict[str, Any]

ROOT = "/ngan-sach/v1/"
MOST_ROWS = 1000
LOCAL_ZONE = timezone(timedelta(hours=7))

# resource → the field that den_ngay selects by
RESOURCES = {
    "du-an": None,
    "ke-hoach-von": "ngayQuyetDinh",
    "giai-ngan": "ngayHachToan",
    "khoi-luong": "denNgay",
    "thu-ngan-sach": "denNgay",
    "chi-ngan-sach": "denNgay",
}


@dataclass(frozen=True)
class Client:
    """Whom the player gives a token."""

    client_id: str = "cchc-mau"
    client_secret: str = "khoa-ngan-sach-mau"  # noqa: S105 (opens nothing but this player)


@dataclass(frozen=True)
class Faults:
    """What goes wrong, and how often: a number is the share of answers it happens to, True is always.

    The first group ends a transfer, the second shapes an answer that arrives; the last holds what a reader must not
    survive in silence, and is therefore not part of `all`.
    """

    seed: int = 1
    in_a_row: int = 2

    too_many_requests: float = 0
    retry_after: str = "0"  # seconds; "date" sends the same as an HTTP date; "" sends no header
    server_error: float = 0
    time_out: float = 0
    time_out_seconds: float = 2.0
    cut: float = 0
    slow: float = 0  # an answer that takes its time, and arrives
    slow_seconds: float = 0.2

    token_calls: int | None = None  # calls a token lives
    token_seconds: float | None = None
    bare_401: bool = False  # without a body, as gateways do
    wrong_total: float = 0  # tongSoDong, once for each list
    repeated_rows: float = 0
    text_values: float = 0  # numbers as strings
    zoned_moments: float = 0  # capNhatLuc in UTC
    unknown_fields: float = 0

    garbage: float = 0  # HTTP 200 with a page of the gateway
    error_code: str = "00"  # maLoi of every list, with HTTP 200
    always_wrong_total: frozenset[str] = frozenset()
    float_money: bool = False
    refused_status: int | None = None
    always_expired: bool = False

    @classmethod
    def all(cls, seed: int = 1) -> Faults:
        """Every fault a reader must survive."""
        return cls(
            seed=seed,
            too_many_requests=0.1,
            server_error=0.1,
            time_out=0.02,
            time_out_seconds=1.0,
            cut=0.1,
            slow=0.1,
            token_calls=3,
            token_seconds=600,
            bare_401=True,
            wrong_total=0.2,
            repeated_rows=0.4,
            text_values=0.4,
            zoned_moments=0.3,
            unknown_fields=0.3,
        )


class _Data:
    """The files of the sample, read again when they change."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "budget"
        self._lock = threading.Lock()
        self._held: dict[str, tuple[tuple[int, int], list[Row]]] = {}
        for resource in RESOURCES:
            self.rows(resource)

    def rows(self, resource: str) -> list[Row]:
        path = self._folder / f"{resource}.json"
        with self._lock:
            stat = path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            if resource not in self._held or self._held[resource][0] != stamp:
                self._held[resource] = (stamp, json.loads(path.read_text(encoding="utf-8")))
            return self._held[resource][1]


class Player:
    """A running feed. The counters are for tests; `calls` counts every request that arrived, by resource."""

    def __init__(
        self,
        folder: Path,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: Faults | None = None,
        client: Client | None = None,
    ) -> None:
        self.faults = faults or Faults()
        self.client = client or Client()
        self.calls: Counter[str] = Counter()
        self.faults_played: Counter[str] = Counter()
        self.questions: list[Row] = []
        self.ended: Counter[str] = Counter()
        self.emptied: Counter[str] = Counter()
        self.lock = threading.Lock()
        self.stopped = threading.Event()
        self._data = _Data(folder)
        self._asked: Counter[str] = Counter()
        self._wrong: set[str] = set()
        self._tokens: dict[str, tuple[float, int]] = {}
        self._token_count = 0
        self._server = Server((host, port), self, _Handler)
        self.url = f"http://{host}:{self._server.server_address[1]}"

    def run(self) -> None:
        """Answer until `close`, or until Ctrl-C when called in the main thread."""
        self._server.serve_forever(poll_interval=0.02)

    def expire_tokens(self) -> None:
        """As if an hour had passed."""
        with self.lock:
            self._tokens.clear()

    def close(self) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()

    def handle(self, request: Handler, path: str, authorization: str, question: Row) -> None:
        resource = path.removeprefix(ROOT).strip("/")
        key = json.dumps([resource, question.get("nam"), question.get("trang")])
        with self.lock:
            self.calls[resource] += 1
            self.questions.append({"resource": resource, **question})
            self._asked[key] += 1
            turn = self._asked[key]
        chance = Chance(self, key, turn)
        faults = self.faults
        if faults.refused_status is not None:
            return request.send(faults.refused_status, b"{}")
        if ends_transfer(self, request, chance):
            return None
        if chance("slow", faults.slow):
            self.stopped.wait(faults.slow_seconds)
        if chance("garbage", faults.garbage):
            return request.send(200, "<html><body>Bảo trì hệ thống</body></html>".encode())
        if resource == "token":
            status, answer = self._grant(authorization, question)
        else:
            status, answer = self._list(resource, authorization, question, chance)
        body = b"" if status == 401 and faults.bare_401 else json.dumps(answer, ensure_ascii=False).encode()
        if chance.may_end and chance("cut", faults.cut):
            return request.cut(body, chance.pick("cut form", 3))
        chance.passed()
        return request.send(status, body)

    def _grant(self, authorization: str, question: Row) -> tuple[int, Row]:
        given = f"{self.client.client_id}:{self.client.client_secret}".encode()
        if authorization != "Basic " + base64.b64encode(given).decode():
            return 401, {"error": "invalid_client"}
        if question.get("grant_type") != "client_credentials":
            return 400, {"error": "unsupported_grant_type"}
        with self.lock:
            self._token_count += 1
            token = hashlib.sha256(f"{self.faults.seed}/{self._token_count}".encode()).hexdigest()
            self._tokens[token] = (time.monotonic(), 0)
        lifetime = self.faults.token_seconds
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": int(lifetime or 3600)}

    def _token_lives(self, authorization: str) -> bool:
        faults = self.faults
        token = authorization.removeprefix("Bearer ")
        with self.lock:
            if token not in self._tokens or faults.always_expired:
                return False
            since, calls = self._tokens[token]
            self._tokens[token] = (since, calls + 1)
        if faults.token_calls is not None and calls >= faults.token_calls:
            return False
        return faults.token_seconds is None or time.monotonic() - since < faults.token_seconds

    def _list(self, resource: str, authorization: str, question: Row, chance: Chance) -> tuple[int, Row]:
        if not self._token_lives(authorization):
            self.faults_played["token expired"] += 1
            return 401, _error("401", "Mã truy cập hết hạn")
        if resource not in RESOURCES:
            return 404, _error("04", "Không có tài nguyên này")
        if self.faults.error_code != "00":
            return 200, _error(self.faults.error_code, "Không thực hiện được yêu cầu")
        try:
            rows = list(_selected(self._data.rows(resource), RESOURCES[resource], question))
            page, size = int(question["trang"]), int(question["kich_thuoc"])
        except (KeyError, ValueError):
            return 400, _error("05", "Thiếu hoặc sai tham số")
        if page < 1 or not 1 <= size <= MOST_ROWS:
            return 400, _error("05", "Sai tham số trang, kich_thuoc")
        total = len(rows)
        start = (page - 1) * size
        shown = rows[start : start + size]
        if shown and chance("repeated rows", self.faults.repeated_rows):
            shown = rows[max(0, start - 1) : start] + shown + shown[:1]
        return 200, {
            "maLoi": "00",
            "thongBao": "",
            "trang": page,
            "tongSoTrang": -(-total // size),
            "tongSoDong": total + self._error_of_total(resource, question, chance),
            "duLieu": self._disguised(shown, chance),
        }

    def _error_of_total(self, resource: str, question: Row, chance: Chance) -> int:
        if resource in self.faults.always_wrong_total:
            return 1
        listed = f"{resource}/{question.get('nam')}"
        if listed not in self._wrong and chance("wrong total", self.faults.wrong_total):
            self._wrong.add(listed)
            return 1
        return 0

    def _disguised(self, rows: list[Row], chance: Chance) -> list[Row]:
        faults = self.faults
        if chance("zoned moments", faults.zoned_moments):
            rows = [_changed(row, "capNhatLuc", _in_utc) for row in rows]
        if chance("text values", faults.text_values):
            rows = [{name: str(v) if isinstance(v, int) else v for name, v in row.items()} for row in rows]
        if chance("unknown fields", faults.unknown_fields):
            rows = [row | {"truongMoi": "giá trị của một trường mới"} for row in rows]
        if faults.float_money:
            rows = [_changed(row, "soTien", float) for row in rows]
        return rows


def _selected(rows: list[Row], day_field: str | None, question: Row) -> Iterator[Row]:
    year = int(question["nam"])
    last = date.fromisoformat(question["den_ngay"]) if "den_ngay" in question else None
    since = _moment(question["cap_nhat_tu"]) if "cap_nhat_tu" in question else None
    for row in rows:
        if "nam" in row and row["nam"] != year:
            continue
        if day_field == "denNgay" and date.fromisoformat(row["denNgay"]).year != year:
            continue
        if last is not None and day_field is not None and date.fromisoformat(row[day_field]) > last:
            continue
        if since is not None and "capNhatLuc" in row and _moment(row["capNhatLuc"]) < since:
            continue
        yield row


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=LOCAL_ZONE)


def _in_utc(text: str) -> str:
    return _moment(text).astimezone(timezone.utc).isoformat().replace("+00:00", "Z")  # noqa: UP017


def _changed(row: Row, name: str, change: Callable[[Any], Any]) -> Row:
    return row | {name: change(row[name])} if name in row else row


def _error(code: str, message: str) -> Row:
    return {"maLoi": code, "thongBao": message, "trang": 0, "tongSoTrang": 0, "tongSoDong": 0, "duLieu": []}


class _Handler(Handler):
    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        self._handle({name: values[-1] for name, values in parse_qs(content).items()}, "/token")

    def do_GET(self) -> None:
        question = {name: values[-1] for name, values in parse_qs(urlsplit(self.path).query).items()}
        self._handle(question, ROOT)

    def _handle(self, question: Row, under: str) -> None:
        path = urlsplit(self.path).path
        if not path.startswith(under):
            return self.send(404, b"{}")
        path = path if under == ROOT else ROOT + "token"
        return self.server.player.handle(self, path, self.headers.get("Authorization") or "", question)


@contextmanager
def serve(
    folder: Path, host: str = "127.0.0.1", port: int = 0, faults: Faults | None = None, client: Client | None = None
) -> Iterator[Player]:
    """A feed answering from `folder/budget` in the background; `.url` is its address."""
    player = Player(folder, host, port, faults, client)
    thread = threading.Thread(target=player.run, name="budget-player", daemon=True)
    thread.start()
    try:
        yield player
    finally:
        player.close()
        thread.join()
