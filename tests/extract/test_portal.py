"""The portal reader against a portal played on real loopback HTTP, one test per fault of the contract."""

from __future__ import annotations

import json
import logging
import re
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from extract.portal import (
    DATASETS,
    SERVICES,
    KnownProcedure,
    LandedPull,
    LoginRefused,
    PortalClient,
    PortalEmpty,
    PortalEndless,
    PortalError,
    PortalLimits,
    PreviousPull,
    SessionRefused,
    _pages,
    _procedure,
    parse,
    procedure_key,
    pull,
)
from extract.transport import (
    FeedBadAnswer,
    FeedBodyTooLarge,
    FeedError,
    FeedRefused,
    FeedStopped,
    FeedUnreachable,
    Limits,
    Transport,
    _decode,
    _retry_after,
)
from sample.portal import Account, Faults, Player, serve

TODAY = date(2024, 6, 14)
PASSWORD = "mat-khau-rat-bi-mat"
ACCOUNT = Account("tai-khoan", PASSWORD, "H31", "VN:GOV:thu")
QUICK = PortalLimits(
    per_second=5000, first_pause=0.01, longest_pause=0.05, connect_timeout=2, read_timeout=2, call_timeout=5
)
PROCEDURES = 12


# ------------------------------------------------------------------------------------------------ the sample


def codes() -> list[str]:
    return [f"1.{n:06d}.H31" for n in range(1, PROCEDURES + 1)]


def detail(code: str) -> dict[str, Any]:
    number = int(code.split(".")[1])
    return {
        "MATTHC": code,
        "TENTTHC": f"Thủ tục số {number}",
        "MACOQUANCONGBO": "H31.1",
        "TRANGTHAI": 1,
        "NGAYHIEULUC": "01/01/2020",
        "NGAYHETHIEULUC": "",
        "LINHVUCTHUCHIEN": [{"MALINHVUC": "LV1", "TENLINHVUC": "Hộ tịch"}],
        "CAPTHUCHIEN": [{"CAPTHUCHIEN": level} for level in range(1 + number % 3, 4)],
        "CACHTHUCTHUCHIEN": [
            {
                "KENH": "1",
                "THOIGIAN": [
                    {
                        "THOIGIANGIAIQUYET": 5,
                        "DONVITINH": "Ngày làm việc",
                        "PHILEPHI": [{"MAPHILEPHI": "P1", "SOTIEN": 50000.0}] if number % 2 else [],
                    }
                ],
            }
        ],
        "TTHCLIENTHONG": [],
        "PHIDIAGIOI": number % 2 == 0,
        "NGANHDOC": "",
    }


def agency(code: str, level: int) -> dict[str, Any]:
    return {
        "MADONVI": code,
        "TENDONVI": f"Đơn vị {code}",
        "CAPDONVI": level,
        "MADONVICHA": "",
        "MADIABAN": "321",
        "NGAYHIEULUC": "01/01/2010",
        "NGAYHETHIEULUC": None,
        "MADONVIKETHUA": "",
    }


def write(folder: Path, name: str, rows: list[dict[str, Any]]) -> None:
    (folder / "portal" / f"{name}.json").write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")


