"""The public-service portal: ask its services, keep the answers as received, read the rows out of them.

Two halves that never meet. `pull` talks to the portal and gives bytes to land, one dataset after the other.
`parse` reads rows from landed bytes, with the portal gone if need be. What is landed is JSON Lines, one line
per good answer:

    {"service": "LayDanhSachQDCB", "page": 2, "body": "<the answer, as received>"}

Nothing in a line depends on when or in which session it was asked, so an unchanged portal gives identical
bytes.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from extract.pulled import LandedPull
from extract.transport import (
    FeedBadAnswer,
    FeedError,
    FeedStopped,
    FeedUnreachable,
    Json,
    Limits,
    Transport,
    load_json,
)

log = logging.getLogger(__name__)

Row = dict[str, Any]
Shape = dict[str, "Shape | None"]

BEGINNING = date(2000, 1, 1)
SUCCESS = {"0", "00"}
SESSION_EXPIRED = "-2"
RENEWALS = 3
REDACTED = "***"


# --------------------------------------------------------------------------------------------------- services


@dataclass(frozen=True)
class Service:
    """One service and the shape of its rows: None is a plain value, a mapping a list of objects."""

    name: str
    dataset: str
    title: str
    shape: Shape
    paged: bool = False


def _plain(names: str) -> Shape:
    return dict.fromkeys(names.split())


SERVICES = (
    Service(
        "LayDanhMucCoQuan",
        "agency",
        "Danh mục cơ quan",
        _plain("MADONVI TENDONVI CAPDONVI MADONVICHA MADIABAN NGAYHIEULUC NGAYHETHIEULUC MADONVIKETHUA"),
    ),
    Service("LayDanhMucLinhVuc", "field", "Danh mục lĩnh vực", _plain("MALINHVUC TENLINHVUC MANGANH")),
    Service("LayDanhSachTTHC", "procedure_list", "Danh sách TTHC", _plain("MATTHC TENTTHC TRANGTHAI NGAYCAPNHAT")),
    Service(
        "LayThuTuc",
        "procedure",
        "Chi tiết TTHC",
        _plain("MATTHC TENTTHC MACOQUANCONGBO TRANGTHAI NGAYHIEULUC NGAYHETHIEULUC PHIDIAGIOI NGANHDOC")
        | {
            "LINHVUCTHUCHIEN": _plain("MALINHVUC TENLINHVUC"),
            "CAPTHUCHIEN": _plain("CAPTHUCHIEN"),
            "CACHTHUCTHUCHIEN": {
                "KENH": None,
                "THOIGIAN": {
                    "THOIGIANGIAIQUYET": None,
                    "DONVITINH": None,
                    "PHILEPHI": _plain("MAPHILEPHI SOTIEN"),
                },
            },
            "TTHCLIENTHONG": _plain("LOAI MANHOM"),
        },
    ),
    Service(
        "LayDVC",
        "service",
        "Dịch vụ công",
        _plain("MADVC MATTHC MUCDO DUDIEUKIENTOANTRINH TICHHOPDVCQG THANHTOANTRUCTUYEN NGAYHIEULUC NGAYHETHIEULUC"),
    ),
    Service(
        "LayDanhSachQDCB",
        "decision",
        "Quyết định công bố",
        _plain("IDQDCB SOQUYETDINH NGAYQUYETDINH") | {"TTHC": _plain("MATTHC HINHTHUC")},
        paged=True,
    ),
    Service(
        "LayDanhSachPAKN",
        "feedback",
        "Phản ánh, kiến nghị",
        _plain("MAPAKN NGAYTIEPNHAN PHANLOAI MADONVI NGAYXULYXONG TRANGTHAI"),
        paged=True,
    ),
)
DATASETS = {service.dataset: service for service in SERVICES}


def _names(shape: Shape) -> Iterator[str]:
    for name, nested in shape.items():
        yield name
        yield from _names(nested or {})


_KNOWN_NAMES = {"ERROR_CODE", "MESSAGE", "RESULT", "SESSION"}.union(*(_names(service.shape) for service in SERVICES))


# ----------------------------------------------------------------------------------------------------- errors


class PortalError(FeedError):
    """The portal answered, and the answer is an error code; asking again would only repeat it."""

    def __init__(self, service: str, problem: str, *, code: str = "", attempts: int = 0) -> None:
        self.code = code
        super().__init__(service, problem, attempts=attempts)


class LoginRefused(PortalError):
    """The portal does not take the account."""


class SessionRefused(PortalError):
    """A session that was just obtained is already expired."""


class PortalEmpty(FeedBadAnswer):
    """No rows, twice, where rows must be."""


class PortalEndless(FeedBadAnswer):
    """A paged list that does not come to an end."""


# ---------------------------------------------------------------------------------------------------- answers


@dataclass(frozen=True)
class Reply:
    """A good answer: the text to land, the rows in it, and whether it said outright that there are none."""

    body: str
    rows: list[Row]
    says_empty: bool


def _fold(pairs: list[tuple[str, Any]]) -> Row:
    """Object keys in upper case: `MATTHC`, `MaTTHC` and `matthc` are one field."""
    folded: Row = {}
    for name, value in pairs:
        key = name.strip().upper()
        held = _value(folded[key]) if key in folded else None
        if held is None:
            folded[key] = value
        elif key in _KNOWN_NAMES and _value(value) not in (None, held):
            raise _Ambiguous
    return folded


class _Ambiguous(ValueError):
    """One object has the same field twice with different values: there is no telling which holds."""


AMBIGUOUS = "một bản ghi có hai giá trị khác nhau cho cùng một trường"


def _unwrap(tree: Json) -> Json:
    """The answer itself, when a gateway put it as a JSON string into its own `message`."""
    for _ in range(3):
        if not isinstance(tree, dict) or tree.get("RESULT") or tree.get("SESSION"):
            return tree
        inner = _json_object(tree.get("MESSAGE"))
        if inner is None or not inner.keys() & {"ERROR_CODE", "RESULT", "SESSION"}:
            return tree
        # An error the gateway itself reports stays one, whatever it wraps.
        if _code(tree) not in SUCCESS | {""} or "ERROR_CODE" not in inner:
            inner["ERROR_CODE"] = tree.get("ERROR_CODE")
        tree = inner
    return tree


def _json_object(value: Json) -> Row | None:
    if not isinstance(value, str) or not value.lstrip().startswith("{"):
        return None
    try:
        tree = load_json(value, _fold)
    except (json.JSONDecodeError, RecursionError):
        return None
    return tree if isinstance(tree, dict) else None


def _code(envelope: Row) -> str:
    """The error code as text; numbers were kept as text by the decoder, so 0, "0" and "00" meet here."""
    code = envelope.get("ERROR_CODE")
    return code.strip() if isinstance(code, str) else ""


def _shown(code: str) -> str:
    """An error code fit for a message: a number, because anything else could be a piece of the answer."""
    return code if re.fullmatch(r"-?\d{1,9}", code) else "không đọc được"


def _rows(envelope: Row) -> tuple[list[Row], bool] | None:
    """(rows, whether an empty list was said outright), or None when `result` is of another kind."""
    result = envelope.get("RESULT")
    if result is None or result in ("", {}):
        return [], False
    if isinstance(result, dict):
        return [result], False
    if not isinstance(result, list):
        return None
    rows = [row for row in result if row not in (None, {})]
    if not all(isinstance(row, dict) for row in rows):
        return None
    return rows, not result


# ----------------------------------------------------------------------------------------------------- client


@dataclass(frozen=True)
class PortalLimits(Limits):
    """The transport's limits, and when a list or a row of failures is given up."""

    max_pages: int = 10_000
    barren_pages: int = 3
    unreachable_in_a_row: int = 8


