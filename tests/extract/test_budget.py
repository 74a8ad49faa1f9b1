"""The budget feed: pulled over HTTP on loopback, landed, checked, loaded; money exact from the wire to the mart."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import Engine, text

from cchc import warehouse
from cchc.settings import PROJECT_ROOT, Settings
from extract import budget
from extract.contract import contracts
from extract.feeds import _LONGEST_PULL, budget_years, held_changes, load_budget
from extract.ledger import LoadOutcome
from extract.transport import FeedBadAnswer, FeedBodyTooLarge, FeedRefused, FeedUnreachable, Limits
from sample.budget import Client, Faults, Player, serve

Query = Callable[..., list[tuple]]
Row = dict[str, Any]
CONTRACT = contracts()["budget"]
CLIENT = Client("he-thong", "khoa-rat-bi-mat")
FAST = Limits(per_second=5000, attempts=4, first_pause=0.01, longest_pause=0.02, read_timeout=0.5, call_timeout=5)
DATASETS = ["project", "plan", "disbursement", "work_volume", "revenue", "expenditure"]


def project(code: str = "7000001", **other: Any) -> Row:
    return {
        "maDuAn": code,
        "tenDuAn": f"Dự án {code}",
        "maChuDauTu": "H31.08",
        "capQuanLy": "TINH",
        "nhom": "B",
        "capNhatLuc": "2023-12-01T08:00:00",
    } | other


def plan_line(line: int = 1, **other: Any) -> Row:
    return {
        "soQuyetDinh": "2900/QĐ-UBND",
        "dong": line,
        "ngayQuyetDinh": "2023-12-08",
        "nam": 2024,
        "maDuAn": "",
        "capQuanLy": "TINH",
        "nguonVon": "NSTW",
        "loai": "GIAO",
        "soTien": "19921000000000",
        "capNhatLuc": "2023-12-09T08:00:00",
    } | other


def voucher(number: int = 1, **other: Any) -> Row:
    return {
        "soChungTu": f"CT-{number:05d}",
        "dong": 1,
        "ngayChungTu": "2024-03-01",
        "ngayHachToan": "2024-03-02",
        "nam": 2024,
        "maDuAn": "7000001",
        "nguonVon": "NSTW",
        "loai": "THANH_TOAN",
        "soTien": "818600000000",
        "capNhatLuc": "2024-03-02T09:00:00",
    } | other


def item(code: str, group: str, **other: Any) -> Row:
    return {
        "maMuc": code,
        "tenMuc": f"Mục {code}",
        "nhom": group,
        "nam": 2024,
        "denNgay": "2024-05-31",
        "duToan": "100",
        "luyKe": "60",
    } | other


WORKS = {
    "maDuAn": "7000001",
    "nguonVon": "NSTW",
    "denNgay": "2024-05-31",
    "giaTriLuyKe": "9223372036854775783",
    "capNhatLuc": "2024-06-01T08:15:00",
}


class Feed:
    """What the feed has to say: files that the player reads again when they change."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "budget").mkdir(parents=True)
        self.say("du-an", [project()])
        self.say("ke-hoach-von", [plan_line()])
        self.say("giai-ngan", [voucher()])
        self.say("khoi-luong", [])
        self.say("thu-ngan-sach", [item("T1", "NOI_DIA")])
        self.say("chi-ngan-sach", [item("C1", "DTPT")])

    def say(self, resource: str, rows: list[Row]) -> None:
        (self.folder / "budget" / f"{resource}.json").write_text(json.dumps(rows), encoding="utf-8")


@pytest.fixture
def feed(tmp_path: Path) -> Feed:
    return Feed(tmp_path / "province")


@contextmanager
def asked(feed: Feed, faults: Faults | None = None, secret: str = CLIENT.client_secret, **limits: Any) -> Iterator[Any]:
    """(player, client) of a feed."""
    with (
        serve(feed.folder, faults=faults, client=CLIENT) as player,
        budget.BudgetClient(player.url, CLIENT.client_id, secret, replace(FAST, **limits)) as client,
    ):
        yield player, client


def pulled(client: budget.BudgetClient, **held: Any) -> dict[str, budget.LandedPull]:
    return {landed.dataset: landed for landed in budget.pull(client, [2024], held)}


def rows_of(landed: budget.LandedPull) -> list[Row]:
    assert landed.content is not None, landed.failure
    return [row for _, row in budget.parse(landed.content, landed.dataset)]


# --------------------------------------------------------------------------------------------------- token and pages


def test_every_resource_is_pulled_with_one_token(feed: Feed) -> None:
    with asked(feed) as (player, client):
        landed = pulled(client)
    assert list(landed) == DATASETS
    assert {name: pull.failure for name, pull in landed.items()} == dict.fromkeys(DATASETS)
    assert player.calls["token"] == 1
    assert rows_of(landed["disbursement"]) == [voucher() | {"dong": "1", "nam": "2024"}]
    assert landed["disbursement"].covers == (date(2024, 1, 1), date(2024, 12, 31))