def read(folder: Path, name: str) -> list[dict[str, Any]]:
    return json.loads((folder / "portal" / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "portal").mkdir()
    write(tmp_path, "agencies", [agency("H31", 1), agency("H31.1", 1), agency("H31.2", 3)])
    write(tmp_path, "fields", [{"MALINHVUC": "LV1", "TENLINHVUC": "Hộ tịch", "MANGANH": "TP"}])
    listed = [
        {"MATTHC": code, "TENTTHC": detail(code)["TENTTHC"], "TRANGTHAI": 1, "NGAYCAPNHAT": "02/05/2024"}
        for code in codes()
    ]
    write(tmp_path, "procedures", listed)
    write(tmp_path, "procedure_details", [detail(code) for code in codes()])
    service = {
        "DUDIEUKIENTOANTRINH": 1,
        "TICHHOPDVCQG": 0,
        "THANHTOANTRUCTUYEN": True,
        "NGAYHIEULUC": "01/01/2020",
        "NGAYHETHIEULUC": None,
    }
    services = [{"MADVC": f"D{n}", "MATTHC": c, "MUCDO": 4} | service for n, c in enumerate(codes())]
    write(tmp_path, "services", services)
    decisions = [
        {
            "IDQDCB": f"Q{n}",
            "SOQUYETDINH": f"{n}/QĐ-UBND",
            "NGAYQUYETDINH": f"{n % 28 + 1:02d}/03/{2001 + n % 23}",
            "TTHC": [{"MATTHC": codes()[n % PROCEDURES], "HINHTHUC": n % 3 + 1}],
        }
        for n in range(230)
    ]
    write(tmp_path, "decisions", decisions)
    feedback = [
        {
            "MAPAKN": f"PA{n}",
            "NGAYTIEPNHAN": f"{n % 28 + 1:02d}/02/2024",
            "PHANLOAI": "QDHC",
            "MADONVI": "H31.2",
            "NGAYXULYXONG": "",
            "TRANGTHAI": "0",
        }
        for n in range(100)
    ]
    write(tmp_path, "feedback", feedback)
    return tmp_path


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@contextmanager
def portal(
    folder: Path,
    faults: Faults | None = None,
    limits: PortalLimits = QUICK,
    latency: float = 0,
    account: Account = ACCOUNT,
) -> Iterator[tuple[Player, PortalClient]]:
    with serve(folder, faults=faults, latency=latency, account=ACCOUNT) as player:
        arguments = (account.username, account.password, account.unit, account.dstcode)
        with PortalClient(player.url, *arguments, limits) as client:
            yield player, client


def pulled(client: PortalClient, previous: PreviousPull | None = None) -> dict[str, LandedPull]:
    return {landed.dataset: landed for landed in pull(client, previous or PreviousPull(), TODAY)}


def distinct_rows(landed: dict[str, LandedPull]) -> dict[str, list[Any]]:
    """What the warehouse would keep: known fields, repeats left out."""
    kept: dict[str, list[Any]] = {}
    for dataset, one in landed.items():
        assert one.failure is None, one.failure
        shape = DATASETS[dataset].shape
        kept[dataset] = []
        for _, row in parse(one.content or b"", dataset):
            known = {name: value for name, value in row.items() if name in shape}
            if known not in kept[dataset]:
                kept[dataset].append(known)
    return kept


def expected_rows(folder: Path) -> dict[str, list[Any]]:
    def text(value: Any) -> Any:
        if isinstance(value, list):
            return [text(item) for item in value]
        if isinstance(value, dict):
            return {name: text(item) for name, item in value.items()}
        if isinstance(value, bool):
            return str(value).lower()
        return str(value) if isinstance(value, (int, float)) else value or None

    files = ("agencies", "fields", "procedures", "procedure_details", "services", "decisions", "feedback")
    return {service.dataset: text(read(folder, name)) for service, name in zip(SERVICES, files, strict=True)}


# -------------------------------------------------------------------------------------------- the plain pull


def test_a_pull_lands_every_row_of_every_dataset(folder: Path) -> None:
    with portal(folder) as (player, client):
        landed = pulled(client)
    assert list(landed) == [service.dataset for service in SERVICES]
    assert distinct_rows(landed) == expected_rows(folder)
    assert {one.dataset: one.rows for one in landed.values()} == {
        name: len(rows) for name, rows in expected_rows(folder).items()
    }
    assert player.calls["login"] == 1


def test_landed_lines_are_the_answers_as_received_and_name_no_session_or_day(folder: Path) -> None:
    with portal(folder) as (_, client):
        content = pulled(client)["decision"].content
    assert content is not None
    lines = [json.loads(line) for line in content.decode().splitlines()]
    assert [(line["service"], line["page"]) for line in lines] == [("LayDanhSachQDCB", n) for n in (1, 2, 3, 4)]
    assert all(set(line) == {"service", "page", "body"} for line in lines)
    assert json.loads(lines[0]["body"])["result"] == read(folder, "decisions")[:100]
    assert json.loads(lines[3]["body"])["result"] == []


def test_paged_lists_are_asked_from_the_beginning_to_today(folder: Path) -> None:
    with portal(folder) as (player, client):
        pulled(client)
    asked = [q for q in player.questions if q.get("service") == "LayDanhSachPAKN"]
    assert [(q["tuNgay"], q["denNgay"], q["page"]) for q in asked] == [
        ("01/01/2000", "14/06/2024", 1),
        ("01/01/2000", "14/06/2024", 2),
    ]
    assert all(q["madonvi"] == "H31" and q["dstcode"] == "VN:GOV:thu" for q in asked)


def test_an_unchanged_source_gives_identical_bytes_whatever_the_threads_do(folder: Path) -> None:
    contents = []
    for in_flight, latency in ((8, 0.0), (3, 0.004), (1, 0.0)):
        # Another seed gives other sessions.
        with portal(folder, Faults(seed=in_flight), replace(QUICK, in_flight=in_flight), latency) as (
            _,
            client,
        ):
            contents.append({name: one.content for name, one in pulled(client).items()})
    assert contents[0] == contents[1] == contents[2]


def test_procedure_details_are_landed_in_the_order_of_their_codes(folder: Path) -> None:
    write(folder, "procedures", read(folder, "procedures")[::-1])
    with portal(folder) as (_, client):
        content = pulled(client)["procedure"].content or b""
    assert [json.loads(line)["maTTHC"] for line in content.splitlines()] == codes()


# ------------------------------------------------------------------------------------------ fault by fault

SURVIVED: dict[str, tuple[str, Faults]] = {
    "429_with_retry_after": ("too many requests", Faults(too_many_requests=True)),
    "429_without_retry_after": ("too many requests", Faults(too_many_requests=0.5, retry_after="")),
    "429_unreadable_retry_after": ("too many requests", Faults(too_many_requests=0.5, retry_after="soon")),
    "5xx": ("server error", Faults(server_error=True)),
    "time_out": ("time-out", Faults(time_out=0.15)),
    "connection_cut_in_the_middle_of_a_body": ("cut", Faults(cut=True)),
    "session_expiry": ("session expired", Faults(session_calls=13)),
    "session_expiry_as_text": ("session expired", Faults(session_calls=13, expired_as_text=True)),
    "session_expiry_by_time": ("session expired", Faults(session_seconds=0.3)),
    "error_code_0_as_number_and_text": ("error code", Faults(error_code_forms=True)),
    "result_null": ("null result", Faults(null_result=True)),
    "result_missing": ("missing result", Faults(missing_result=True)),
    "result_one_object": ("single object", Faults(single_object=True)),
    "nested_list_one_object_or_null": ("single nested", Faults(single_nested=True)),
    "numbers_and_booleans_as_strings": ("text values", Faults(text_values=True)),
    "keys_in_another_case": ("key case", Faults(key_case=True)),
    "codes_with_spaces": ("spaced codes", Faults(spaced_codes=True)),
    "answer_wrapped_in_message": ("wrapped message", Faults(wrapped_message=True)),
    "page_that_repeats_rows": ("repeated rows", Faults(repeated_rows=True)),
    "unknown_field": ("unknown fields", Faults(unknown_fields=True)),
    "session_echoed": ("echoed session", Faults(echoed_session=True)),
    "session_echoed_when_wrapped": ("echoed session", Faults(echoed_session=True, wrapped_message=True)),
}  # fmt: skip


@pytest.mark.parametrize("name", SURVIVED)
def test_survives(name: str, folder: Path) -> None:
    fault, faults = SURVIVED[name]
    limits = QUICK
    if fault == "time-out":
        limits = replace(QUICK, read_timeout=0.15)
    # Sessions that live for 13 calls must outlast the calls already on their way when one is renewed.
    latency = 0.04 if faults.session_seconds else 0
    in_flight = 4 if fault == "session expired" else 8
    with portal(folder, faults, replace(limits, in_flight=in_flight), latency) as (player, client):
        landed = pulled(client)
    assert player.faults_played[fault] > 0, "the fault was not played, so nothing is shown"
    assert distinct_rows(landed) == expected_rows(folder)
    for one in landed.values():
        for session in player._sessions:
            assert session[:20].encode() not in (one.content or b"")


def test_survives_everything_at_once(folder: Path) -> None:
    faults = replace(
        Faults.all(seed=7), time_out=0.03, time_out_seconds=1, too_many_requests=0.1, server_error=0.1,
        cut=0.1, null_result=0.2, missing_result=0.2, session_calls=20,
    )  # fmt: skip
    with portal(folder, faults, replace(QUICK, read_timeout=0.3)) as (player, client):
        landed = pulled(client)
    assert distinct_rows(landed) == expected_rows(folder)
    played = player.faults_played
    assert not {
        "too many requests", "server error", "time-out", "cut", "session expired", "error code",
        "null result", "missing result", "single object", "single nested", "text values", "key case",
        "spaced codes", "wrapped message", "repeated rows", "unknown fields", "echoed session",
    } - set(played)  # fmt: skip


def test_retry_after_in_seconds_is_waited_for_by_every_thread(folder: Path) -> None:
    with (
        portal(folder, Faults(too_many_requests=True, retry_after="1", in_a_row=1)) as (player, client),
        ThreadPoolExecutor(2) as pool,
    ):
        first = pool.submit(client.login)
        while not player.arrived_at:
            time.sleep(0.01)
        time.sleep(0.1)
        # Another question, which itself has not been told to wait.
        second = pool.submit(client._call, "/mapi/g", "LayDVC", {"service": "LayDVC"})
        first.result()
        second.result()
    told, *later = player.arrived_at
    assert player.calls["LayDVC"] >= 1
    assert min(later) - told >= 1.0


def test_retry_after_as_a_date_is_waited_for(folder: Path) -> None:
    with portal(folder, Faults(too_many_requests=True, retry_after="date", in_a_row=1)) as (player, client):
        client.login()
        first, second = player.arrived_at
    assert 0.9 <= second - first <= 4


def test_retry_after_is_bounded(folder: Path) -> None:
    faults = Faults(too_many_requests=True, retry_after="86400", in_a_row=1)
    with portal(folder, faults, replace(QUICK, longest_retry_after=0.2)) as (player, client):
        client.login()
        first, second = player.arrived_at
    assert 0.2 <= second - first <= 2


def test_unknown_fields_are_reported_nested_ones_too(folder: Path) -> None:
    with portal(folder, Faults(unknown_fields=True)) as (_, client):
        landed = pulled(client)
    assert landed["agency"].unknown_fields == {"TRUONGMOI": 3}
    assert landed["decision"].unknown_fields == {"TRUONGMOI": 230, "TTHC.TRUONGMOI": 230}
    assert landed["procedure"].unknown_fields["CACHTHUCTHUCHIEN.THOIGIAN.PHILEPHI.TRUONGMOI"] == PROCEDURES / 2
    assert landed["procedure"].unknown_fields["CAPTHUCHIEN.TRUONGMOI"] > 0


@pytest.mark.parametrize(
    "faults",
    [Faults(ends_with_null=True), Faults(ends_with_null=True, null_result=True)],
    ids=["null_at_the_end", "null_in_the_middle_and_at_the_end"],
)
def test_a_null_page_is_asked_once_more_and_ends_the_list_when_null_again(folder: Path, faults: Faults) -> None:
    with portal(folder, faults) as (player, client):
        landed = pulled(client)
    assert distinct_rows(landed) == expected_rows(folder)
    pages = [q["page"] for q in player.questions if q.get("service") == "LayDanhSachPAKN"]
    assert pages == ([1, 2, 2] if not faults.null_result else [1, 1, 2, 2])


def test_an_explicit_empty_page_ends_the_list_without_asking_again(folder: Path) -> None:
    write(folder, "feedback", [])
    with portal(folder) as (player, client):
        landed = pulled(client)["feedback"]
    assert player.calls["LayDanhSachPAKN"] == 1
    assert landed.failure is None
    assert landed.content is not None
    assert list(parse(landed.content, "feedback")) == []


def test_a_list_that_never_ends_is_an_error(folder: Path) -> None:
    with portal(folder, Faults(endless=True)) as (player, client):
        landed = pulled(client)
    assert "không kết thúc" in (landed["decision"].failure or "")
    assert landed["decision"].content is None
    assert player.calls["LayDanhSachQDCB"] == 3 + QUICK.barren_pages
    assert landed["agency"].failure is None


def test_a_list_longer_than_the_page_limit_is_an_error(folder: Path) -> None:
    with portal(folder, limits=replace(QUICK, max_pages=2)) as (_, client):
        assert "2 trang" in (pulled(client)["decision"].failure or "")


@pytest.mark.parametrize(
    ("file", "dataset"),
    [("agencies", "agency"), ("fields", "field"), ("procedures", "procedure_list"), ("services", "service")],
)
def test_zero_rows_where_rows_are_expected_are_asked_again_once_then_fail(
    folder: Path, file: str, dataset: str
) -> None:
    write(folder, file, [])
    with portal(folder) as (player, client):
        landed = pulled(client)
    assert landed[dataset].content is None
    assert "không có dòng nào" in (landed[dataset].failure or "")
    assert player.calls[DATASETS[dataset].name] == 2
    stale = {name for name, one in landed.items() if one.failure}
    assert stale == ({dataset, "procedure"} if dataset == "procedure_list" else {dataset})


# -------------------------------------------------------------------------------------------- what is refused


def test_a_wrong_password_is_tried_once_and_fails_every_dataset(folder: Path) -> None:
    with portal(folder, account=replace(ACCOUNT, password="sai")) as (player, client):
        landed = pulled(client)
        with pytest.raises(LoginRefused):
            client.ask("LayDVC")
    assert player.calls == {"login": 1}
    assert {one.failure for one in landed.values()} == {landed["agency"].failure}
    assert "Kiểm tra tên, mật khẩu và dstcode" in (landed["agency"].failure or "")


@pytest.mark.parametrize(
    "answer",
    [
        {"session": None, "error_code": 0},
        {"session": " ", "error_code": "00"},
        {"session": "abc", "error_code": 1},
        {"session": "abc", "error_code": "000"},
        {"session": "abc", "error_code": False},
        {"session": "abc"},
        {"session": "abc", "error_code": None},
        {"message": json.dumps({"session": "abc", "error_code": 5})},
        {"error_code": 7, "message": json.dumps({"session": "abc", "error_code": 0})},
    ],
    ids=str,
)
def test_login_succeeds_only_with_a_session_and_error_code_0(answer: dict[str, Any]) -> None:
    with scripted(json_answer(answer)) as (url, asked), a_client(url) as client:
        with pytest.raises(LoginRefused):
            client.login()
        assert len(asked) == 1


def test_an_application_error_is_not_tried_again(folder: Path) -> None:
    with (
        portal(folder, account=replace(ACCOUNT, unit="H99")) as (player, client),
        pytest.raises(PortalError) as caught,
    ):
        client.ask("LayDVC")
    assert player.calls == {"login": 1, "LayDVC": 1}
    assert caught.value.code == "-3"
    assert "LayDVC" in str(caught.value)


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 408])
def test_another_http_status_is_not_tried_again(folder: Path, status: int) -> None:
    with portal(folder, Faults(refused_status=status)) as (player, client), pytest.raises(FeedRefused) as caught:
        client.login()
    assert player.calls == {"login": 1}
    assert caught.value.status == status
    assert f"HTTP {status}" in str(caught.value)


