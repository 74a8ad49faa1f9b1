"""The budget feed of the finance department: ask its resources, keep the answers as received, read the rows.

`pull` talks to the feed and gives bytes to land, `parse` reads rows from landed bytes with the feed gone. What is
landed is JSON Lines, one line per page:

    {"service": "giai-ngan", "year": 2024, "since": "2024-06-13T16:20:00", "page": 2, "body": "<as received>"}

Money stays the text it was sent as, here and in what is landed: the warehouse makes a `numeric` of it, nobody a float.
"""

from __future__ import annotations

import json
import logging
import re
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from cchc.periods import LOCAL_ZONE
from extract.pulled import LandedPull
from extract.transport import FeedBadAnswer, FeedBodyTooLarge, FeedError, FeedStopped, Limits, Transport, load_json

log = logging.getLogger(__name__)

Row = dict[str, Any]

SUCCESS = "00"
PAGE_ROWS = 1000
# what one question may bring; a feed that never comes to an end is stopped here
MAX_PAGES = 10_000
MAX_BYTES = 256 * 1024 * 1024
# a pull ends within this many seconds, calls tried again included: less than the hours that `held_changes` reckons with
LONGEST_PULL = 3 * 3600.0
UNAUTHORIZED = 401
RENEWALS = 3


@dataclass(frozen=True)
class Resource:
    """One resource; `has_changes` when its rows say when they changed, so that only newer ones need be asked for."""

    name: str
    dataset: str
    fields: frozenset[str]
    has_changes: bool = True
    may_be_empty: bool = False


def _fields(names: str) -> frozenset[str]:
    return frozenset(names.split())


RESOURCES = (
    Resource("du-an", "project", _fields("maDuAn tenDuAn maChuDauTu capQuanLy nhom capNhatLuc")),
    Resource(
        "ke-hoach-von",
        "plan",
        _fields("soQuyetDinh dong ngayQuyetDinh nam maDuAn capQuanLy nguonVon loai soTien capNhatLuc"),
    ),
    Resource(
        "giai-ngan",
        "disbursement",
        _fields("soChungTu dong ngayChungTu ngayHachToan nam maDuAn nguonVon loai soTien capNhatLuc"),
    ),
    Resource("khoi-luong", "work_volume", _fields("maDuAn nguonVon denNgay giaTriLuyKe capNhatLuc"), may_be_empty=True),
    Resource("thu-ngan-sach", "revenue", _fields("maMuc tenMuc nhom nam denNgay duToan luyKe"), has_changes=False),
    Resource("chi-ngan-sach", "expenditure", _fields("maMuc tenMuc nhom nam denNgay duToan luyKe"), has_changes=False),
)
DATASETS = {resource.dataset: resource for resource in RESOURCES}

_ENVELOPE = _fields("maLoi thongBao trang tongSoTrang tongSoDong duLieu message")
_KNOWN_NAMES = {name.upper(): name for name in _ENVELOPE.union(*(resource.fields for resource in RESOURCES))}


# ----------------------------------------------------------------------------------------------------- errors


class BudgetError(FeedError):
    """The feed answered, and the answer is an error code; asking again would only repeat it."""


class ClientRefused(BudgetError):
    """The feed does not take the client id and secret, or not the token it has just given out."""


class PullIncomplete(FeedBadAnswer):
    """The rows that came are not the rows that were announced."""


class BudgetEmpty(FeedBadAnswer):
    """No rows, twice, where rows must be."""


# ----------------------------------------------------------------------------------------------------- client


@dataclass(frozen=True)
class Page:
    """One good answer: the text to land, and what it says."""

    body: str
    rows: list[Row]
    page_count: int
    row_count: int