def test_pulls_ask_by_change_and_never_by_date(feed: Feed) -> None:
    since = datetime(2024, 3, 2, 9)
    with asked(feed) as (player, client):
        pulled(client, disbursement={2024: since}, revenue={2024: since})
    questions = {q["resource"]: q for q in player.questions}
    assert questions["giai-ngan"] == {
        "resource": "giai-ngan",
        "nam": "2024",
        "kich_thuoc": "1000",
        "trang": "1",
        "cap_nhat_tu": "2024-03-02T09:00:00",
    }
    assert not any("den_ngay" in question for question in player.questions)
    # these do not say when they changed: always whole
    assert "cap_nhat_tu" not in questions["thu-ngan-sach"]
    assert "cap_nhat_tu" not in questions["ke-hoach-von"]


def test_a_token_that_expires_between_pages_is_renewed(feed: Feed) -> None:
    feed.say("giai-ngan", [voucher(number) for number in range(3500)])
    with asked(feed, Faults(token_calls=2, bare_401=True)) as (player, client):
        landed = pulled(client)
    assert len(rows_of(landed["disbursement"])) == 3500
    assert player.faults_played["token expired"] >= 2


def test_a_token_whose_time_is_over_is_renewed_before_it_is_refused(feed: Feed) -> None:
    with asked(feed, Faults(token_seconds=0.5)) as (player, client):
        pulled(client)  # lives 0 whole seconds by its own word
    assert player.faults_played["token expired"] == 0
    assert player.calls["token"] > 1


def test_a_client_that_is_refused_is_not_tried_again(feed: Feed) -> None:
    with asked(feed, secret="sai") as (player, client):
        landed = pulled(client)
    assert player.calls == {"token": 1}
    assert all("CCHC_BUDGET_CLIENT_SECRET" in (pull.failure or "") for pull in landed.values())
    assert all("sai" not in (pull.failure or "").split() for pull in landed.values())


def test_a_fresh_token_that_is_refused_ends_the_pull(feed: Feed) -> None:
    with asked(feed, Faults(always_expired=True)) as (player, client):
        landed = pulled(client)
    assert all(pull.content is None and pull.failure for pull in landed.values())
    assert player.calls["du-an"] == budget.RENEWALS
    assert player.calls["giai-ngan"] == 0


# ------------------------------------------------------------------------------------------------- incomplete pulls


def test_an_incomplete_pull_is_asked_for_again_once_at_once(feed: Feed) -> None:
    with asked(feed, Faults(wrong_total=True)) as (player, client):
        landed = pulled(client)
    assert {pull.failure for pull in landed.values()} == {None}
    assert player.calls["giai-ngan"] == 2


def test_a_pull_that_stays_incomplete_fails_alone(feed: Feed) -> None:
    with asked(feed, Faults(always_wrong_total=frozenset({"giai-ngan"}))) as (player, client):
        landed = pulled(client)
    assert landed["disbursement"].content is None
    assert "nhận 1 dòng khác nhau, dịch vụ báo tongSoDong 2" in (landed["disbursement"].failure or "")
    assert player.calls["giai-ngan"] == 2
    assert [name for name, pull in landed.items() if pull.failure] == ["disbursement"]


def test_repeated_rows_are_no_rows_more(feed: Feed) -> None:
    feed.say("giai-ngan", [voucher(number) for number in range(1500)])
    with asked(feed, Faults(repeated_rows=True, zoned_moments=0.5, text_values=0.5, unknown_fields=0.5)) as (_, client):
        landed = pulled(client)["disbursement"]
    assert landed.failure is None
    assert len(rows_of(landed)) == 1503
    assert landed.unknown_fields.keys() == {"truongMoi"}
    assert len({json.dumps(row, sort_keys=True) for row in budget_rows(landed)}) == 1500


def budget_rows(landed: budget.LandedPull) -> list[Row]:
    return [{name: row[name] for name in voucher()} for row in rows_of(landed)]


def test_no_rows_at_all_where_rows_must_be_is_a_failure(feed: Feed) -> None:
    feed.say("giai-ngan", [])
    with asked(feed) as (player, client):
        landed = pulled(client)
        changes = pulled(client, disbursement={2024: datetime(2024, 3, 2)})
    assert "không có dòng nào" in (landed["disbursement"].failure or "")
    assert landed["work_volume"].failure is None
    assert player.calls["giai-ngan"] == 3
    assert changes["disbursement"].failure is None  # nothing changed


# ---------------------------------------------------------------------------------------------------------- faults