def test_http_200_with_garbage_is_not_tried_again(folder: Path) -> None:
    with (
        portal(folder, Faults(garbage=True)) as (player, client),
        pytest.raises(FeedBadAnswer, match="không phải JSON"),
    ):
        client.login()
    assert player.calls == {"login": 1}


@pytest.mark.parametrize(
    "result", ["một chuỗi", 5, True, ["một chuỗi"], [[{"MADVC": "1"}]], [{"MADVC": "1"}, 5]], ids=str
)
def test_a_result_that_is_no_list_of_objects_is_refused(result: Any) -> None:
    with (
        scripted(LOGGED_IN, json_answer({"error_code": 0, "result": result})) as (url, _),
        a_client(url) as client,
        pytest.raises(FeedBadAnswer, match="result"),
    ):
        client.ask("LayDVC")


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"null", b"17"])
def test_an_answer_that_is_no_object_is_refused(body: bytes) -> None:
    with scripted(LOGGED_IN, http(body)) as (url, _), a_client(url) as client, pytest.raises(FeedBadAnswer):
        client.ask("LayDVC")


def test_one_field_with_two_values_is_refused_but_not_with_one() -> None:
    good = b'{"error_code": 0, "result": [{"MADVC": "1", "MaDVC": " 1 ", "madvc": null, "X": 1, "x": 2}]}'
    with scripted(LOGGED_IN, http(good)) as (url, _), a_client(url) as client:
        assert client.ask("LayDVC").rows[0]["MADVC"] == "1"
    bad = b'{"error_code": 0, "result": [{"MADVC": "1", "MaDVC": "2"}]}'
    with scripted(LOGGED_IN, http(bad)) as (url, asked), a_client(url) as client:
        with pytest.raises(FeedBadAnswer, match="hai giá trị"):
            client.ask("LayDVC")
        assert len(asked) == 2