class BudgetClient:
    """Tokens and calls, for one thread and one pull."""

    def __init__(
        self,
        base_url: str,
        client_id: str,
        client_secret: str,
        limits: Limits | None = None,
        longest_pull: float = LONGEST_PULL,
    ) -> None:
        self._transport = Transport(base_url, limits)
        self._ends_at = time.monotonic() + longest_pull
        self._account = (client_id, client_secret)
        self._token: str | None = None
        self._expires_at = float("inf")

    def __enter__(self) -> BudgetClient:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        self._transport.close()

    def authorize(self, service: str = "token") -> str:
        """The token in use, or a new one when there is none or its time is over."""
        if self._token is None or time.monotonic() >= self._expires_at:
            self._token = self._new_token(service)
        return self._token

    def page(self, resource: str, **parameters: str | int) -> Page:
        """One page; a token that expired since the last one is renewed and the page asked for again."""
        for _ in range(RENEWALS):
            if time.monotonic() > self._ends_at:
                raise FeedStopped(resource, "lần lấy đã kéo dài quá lâu nên được dừng; báo đơn vị vận hành dịch vụ")
            answer = self._transport.call_json(
                "GET",
                f"/ngan-sach/v1/{resource}",
                service=resource,
                passes=(UNAUTHORIZED,),
                pairs=_fold,
                params=parameters,
                headers={"Authorization": f"Bearer {self.authorize(resource)}"},
            )
            if answer.status != UNAUTHORIZED:
                return _page(resource, answer.tree, answer.text, answer.attempts)
            self._token = None
        raise ClientRefused(
            resource,
            "mã truy cập vừa được cấp vẫn bị từ chối; báo đơn vị vận hành dịch vụ",
            attempts=RENEWALS,
            status=UNAUTHORIZED,
        )

    def _new_token(self, service: str) -> str:
        answer = self._transport.call_json(
            "POST",
            "/token",
            service="token",
            passes=(400, UNAUTHORIZED, 403),
            auth=self._account,
            data={"grant_type": "client_credentials"},
        )
        granted = answer.tree if isinstance(answer.tree, dict) and answer.status < 300 else {}
        token = granted.get("access_token")
        # what is no header value would fail later, in words that quote it
        if not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]+", token):
            raise ClientRefused(
                "token",
                "dịch vụ không cấp mã truy cập. Kiểm tra CCHC_BUDGET_CLIENT_ID và CCHC_BUDGET_CLIENT_SECRET",
                attempts=answer.attempts,
                status=answer.status,
            )
        lifetime = str(granted.get("expires_in") or "")
        self._expires_at = time.monotonic() + int(lifetime) if re.fullmatch(r"[0-9]{1,9}", lifetime) else float("inf")
        return token


def _fold(pairs: list[tuple[str, Any]]) -> Row:
    """An object with its known names in the contract's spelling: `MADUAN` and ` maDuAn` are `maDuAn`.

    A name that comes twice with different values keeps both, as a list: no field is one, so its row is rejected.
    """
    folded: Row = {}
    for written, value in pairs:
        name = _KNOWN_NAMES.get(written.strip().upper(), written)
        if name in folded and folded[name] != value:
            value = [folded[name], value]
        folded[name] = value
    return folded


def _unwrap(tree: object) -> object:
    """The answer itself, when a gateway put it as a JSON string into a message of its own."""
    for _ in range(3):
        if not isinstance(tree, dict) or "duLieu" in tree:
            break
        inner = next((found for name in ("thongBao", "message") if (found := _wrapped(tree.get(name)))), None)
        if inner is None:
            break
        # an error that the gateway itself reports stays one, whatever it wraps
        if "maLoi" in tree and str(tree["maLoi"]).strip() != SUCCESS:
            inner["maLoi"] = tree["maLoi"]
        tree = inner
    return tree


def _wrapped(value: object) -> Row | None:
    if not isinstance(value, str) or not value.lstrip().startswith("{"):
        return None
    try:
        tree = load_json(value, _fold)
    except (ValueError, RecursionError):
        return None
    return tree if isinstance(tree, dict) and tree.keys() & {"maLoi", "duLieu", "thongBao", "message"} else None


