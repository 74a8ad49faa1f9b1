"""Polite HTTP for feeds: what every feed reader needs before it looks at an answer.

A feed on a provincial platform is busy, slow or cut off on any ordinary day, so such faults are tried again,
with growing pauses and never for ever. Everything else (a refused call, a body that is no JSON) is raised at
once: asking again would only repeat it.

Nothing here logs, or puts in an error message, what was sent or received: bodies carry passwords, sessions
and personal data. Errors name the service, the number of attempts, the HTTP status and what a person can do.
For the same reason they are raised outside ``except`` blocks: the exceptions of the HTTP library quote pieces
of the answer, and a chained traceback would print them.
"""

from __future__ import annotations

import json
import logging
import random
import re
import ssl
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, TypeAlias, TypeVar

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

log = logging.getLogger(__name__)

T = TypeVar("T")
Json: TypeAlias = "dict[str, Json] | list[Json] | str | bool | None"
Pairs = Callable[[list[tuple[str, Any]]], Any]


# ----------------------------------------------------------------------------------------------------- errors


class FeedError(Exception):
    """A feed could not be read; the message is for people and holds nothing that was sent or received."""

    def __init__(self, service: str, problem: str, *, attempts: int = 0, status: int | None = None) -> None:
        self.service = service
        self.problem = problem
        self.attempts = attempts
        self.status = status
        facts = [f"số lần gọi: {attempts}"] if attempts else []
        facts += [f"HTTP {status}"] if status else []
        super().__init__(f"{service}: {problem}" + (f" ({', '.join(facts)})" if facts else ""))


class FeedUnreachable(FeedError):
    """Transport faults, 429 or 5xx until the attempts were used up."""


class FeedRefused(FeedError):
    """An HTTP status that asking again does not change."""


class FeedBodyTooLarge(FeedError):
    """The body passed the size limit and was not read further."""


class FeedBadAnswer(FeedError):
    """The answer came whole but is not what the contract describes."""


class FeedStopped(FeedError):
    """The reader was closed while a call waited for its turn."""