def test_a_portal_that_is_down_is_given_up_after_the_attempts(folder: Path) -> None:
    with portal(folder, Faults(server_error=True, in_a_row=10**6)) as (player, client):
        landed = pulled(client)
    assert player.calls == {"login": QUICK.attempts}
    assert all(one.content is None and "số lần gọi: 6" in (one.failure or "") for one in landed.values())


def test_nobody_listening_is_a_transport_fault() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with a_client(url) as client, pytest.raises(FeedUnreachable, match="không kết nối được"):
        client.login()


# ------------------------------------------------------------------------------------------------- sessions


def test_of_many_calls_that_notice_an_expired_session_only_one_logs_in(folder: Path) -> None:
    with portal(folder, latency=0.1) as (player, client):
        client.login()
        player.expire_sessions()
        with ThreadPoolExecutor(8) as pool:
            replies = list(pool.map(lambda _: client.ask("LayDanhMucCoQuan"), range(8)))
    assert player.max_in_flight == 8
    assert player.calls == {"login": 2, "LayDanhMucCoQuan": 16}
    assert all(len(reply.rows) == 3 for reply in replies)


def test_a_session_expired_again_at_once_is_an_error_after_one_login(folder: Path) -> None:
    with portal(folder, Faults(always_expired=True)) as (player, client), pytest.raises(SessionRefused):
        client.ask("LayDVC")
    assert player.calls == {"login": 2, "LayDVC": 2}


def test_a_session_that_others_have_used_to_its_end_is_renewed_again(folder: Path) -> None:
    with portal(folder) as (player, client):
        client.login()
        player.expire_sessions()
        post = client._post

        def overtaken(*question: Any) -> Any:
            answer = post(*question)
            # While this call was on its way, another one logged in, and that session's time is over too.
            client._post = post  # type: ignore[method-assign]
            client.ask("LayDVC")
            player.expire_sessions()
            return answer

        client._post = overtaken  # type: ignore[method-assign]
        assert len(client.ask("LayDanhMucCoQuan").rows) == 3
    assert player.calls == {"login": 3, "LayDVC": 2, "LayDanhMucCoQuan": 3}


@pytest.mark.parametrize("expired", [-2, "-2", " -2 "])
def test_minus_2_as_number_or_text_logs_in_again_and_repeats_the_call_once(expired: Any) -> None:
    answers = [LOGGED_IN, json_answer({"error_code": expired}), LOGGED_IN]
    answers.append(json_answer({"ERROR_CODE": "00", "Result": [{"MaDVC": "1"}]}))
    with scripted(*answers) as (url, asked), a_client(url) as client:
        assert client.ask("LayDVC").rows == [{"MADVC": "1"}]
    assert [path for path, _ in asked] == ["/mapi/login", "/mapi/g", "/mapi/login", "/mapi/g"]