def _page(resource: str, tree: object, body: str, attempts: int) -> Page:
    tree = _unwrap(tree)
    if not isinstance(tree, dict):
        raise FeedBadAnswer(resource, "câu trả lời không phải một đối tượng JSON", attempts=attempts)
    code = str(tree.get("maLoi") or "").strip()
    if code != SUCCESS:
        # anything but a short code could be a piece of the answer
        shown = code if re.fullmatch(r"[0-9A-Za-z_-]{1,10}", code) else "không đọc được"
        raise BudgetError(resource, f"dịch vụ ngân sách báo lỗi, mã {shown}", attempts=attempts)
    rows = _rows(tree)
    page_count, row_count = _count(tree.get("tongSoTrang")), _count(tree.get("tongSoDong"))
    if rows is None or page_count is None or row_count is None:
        raise FeedBadAnswer(
            resource, "câu trả lời thiếu duLieu, tongSoTrang hoặc tongSoDong đúng dạng", attempts=attempts
        )
    if page_count > MAX_PAGES:
        raise FeedBadAnswer(resource, f"tongSoTrang {page_count} vượt giới hạn {MAX_PAGES} trang", attempts=attempts)
    return Page(body, rows, page_count, row_count)


def _rows(tree: Row) -> list[Row] | None:
    """The rows of an answer; none where it has none to give (whether any are owed is seen when they are counted)."""
    rows = tree.get("duLieu")
    if rows is None:
        return []
    rows = [rows] if isinstance(rows, dict) else rows
    return rows if isinstance(rows, list) and all(isinstance(row, dict) for row in rows) else None


def _count(value: object) -> int | None:
    return int(value) if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,9}\s*", value) else None


# ------------------------------------------------------------------------------------------------------- pull


def pull(
    client: BudgetClient, years: Sequence[int], held: Mapping[str, Mapping[int, datetime]] | None = None
) -> Iterator[LandedPull]:
    """Every resource for `years` (without gaps), one after the other; one that fails does not stop the others.

    `held` has, by dataset and year, the local moment from which changes are asked for; a year that is not in it is
    asked for whole. Never by date: a correction may move a voucher out of any range, and must still be seen.
    """
    held = held or {}
    try:
        client.authorize()
        down = None
    except FeedError as exc:
        down = str(exc)
    for resource in RESOURCES:
        if down is not None:
            yield LandedPull(resource.dataset, resource.name, failure=down)
            continue
        try:
            landed = _pull(client, resource, years, held.get(resource.dataset, {}))
        except FeedError as exc:
            if isinstance(exc, (ClientRefused, FeedStopped)):
                down = str(exc)
            log.error("%s: %s", resource.dataset, exc)
            landed = LandedPull(resource.dataset, resource.name, failure=str(exc))
        yield landed


def _pull(client: BudgetClient, resource: Resource, years: Sequence[int], held: Mapping[int, datetime]) -> LandedPull:
    since = {year: held.get(year) if resource.has_changes else None for year in years}
    needs_rows = not resource.may_be_empty and not any(since.values())
    for _ in range(2):
        lines, rows, unknown = [], 0, Counter[str]()
        for year in years:
            for number, page in enumerate(_complete(client, resource, year, since[year]), start=1):
                lines.append(_line(resource, year, since[year], number, page))
                rows += len(page.rows)
                for row in page.rows:
                    unknown.update(row.keys() - resource.fields)
        if rows or not needs_rows:
            covers = (date(min(years), 1, 1), date(max(years), 12, 31))
            return LandedPull(
                resource.dataset, resource.name, "".join(lines).encode(), None, rows, {}, dict(unknown), covers
            )
    raise BudgetEmpty(resource.name, "hai lần liền không có dòng nào dù dữ liệu này không thể rỗng; báo Sở Tài chính")


def _line(resource: Resource, year: int, since: datetime | None, number: int, page: Page) -> str:
    record = {
        "service": resource.name,
        "year": year,
        "since": since.isoformat() if since else None,
        "page": number,
        "body": page.body,
    }
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n"


def _complete(client: BudgetClient, resource: Resource, year: int, since: datetime | None) -> list[Page]:
    """All pages of a year; an incomplete set is asked for again once, at once."""
    try:
        return _pages(client, resource, year, since)
    except PullIncomplete as exc:
        log.warning("%s; lấy lại từ đầu", exc)
    return _pages(client, resource, year, since)