def test_every_fault_that_must_be_survived_is(feed: Feed) -> None:
    feed.say("giai-ngan", [voucher(number) for number in range(3200)])
    for seed in range(3):
        faults = replace(Faults.all(seed), time_out_seconds=0.05, slow_seconds=0.01)
        with asked(feed, faults) as (_, client):
            landed = pulled(client)
        assert {pull.failure for pull in landed.values()} == {None}
        assert len({row["soChungTu"] for row in rows_of(landed["disbursement"])}) == 3200


def test_an_error_code_is_an_error_whatever_the_http_status(feed: Feed) -> None:
    with asked(feed, Faults(error_code="07")) as (player, client):
        with pytest.raises(budget.BudgetError, match="mã 07"):
            client.page("giai-ngan", nam=2024, trang=1, kich_thuoc=10)
        assert player.calls["giai-ngan"] == 1


@pytest.mark.parametrize(
    ("faults", "error", "calls"),
    [
        (Faults(garbage=True), FeedBadAnswer, 1),
        (Faults(refused_status=403), FeedRefused, 1),
        (Faults(refused_status=400), budget.ClientRefused, 0),
    ],
)
def test_what_asking_again_does_not_change_is_not_asked_again(
    feed: Feed, faults: Faults, error: type[Exception], calls: int
) -> None:
    with asked(feed, faults) as (player, client):
        if calls:
            client._token = "có rồi".encode().hex()
        with pytest.raises(error):
            client.page("giai-ngan", nam=2024, trang=1, kich_thuoc=10)
        assert player.calls["giai-ngan"] == calls


@pytest.mark.parametrize("fault", ["too_many_requests", "server_error", "cut"])
def test_transport_faults_are_tried_again_but_not_for_ever(feed: Feed, fault: str) -> None:
    with asked(feed, Faults(in_a_row=3, **{fault: True})) as (_, client):
        assert client.page("giai-ngan", nam=2024, trang=1, kich_thuoc=10).row_count == 1
    with asked(feed, Faults(in_a_row=99, **{fault: True})) as (_, client), pytest.raises(FeedUnreachable):
        client.page("giai-ngan", nam=2024, trang=1, kich_thuoc=10)


class _Says(BaseHTTPRequestHandler):
    """Any answer at all, with any status."""

    answers: tuple[tuple[int, str], ...] = ()

    def do_POST(self) -> None:
        self._send(200, '{"access_token": "abc", "token_type": "Bearer", "expires_in": 3600}')

    def do_GET(self) -> None:
        self.server.asked += 1  # type: ignore[attr-defined]
        self._send(*self.answers[min(self.server.asked, len(self.answers)) - 1])  # type: ignore[attr-defined]

    def _send(self, status: int, body: str) -> None:
        content = body.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None: ...


@contextmanager
def answering(*answers: tuple[int, str]) -> Iterator[budget.BudgetClient]:
    handler = type("Says", (_Says,), {"answers": answers})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.asked = 0  # type: ignore[attr-defined]
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        with budget.BudgetClient(f"http://127.0.0.1:{server.server_address[1]}", "a", "b", FAST) as client:
            yield client
    finally:
        server.shutdown()
        server.server_close()


def said(rows: list[Row], total: int | str | None = None, pages: Any = 1, **other: Any) -> str:
    answer = {"maLoi": "00", "thongBao": "", "trang": 1, "tongSoTrang": pages, "tongSoDong": total, "duLieu": rows}
    if total is None:
        answer["tongSoDong"] = len(rows)
    return json.dumps(answer | other)


@pytest.mark.parametrize(
    "body",
    [
        "[]",
        said([], duLieu="x"),
        said([], duLieu=[1]),
        said([voucher()], total="nhiều"),
        said([voucher()], pages=None),
        said([voucher()], pages="1.5"),
        said([voucher()], maLoi="00", MALOI="07"),
        said([voucher()], pages=budget.MAX_PAGES + 1, total=10**8),
    ],
)
def test_an_answer_of_another_shape_is_an_error(body: str) -> None:
    with answering((200, body)) as client, pytest.raises((FeedBadAnswer, budget.BudgetError)):
        client.page("giai-ngan", nam=2024, trang=1, kich_thuoc=1000)


@pytest.mark.parametrize("code", ["0", 0, "99", "", None, "<html>", "00x"])
def test_only_00_is_success(code: Any) -> None:
    with answering((200, said([voucher()], maLoi=code))) as client, pytest.raises(budget.BudgetError) as caught:
        client.page("giai-ngan", nam=2024, trang=1, kich_thuoc=1000)
    assert "<" not in str(caught.value)


ROW = voucher(1, dong="1", nam="2024")