@pytest.mark.parametrize("echo", ['"{}"', '"tin: {}."', '{{"session": "{}"}}'], ids=["field", "text", "nested"])
@pytest.mark.parametrize("escape", [str, lambda s: s.replace("/", "\\/"), lambda s: s.replace("=", "\\u003d")])
def test_a_session_in_the_body_is_not_landed(echo: str, escape: Callable[[str], str]) -> None:
    session = "pHi+eN/0123456789abc=="
    echoed = echo.format(escape(session))
    body = f'{{"error_code": 0, "result": [{{"MADVC": "D1", "MUCDO": 4}}], "x": {echoed}, "y": "\\ud800"}}'
    wrapped = json.dumps({"message": body})
    for sent in (body, wrapped):
        with (
            scripted(json_answer({"session": session, "error_code": 0}), http(sent.encode())) as (url, _),
            a_client(url) as client,
        ):
            reply = client.ask("LayDVC")
        assert reply.rows == [{"MADVC": "D1", "MUCDO": "4"}]
        tree = json.loads(reply.body.encode())
        tree = json.loads(tree["message"]) if "message" in tree else tree
        assert session not in json.dumps(tree)
        assert tree["result"][0]["MADVC"] == "D1"


@pytest.mark.parametrize("session", ["s/=", 7])
def test_a_short_session_is_told_by_the_name_of_its_field(session: Any) -> None:
    answer = {"error_code": 0, "result": [{"MADVC": "D7"}], "Session": session}
    logged_in = json_answer({"session": session, "error_code": 0})
    with scripted(logged_in, json_answer(answer)) as (url, _), a_client(url) as client:
        assert json.loads(client.ask("LayDVC").body)["Session"] == "***"


def test_a_body_without_a_session_is_landed_as_received() -> None:
    body = '{ "error_code":0,\n\t"result" : [ {"MADVC":"D\\u0110","SOTIEN":1.50} ] }'
    with scripted(LOGGED_IN, http(body.encode())) as (url, _), a_client(url) as client:
        assert client.ask("LayDVC").body == body


# --------------------------------------------------------------------------------------- procedure details


def known(folder: Path, fetched_on: date = TODAY) -> PreviousPull:
    """What the warehouse holds after a pull of the folder as it is."""
    return PreviousPull(
        {
            procedure_key(row["MATTHC"]): KnownProcedure(
                row["TENTTHC"],
                str(row["TRANGTHAI"]),
                datetime.strptime(row["NGAYCAPNHAT"], "%d/%m/%Y").date(),
                fetched_on,
            )
            for row in read(folder, "procedures")
        }
    )


def fetched(player: Player) -> list[str]:
    return sorted(q["maTTHC"] for q in player.questions if q.get("service") == "LayThuTuc")


def test_a_second_pull_fetches_no_details_and_skips_the_dataset(folder: Path) -> None:
    with portal(folder) as (player, client):
        landed = pulled(client, known(folder))
    assert player.calls["LayThuTuc"] == 0
    assert landed["procedure"].skipped
    assert not landed["procedure_list"].skipped


@pytest.mark.parametrize(("field", "value"), [("TENTTHC", "Tên mới"), ("TRANGTHAI", 0), ("NGAYCAPNHAT", "01/05/2024")])
def test_one_changed_list_entry_fetches_one_detail(folder: Path, field: str, value: Any) -> None:
    previous = known(folder)
    rows = read(folder, "procedures")
    rows[3][field] = value
    with portal(folder) as (player, client):
        pulled(client, previous)
        assert fetched(player) == []
        write(folder, "procedures", rows)
        landed = pulled(client, previous)["procedure"]
    assert fetched(player) == [codes()[3]]
    assert [row["MATTHC"] for _, row in parse(landed.content or b"", "procedure")] == [codes()[3]]


def test_a_change_on_the_day_of_fetching_or_later_is_fetched_again(folder: Path) -> None:
    rows = read(folder, "procedures")
    for n, day in enumerate(("13/06/2024", "14/06/2024", "15/06/2024")):
        rows[n]["NGAYCAPNHAT"] = day
    write(folder, "procedures", rows)
    with portal(folder) as (player, client):
        pulled(client, known(folder, fetched_on=date(2024, 6, 14)))
    assert fetched(player) == codes()[1:3]


def test_details_we_do_not_have_are_fetched(folder: Path) -> None:
    previous = known(folder)
    kept = {key: value for key, value in previous.procedures.items() if key != procedure_key(codes()[5])}
    kept[procedure_key(codes()[6])] = replace(kept[procedure_key(codes()[6])], fetched_on=None)
    with portal(folder) as (player, client):
        pulled(client, PreviousPull(kept))
    assert fetched(player) == codes()[5:7]


def test_a_procedure_without_a_readable_day_of_change_is_always_fetched(folder: Path) -> None:
    procedures = dict(known(folder).procedures)
    rows = read(folder, "procedures")
    for row, day in zip(rows[:2], ("", "2024-05-02"), strict=True):
        row["NGAYCAPNHAT"] = day
        key = procedure_key(row["MATTHC"])
        procedures[key] = replace(procedures[key], updated_on=None)
    write(folder, "procedures", rows)
    with portal(folder) as (player, client):
        pulled(client, PreviousPull(procedures))
    assert fetched(player) == codes()[:2]


def test_spelling_of_no_meaning_is_no_change(folder: Path) -> None:
    previous = known(folder)
    spelled = {
        key: replace(entry, name=f"  {(entry.name or '').replace(' ', '  ')}", status="1 ")
        for key, entry in previous.procedures.items()
    }
    with portal(folder, Faults(spaced_codes=True, text_values=True)) as (player, client):
        pulled(client, PreviousPull(spelled))
    assert fetched(player) == []


