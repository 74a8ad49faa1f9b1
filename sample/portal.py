"""The player: a public-service portal on the loopback interface, with every fault the real one is known for.

It answers from `{folder}/portal/*.json` and reads a file again when it changed, so that a change at the
source can be played while it runs. Faults come by chance from a seed, drawn for each question by itself:
which thread asks first changes nothing. A fault that ends a transfer never hits the same question more than
`Faults.in_a_row` times running, so a patient reader always gets through.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import parse_qs, urlsplit

from sample.player import Chance, Handler, Server, ends_transfer

Row = dict[str, Any]
Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

PAGE_ROWS = 100

# service → (file, field that tuNgay and denNgay select by)
LISTS = {
    "LayDanhMucCoQuan": ("agencies.json", None),
    "LayDanhMucLinhVuc": ("fields.json", None),
    "LayDanhSachTTHC": ("procedures.json", None),
    "LayDVC": ("services.json", None),
    "LayDanhSachQDCB": ("decisions.json", "NGAYQUYETDINH"),
    "LayDanhSachPAKN": ("feedback.json", "NGAYTIEPNHAN"),
}
DETAILS = "procedure_details.json"
CODE_FIELDS = {"IDQDCB", "MANHOM"}

WRONG_ACCOUNT, EXPIRED, WRONG_UNIT, UNKNOWN_SERVICE, WRONG_PARAMETER, NOT_FOUND, BROKEN = (
    -1,
    -2,
    -3,
    -4,
    -5,
    -6,
    -9,
)


@dataclass(frozen=True)
class Account:
    """Whom the player lets in."""

    username: str = "cchc-mau"
    password: str = "mat-khau-tinh-mau"  # noqa: S105 (opens nothing but this player)
    unit: str = "H31"
    dstcode: str = "VN:GOV:cchc-mau"


@dataclass(frozen=True)
class Faults:
    """What goes wrong, and how often: a number is the share of answers it happens to, True is always.

    The first group ends a transfer, the second shapes an answer that arrives; the last holds what a reader
    must not survive in silence, and is therefore not part of `all`.
    """

    seed: int = 1
    in_a_row: int = 2

    too_many_requests: float = 0
    retry_after: str = "0"  # seconds; "date" sends the same one second ahead as an HTTP date; "" sends no header
    server_error: float = 0
    time_out: float = 0
    time_out_seconds: float = 2.0
    cut: float = 0  # inside a framed body, inside an unframed one, or before the first byte

    session_calls: int | None = None  # calls a session lives
    session_seconds: float | None = None
    expired_as_text: bool = False
    error_code_forms: bool = False  # 0, "0" and "00" by turns
    null_result: float = 0  # once per question, then the rows
    missing_result: float = 0
    ends_with_null: bool = False  # a paged list ends with null instead of an empty list
    single_object: float = 0  # one row without its list; LayThuTuc in a list of one
    single_nested: float = 0  # the same for nested lists, and null for empty ones
    text_values: float = 0  # numbers and booleans as strings
    key_case: float = 0
    spaced_codes: float = 0
    wrapped_message: float = 0
    repeated_rows: float = 0
    unknown_fields: float = 0
    echoed_session: float = 0

    garbage: float = 0  # HTTP 200 with a page of the gateway
    endless: bool = False  # the last page again and again
    failing_procedures: frozenset[str] = frozenset()
    refused_status: int | None = None  # every call answers this HTTP status
    always_expired: bool = False

    @classmethod
    def all(cls, seed: int = 1) -> Faults:
        """Every fault a reader must survive, often enough that each happens within some hundred calls."""
        return cls(
            seed=seed,
            too_many_requests=0.05,
            server_error=0.05,
            time_out=0.01,
            cut=0.05,
            session_calls=60,
            session_seconds=600,
            expired_as_text=True,
            error_code_forms=True,
            null_result=0.05,
            missing_result=0.05,
            ends_with_null=True,
            single_object=0.5,
            single_nested=0.3,
            text_values=0.3,
            key_case=0.3,
            spaced_codes=0.3,
            wrapped_message=0.2,
            repeated_rows=0.3,
            unknown_fields=0.3,
            echoed_session=0.2,
        )


class _Data:
    """The files of the sample, read again when they change."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "portal"
        self.lock = threading.Lock()
        self._held: dict[str, tuple[tuple[int, int], list[Row]]] = {}
        for name in [DETAILS, *(file for file, _ in LISTS.values())]:
            self.rows(name)

    def rows(self, name: str) -> list[Row]:
        path = self._folder / name
        with self.lock:
            stat = path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            if name not in self._held or self._held[name][0] != stamp:
                self._held[name] = (stamp, json.loads(path.read_text(encoding="utf-8")))
            return self._held[name][1]