class PortalClient:
    """Sessions and calls. Safe to share between threads; one client serves one pull."""

    def __init__(
        self,
        base_url: str,
        username: str,
        password: str,
        unit: str,
        dstcode: str,
        limits: PortalLimits | None = None,
    ) -> None:
        self.limits = limits or PortalLimits()
        self._transport = Transport(base_url, self.limits)
        self._username = username
        self._password = password
        self._unit = unit
        self._dstcode = dstcode
        self._session: str | None = None
        self._sessions: tuple[str, ...] = ()
        self._worked: set[str] = set()
        self._refused: str | None = None
        self._login_lock = threading.Lock()

    def __enter__(self) -> PortalClient:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        self._transport.close()

    def login(self) -> None:
        """Log in unless there is a session."""
        self._session_other_than(None)

    def ask(self, service: str, **parameters: str | int) -> Reply:
        """One call of a service; an expired session is renewed and the call repeated.

        Once, when nobody else calls. Of many calls, a slow one may be handed a session that the others have
        used to its end, so only a session that never worked counts as refused.
        """
        session = self._session_other_than(None)
        envelope, text, attempts = self._post(service, session, parameters)
        for _ in range(RENEWALS):
            if _code(envelope) != SESSION_EXPIRED:
                break
            session = self._session_other_than(session)
            envelope, text, attempts = self._post(service, session, parameters)
            if _code(envelope) == SESSION_EXPIRED and session not in self._worked:
                break
        code = _code(envelope)
        if code == SESSION_EXPIRED:
            raise SessionRefused(
                service,
                "phiên vừa đăng nhập lại vẫn bị báo hết hạn; báo đơn vị vận hành Cổng dịch vụ công",
                code=SESSION_EXPIRED,
                attempts=attempts,
            )
        self._worked.add(session)
        if code not in SUCCESS:
            raise PortalError(
                service,
                f"Cổng dịch vụ công báo lỗi, mã {_shown(code)}. Kiểm tra quyền của tài khoản và mã đơn vị",
                code=_shown(code),
                attempts=attempts,
            )
        found = _rows(envelope)
        if found is None:
            raise FeedBadAnswer(service, "«result» không phải danh sách bản ghi", attempts=attempts)
        return Reply(self._without_secrets(text), *found)

    def _session_other_than(self, expired: str | None) -> str:
        """The session in use; of many callers that hold the expired one, the first logs in for all."""
        with self._login_lock:
            if self._session is None or self._session == expired:
                self._session = None
                self._session = self._log_in()
            return self._session

    def _log_in(self) -> str:
        if self._refused is not None:
            # Asking again with a password that was refused may lock the account.
            raise LoginRefused("Đăng nhập", self._refused)
        body = {"username": self._username, "password": self._password}
        envelope, _, attempts = self._call("/mapi/login", "Đăng nhập", body)
        session = envelope.get("SESSION")
        code = _code(envelope)
        if code in SUCCESS and isinstance(session, str) and session.strip():
            # The old ones stay: answers to them may still be on their way. Others read it: never in place.
            self._sessions = (*self._sessions, session)
            return session
        self._refused = (
            f"Cổng dịch vụ công không nhận tài khoản, mã {_shown(code)}. "
            "Kiểm tra tên, mật khẩu và dstcode trong cấu hình"
        )
        raise LoginRefused("Đăng nhập", self._refused, code=_shown(code), attempts=attempts)

    def _post(self, service: str, session: str, parameters: dict[str, Any]) -> tuple[Row, str, int]:
        body = {"session": session, "madonvi": self._unit, "service": service, **parameters}
        return self._call("/mapi/g", service, body)

    def _call(self, path: str, service: str, body: dict[str, Any]) -> tuple[Row, str, int]:
        ambiguous = False
        try:
            answer = self._transport.call_json(
                "POST", path, service=service, pairs=_fold, params={"dstcode": self._dstcode}, json=body
            )
            envelope = _unwrap(answer.tree)
        except _Ambiguous:
            ambiguous = True
        if ambiguous:
            raise FeedBadAnswer(service, AMBIGUOUS)
        if not isinstance(envelope, dict):
            raise FeedBadAnswer(service, "câu trả lời không phải một đối tượng JSON", attempts=answer.attempts)
        return envelope, answer.text, answer.attempts

    def _without_secrets(self, text: str) -> str:
        """The body without a session that the portal echoes: a secret, and another one at every login.

        The body stays as received but for that, unless the secret is spelled so that only rewriting gets it
        out.
        """
        # A short text is no use as a needle: it would cut pieces out of the data.
        needles = [secret for secret in self._sessions if len(secret) >= 6]
        needles += [secret for secret in [self._password] if len(secret) >= 12]
        clean = _SECRET_FIELD.sub(rf"\g<head>{REDACTED}\g<quote>", text)
        for needle in needles:
            clean = clean.replace(needle, REDACTED).replace(needle.replace("/", "\\/"), REDACTED)
        if clean == text and not _SECRET_NAME.search(text) and "\\" not in text:
            return text
        try:
            tree = load_json(clean)
        except (json.JSONDecodeError, RecursionError):
            clean, tree = text, load_json(text)
        safe = _redacted(tree, needles)
        # Escaped: a lone surrogate is valid in JSON but has no UTF-8.
        return clean if safe == tree else json.dumps(safe)