@pytest.mark.parametrize(
    ("code", "key"),
    [
        ("1.004194.H31", "1.004194"),
        ("1.004194.000.00.00.H31", "1.004194"),
        (" 1.004194\t", "1.004194"),
        ("1.004194.h31", "1.004194"),
        ("BNV-123", "BNV-123"),
        ("1.004194.X", "1.004194.X"),
    ],
)
def test_procedure_key(code: str, key: str) -> None:
    assert procedure_key(code) == key


def test_one_procedure_that_fails_does_not_lose_the_others(folder: Path) -> None:
    with portal(folder, Faults(failing_procedures=frozenset(codes()[2:4]))) as (player, client):
        landed = pulled(client)
    procedure = landed["procedure"]
    assert sorted(procedure.failed) == [procedure_key(code) for code in codes()[2:4]]
    assert "2/12 thủ tục" in (procedure.failure or "")
    assert "1.000003, 1.000004" in (procedure.failure or "")
    assert "mã -9" in (procedure.failure or "")
    answered = [row["MATTHC"] for _, row in parse(procedure.content or b"", "procedure")]
    assert answered == codes()[:2] + codes()[4:]
    assert player.calls["LayThuTuc"] == PROCEDURES, "an application error is not asked again"
    assert [name for name, one in landed.items() if one.failure] == ["procedure"]


def test_a_procedure_without_details_is_asked_twice_and_named() -> None:
    with (
        scripted(LOGGED_IN, *[json_answer({"error_code": 0, "result": None})] * 2) as (url, asked),
        a_client(url) as client,
    ):
        client.login()
        with pytest.raises(PortalEmpty):
            _procedure(client, DATASETS["procedure"], "1.000001")
    assert len(asked) == 3


def test_details_of_another_procedure_are_refused(folder: Path) -> None:
    details = read(folder, "procedure_details")
    with portal(folder) as (player, client):
        player._procedure = lambda _, chance: player._result(details[:1], chance)  # type: ignore[method-assign]
        procedure = pulled(client)["procedure"]
    assert len(procedure.failed) == PROCEDURES - 1
    assert "thủ tục khác" in (procedure.failure or "")
    assert procedure.rows == 1


def test_with_the_portal_gone_the_rest_is_not_asked(folder: Path) -> None:
    limits = replace(QUICK, in_flight=2, attempts=2, unreachable_in_a_row=3)
    with portal(folder, limits=limits) as (player, client):
        client.login()
        answer = player._answer
        player._answer = lambda request, path, dstcode, question, chance: (  # type: ignore[method-assign]
            request.hang_up()
            if question.get("service") == "LayThuTuc"
            else answer(request, path, dstcode, question, chance)
        )
        landed = pulled(client)
    procedure = landed["procedure"]
    assert len(procedure.failed) == PROCEDURES
    assert procedure.content is None
    assert player.calls["LayThuTuc"] <= 2 * (3 + 2)
    assert "chưa hỏi" in (procedure.failure or "")
    assert landed["feedback"].failure is None


def test_calls_in_flight_are_bounded(folder: Path) -> None:
    with portal(folder, limits=replace(QUICK, in_flight=3), latency=0.03) as (player, client):
        pulled(client)
        assert player.max_in_flight == 3
        with ThreadPoolExecutor(10) as pool:
            list(pool.map(lambda _: client.ask("LayDVC"), range(10)))
        assert player.max_in_flight == 3, "the limit is the client's, whoever calls"


def test_calls_per_second_are_bounded_retries_and_logins_included(folder: Path) -> None:
    with portal(folder, Faults(server_error=0.3), replace(QUICK, per_second=80)) as (player, client):
        pulled(client)
    arrived = player.arrived_at
    assert len(arrived) > 25
    # A tenth for what the loopback and the scheduler add and take.
    assert arrived[-1] - arrived[0] >= 0.9 * (len(arrived) - 1) / 80


def test_progress_counts_the_details(folder: Path) -> None:
    told: list[Any] = []

    class Counted:
        def advance(self, count: int = 1) -> None:
            told.append(count)

    def bar(description: str, total: int) -> Any:
        told.append((description, total))
        return nullcontext(Counted())

    with portal(folder) as (_, client):
        list(pull(client, PreviousPull(), TODAY, bar))
    assert told == [("Chi tiết TTHC", PROCEDURES)] + [1] * PROCEDURES


# ---------------------------------------------------------------------------------------------------- parse


def landed_line(service: str, body: Any) -> bytes:
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    return json.dumps({"service": service, "body": text}).encode() + b"\n"


def test_parse_numbers_rows_through_the_file_and_keeps_repeats() -> None:
    page = {"error_code": 0, "result": [{"MAPAKN": "1"}, {"MAPAKN": "1"}]}
    landed = landed_line("LayDanhSachPAKN", page) * 2
    assert list(parse(landed, "feedback")) == [(n, {"MAPAKN": "1"}) for n in (1, 2, 3, 4)]


def test_parse_gives_text_none_for_blank_and_lists_for_nested() -> None:
    row = {
        "maTTHC": " 1.000001 ", "TENTTHC": " \u00a0 ", "PHIDIAGIOI": True, "La": {"b": 1},
        "CAPTHUCHIEN": {"capThucHien": 1, "la": 2}, "LINHVUCTHUCHIEN": None, "TTHCLIENTHONG": "",
        "CACHTHUCTHUCHIEN": [{"KENH": "", "THOIGIAN": {"PHILEPHI": {"SOTIEN": 50000.10}}}],
    }  # fmt: skip
    landed = landed_line("LayThuTuc", {"error_code": "00", "result": row})
    assert list(parse(landed, "procedure")) == [
        (
            1,
            {
                "MATTHC": "1.000001",
                "TENTTHC": None,
                "PHIDIAGIOI": "true",
                "LA": {"B": "1"},
                "CAPTHUCHIEN": [{"CAPTHUCHIEN": "1"}],
                "LINHVUCTHUCHIEN": [],
                "TTHCLIENTHONG": [],
                "CACHTHUCTHUCHIEN": [{"KENH": None, "THOIGIAN": [{"PHILEPHI": [{"SOTIEN": "50000.1"}]}]}],
            },
        )
    ]