class Player:
    """A running portal. The counters are for tests; `calls` counts every request that arrived, by service."""

    def __init__(
        self,
        folder: Path,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: Faults | None = None,
        latency: float = 0,
        account: Account | None = None,
    ) -> None:
        self.faults = faults or Faults()
        self.account = account or Account()
        self.calls: Counter[str] = Counter()
        self.faults_played: Counter[str] = Counter()
        self.questions: list[Row] = []
        self.arrived_at: list[float] = []
        self.max_in_flight = 0
        self._in_flight = 0
        self._latency = latency
        self._data = _Data(folder)
        self.lock = threading.Lock()
        self.stopped = threading.Event()
        self._asked: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self.emptied: Counter[str] = Counter()
        self._logins = 0
        self._sessions: dict[str, tuple[float, int]] = {}
        self._server = Server((host, port), self, _Handler)
        self.url = f"http://{host}:{self._server.server_address[1]}"

    def run(self) -> None:
        """Answer until `close`, or until Ctrl-C when called in the main thread."""
        self._server.serve_forever(poll_interval=0.02)

    def expire_sessions(self) -> None:
        """As if ten minutes had passed."""
        with self.lock:
            self._sessions.clear()

    def close(self) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()

    # -------------------------------------------------------------------------------------------- one request

    def handle(self, request: _Handler, path: str, dstcode: str, question: Row) -> None:
        login = path == "/mapi/login"
        service = "login" if login else str(question.get("service"))
        key = "login" if login else json.dumps([service, question.get("maTTHC"), question.get("page")])
        with self.lock:
            self.calls[service] += 1
            self.questions.append({"path": path, "dstcode": dstcode, **question})
            self.arrived_at.append(time.monotonic())
            self._in_flight += 1
            self.max_in_flight = max(self.max_in_flight, self._in_flight)
            self._asked[key] += 1
            turn = self._asked[key]
        try:
            self.stopped.wait(self._latency)
            self._answer(request, path, dstcode, question, Chance(self, key, turn))
        finally:
            with self.lock:
                self._in_flight -= 1

    def _answer(self, request: _Handler, path: str, dstcode: str, question: Row, chance: Chance) -> None:
        faults = self.faults
        if faults.refused_status is not None:
            return request.send(faults.refused_status, b"{}")
        if ends_transfer(self, request, chance):
            return None
        if chance("garbage", faults.garbage):
            return request.send(200, "<html><body>Bảo trì hệ thống</body></html>".encode())
        answer = self._log_in(dstcode, question) if path == "/mapi/login" else self._call(dstcode, question, chance)
        body = json.dumps(self._disguised(answer, question, chance), ensure_ascii=False).encode()
        if chance.may_end and chance("cut", faults.cut):
            return request.cut(body, chance.pick("cut form", 3))
        chance.passed()
        return request.send(200, body)

    # ------------------------------------------------------------------------------------------- what it says

    def _log_in(self, dstcode: str, question: Row) -> Row:
        account = self.account
        given = (question.get("username"), question.get("password"), dstcode)
        if given != (account.username, account.password, account.dstcode):
            return {"session": None, "error_code": WRONG_ACCOUNT, "message": "Sai tài khoản hoặc dstcode"}
        with self.lock:
            self._logins += 1
            # Ends in `/=`: a token as base64 writes it, which JSON writers spell in more than one way.
            session = hashlib.sha256(f"{self.faults.seed}/{self._logins}".encode()).hexdigest()[:30] + "/="
            self._sessions[session] = (time.monotonic(), 0)
        return {"session": session, "error_code": 0, "message": ""}

    def _session_lives(self, session: str) -> bool:
        faults = self.faults
        with self.lock:
            if session not in self._sessions or faults.always_expired:
                return False
            since, calls = self._sessions[session]
            self._sessions[session] = (since, calls + 1)
        if faults.session_calls is not None and calls >= faults.session_calls:
            return False
        return faults.session_seconds is None or time.monotonic() - since < faults.session_seconds

    def _call(self, dstcode: str, question: Row, chance: Chance) -> Row:
        service = question.get("service")
        if dstcode != self.account.dstcode:
            return _error(WRONG_ACCOUNT, "Sai dstcode")
        if not self._session_lives(str(question.get("session"))):
            self.faults_played["session expired"] += 1
            return _error("-2" if self.faults.expired_as_text else EXPIRED, "Phiên làm việc đã hết hạn")
        if question.get("madonvi") != self.account.unit:
            return _error(WRONG_UNIT, "Tài khoản không có quyền với đơn vị này")
        if service == "LayThuTuc":
            return self._procedure(question.get("maTTHC"), chance)
        if service not in LISTS:
            return _error(UNKNOWN_SERVICE, "Không có dịch vụ này")
        file, moment = LISTS[service]
        rows = self._data.rows(file)
        if moment is None:
            return self._result(rows, chance)
        try:
            first, last, page = _day(question["tuNgay"]), _day(question["denNgay"]), int(question["page"])
        except (KeyError, TypeError, ValueError):
            return _error(WRONG_PARAMETER, "Thiếu hoặc sai tuNgay, denNgay, page")
        if page < 1:
            return _error(WRONG_PARAMETER, "Trang bắt đầu từ 1")
        rows = [row for row in rows if first <= _day(row[moment]) <= last]
        if self.faults.endless:
            page = min(page, max(1, -(-len(rows) // PAGE_ROWS)))
        start = (page - 1) * PAGE_ROWS
        shown = rows[start : start + PAGE_ROWS]
        if shown and chance("repeated rows", self.faults.repeated_rows):
            shown = rows[max(0, start - 1) : start] + shown + shown[:1]
        if not shown and self.faults.ends_with_null:
            return {"error_code": 0, "message": "", "result": None}
        return self._result(shown, chance)

    def _procedure(self, code: Json, chance: Chance) -> Row:
        code = str(code).strip()
        if code in self.faults.failing_procedures:
            self.faults_played["failing procedure"] += 1
            return _error(BROKEN, "Lỗi khi đọc thủ tục")
        found = [row for row in self._data.rows(DETAILS) if str(row["MATTHC"]).strip() == code]
        if not found:
            return _error(NOT_FOUND, "Không tìm thấy thủ tục")
        listed = chance("single object", self.faults.single_object)
        return self._result(found[:1], chance, single=not listed)

    def _result(self, rows: list[Row], chance: Chance, single: bool | None = None) -> Row:
        answer: Row = {"error_code": 0, "message": ""}
        if rows and chance.may_empty:
            if chance("null result", self.faults.null_result):
                chance.empty()
                return answer | {"result": None}
            if chance("missing result", self.faults.missing_result):
                chance.empty()
                return answer
        chance.give_rows()
        if single is None:
            single = len(rows) == 1 and chance("single object", self.faults.single_object)
        return answer | {"result": rows[0] if single else rows}

    def _disguised(self, answer: Row, question: Row, chance: Chance) -> Row:
        faults = self.faults
        if faults.error_code_forms and answer["error_code"] == 0:
            answer = answer | {"error_code": (0, "0", "00")[chance.pick("error code", 3)]}
            self.faults_played["error code"] += 1
        if "session" not in answer and chance("echoed session", faults.echoed_session):
            answer = answer | {"session": question.get("session")}
        if answer.get("result"):
            answer = answer | {"result": self._disguised_rows(answer["result"], chance)}
        if chance("key case", faults.key_case):
            answer = _with_keys(answer, lambda name: (name.upper(), name.title())[chance.pick(name, 2)])
        if chance("wrapped message", faults.wrapped_message):
            inner = json.dumps(answer, ensure_ascii=False)
            answer = ({"error_code": "0", "message": inner}, {"message": inner})[chance.pick("wrapped", 2)]
        return answer

    def _disguised_rows(self, result: Json, chance: Chance) -> Json:
        faults = self.faults
        rows = [result] if isinstance(result, dict) else result
        if chance("single nested", faults.single_nested):
            rows = [_with_single_nested(row) for row in rows]
        if chance("unknown fields", faults.unknown_fields):
            rows = [_with_unknown(row) for row in rows]
        if chance("text values", faults.text_values):
            rows = [_with_values(row, lambda _, value: _as_text(value)) for row in rows]
        if chance("spaced codes", faults.spaced_codes):
            rows = [_with_values(row, _spaced) for row in rows]
        if chance("key case", faults.key_case):
            rows = [_with_keys(row, _SPELLINGS[n % 3]) for n, row in enumerate(rows)]
        return rows[0] if isinstance(result, dict) else rows


_SPELLINGS: tuple[Callable[[str], str], ...] = (
    str.lower,
    str.title,
    lambda name: name[:2].title() + name[2:],
)


def _error(code: int | str, message: str) -> Row:
    return {"error_code": code, "message": message, "result": None}


def _day(text: str) -> date:
    return datetime.strptime(text.strip(), "%d/%m/%Y").date()


def _with_keys(row: Row, rename: Callable[[str], str]) -> Row:
    def nested(value: Json) -> Json:
        if isinstance(value, list):
            return [nested(item) for item in value]
        return _with_keys(value, rename) if isinstance(value, dict) else value

    return {rename(name): value if name == "result" else nested(value) for name, value in row.items()}


def _with_values(row: Row, change: Callable[[str, Any], Any]) -> Row:
    def nested(name: str, value: Json) -> Json:
        if isinstance(value, list):
            return [nested(name, item) for item in value]
        return _with_values(value, change) if isinstance(value, dict) else change(name, value)

    return {name: nested(name, value) for name, value in row.items()}


def _as_text(value: Json) -> Json:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (int, float)) else value


def _spaced(name: str, value: Json) -> Json:
    is_code = name.startswith("MA") or name in CODE_FIELDS
    return f" {value}\t" if is_code and isinstance(value, str) and value else value


def _with_single_nested(row: Row) -> Row:
    def nested(value: Json) -> Json:
        if not isinstance(value, list):
            return value
        items = [_with_single_nested(item) if isinstance(item, dict) else item for item in value]
        return None if not items else items[0] if len(items) == 1 else items

    return {name: nested(value) for name, value in row.items()}


def _with_unknown(row: Row) -> Row:
    def nested(value: Json) -> Json:
        if not isinstance(value, list):
            return value
        return [_with_unknown(item) if isinstance(item, dict) else item for item in value]

    return {name: nested(value) for name, value in row.items()} | {"TRUONGMOI": "giá trị của một trường mới"}


# ----------------------------------------------------------------------------------------------------- server


class _Handler(Handler):
    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        try:
            question = json.loads(content)
        except ValueError:
            return self.send(400, b"{}")
        if url.path not in ("/mapi/login", "/mapi/g") or not isinstance(question, dict):
            return self.send(404, b"{}")
        dstcode = parse_qs(url.query).get("dstcode", [""])[0]
        return self.server.player.handle(self, url.path, dstcode, question)


@contextmanager
def serve(
    folder: Path,
    host: str = "127.0.0.1",
    port: int = 0,
    faults: Faults | None = None,
    latency: float = 0,
    account: Account | None = None,
) -> Iterator[Player]:
    """A portal answering from `folder/portal` in the background; `.url` is its address."""
    player = Player(folder, host, port, faults, latency, account)
    thread = threading.Thread(target=player.run, name="portal-player", daemon=True)
    thread.start()
    try:
        yield player
    finally:
        player.close()
        thread.join()


def run(
    folder: Path,
    host: str = "127.0.0.1",
    port: int = 8765,
    faults: Faults | None = None,
    latency: float = 0,
    announce: Callable[[str], None] = print,
) -> None:
    """Play the portal until Ctrl-C, saying first how to reach it."""
    player = Player(folder, host, port, faults, latency)
    account = player.account
    announce(f"Cổng dịch vụ công mẫu đang chạy tại {player.url}, nhấn Ctrl-C để dừng. Cấu hình để dùng:")
    for name, value in (
        ("URL", player.url),
        ("USERNAME", account.username),
        ("PASSWORD", account.password),
        ("UNIT", account.unit),
        ("DSTCODE", account.dstcode),
    ):
        announce(f"  export CCHC_PORTAL_{name}='{value}'")
    try:
        player.run()
    except KeyboardInterrupt:
        announce("Đã dừng.")
    finally:
        player.close()
