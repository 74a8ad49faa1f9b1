"""The played portal answers as the contract says: what passes against it passes against the contract."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from sample.portal import Account, Faults, Player, serve

ACCOUNT = Account("ten", "mat-khau", "H31", "VN:GOV:x")
FILES = ("agencies", "fields", "procedures", "procedure_details", "services", "decisions", "feedback")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "portal").mkdir()
    rows: dict[str, list[dict[str, Any]]] = {name: [{"MA": name}] for name in FILES}
    rows["procedure_details"] = [{"MATTHC": "1.1", "CAPTHUCHIEN": [{"CAPTHUCHIEN": 1}]}]
    rows["decisions"] = [
        {"IDQDCB": f"Q{n}", "NGAYQUYETDINH": f"01/01/{2000 + n // 50}", "TTHC": []} for n in range(250)
    ]
    rows["feedback"] = [{"MAPAKN": "P1", "NGAYTIEPNHAN": "14/06/2024"}]
    for name in FILES:
        (tmp_path / "portal" / f"{name}.json").write_text(json.dumps(rows[name]), encoding="utf-8")
    return tmp_path


def post(url: str, path: str, body: Any, dstcode: str = ACCOUNT.dstcode) -> Any:
    request = urllib.request.Request(
        f"{url}{path}?dstcode={dstcode}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=5) as answer:
        return json.loads(answer.read())


def log_in(player: Player, **other: str) -> Any:
    return post(player.url, "/mapi/login", {"username": "ten", "password": "mat-khau"} | other)


def ask(player: Player, session: str, service: str, **parameters: Any) -> Any:
    question = {"session": session, "madonvi": "H31", "service": service} | parameters
    return post(player.url, "/mapi/g", question)


@pytest.fixture
def player(folder: Path) -> Iterator[Player]:
    with serve(folder, account=ACCOUNT) as player:
        yield player


@pytest.fixture
def session(player: Player) -> str:
    return log_in(player)["session"]


def test_login(player: Player) -> None:
    answer = log_in(player)
    assert answer["error_code"] == 0
    assert answer["session"]
    assert log_in(player)["session"] != answer["session"]
    assert player.calls == {"login": 2}


def test_a_wrong_account_or_dstcode_gets_http_200_and_no_session(player: Player) -> None:
    assert log_in(player, password="sai") | {"message": ""} == {
        "session": None,
        "error_code": -1,
        "message": "",
    }
    wrong = post(player.url, "/mapi/login", {"username": "ten", "password": "mat-khau"}, dstcode="x")
    assert wrong["session"] is None


def test_a_session_that_does_not_live_gets_minus_2(player: Player, session: str) -> None:
    assert ask(player, "x", "LayDVC")["error_code"] == -2
    assert ask(player, session, "LayDVC")["error_code"] == 0
    player.expire_sessions()
    assert ask(player, session, "LayDVC")["error_code"] == -2


def test_a_session_lives_for_so_many_calls(folder: Path) -> None:
    with serve(folder, faults=Faults(session_calls=2), account=ACCOUNT) as player:
        session = log_in(player)["session"]
        assert [ask(player, session, "LayDVC")["error_code"] for _ in range(3)] == [0, 0, -2]


def test_unit_service_and_parameters_are_checked(player: Player, session: str) -> None:
    def code(**question: Any) -> int:
        return ask(player, session, **question)["error_code"]

    assert code(service="LayDVC", madonvi="H99") == -3
    assert code(service="LayTatCa") == -4
    assert code(service="LayDanhSachQDCB") == -5
    assert code(service="LayDanhSachQDCB", tuNgay="2024-01-01", denNgay="01/01/2024", page=1) == -5
    assert code(service="LayDanhSachQDCB", tuNgay="01/01/2024", denNgay="01/01/2024", page=0) == -5
    assert code(service="LayThuTuc", maTTHC="9.9") == -6


@pytest.mark.parametrize(
    ("service", "file"),
    [
        ("LayDanhMucCoQuan", "agencies"),
        ("LayDanhMucLinhVuc", "fields"),
        ("LayDanhSachTTHC", "procedures"),
        ("LayDVC", "services"),
    ],
)
def test_a_list_is_the_file(player: Player, session: str, service: str, file: str) -> None:
    assert ask(player, session, service)["result"] == [{"MA": file}]


def test_a_procedure_is_one_object_and_its_code_may_have_spaces(player: Player, session: str) -> None:
    assert ask(player, session, "LayThuTuc", maTTHC=" 1.1 ")["result"]["MATTHC"] == "1.1"


def test_pages_of_100_within_the_dates_end_with_an_empty_one(player: Player, session: str) -> None:
    def page(number: int, last: str) -> list[str]:
        answer = ask(player, session, "LayDanhSachQDCB", tuNgay="01/01/2000", denNgay=last, page=number)
        return [row["IDQDCB"] for row in answer["result"]]

    assert [len(page(n, "01/01/2004")) for n in (1, 2, 3, 4)] == [100, 100, 50, 0]
    assert [len(page(n, "31/12/2001")) for n in (1, 2)] == [100, 0]
    assert page(1, "31/12/1999") == []


def test_a_changed_file_is_answered_without_a_restart(player: Player, session: str, folder: Path) -> None:
    (folder / "portal" / "services.json").write_text('[{"MA": "new one"}]', encoding="utf-8")
    assert ask(player, session, "LayDVC")["result"] == [{"MA": "new one"}]


def test_a_missing_file_is_told_at_the_start(folder: Path) -> None:
    (folder / "portal" / "feedback.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"feedback\.json"), serve(folder):
        pass


@pytest.mark.parametrize("fault", ["too_many_requests", "server_error", "cut"])
def test_a_fault_that_ends_a_transfer_is_bounded(folder: Path, fault: str) -> None:
    with serve(folder, faults=Faults(in_a_row=3, **{fault: True}), account=ACCOUNT) as player:
        for _ in range(2):
            for _ in range(3):
                with pytest.raises((HTTPException, OSError, ValueError)) as caught:
                    log_in(player)
                if isinstance(caught.value, urllib.error.HTTPError):
                    caught.value.close()
            assert log_in(player)["error_code"] == 0


def test_faults_are_the_same_for_a_seed_whatever_was_asked_in_between(folder: Path) -> None:
    def played(others: int) -> list[int]:
        statuses = []
        with serve(folder, faults=Faults(server_error=0.5, in_a_row=99), account=ACCOUNT) as player:
            for _ in range(12):
                for _ in range(others):
                    try:
                        ask(player, "x", "LayDVC")
                    except urllib.error.HTTPError as error:
                        error.close()
                try:
                    log_in(player)
                    statuses.append(200)
                except urllib.error.HTTPError as error:
                    statuses.append(error.code)
                    error.close()
        return statuses

    first = played(0)
    assert first == played(2)
    assert 200 in first
    assert set(first) - {200}


def test_429_says_when_to_come_back(folder: Path) -> None:
    with (
        serve(folder, faults=Faults(too_many_requests=True, retry_after="7"), account=ACCOUNT) as player,
        pytest.raises(urllib.error.HTTPError) as caught,
    ):
        log_in(player)
    with caught.value as answer:
        assert (answer.code, answer.headers["Retry-After"]) == (429, "7")


def test_another_path_is_404(player: Player) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        post(player.url, "/", {})
    with caught.value as answer:
        assert answer.code == 404


def test_run_says_how_to_reach_it_and_ends_on_ctrl_c(folder: Path) -> None:
    program = f"from pathlib import Path; from sample.portal import run; run(Path({str(folder)!r}), port=0)"
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(
        [sys.executable, "-u", "-c", program],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stderr
        lines = [process.stdout.readline() for _ in range(6)]
        url = lines[1].split("'")[1]
        account = Account()
        login = {"username": account.username, "password": account.password}
        assert post(url, "/mapi/login", login, account.dstcode)["error_code"] == 0
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=5)
    assert "Đã dừng" in output
    assert errors == ""
    assert process.returncode == 0
    assert [line.split("=")[0].split("_")[-1] for line in lines[1:]] == [
        "URL",
        "USERNAME",
        "PASSWORD",
        "UNIT",
        "DSTCODE",
    ]