def test_numbers_keep_the_text_they_were_sent_as() -> None:
    body = '{"error_code":0,"result":[{"MUCDO":4.0,"MADVC":12345678901234567890,"X":1e3}]}'
    [(_, row)] = parse(landed_line("LayDVC", body), "service")
    assert row == {"MUCDO": "4.0", "MADVC": "12345678901234567890", "X": "1e3"}


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b'{"service": "LayDVC"}',
        landed_line("LayDVC", "{"),
        landed_line("LayThuTuc", {"result": []}),
    ],
    ids=["cut", "no object", "no body", "broken body", "another service"],
)
def test_broken_landed_bytes_are_refused_with_their_line(line: bytes) -> None:
    good = landed_line("LayDVC", {"error_code": 0, "result": [{"MADVC": "1"}]})
    with pytest.raises(FeedBadAnswer, match="dòng 2"):
        list(parse(good + line, "service"))


# ------------------------------------------------------------------------------------------------ transport


def http(body: bytes, status: str = "200 OK", headers: str = "", length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\nConnection: close\r\n{headers}\r\n".encode() + body


def json_answer(tree: Any) -> bytes:
    return http(json.dumps(tree).encode())


SESSION = "phien-bi-mat-0123456789"
LOGGED_IN = json_answer({"session": SESSION, "error_code": 0})
SECRETS = (PASSWORD, SESSION, "NOI-DUNG-RIENG")


@contextmanager
def scripted(*answers: bytes | float) -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """A server that sends these bytes, one per connection, the last again and again; a number is a wait."""
    asked: list[tuple[str, bytes]] = []
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.02)

        def run() -> None:
            while not stop.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    continue
                connection.settimeout(2)
                with connection:
                    received = b""
                    while b"\r\n\r\n" not in received:
                        received += connection.recv(65536) or b"\r\n\r\n"
                    head, _, body = received.partition(b"\r\n\r\n")
                    length = re.search(rb"(?i)content-length: *(\d+)", head)
                    while length and len(body) < int(length[1]):
                        body += connection.recv(65536)
                    answer = answers[min(len(asked), len(answers) - 1)]
                    asked.append((head.split()[1].decode().partition("?")[0], body))
                    if isinstance(answer, bytes):
                        connection.sendall(answer)
                    else:
                        stop.wait(answer)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
        finally:
            stop.set()
            thread.join()


def a_client(url: str, **limits: Any) -> PortalClient:
    return PortalClient(url, "tai-khoan", PASSWORD, "H31", "VN:GOV:thu", replace(QUICK, **limits))


FAST = Limits(per_second=5000, first_pause=0.01, longest_pause=0.02, read_timeout=0.4, connect_timeout=1, attempts=3)


def test_every_body_cut_short_is_told_from_broken_json() -> None:
    whole = r' {"a": [1, -2, 3.5e-7, true, false, null, {"b": "x\"\\\u1ea1"}, {}, []], "đ": "ế"}'.encode()
    assert _decode(whole, None)[2:] == (None, False)
    for end in range(len(whole)):
        *_, problem, cut = _decode(whole[:end], None)
        assert problem, whole[:end]
        assert cut, whole[:end]
    for broken in (
        b"<html>",
        b'{"a": 1}}',
        b"{'a': 1}",
        b'{"a": tru}',
        b'{"a" 1}',
        b"\xff\xfe{}",
        b"[" * 100_000 + b"x",
    ):
        *_, problem, cut = _decode(broken, None)
        assert problem
        assert not cut
    assert _decode(b'\xef\xbb\xbf{"a": "b\nc"}', None)[1] == {"a": "b\nc"}


@pytest.mark.parametrize(
    "fault",
    [
        http(b'{"a": 1', length=100),
        http(b'{"a": 1'),
        http(b""),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{\"a\": 1\r\n",
        b"",
        b"HTTP/1.1 NOI-DUNG-RIENG\r\n\r\n",
        http(b"not gzip", headers="Content-Encoding: gzip\r\n"),
        http(b"", "429 Too Many"),
        http(b"", "503 Unavailable", "Retry-After: 0\r\n"),
        0.6,
    ],
    ids=["length", "json", "empty", "chunked", "no answer", "no http", "gzip", "429", "503", "time-out"],
)  # fmt: skip
def test_a_transport_fault_is_tried_again(fault: bytes | float) -> None:
    with scripted(fault, http(b'{"a": 1}')) as (url, asked), Transport(url, FAST) as transport:
        answer = transport.call_json("GET", "/x", service="thử")
    assert answer.tree == {"a": "1"}
    assert answer.attempts == len(asked) == 2


def test_a_slow_drip_ends_with_the_time_of_the_whole_call() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stop = threading.Event()

        def run() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                while not stop.wait(0.05):
                    try:
                        connection.sendall(b" ")
                    except OSError:
                        return

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        limits = replace(FAST, call_timeout=0.3, attempts=1)
        with Transport(url, limits) as transport, pytest.raises(FeedUnreachable, match="quá thời gian chờ"):
            transport.call("GET", "/x", service="thử")
        stop.set()
        thread.join()


def test_a_body_over_the_limit_is_not_read_to_the_end() -> None:
    limits = replace(FAST, max_body_bytes=1000)
    with scripted(http(b'"' + b"x" * 998 + b'"')) as (url, asked), Transport(url, limits) as transport:
        assert len(transport.call("GET", "/x", service="thử").content) == 1000
    with scripted(http(b"x" * 1001)) as (url, asked), Transport(url, limits) as transport:
        with pytest.raises(FeedBodyTooLarge, match=r"1\.000 byte"):
            transport.call("GET", "/x", service="thử")
        assert len(asked) == 1


def test_a_status_that_passes_is_given_back() -> None:
    with (
        scripted(http(b'{"maLoi": "01"}', "401 Unauthorized")) as (url, asked),
        Transport(url, FAST) as transport,
    ):
        answer = transport.call_json("GET", "/x", service="thử", passes={401})
        assert (answer.status, answer.tree) == (401, {"maLoi": "01"})
        with pytest.raises(FeedRefused):
            transport.call_json("GET", "/x", service="thử")
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0), (" 120 ", 120), ("1.5", 1.5), ("-5", None), ("soon", None), (None, None), ("", None),
        ("Fri, 14 Jun 2024 00:00:00 GMT", 0), ("Fri, 14 Jun 2024 00:00:00", 0), ("9" * 400, None),
    ],
)  # fmt: skip
def test_retry_after_header(value: str | None, seconds: float | None) -> None:
    assert _retry_after(value) == seconds