@pytest.mark.parametrize(
    "body",
    [
        said(voucher(1), 1),  # type: ignore[arg-type]
        said([{f" {name.upper()} ": value for name, value in voucher(1).items()}]),
        said([voucher(1, maDuAn=" 7000001 ", nguonVon="NSTW ", soTien=" 818600000000")]),
        json.dumps({name.upper(): value for name, value in json.loads(said([voucher(1)])).items()}),
        json.dumps({"maLoi": "00", "thongBao": said([voucher(1)])}),
        json.dumps({"message": json.dumps({"MESSAGE": said([voucher(1)])})}),
        said([voucher(1)], "1", "1"),
    ],
    ids=["object", "names", "spaces", "envelope", "wrapped", "wrapped twice", "texts"],
)
def test_the_shapes_that_a_gateway_gives_an_answer_are_read(body: str) -> None:
    resource = budget.DATASETS["disbursement"]
    with answering((200, body)) as client:
        [page] = budget._pages(client, resource, 2024, None)
    landed = budget._line(resource, 2024, None, 1, page).encode()
    assert [row for _, row in budget.parse(landed, "disbursement")] == [ROW]


def test_an_error_that_the_gateway_reports_stays_one_whatever_it_wraps() -> None:
    body = json.dumps({"maLoi": "07", "thongBao": said([voucher(1)])})
    with answering((200, body)) as client, pytest.raises(budget.BudgetError, match="mã 07"):
        client.page("giai-ngan", nam=2024, trang=1, kich_thuoc=1000)


@pytest.mark.parametrize("missing", [{"duLieu": None}, {"duLieu": []}])
def test_an_answer_without_the_rows_it_owes_is_incomplete_and_asked_for_again(missing: Row) -> None:
    owed = said([], 1) if missing["duLieu"] == [] else said([], 1, **missing)
    resource = budget.DATASETS["disbursement"]
    with answering((200, owed), (200, said([voucher(1)]))) as client:
        [page] = budget._complete(client, resource, 2024, None)
    assert page.row_count == 1
    with answering((200, owed)) as client, pytest.raises(budget.PullIncomplete):
        budget._complete(client, resource, 2024, None)


def test_more_rows_than_were_announced_are_no_whole_pull_either() -> None:
    body = said([voucher(1), voucher(2)], 1)
    with answering((200, body)) as client, pytest.raises(budget.PullIncomplete, match="nhận 2 dòng khác nhau"):
        budget._pages(client, budget.DATASETS["disbursement"], 2024, None)


def test_a_field_that_comes_twice_with_two_values_is_none() -> None:
    text = json.dumps(voucher(1))[:-1] + ', "SOTIEN": "1"}'
    line = json.dumps({"service": "giai-ngan", "year": 2024, "body": said([]).replace("[]", f"[{text}]")})
    [(_, row)] = budget.parse(line.encode(), "disbursement")
    assert row["soTien"] == ["818600000000", "1"]
    same = text.replace('"SOTIEN": "1"', '"SOTIEN": "818600000000"')
    [(_, row)] = budget.parse(line.replace(json.dumps(text)[1:-1], json.dumps(same)[1:-1]).encode(), "disbursement")
    assert row["soTien"] == "818600000000"


def test_two_codings_of_a_letter_are_one() -> None:
    decomposed = unicodedata.normalize("NFD", "2900/QĐ-UBND Mỹ Hào")
    assert decomposed != "2900/QĐ-UBND Mỹ Hào"
    [row] = landed_rows(plan_line(soQuyetDinh=decomposed), dataset="plan")
    assert row["soQuyetDinh"] == "2900/QĐ-UBND Mỹ Hào"


# ---------------------------------------------------------------------------------------------------------- bounds


def test_pages_without_end_are_not_read_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = budget.DATASETS["disbursement"]
    # more pages than rows: nothing is read after the first
    with answering((200, said([voucher(1)], 3, 4))) as client, pytest.raises(budget.PullIncomplete):
        budget._pages(client, resource, 2024, None)
    body = said([voucher(1)], 5000, 5000)
    monkeypatch.setattr(budget, "MAX_BYTES", 3 * len(body) + 1)
    with answering((200, body)) as client, pytest.raises(FeedBodyTooLarge):
        budget._pages(client, resource, 2024, None)


def test_a_page_that_is_too_large_is_not_read(feed: Feed) -> None:
    feed.say("giai-ngan", [voucher(number) for number in range(1000)])
    with asked(feed, max_body_bytes=50_000) as (_, client):
        landed = pulled(client)
    assert "vượt giới hạn" in (landed["disbursement"].failure or "")
    assert [name for name, pull in landed.items() if pull.failure] == ["disbursement"]


def test_a_pull_that_takes_too_long_is_ended(feed: Feed) -> None:
    with serve(feed.folder, client=CLIENT) as player:
        client = budget.BudgetClient(player.url, CLIENT.client_id, CLIENT.client_secret, FAST, longest_pull=0)
        with client:
            landed = pulled(client)
    assert all("quá lâu" in (pull.failure or "") for pull in landed.values())
    assert player.calls == {"token": 1}
    # what the next pull asks for reckons that this one ended in time, calls tried again included
    assert timedelta(seconds=budget.LONGEST_PULL) <= _LONGEST_PULL / 2