class _Fault(Exception):
    """One attempt failed in a way that is worth another one. Holds no piece of the answer."""

    def __init__(self, what: str, *, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.status = status
        self.retry_after = retry_after


# ----------------------------------------------------------------------------------------------------- limits


@dataclass(frozen=True)
class Limits:
    """How hard a feed may be asked, and for how long: all threads of one transport together."""

    in_flight: int = 8
    per_second: float = 50.0
    attempts: int = 6
    first_pause: float = 0.5
    longest_pause: float = 30.0
    longest_retry_after: float = 120.0
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    call_timeout: float = 300.0
    max_body_bytes: int = 100 * 1024 * 1024

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            pause = name in {"first_pause", "longest_pause", "longest_retry_after"}
            if value < 0 or (value == 0 and not pause):
                raise ValueError(f"giới hạn {name} phải lớn hơn 0, nhận được {value}")


class _Gate:
    """Lets calls through: so many at once, so many a second, none while the service asked for a pause."""

    def __init__(self, in_flight: int, per_second: float, stopped: threading.Event) -> None:
        self._places = threading.BoundedSemaphore(in_flight)
        self._interval = 1.0 / per_second
        self._lock = threading.Lock()
        self._next_at = 0.0
        self._stopped = stopped

    @contextmanager
    def turn(self, service: str) -> Iterator[None]:
        with self._places:
            self._wait(service)
            yield

    def hold(self, seconds: float) -> None:
        """Retry-After is said to one call but meant for the caller, so it stops every thread."""
        with self._lock:
            self._next_at = max(self._next_at, time.monotonic() + seconds)

    def _wait(self, service: str) -> None:
        while not self._stopped.is_set():
            with self._lock:
                now = time.monotonic()
                wait = self._next_at - now
                if wait <= 0:
                    self._next_at = now + self._interval
                    return
            self._stopped.wait(wait)
        raise FeedStopped(service, "việc tải dữ liệu đã được dừng")


# -------------------------------------------------------------------------------------------------- transport


@dataclass(frozen=True)
class Answer:
    status: int
    content: bytes
    attempts: int


@dataclass(frozen=True)
class JsonAnswer:
    """``text`` as received, ``tree`` decoded with numbers kept as the text they were sent as."""

    status: int
    text: str
    tree: Json
    attempts: int


class Transport:
    """An ``httpx.Client`` for one feed, safe to share between threads."""

    def __init__(self, base_url: str, limits: Limits | None = None) -> None:
        url = httpx.URL(base_url)
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError("địa chỉ dịch vụ phải bắt đầu bằng http:// hoặc https://")
        if url.userinfo:
            # The HTTP library writes addresses to its log, and would write the password with it.
            raise ValueError("địa chỉ dịch vụ không được chứa tên và mật khẩu; hãy đặt chúng vào biến riêng")
        self.limits = limits or Limits()
        self.where = url.netloc.decode("ascii", "replace")
        self._stopped = threading.Event()
        self._gate = _Gate(self.limits.in_flight, self.limits.per_second, self._stopped)
        self._http = httpx.Client(
            base_url=base_url,
            # A redirect could carry the password to another host; none of the feeds needs one.
            follow_redirects=False,
            timeout=httpx.Timeout(self.limits.read_timeout, connect=self.limits.connect_timeout),
            verify=_tls(),
            limits=httpx.Limits(max_connections=self.limits.in_flight, max_keepalive_connections=self.limits.in_flight),
        )

    def __enter__(self) -> Transport:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends waiting calls too, so an interrupted pull does not sit through its pauses."""
        self._stopped.set()
        self._http.close()

    def call(self, method: str, path: str, *, service: str, passes: Collection[int] = (), **request: object) -> Answer:
        """One call, tried again while the fault is one of transport.

        ``request`` goes to httpx (params, json, data, headers, auth). A status in ``passes`` is given back as
        an answer and not raised, e.g. 401 where it means that a token must be renewed.
        """

        def attempt(number: int) -> Answer:
            status, content = self._send(method, path, service, passes, number, request)
            return Answer(status, content, number)

        return self._persist(service, attempt)

    def call_json(
        self,
        method: str,
        path: str,
        *,
        service: str,
        passes: Collection[int] = (),
        pairs: Pairs | None = None,
        **request: object,
    ) -> JsonAnswer:
        """Like ``call``, for JSON; a body cut short is a transport fault, any other broken one is not."""

        def attempt(number: int) -> JsonAnswer:
            status, content = self._send(method, path, service, passes, number, request)
            text, tree, problem, cut = _decode(content, pairs)
            if not 200 <= status < 300:
                # let through for its status: gateways refuse with a page of their own or with nothing at all
                return JsonAnswer(status, text, tree, number)
            if cut:
                raise _Fault("nội dung trả về bị cắt giữa chừng", status=status)
            if problem:
                raise FeedBadAnswer(
                    service,
                    f"{problem}. Kiểm tra địa chỉ dịch vụ, hoặc báo đơn vị vận hành {self.where}",
                    attempts=number,
                    status=status,
                )
            return JsonAnswer(status, text, tree, number)

        return self._persist(service, attempt)

    def _persist(self, service: str, attempt: Callable[[int], T]) -> T:
        limits = self.limits
        attempts = Retrying(
            retry=retry_if_exception_type(_Fault),
            stop=stop_after_attempt(limits.attempts),
            wait=self._pause,
            sleep=self._stopped.wait,
            before_sleep=lambda state: _note(service, state, limits.attempts),
            reraise=True,
        )
        number = 0

        def once() -> T:
            nonlocal number
            number += 1
            return attempt(number)

        try:
            return attempts(once)
        except _Fault as fault:
            last = fault
        raise FeedUnreachable(
            service,
            f"không lấy được dữ liệu từ {self.where}, lỗi cuối cùng: {last.what}. "
            "Kiểm tra đường truyền và tình trạng dịch vụ rồi chạy lại",
            attempts=number,
            status=last.status,
        )

    def _pause(self, state: RetryCallState) -> float:
        limits = self.limits
        longest = min(limits.longest_pause, limits.first_pause * 2 ** min(state.attempt_number - 1, 30))
        # Threads that failed together must not come back together.
        pause = longest * random.uniform(0.5, 1.0)  # noqa: S311
        fault = state.outcome.exception() if state.outcome else None
        asked = fault.retry_after if isinstance(fault, _Fault) else None
        if asked is None:
            return pause
        asked = min(asked, limits.longest_retry_after)
        self._gate.hold(asked)
        return max(asked, pause)

    def _send(
        self,
        method: str,
        path: str,
        service: str,
        passes: Collection[int],
        number: int,
        request: dict[str, Any],
    ) -> tuple[int, bytes]:
        with self._gate.turn(service):
            deadline = time.monotonic() + self.limits.call_timeout
            status: int | None = None
            what: str | None
            try:
                with self._http.stream(method, path, **request) as response:
                    status = response.status_code
                    if status == 429 or status >= 500:
                        raise _Fault(
                            "dịch vụ báo quá nhiều lượt gọi" if status == 429 else "dịch vụ báo lỗi máy chủ",
                            status=status,
                            retry_after=_retry_after(response.headers.get("retry-after")),
                        )
                    if not 200 <= status < 300 and status not in passes:
                        raise FeedRefused(
                            service,
                            f"{self.where} từ chối lượt gọi. Kiểm tra địa chỉ dịch vụ và quyền truy cập",
                            attempts=number,
                            status=status,
                        )
                    return status, self._read(response, service, number, deadline)
            except (httpx.TimeoutException, httpx.NetworkError, httpx.ProxyError) as exc:
                what = _describe(exc)
            except (httpx.RemoteProtocolError, httpx.DecodingError):
                what = "kết nối bị ngắt giữa chừng"
            except httpx.HTTPError:
                what = None
        if what is None:
            # What we asked for cannot be sent at all; the library's own words quote the headers.
            raise FeedRefused(service, "không gửi được yêu cầu. Kiểm tra cấu hình của nguồn", attempts=number)
        raise _Fault(what, status=status)

    def _read(self, response: httpx.Response, service: str, number: int, deadline: float) -> bytes:
        limit = self.limits.max_body_bytes
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > limit:
                raise FeedBodyTooLarge(
                    service,
                    f"nội dung trả về vượt giới hạn {limit:,} byte".replace(",", ".")
                    + ". Kiểm tra dịch vụ, hoặc nâng giới hạn",
                    attempts=number,
                    status=response.status_code,
                )
            # The read time-out counts from byte to byte; a service that drips would hold a place for ever.
            if time.monotonic() > deadline:
                raise _Fault("quá thời gian chờ", status=response.status_code)
        return bytes(body)


@cache
def _tls() -> ssl.SSLContext:
    """Reading the certificate store takes longer than most calls, so once."""
    return httpx.create_ssl_context()


def _note(service: str, state: RetryCallState, attempts: int) -> None:
    fault = state.outcome.exception() if state.outcome else None
    status = fault.status if isinstance(fault, _Fault) else None
    log.warning(
        "%s: lần gọi %d/%d không thành công (%s%s), gọi lại sau %.1f giây",
        service,
        state.attempt_number,
        attempts,
        fault,
        f", HTTP {status}" if status else "",
        state.next_action.sleep if state.next_action else 0.0,
    )


def _describe(exc: BaseException) -> str:
    if isinstance(exc, httpx.TimeoutException):
        return "quá thời gian chờ"
    cause: BaseException | None = exc
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "chứng thư TLS của dịch vụ không hợp lệ"
        cause = cause.__cause__ or cause.__context__
    if isinstance(exc, (httpx.ConnectError, httpx.ProxyError)):
        return "không kết nối được"
    return "kết nối bị ngắt giữa chừng"


def _retry_after(value: str | None) -> float | None:
    """Seconds to wait; both forms of the header are in use. What cannot be read counts as not said."""
    if value is None:
        return None
    value = value.strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,3})?", value):
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


# ------------------------------------------------------------------------------------------------------- JSON


def load_json(text: str, pairs: Pairs | None = None) -> Json:
    """JSON with numbers as the text they were sent as: typing is the contract's, and money is no float."""
    # Not strict: older gateways put bare line breaks into strings, which is unambiguous.
    return json.loads(text, parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=pairs, strict=False)


def _decode(content: bytes, pairs: Pairs | None) -> tuple[str, Any, str | None, bool]:
    """(text, tree, problem, cut short). The decoders' errors quote the body, so none leaves this function."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        cut = exc.reason == "unexpected end of data"
        return "", None, "nội dung trả về không phải UTF-8", cut
    try:
        return text, load_json(text, pairs), None, False
    except json.JSONDecodeError as exc:
        return text, None, "nội dung trả về không phải JSON", _is_cut(text, exc)
    except RecursionError:
        return text, None, "nội dung trả về lồng quá nhiều cấp", False


def _is_cut(text: str, error: json.JSONDecodeError) -> bool:
    """Whether reading failed only because the text ended: then the rest got lost on the way."""
    tail = text[error.pos :]
    return (
        not tail.strip()
        or error.msg.startswith("Unterminated string")
        or any(word.startswith(tail) for word in ("true", "false", "null", "NaN", "Infinity", "-Infinity"))
        or re.fullmatch(r"\.|[eE][+-]?", tail) is not None
        or (error.msg.startswith("Invalid \\u") and len(tail) < 6)
    )