def test_retry_after_header_as_a_date_ahead() -> None:
    ahead = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert 55 < (_retry_after(ahead) or 0) <= 60


def test_closing_ends_calls_that_wait() -> None:
    limits = replace(FAST, first_pause=60, longest_pause=60)
    with scripted(http(b"", "500 Broken")) as (url, _):
        transport = Transport(url, limits)
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(transport.call, "GET", "/x", service="thử")
            time.sleep(0.2)
            transport.close()
            with pytest.raises(FeedStopped):
                future.result(timeout=5)


def test_an_interrupted_pull_stops_its_calls(folder: Path) -> None:
    class Interrupted:
        def advance(self) -> None:
            raise KeyboardInterrupt

    with portal(folder, latency=0.02, limits=replace(QUICK, in_flight=2)) as (player, client):
        with pytest.raises(KeyboardInterrupt):
            list(pull(client, PreviousPull(), TODAY, lambda _d, _t: nullcontext(Interrupted())))
        asked = player.calls["LayThuTuc"]
        time.sleep(0.1)
        assert player.calls["LayThuTuc"] == asked < PROCEDURES
        with pytest.raises(FeedStopped):
            client.ask("LayDVC")


@pytest.mark.parametrize("limit", ["in_flight", "per_second", "attempts", "max_body_bytes", "read_timeout"])
def test_limits_of_zero_are_refused(limit: str) -> None:
    with pytest.raises(ValueError, match=limit):
        PortalLimits(**{limit: 0})


@pytest.mark.parametrize("url", ["127.0.0.1:80", "ftp://x", "http://", "http://ten:NOI-DUNG-RIENG@may-chu/"])
def test_an_address_that_is_none_or_holds_a_password_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="địa chỉ") as caught:
        Transport(url)
    assert "NOI-DUNG-RIENG" not in str(caught.value)


# -------------------------------------------------------------------------------------------------- secrets

LEAKY = {
    "garbage": http(b"<html>NOI-DUNG-RIENG"),
    "broken json": http(b'{"NOI-DUNG-RIENG": }'),
    "cut": http(b'{"NOI-DUNG-RIENG": "', length=500),
    "no utf-8": http(b'{"NOI-DUNG-RIENG\xff": 1}'),
    "no http": b"HTTP/1.1 NOI-DUNG-RIENG\r\n\r\n",
    "404": http(b"NOI-DUNG-RIENG", "404 NOI-DUNG-RIENG"),
    "500": http(b"NOI-DUNG-RIENG", "500 NOI-DUNG-RIENG"),
    "error": json_answer({"error_code": "NOI-DUNG-RIENG", "message": f"NOI-DUNG-RIENG {PASSWORD}"}),
    "ambiguous": http(b'{"error_code": "1", "ERROR_CODE": "NOI-DUNG-RIENG"}'),
    "result": json_answer({"error_code": 0, "result": "NOI-DUNG-RIENG"}),
    "expired": json_answer({"error_code": -2, "message": f"NOI-DUNG-RIENG {SESSION}"}),
}


@pytest.mark.parametrize("name", LEAKY)
def test_no_secret_and_no_content_in_errors_or_logs(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    errors = []
    for before in ([], [LOGGED_IN]):
        with scripted(*before, LEAKY[name]) as (url, _), a_client(url, attempts=2) as client:
            with pytest.raises(FeedError) as caught:
                client.ask("LayDVC")
            errors.append(caught.value)
            assert repr(client).count("PortalClient") == 1
    for error in errors:
        # As bad a printer as any: chained errors too, suppressed or not.
        told: BaseException | None = error
        while told is not None:
            text = "".join(traceback.format_exception(told)) + repr(told) + str(vars(told))
            assert not [secret for secret in SECRETS if secret in text]
            told = told.__cause__ or told.__context__
    ours = [r.getMessage() for r in caplog.records if not r.name.startswith(("httpx", "httpcore"))]
    theirs = [r.getMessage() for r in caplog.records if r.name.startswith("httpx")]
    assert not [secret for secret in SECRETS for message in ours if secret in message]
    # The HTTP library logs the reason phrase that the server sent, but never what we sent.
    assert not [secret for secret in SECRETS[:2] for message in theirs if secret in message]


def test_no_secret_in_the_log_of_a_whole_pull(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    faults = Faults(too_many_requests=0.2, server_error=0.2, cut=0.2, session_calls=30, echoed_session=True)
    with portal(folder, faults) as (player, client):
        pulled(client)
    assert "gọi lại sau" in caplog.text
    for secret in (PASSWORD, "Thủ tục số", *player._sessions):
        assert secret not in caplog.text


def test_errors_are_raised_in_words_a_person_can_use(folder: Path) -> None:
    with (
        portal(folder, Faults(server_error=True, in_a_row=99)) as (_, client),
        pytest.raises(FeedUnreachable) as caught,
    ):
        client.login()
    assert (caught.value.service, caught.value.attempts) == ("Đăng nhập", QUICK.attempts)
    assert caught.value.status in {500, 502, 503, 504}
    assert "Kiểm tra đường truyền" in str(caught.value)


def test_an_endless_list_is_raised_as_such() -> None:
    page = json_answer({"error_code": 0, "result": [{"MAPAKN": "1"}]})
    with (
        scripted(LOGGED_IN, page) as (url, asked),
        a_client(url, barren_pages=2) as client,
        pytest.raises(PortalEndless),
    ):
        list(_pages(client, DATASETS["feedback"], TODAY))
    assert len(asked) == 1 + 1 + 2