def test_a_list_that_grows_between_its_pages_is_asked_for_again() -> None:
    first, second = said([voucher(1)], 2, 2), said([voucher(2)], 2, 2)
    grown = said([voucher(2)], 3, 2)
    with answering((200, first), (200, grown), (200, first), (200, second)) as client:
        pages = budget._complete(client, budget.DATASETS["disbursement"], 2024, None)
    assert [len(page.rows) for page in pages] == [1, 1]
    with answering((200, first), (200, grown)) as client, pytest.raises(budget.PullIncomplete):
        budget._complete(client, budget.DATASETS["disbursement"], 2024, None)


def test_an_empty_year_has_no_pages() -> None:
    with answering((200, said([], 0, 0, duLieu=None))) as client:
        [page] = budget._pages(client, budget.DATASETS["disbursement"], 2024, None)
    assert page.rows == []


# ------------------------------------------------------------------------------------------------- landed and parsed


def test_what_is_landed_is_what_came_and_an_unchanged_feed_gives_the_same_bytes(feed: Feed) -> None:
    contents = []
    for _ in range(2):
        with asked(feed) as (_, client):
            contents.append(pulled(client)["plan"].content)
    assert contents[0] == contents[1]
    [line] = contents[0].splitlines()
    record = json.loads(line)
    assert (record["service"], record["year"], record["since"], record["page"]) == ("ke-hoach-von", 2024, None, 1)
    assert json.loads(record["body"])["duLieu"] == [plan_line()]


def landed_rows(*rows: Row, dataset: str = "disbursement") -> list[Row]:
    resource = budget.DATASETS[dataset]
    line = json.dumps({"service": resource.name, "year": 2024, "since": None, "page": 1, "body": said(list(rows))})
    return [row for _, row in budget.parse(line.encode(), dataset)]


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("2024-06-10T08:15:00", "2024-06-10T08:15:00"),
        ("2024-06-10 08:15:00.250", "2024-06-10T08:15:00.250000"),
        ("2024-06-10T08:15:00+07:00", "2024-06-10T08:15:00"),
        ("2024-06-10T23:15:00Z", "2024-06-11T06:15:00"),
        ("2024-06-10T08:15", "2024-06-10T08:15:00"),
        ("hôm qua", "hôm qua"),
        ("2024-13-10T08:15:00", "2024-13-10T08:15:00"),
        ("", None),
    ],
)
def test_moments_are_local(sent: str, read: str | None) -> None:
    assert landed_rows(voucher(capNhatLuc=sent))[0]["capNhatLuc"] == read


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("2024-06-10", "2024-06-10"),
        (" 10/6/2024 ", "2024-06-10"),
        ("2024-06-10T00:00:00", "2024-06-10"),
        ("2024-06-10T09:00:00", "2024-06-10T09:00:00"),
        ("31/6/2024", "2024-06-31"),
        ("", None),
    ],
)
def test_days(sent: str, read: str | None) -> None:
    assert landed_rows(voucher(ngayHachToan=sent))[0]["ngayHachToan"] == read


def test_bytes_of_another_resource_are_refused() -> None:
    with pytest.raises(FeedBadAnswer):
        list(budget.parse(b'{"service": "du-an", "body": "{}"}', "plan"))
    with pytest.raises(FeedBadAnswer):
        list(budget.parse(b"not json", "plan"))


# -------------------------------------------------------------------------------------------------------- warehouse

Pull = Callable[..., dict[str, Any]]


@pytest.fixture
def pull(feed: Feed, settings: Settings, loader: Engine) -> Pull:
    """Pull and load once; the outcome of each dataset, the player under «player»."""

    def run(faults: Faults | None = None, secret: str = CLIENT.client_secret) -> dict[str, Any]:
        with serve(feed.folder, faults=faults, client=CLIENT) as player:
            told = {
                "budget_url": player.url,
                "budget_client_id": CLIENT.client_id,
                "budget_client_secret": Settings(budget_client_secret=secret).budget_client_secret,
            }
            outcomes = load_budget(settings.model_copy(update=told), loader, CONTRACT)
        return {outcome.dataset: outcome for outcome in outcomes} | {"player": player}

    return run


@pytest.fixture
def wanted(engine: Engine) -> None:
    """A report of the first half of 2024 is wanted."""
    request(engine, "2024-H1")


def request(engine: Engine, period_id: str) -> None:
    with engine.begin() as connection:
        statement = "insert into ops.report_request (period_id, as_of_at) values (:p, '2024-06-14 23:59:59.999999+07')"
        connection.execute(text(statement), {"p": period_id})


def outcomes(pulled: dict[str, Any]) -> dict[str, str]:
    return {name: outcome.outcome for name, outcome in pulled.items() if isinstance(outcome, LoadOutcome)}