def _pages(client: BudgetClient, resource: Resource, year: int, since: datetime | None) -> list[Page]:
    question: dict[str, str | int] = {"nam": year, "kich_thuoc": PAGE_ROWS}
    if since is not None:
        question["cap_nhat_tu"] = since.isoformat()
    pages: list[Page] = []
    distinct: set[str] = set()
    size = 0
    while not pages or len(pages) < pages[0].page_count:
        page = client.page(resource.name, trang=len(pages) + 1, **question)
        pages.append(page)
        size += len(page.body.encode())
        if size > MAX_BYTES:
            raise FeedBodyTooLarge(
                resource.name, f"năm {year}: các trang cộng lại vượt {MAX_BYTES // 1024**2} MB; báo Sở Tài chính"
            )
        # a page may repeat rows, of its own or of the page before
        distinct.update(json.dumps(_clean(row, resource), sort_keys=True) for row in page.rows)
        announced = (page.page_count, page.row_count)
        if announced != (pages[0].page_count, pages[0].row_count):
            raise PullIncomplete(resource.name, f"năm {year}: số trang hoặc số dòng thay đổi trong khi lấy")
        if page.page_count > max(page.row_count, 1):
            raise PullIncomplete(
                resource.name, f"năm {year}: tongSoTrang {page.page_count} nhiều hơn tongSoDong {page.row_count}"
            )
    if len(distinct) != pages[0].row_count:
        raise PullIncomplete(
            resource.name,
            f"năm {year}: nhận {len(distinct)} dòng khác nhau, dịch vụ báo tongSoDong {pages[0].row_count}",
        )
    return pages


# ------------------------------------------------------------------------------------------------------ parse

_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?(Z|[+-][0-9:]{2,6})?"
)
_DAY = re.compile(r"(?P<day>[0-9]{1,2})/(?P<month>[0-9]{1,2})/(?P<year>[0-9]{4})")


def parse(landed: bytes, dataset: str) -> Iterator[tuple[int, Row]]:
    """(row number, row) of landed bytes: texts trimmed, blank None, moments local; typing is the contract's."""
    resource = DATASETS[dataset]
    number = 0
    for place, line in enumerate(landed.splitlines(), start=1):
        rows = _landed_rows(line, resource)
        if rows is None:
            raise FeedBadAnswer(resource.name, f"dòng {place} đã lưu không phải câu trả lời của dịch vụ này")
        for row in rows:
            number += 1
            yield number, {name: _value(name, value) for name, value in row.items()}


def _landed_rows(line: bytes, resource: Resource) -> list[Row] | None:
    try:
        record = json.loads(line)
        if record["service"] != resource.name:
            return None
        tree = _unwrap(load_json(record["body"], _fold))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return _rows(tree) if isinstance(tree, dict) else None


def _clean(row: Row, resource: Resource) -> Row:
    """What the contract knows of a row, spelled in one way: two spellings of a row are one row."""
    return {name: _value(name, value) for name, value in row.items() if name in resource.fields}


def _value(name: str, value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return value
    text = unicodedata.normalize("NFC", value).strip()
    if name == "capNhatLuc":
        return _local(text)
    if name in ("ngayQuyetDinh", "ngayChungTu", "ngayHachToan", "denNgay"):
        return _day(text)
    return text or None


def _local(text: str) -> str | None:
    """A moment on the province's wall clock; what is none stays as it is, for the contract to reject."""
    if not _MOMENT.fullmatch(text):
        return text or None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    if moment.tzinfo is not None:
        moment = moment.astimezone(LOCAL_ZONE).replace(tzinfo=None)
    return moment.isoformat()


def _day(text: str) -> str | None:
    """A day as ISO 8601; some senders write it the Vietnamese way, or as its midnight."""
    if match := _DAY.fullmatch(text):
        return f"{match['year']}-{int(match['month']):02}-{int(match['day']):02}"
    return re.sub(r"[T ]00:00(:00([.]0+)?)?$", "", text) or None