_SECRET_NAME = re.compile("session|password", re.IGNORECASE)
# `"session": "…"`, also inside a JSON string, where the quotes are escaped.
_SECRET_FIELD = re.compile(
    r"""(?P<head>(?P<quote>\\?")(?:session|password)(?P=quote)\s*:\s*(?P=quote))[^"\\]+(?P=quote)""",
    re.IGNORECASE,
)


def _redacted(tree: Json, needles: list[str]) -> Json:
    """A decoded answer without secrets, JSON inside its strings included."""
    if isinstance(tree, dict):
        return {
            name: REDACTED
            if _SECRET_NAME.fullmatch(name.strip()) and value not in (None, "")
            else _redacted(value, needles)
            for name, value in tree.items()
        }
    if isinstance(tree, list):
        return [_redacted(item, needles) for item in tree]
    if not isinstance(tree, str):
        return tree
    for needle in needles:
        tree = tree.replace(needle, REDACTED)
    if tree.lstrip().startswith("{"):
        try:
            inner = load_json(tree)
        except (json.JSONDecodeError, RecursionError):
            return tree
        safe = _redacted(inner, needles)
        return tree if safe == inner else json.dumps(safe)
    return tree


# ------------------------------------------------------------------------------------------------------- pull


@dataclass(frozen=True)
class KnownProcedure:
    """A procedure whose details are loaded: its list entry at that time, and the local day of fetching."""

    name: str | None
    status: str | None
    updated_on: date | None
    fetched_on: date | None