def test_the_years_of_requested_reports_and_all_up_to_now(engine: Engine, loader: Engine) -> None:
    assert budget_years(loader, date(2026, 11, 22)) == range(2025, 2027)
    request(engine, "2025-M06")
    # this period does not touch 2024: a correction may have moved its vouchers there
    assert budget_years(loader, date(2026, 11, 22)) == range(2024, 2027)
    request(engine, "2024-H1")
    assert budget_years(loader, date(2026, 11, 22)) == range(2023, 2027)
    request(engine, "2027-M06")
    assert budget_years(loader, date(2026, 11, 22)) == range(2023, 2028)


def test_every_dataset_is_landed_and_loaded(wanted: None, pull: Pull, query: Query) -> None:
    assert outcomes(pull()) == dict.fromkeys(DATASETS, "new")
    assert query(
        "select sochungtu, dong, ngayhachtoan::text, sotien, capnhatluc::text from raw.budget__disbursement"
    ) == [("CT-00001", 1, "2024-03-02", Decimal(818_600_000_000), "2024-03-02 09:00:00")]
    assert query("select maduan, loai, sotien from raw.budget__plan") == [(None, "GIAO", Decimal(19_921_000_000_000))]
    assert query("select covers_from_on::text from ops.load where dataset = 'plan'") == [("2023-01-01",)]


def test_the_second_pull_asks_for_changes_only(wanted: None, pull: Pull, feed: Feed, query: Query) -> None:
    feed.say("giai-ngan", [voucher(1), voucher(2, capNhatLuc="2024-06-13T16:20:00")])
    pull()
    corrected = voucher(1, soTien="1", ngayHachToan="2025-01-09", capNhatLuc="2024-06-13T16:20:00.5")
    feed.say("giai-ngan", [voucher(1), voucher(2, capNhatLuc="2024-06-13T16:20:00"), corrected])
    again = pull()
    asked = [q for q in again["player"].questions if q["resource"] == "giai-ngan"]
    assert {q["cap_nhat_tu"] for q in asked} == {"2024-06-13T16:20:00"}
    # from the newest we hold on, itself included; its accounting date left the range, and it is seen all the same
    assert (again["disbursement"].rows_loaded, again["disbursement"].rows_duplicate) == (1, 1)
    newest = "select sotien, capnhatluc::text from raw.budget__disbursement where sochungtu = 'CT-00001' order by 2"
    assert query(newest) == [
        (Decimal(818_600_000_000), "2024-03-02 09:00:00"),
        (Decimal(1), "2024-06-13 16:20:00.5"),
    ]
    third = pull()
    assert (third["disbursement"].outcome, third["disbursement"].rows_loaded) == ("new", 0)
    assert outcomes(pull()) == dict.fromkeys(DATASETS, "repeat")
    assert query("select count(*) from raw.budget__disbursement") == [(3,)]


def test_nothing_that_is_held_is_loaded_again_however_it_is_spelled(
    wanted: None, pull: Pull, feed: Feed, query: Query
) -> None:
    feed.say("ke-hoach-von", [plan_line(1), plan_line(2, maDuAn="7000001", soTien="-0")])
    feed.say("khoi-luong", [WORKS])
    pull()
    feed.say("ke-hoach-von", [plan_line(1, maDuAn=None, dong="01"), plan_line(2, maDuAn=" 7000001", soTien="0")])
    feed.say("khoi-luong", [WORKS | {"denNgay": "31/5/2024", "capNhatLuc": "2024-06-01T01:15:00Z"}])
    again = pull(Faults(repeated_rows=True))
    assert {name: again[name].rows_loaded for name in DATASETS[:4]} == dict.fromkeys(DATASETS[:4], 0)
    assert query("select sum(rows_loaded) from ops.load where dataset in ('plan', 'work_volume')") == [(3,)]
    # of one moment and other content: the newer pull has it otherwise, and back again
    for amount in ("5", "0"):
        feed.say("ke-hoach-von", [plan_line(1), plan_line(2, maDuAn="7000001", soTien=amount)])
        assert pull()["plan"].rows_loaded == 1


def test_a_change_that_cannot_be_read_is_rejected_and_the_version_before_it_stays(
    wanted: None, pull: Pull, feed: Feed, query: Query
) -> None:
    pull()
    feed.say("giai-ngan", [voucher(1), voucher(1, soTien="1.000", capNhatLuc="2024-06-01T08:00:00")])
    again = pull()["disbursement"]
    assert (again.outcome, again.rows_loaded, again.rows_rejected, again.rows_duplicate) == ("new", 0, 1, 1)
    assert query("select sotien from raw.budget__disbursement") == [(Decimal(818_600_000_000),)]


def test_a_year_never_asked_for_is_asked_for_whole(engine: Engine, pull: Pull, loader: Engine, query: Query) -> None:
    request(engine, "2025-Y")
    pull()
    held = held_changes(loader, CONTRACT, [2023, 2024, 2025])
    assert held["disbursement"].keys() == {2024, 2025}
    assert "revenue" not in held
    request(engine, "2023-Y")
    asked = [q for q in pull()["player"].questions if q["resource"] == "giai-ngan"]
    assert {int(q["nam"]): "cap_nhat_tu" in q for q in asked if int(q["nam"]) < 2026} == {
        2022: False,
        2023: False,
        2024: True,
        2025: True,
    }


def test_what_changed_while_a_pull_was_on_its_way_is_asked_for(
    wanted: None, pull: Pull, feed: Feed, loader: Engine, query: Query
) -> None:
    feed.say("giai-ngan", [voucher(1, capNhatLuc="2100-01-01T00:00:00")])
    pull()
    held = held_changes(loader, CONTRACT, [2024])["disbursement"][2024]
    [(arrived_at,)] = query("select max(arrived_at) from ops.arrival where dataset = 'disbursement'")
    began_at = (arrived_at - _LONGEST_PULL).astimezone().timestamp()
    assert abs((held - timedelta(hours=7)).replace(tzinfo=arrived_at.tzinfo).timestamp() - began_at) < 86_400
    assert held < datetime(2100, 1, 1)


def test_an_incomplete_pull_is_not_loaded_and_the_others_are(wanted: None, pull: Pull, query: Query) -> None:
    done = pull(Faults(always_wrong_total=frozenset({"ke-hoach-von"})))
    assert outcomes(done) == dict.fromkeys(DATASETS, "new") | {"plan": "failed"}
    assert query("select count(*) from raw.budget__plan") == [(0,)]
    assert query("select outcome from ops.arrival where dataset = 'plan'") == [("failed",)]
    again = outcomes(pull())
    assert (again["plan"], again["revenue"]) == ("new", "repeat")


def test_bad_rows_are_named_and_the_good_ones_loaded(wanted: None, pull: Pull, feed: Feed, query: Query) -> None:
    bad = [
        voucher(2, soTien="12,5"),
        voucher(3, soTien="8.0"),
        voucher(4, soTien=""),
        voucher(5, maDuAn="800001"),
        voucher(6, loai="TRA_NO"),
        voucher(7, ngayHachToan="2024-02-30"),
        voucher(8, loai="THU_HOI", soTien="5"),
        voucher(9, capNhatLuc="không rõ"),
        voucher(10, nguonVon=None),
    ]
    feed.say("giai-ngan", [voucher(1), *bad, voucher(11, loai="THU_HOI", soTien="-5")])
    outcome = pull()["disbursement"]
    assert (outcome.rows_read, outcome.rows_loaded, outcome.rows_rejected) == (11, 2, 9)
    assert query("select row_number, column_name, value from ops.rejected_row order by 1") == [
        (2, "soTien", "12,5"),
        (3, "soTien", "8.0"),
        (4, "soTien", None),
        (5, "maDuAn", "800001"),
        (6, "loai", "TRA_NO"),
        (7, "ngayHachToan", "2024-02-30"),
        (8, "soTien", "5"),
        (9, "capNhatLuc", "không rõ"),
        (10, "nguonVon", None),
    ]


def test_a_bad_row_is_told_once_however_often_pages_and_years_repeat_it(
    wanted: None, pull: Pull, feed: Feed, query: Query
) -> None:
    feed.say("du-an", [project(), project("9000001"), project("7000003", nhom=[])])
    feed.say("giai-ngan", [voucher(1), voucher(2, soTien="12,5")])
    done = pull(Faults(repeated_rows=True))
    # the list of projects comes with every year
    assert (done["project"].rows_loaded, done["project"].rows_rejected) == (1, 2)
    assert (done["disbursement"].rows_loaded, done["disbursement"].rows_rejected) == (1, 1)
    assert query("select column_name from ops.rejected_row order by 1") == [("maDuAn",), ("nhom",), ("soTien",)]
    assert query("select bool_and(rows_read = rows_loaded + rows_rejected + rows_duplicate) from ops.load") == [(True,)]


def test_money_that_came_as_a_float_is_refused(wanted: None, pull: Pull, query: Query) -> None:
    outcome = pull(Faults(float_money=True))["disbursement"]
    assert (outcome.outcome, outcome.rows_rejected) == ("refused", 1)
    assert query("select count(*) from raw.budget__disbursement") == [(0,)]