@dataclass(frozen=True)
class PreviousPull:
    """What the warehouse has, by `procedure_key`."""

    procedures: Mapping[str, KnownProcedure] = field(default_factory=dict)


class Bar(Protocol):
    def advance(self, count: int = 1) -> None: ...


Progress = Callable[[str, int], AbstractContextManager[Bar]]


class _NoBar:
    def advance(self, count: int = 1) -> None:
        pass


def pull(
    client: PortalClient, previous: PreviousPull, today: date, progress: Progress | None = None
) -> Iterator[LandedPull]:
    """Every dataset of the portal, one after the other; one that fails says so and does not stop the others.

    The list of procedures comes before their details, so that a change in between is seen by the next pull.
    """
    progress = progress or (lambda _description, _total: nullcontext(_NoBar()))
    entries: dict[str, _Entry] | None = None
    try:
        client.login()
        down = None
    except FeedError as exc:
        down = str(exc)
    for service in SERVICES:
        if down is not None:
            yield LandedPull(service.dataset, service.name, failure=down)
            continue
        try:
            if service.dataset == "procedure":
                if entries is None:
                    raise FeedError(service.name, "không có danh sách TTHC nên không biết thủ tục nào đã thay đổi")
                wanted = _changed(entries, previous)
                log.info("%s: %d trên %d thủ tục cần lấy chi tiết", service.name, len(wanted), len(entries))
                landed = _procedures(client, service, wanted, progress) if wanted else _landed(service, [])
            else:
                answers = list(_pages(client, service, today) if service.paged else _list(client, service))
                landed = _landed(service, answers)
                if service.dataset == "procedure_list":
                    entries = _entries(row for _, row in parse(landed.content or b"", service.dataset))
        except FeedError as exc:
            landed = LandedPull(service.dataset, service.name, failure=str(exc))
        if landed.failure:
            log.error("%s: %s", service.dataset, landed.failure)
        yield landed


@dataclass(frozen=True)
class _Answer:
    """A reply and the parameter that tells it from the others of its service."""

    key: dict[str, Any]
    reply: Reply