def test_every_fault_at_once_loads_the_same_rows(wanted: None, pull: Pull, feed: Feed, query: Query) -> None:
    feed.say("giai-ngan", [voucher(number, soTien=str(number + 1)) for number in range(1800)])
    done = pull(replace(Faults.all(5), time_out_seconds=0.1, slow_seconds=0.01))
    assert set(outcomes(done).values()) == {"new"}
    assert query("select count(*), sum(sotien) from raw.budget__disbursement") == [(1800, Decimal(1800 * 1801 // 2))]


def test_without_an_address_the_feed_is_skipped_and_said_so(settings: Settings, loader: Engine, query: Query) -> None:
    [outcome] = load_budget(settings, loader, CONTRACT)
    assert (outcome.outcome, outcome.dataset) == ("skipped", "*")
    assert query("select source, outcome, message from ops.arrival") == [
        ("budget", "skipped", "Chưa đặt CCHC_BUDGET_URL")
    ]


@pytest.mark.parametrize(
    "address",
    ["lgsp.hungyen.gov.vn", "ftp://lgsp", "https://ai:mat-khau@lgsp", "http://mat-khau:[", "http://\x00mat-khau"],
)
def test_an_address_that_is_none_is_a_failure_that_says_so_and_does_not_show_it(
    settings: Settings, loader: Engine, address: str, everything: Callable[[], str]
) -> None:
    [outcome] = load_budget(settings.model_copy(update={"budget_url": address}), loader, CONTRACT)
    assert (outcome.outcome, outcome.dataset) == ("failed", "*")
    assert outcome.message.startswith("CCHC_BUDGET_URL")
    assert "mat-khau" not in everything()


def test_no_secret_and_no_token_is_logged_or_kept(
    wanted: None, pull: Pull, all_logs: pytest.LogCaptureFixture, everything: Callable[[], str], settings: Settings
) -> None:
    player: Player = pull(Faults(token_calls=2))["player"]
    pull(secret="khoa-sai-bi-mat")
    landed = b"".join(path.read_bytes() for path in Path(settings.landing).rglob("*") if path.is_file())
    kept = all_logs.text + everything() + landed.decode()
    for secret in (CLIENT.client_secret, "khoa-sai-bi-mat", *player._tokens):
        assert secret not in kept


# ------------------------------------------------------------------------------------------- money, wire to mart

# each near the largest 64-bit number; a double would round them, and their sum does not fit 64 bits
LARGE = [9_223_372_036_854_775_783, 8_999_999_999_999_999_999, 1_234_567_890_123_456_789, -7_000_000_000_000_000_001]
LARGER_THAN_64_BITS = 98_765_432_109_876_543_211


@pytest.fixture
def built(warehouse_url: Any, engine: Engine, tmp_path: Path) -> Callable[[], None]:
    """Build what the budget measures need, in the test's own warehouse."""

    def build() -> None:
        with engine.begin() as connection:
            # what a migration grants on a database does not come with a copy of it
            connection.execute(text(f"grant create, temporary on database {warehouse_url.database} to transformer"))
        command = [sys.executable, "-m", "dbt.cli.main", "--log-path", str(tmp_path / "log"), "build", "--quiet"]
        places = ["--project-dir", PROJECT_ROOT / "dbt", "--profiles-dir", PROJECT_ROOT / "dbt"]
        models = ["+rpt_measure_budget", "+fct_disbursement", "--resource-type", "seed", "--resource-type", "model"]
        run = subprocess.run(
            [*command, *map(str, places), "--target-path", str(tmp_path / "target"), "--select", *models],
            env=os.environ | warehouse.dbt_environment(warehouse_url) | {"CCHC_DBT_SCHEMA_SUFFIX": "_build"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert run.returncode == 0, run.stdout[-3000:]

    return build


def test_money_is_exact_to_the_dong_from_the_wire_to_the_mart(
    wanted: None, pull: Pull, feed: Feed, query: Query, built: Callable[[], None]
) -> None:
    amounts = [*LARGE, LARGER_THAN_64_BITS]
    assert sum(map(float, amounts)) != sum(amounts)
    feed.say("giai-ngan", [voucher(n, soTien=str(amount)) for n, amount in enumerate(amounts)])
    feed.say("ke-hoach-von", [plan_line(n, soTien=str(amount)) for n, amount in enumerate(LARGE)])
    feed.say("thu-ngan-sach", [item(f"T{n}", "NOI_DIA", luyKe=str(abs(a))) for n, a in enumerate(LARGE)])
    pull()
    built()
    assert query("select sotien from raw.budget__disbursement order by sochungtu") == [(Decimal(a),) for a in amounts]
    assert query("select amount_vnd from marts_build.fct_disbursement order by voucher_number") == [
        (Decimal(a),) for a in amounts
    ]
    measures = dict(query("select measure_code, measure_value from reporting_build.rpt_measure_budget"))
    assert all(isinstance(value, Decimal) for value in measures.values())
    assert measures["investment_disbursed"] == sum(amounts)
    assert measures["investment_plan"] == sum(LARGE)
    assert measures["state_revenue"] == sum(map(abs, LARGE))
    kinds = query(
        "select distinct data_type from information_schema.columns where column_name like '%\\_vnd' "
        "or column_name in ('sotien', 'dutoan', 'luyke', 'giatriluyke', 'measure_value')"
    )
    assert kinds == [("numeric",)]