def _landed(
    service: Service,
    answers: Iterable[_Answer],
    failure: str | None = None,
    failed: Mapping[str, str] | None = None,
) -> LandedPull:
    lines, rows, unknown = [], 0, Counter[str]()
    for answer in answers:
        record = {"service": service.name, **answer.key, "body": answer.reply.body}
        lines.append(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")
        rows += len(answer.reply.rows)
        for row in answer.reply.rows:
            unknown.update(_unknown(row, service.shape))
    content = "".join(lines).encode() if lines else None
    return LandedPull(service.dataset, service.name, content, failure, rows, dict(failed or {}), dict(unknown))


def _list(client: PortalClient, service: Service) -> Iterator[_Answer]:
    """A list that cannot be empty: a portal that restarts answers with nothing, so it is asked once more."""
    reply = client.ask(service.name)
    if not reply.rows:
        reply = client.ask(service.name)
    if not reply.rows:
        raise PortalEmpty(
            service.name,
            "hai lần liền không có dòng nào dù danh sách này không thể rỗng; báo đơn vị vận hành",
        )
    yield _Answer({}, reply)


def _pages(client: PortalClient, service: Service, today: date) -> Iterator[_Answer]:
    """All pages, from the beginning: an old item may be settled, or entered, long after its date."""
    limits = client.limits
    period = {"tuNgay": f"{BEGINNING:%d/%m/%Y}", "denNgay": f"{today:%d/%m/%Y}"}
    seen: set[str] = set()
    barren = 0
    for page in range(1, limits.max_pages + 1):
        reply = client.ask(service.name, **period, page=page)
        if not reply.rows and not reply.says_empty:
            # Null may be the end or a hiccup; taking a hiccup for the end would lose the pages behind it.
            reply = client.ask(service.name, **period, page=page)
        yield _Answer({"page": page}, reply)
        if not reply.rows:
            return
        before = len(seen)
        seen.update(json.dumps(_clean(row, service.shape, known_only=True), sort_keys=True) for row in reply.rows)
        barren = barren + 1 if len(seen) == before else 0
        if barren >= limits.barren_pages:
            raise PortalEndless(service.name, f"{barren} trang liền không có gì mới nhưng danh sách không kết thúc")
    raise PortalEndless(service.name, f"danh sách không kết thúc sau {limits.max_pages} trang")


# ------------------------------------------------------------------------------------------------- procedures


@dataclass(frozen=True)
class _Entry:
    """A procedure as the list has it."""

    code: str
    name: str | None
    status: str | None
    updated_on: date | None


def procedure_key(code: str) -> str:
    """`1.004194.H31`, `1.004194.000.00.00.H31` and `1.004194` are one procedure."""
    code = code.strip().upper()
    match = re.fullmatch(r"(\d+\.\d+)(\.000\.00\.00)?(\.H\d+)?", code)
    return match[1] if match else code


def _entries(rows: Iterable[Row]) -> dict[str, _Entry]:
    """The list by procedure; of several entries the last one holds, as in the warehouse."""
    entries = {}
    for row in rows:
        code = row.get("MATTHC")
        # Without a readable code there is nothing to ask for; the loader rejects the row and names it.
        if isinstance(code, str) and code.isprintable():
            entries[procedure_key(code)] = _Entry(
                code, _text(row.get("TENTTHC")), _text(row.get("TRANGTHAI")), _date(row.get("NGAYCAPNHAT"))
            )
    return entries


def _changed(entries: Mapping[str, _Entry], previous: PreviousPull) -> dict[str, _Entry]:
    """The procedures whose details must be fetched, by code."""
    return {key: entries[key] for key in sorted(entries) if _has_changed(entries[key], previous.procedures.get(key))}


def _has_changed(entry: _Entry, known: KnownProcedure | None) -> bool:
    if known is None or known.fetched_on is None or entry.updated_on is None:
        return True
    before = (_text(known.name), _text(known.status), known.updated_on)
    if (entry.name, entry.status, entry.updated_on) != before:
        return True
    # The stamp is a day, so a change later on the day of fetching leaves no trace in it.
    return entry.updated_on >= known.fetched_on


def _procedures(client: PortalClient, service: Service, wanted: Mapping[str, _Entry], progress: Progress) -> LandedPull:
    """Details, several at a time. One that fails is named, and asked again next time; the others land."""
    answers: dict[str, _Answer] = {}
    failed: dict[str, str] = {}
    unreachable = 0
    in_flight = client.limits.in_flight
    waiting = iter(wanted.items())
    running: dict[Future[_Answer], str] = {}
    pool = ThreadPoolExecutor(in_flight, thread_name_prefix="portal")
    given_up = False
    try:
        with progress(service.title, len(wanted)) as bar:
            while True:
                while not given_up and len(running) < 2 * in_flight:
                    key, entry = next(waiting, (None, None))
                    if key is None or entry is None:
                        break
                    running[pool.submit(_procedure, client, service, entry.code)] = key
                if not running:
                    break
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    key = running.pop(future)
                    if future.cancelled():
                        continue
                    try:
                        answers[key] = future.result()
                        unreachable = 0
                    except FeedError as exc:
                        failed[key] = str(exc)
                        gone = isinstance(exc, (FeedUnreachable, SessionRefused))
                        unreachable = unreachable + 1 if gone else 0
                        given_up |= isinstance(exc, (LoginRefused, FeedStopped))
                    bar.advance()
                # With the portal gone, hundreds of procedures would each use up their attempts.
                given_up |= unreachable >= client.limits.unreachable_in_a_row
                if given_up:
                    for future in running:
                        future.cancel()
    except BaseException:
        client.close()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    missing = [key for key in wanted if key not in answers]
    for key in missing:
        failed.setdefault(key, "chưa hỏi vì Cổng dịch vụ công không còn trả lời")
    failure = _failure(service, failed, len(wanted)) if failed else None
    return _landed(service, [answers[key] for key in wanted if key in answers], failure, failed)


def _procedure(client: PortalClient, service: Service, code: str) -> _Answer:
    reply = client.ask(service.name, maTTHC=code)
    if not reply.rows:
        reply = client.ask(service.name, maTTHC=code)
    if not reply.rows:
        raise PortalEmpty(service.name, "hai lần liền không có chi tiết của thủ tục")
    for row in reply.rows:
        answered = row.get("MATTHC")
        if isinstance(answered, str) and answered.strip() and procedure_key(answered) != procedure_key(code):
            raise FeedBadAnswer(service.name, "chi tiết trả về là của một thủ tục khác")
    return _Answer({"maTTHC": code}, reply)


def _failure(service: Service, failed: Mapping[str, str], wanted: int) -> str:
    codes = ", ".join(sorted(failed)[:10]) + (f" và {len(failed) - 10} thủ tục khác" if len(failed) > 10 else "")
    reasons = Counter(reason.removeprefix(f"{service.name}: ") for reason in failed.values()).most_common(3)
    return (
        f"{service.name}: không lấy được chi tiết của {len(failed)}/{wanted} thủ tục, lần sau sẽ hỏi lại: "
        f"{codes}. Lý do: {'; '.join(f'{reason} [{count}]' for reason, count in reasons)}"
    )


# ------------------------------------------------------------------------------------------------------ parse


def parse(landed: bytes, dataset: str) -> Iterator[tuple[int, Row]]:
    """(row number, row) of landed bytes: keys in upper case, texts trimmed, blank None, lists always lists.

    Every value is text as sent, typing is the contract's. Top-level fields the contract does not know are
    passed on for it to report; nested ones are left out.
    """
    service = DATASETS[dataset]
    number = 0
    for place, line in enumerate(landed.split(b"\n"), start=1):
        if not line.strip():
            continue
        rows = _landed_rows(line, service)
        if rows is None:
            raise FeedBadAnswer(service.name, f"dòng {place} của tệp đã lưu không phải câu trả lời của dịch vụ này")
        for row in rows:
            number += 1
            yield number, _clean(row, service.shape)


def _landed_rows(line: bytes, service: Service) -> list[Row] | None:
    try:
        record = json.loads(line)
        if not isinstance(record, dict) or record.get("service") != service.name:
            return None
        envelope = _unwrap(load_json(record["body"], _fold))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    found = _rows(envelope) if isinstance(envelope, dict) else None
    return found[0] if found else None


def _clean(row: Row, shape: Shape, *, known_only: bool = False) -> Row:
    cleaned: Row = {}
    for name, value in row.items():
        if name not in shape:
            if not known_only:
                cleaned[name] = _value(value)
            continue
        nested = shape[name]
        cleaned[name] = _value(value) if nested is None else _objects(value, nested)
    return cleaned


def _objects(value: Json, shape: Shape) -> list[Json]:
    """A nested list; one object stands for a list of one, null and blank for none."""
    items = value if isinstance(value, list) else [value]
    kept = [item for item in items if item not in (None, "", {})]
    # What is no object stays as it is, for the contract to reject.
    return [_clean(item, shape, known_only=True) if isinstance(item, dict) else _value(item) for item in kept]


def _value(value: Json) -> Json:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, list):
        return [_value(item) for item in value]
    if isinstance(value, dict):
        return {name: _value(item) for name, item in value.items()}
    return value


def _unknown(row: Row, shape: Shape, place: str = "") -> Iterator[str]:
    for name, value in row.items():
        nested = shape.get(name)
        if name not in shape:
            yield place + name
        elif nested is not None:
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, dict):
                    yield from _unknown(item, nested, f"{place}{name}.")


def _text(value: Json) -> str | None:
    """A text to compare by: spelling differences of no meaning left out."""
    if not isinstance(value, str):
        return None
    return " ".join(unicodedata.normalize("NFC", value).split()) or None


def _date(value: Json) -> date | None:
    try:
        return datetime.strptime(value.strip(), "%d/%m/%Y").date() if isinstance(value, str) else None
    except ValueError:
        return None
