"""The played budget feed answers as the contract says: what passes against it passes against the contract."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from cchc.periods import ReportingPeriod
from sample.budget import RESOURCES, Client, Faults, Player, serve
from sample.budget_data import BILLION, budget_documents, count_budget

CLIENT = Client("ten", "khoa-bi-mat")


def voucher(number: int, **other: Any) -> dict[str, Any]:
    return {
        "soChungTu": f"CT-{number}",
        "dong": 1,
        "ngayHachToan": "2024-03-01",
        "nam": 2024,
        "soTien": str(number),
        "capNhatLuc": f"2024-03-{1 + number // 100:02d}T08:00:00",
    } | other


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "budget").mkdir()
    rows: dict[str, list[dict[str, Any]]] = {resource: [] for resource in RESOURCES}
    rows["du-an"] = [{"maDuAn": "7000001", "capNhatLuc": "2023-11-01T08:00:00"}]
    rows["giai-ngan"] = [voucher(number) for number in range(250)] + [
        voucher(900, nam=2023, ngayHachToan="2023-12-01", capNhatLuc="2024-03-30T08:00:00")
    ]
    rows["khoi-luong"] = [{"maDuAn": "7000001", "denNgay": "2024-05-31", "capNhatLuc": "2024-06-01T08:00:00"}]
    for name, items in rows.items():
        (tmp_path / "budget" / f"{name}.json").write_text(json.dumps(items), encoding="utf-8")
    return tmp_path


def call(request: urllib.request.Request) -> Any:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=5) as answer:
        return json.loads(answer.read())


def grant(player: Player, secret: str = CLIENT.client_secret, grant_type: str = "client_credentials") -> Any:
    account = base64.b64encode(f"{CLIENT.client_id}:{secret}".encode()).decode()
    body = urllib.parse.urlencode({"grant_type": grant_type}).encode()
    return call(urllib.request.Request(f"{player.url}/token", body, {"Authorization": f"Basic {account}"}))


def ask(player: Player, token: str, resource: str, **parameters: Any) -> Any:
    query = urllib.parse.urlencode({"nam": 2024, "trang": 1, "kich_thuoc": 100} | parameters)
    url = f"{player.url}/ngan-sach/v1/{resource}?{query}"
    return call(urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"}))


def status(call: Any, *args: Any, **parameters: Any) -> int:
    with pytest.raises(urllib.error.HTTPError) as caught:
        call(*args, **parameters)
    with caught.value as answer:
        return answer.code


@pytest.fixture
def player(folder: Path) -> Iterator[Player]:
    with serve(folder, client=CLIENT) as player:
        yield player


@pytest.fixture
def token(player: Player) -> str:
    return grant(player)["access_token"]


def numbers(answer: Any) -> list[str]:
    return [row["soChungTu"] for row in answer["duLieu"]]


def test_a_token_for_the_client_alone(player: Player) -> None:
    granted = grant(player)
    assert granted["token_type"] == "Bearer"
    assert granted["expires_in"] > 0
    assert grant(player)["access_token"] != granted["access_token"]
    assert status(grant, player, secret="sai") == 401
    assert status(grant, player, grant_type="password") == 400


def test_pages_and_their_totals(player: Player, token: str) -> None:
    pages = [ask(player, token, "giai-ngan", trang=page) for page in (1, 2, 3, 4)]
    assert [len(page["duLieu"]) for page in pages] == [100, 100, 50, 0]
    assert {(page["maLoi"], page["tongSoTrang"], page["tongSoDong"]) for page in pages} == {("00", 3, 250)}
    assert len({number for page in pages for number in numbers(page)}) == 250


def test_a_year_a_last_day_and_changes_since(player: Player, token: str) -> None:
    assert numbers(ask(player, token, "giai-ngan", nam=2023)) == ["CT-900"]
    assert ask(player, token, "giai-ngan", nam=2025)["tongSoDong"] == 0
    assert ask(player, token, "giai-ngan", den_ngay="2024-02-29")["tongSoDong"] == 0
    assert ask(player, token, "khoi-luong", nam=2023)["tongSoDong"] == 0
    assert ask(player, token, "khoi-luong", nam=2024)["tongSoDong"] == 1
    assert ask(player, token, "du-an", nam=1999)["tongSoDong"] == 1
    since = ask(player, token, "giai-ngan", cap_nhat_tu="2024-03-03T08:00:00")
    assert len(since["duLieu"]) == since["tongSoDong"] == 50
    assert ask(player, token, "giai-ngan", cap_nhat_tu="2024-03-03T01:00:00Z")["tongSoDong"] == 50
    assert ask(player, token, "giai-ngan", cap_nhat_tu="2024-03-03T08:00:01")["tongSoDong"] == 0


def test_what_is_wrong_with_a_question(player: Player, token: str) -> None:
    assert status(ask, player, "sai", "giai-ngan") == 401
    assert status(ask, player, token, "giai-ngan", kich_thuoc=1001) == 400
    assert status(ask, player, token, "giai-ngan", trang=0) == 400
    assert status(ask, player, token, "giai-ngan", nam="x") == 400
    assert status(ask, player, token, "khac") == 404


def test_a_token_lives_for_so_many_calls(folder: Path) -> None:
    with serve(folder, faults=Faults(token_calls=2, bare_401=True), client=CLIENT) as player:
        token = grant(player)["access_token"]
        assert [len(ask(player, token, "giai-ngan", trang=page)["duLieu"]) for page in (1, 2)] == [100, 100]
        assert status(ask, player, token, "giai-ngan", trang=3) == 401
        token = grant(player)["access_token"]
        player.expire_tokens()
        assert status(ask, player, token, "giai-ngan") == 401


def test_a_wrong_total_comes_once_for_each_list_or_always(folder: Path) -> None:
    with serve(folder, faults=Faults(wrong_total=True), client=CLIENT) as player:
        token = grant(player)["access_token"]
        assert [ask(player, token, "giai-ngan")["tongSoDong"] for _ in range(3)] == [251, 250, 250]
        assert ask(player, token, "giai-ngan", nam=2023)["tongSoDong"] == 2
    with serve(folder, faults=Faults(always_wrong_total=frozenset({"giai-ngan"})), client=CLIENT) as player:
        token = grant(player)["access_token"]
        assert [ask(player, token, "giai-ngan")["tongSoDong"] for _ in range(2)] == [251, 251]
        assert ask(player, token, "du-an")["tongSoDong"] == 1


def test_repeated_rows_do_not_count(folder: Path) -> None:
    with serve(folder, faults=Faults(repeated_rows=True), client=CLIENT) as player:
        token = grant(player)["access_token"]
        first, second = (ask(player, token, "giai-ngan", trang=page) for page in (1, 2))
    assert (len(first["duLieu"]), len(second["duLieu"]), second["tongSoDong"]) == (101, 102, 250)
    assert numbers(second)[0] == numbers(first)[-2] == "CT-99"


def test_answers_in_another_dress(folder: Path) -> None:
    faults = Faults(text_values=True, zoned_moments=True, unknown_fields=True, error_code="00")
    with serve(folder, faults=faults, client=CLIENT) as player:
        [row] = ask(player, grant(player)["access_token"], "giai-ngan", nam=2023)["duLieu"]
    assert (row["nam"], row["dong"], row["capNhatLuc"]) == ("2023", "1", "2024-03-30T01:00:00Z")
    assert "truongMoi" in row


def test_an_error_code_with_http_200(folder: Path) -> None:
    with serve(folder, faults=Faults(error_code="07"), client=CLIENT) as player:
        answer = ask(player, grant(player)["access_token"], "giai-ngan")
    assert (answer["maLoi"], answer["duLieu"]) == ("07", [])


@pytest.mark.parametrize("fault", ["too_many_requests", "server_error", "cut"])
def test_a_fault_that_ends_a_transfer_is_bounded(folder: Path, fault: str) -> None:
    with serve(folder, faults=Faults(in_a_row=2, **{fault: True}), client=CLIENT) as player:
        for _ in range(2):
            with pytest.raises((HTTPException, OSError, ValueError)) as caught:
                grant(player)
            if isinstance(caught.value, urllib.error.HTTPError):
                caught.value.close()
        assert grant(player)["access_token"]


def test_a_slow_answer_arrives(folder: Path) -> None:
    with serve(folder, faults=Faults(slow=True, slow_seconds=0.05), client=CLIENT) as player:
        assert ask(player, grant(player)["access_token"], "du-an")["tongSoDong"] == 1
        assert player.faults_played["slow"] == 2


def test_a_missing_file_is_told_at_the_start(folder: Path) -> None:
    (folder / "budget" / "giai-ngan.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"giai-ngan\.json"), serve(folder):
        pass


# ------------------------------------------------------------------------------------------------------- content

# As printed in the report for the first half of 2024, in billion dong; shares in per cent.
PUBLISHED = {
    "state_revenue": 20_347,
    "domestic_revenue": 18_391,
    "domestic_revenue_without_land_and_lottery": 11_795,
    "expenditure_estimate": 30_103,
    "development_expenditure_estimate": 19_921,
    "development_expenditure": 8_510,
    "recurrent_expenditure": 3_427,
    "investment_plan": 19_921,
    "investment_disbursed": 2_518,
    "province_managed_works_done": 950,
    "province_managed_disbursed": 818,
    "district_commune_works_done": 1_950,
    "district_commune_disbursed": 1_699,
    "central_budget_disbursed": 117,
    "local_balance_disbursed": 2_370,
}
PUBLISHED_SHARES = {
    ("state_revenue", "state_revenue_estimate"): ("62", 0),
    ("domestic_revenue", "domestic_revenue_estimate"): ("63.1", 1),
    (
        "domestic_revenue_without_land_and_lottery",
        "domestic_revenue_without_land_and_lottery_estimate",
    ): ("102.6", 1),
    ("development_expenditure", "development_expenditure_estimate"): ("43", 0),
    ("recurrent_expenditure", "recurrent_expenditure_estimate"): ("38", 0),
    ("province_managed_works_done", "province_managed_plan"): ("7.3", 1),
    ("province_managed_disbursed", "province_managed_plan"): ("6.3", 1),
    ("district_commune_works_done", "district_commune_plan"): ("28", 0),
    ("district_commune_disbursed", "district_commune_plan"): ("24.5", 1),
    ("central_budget_disbursed", "central_budget_plan"): ("8.8", 1),
    ("local_balance_disbursed", "local_balance_plan"): ("12.7", 1),
}


def half_up(value: int, unit: int) -> int:
    return (2 * value + unit) // (2 * unit)


@pytest.mark.parametrize(
    ("period_id", "seed", "scale"), [("2024-H1", 2024, 1), ("2024-H1", 7, 0.02), ("2026-Q3", 3, 1)]
)
def test_the_published_figures_come_out(period_id: str, seed: int, scale: float) -> None:
    period = ReportingPeriod.parse(period_id)
    figures = count_budget(budget_documents(period, seed, scale), period.to_on)
    assert {name: half_up(figures[name], BILLION) for name in PUBLISHED} == PUBLISHED
    assert (figures["investment_plan"], figures["investment_plan_allocated"], figures["investment_disbursed"]) == (
        19_921 * BILLION,
        12_356 * BILLION + BILLION // 2,
        2_518 * BILLION,
    )
    for (part, whole), (printed, digits) in PUBLISHED_SHARES.items():
        share = half_up(figures[part] * 100 * 10**digits, figures[whole])
        assert share == int(printed.replace(".", "")), part


def test_the_newest_accounting_date_is_that_of_the_report() -> None:
    period = ReportingPeriod.parse("2024-H1")
    newest: dict[tuple[str, int], dict[str, Any]] = {}
    for row in budget_documents(period, 2024, 1)["giai-ngan"]:
        if row["capNhatLuc"] <= "2024-06-14T23:59:59":
            newest[row["soChungTu"], row["dong"]] = row
    days = [row["ngayHachToan"] for row in newest.values() if row["ngayHachToan"] <= "2024-06-14"]
    assert max(days) == "2024-06-10"


def test_the_content_has_what_a_careless_reader_stumbles_over() -> None:
    period = ReportingPeriod.parse("2024-H1")
    documents = budget_documents(period, 2024, 1)
    assert documents == budget_documents(period, 2024, 1)
    assert documents != budget_documents(period, 2025, 1)
    vouchers, plan = documents["giai-ngan"], documents["ke-hoach-von"]
    keys = [(row["soChungTu"], row["dong"]) for row in vouchers]
    assert len(set(keys)) < len(keys) - 100  # corrected
    assert len(set(map(str, vouchers))) == len(vouchers)
    assert any(r["loai"] == "THU_HOI" and r["soTien"].startswith("-") for r in vouchers)
    assert any(r["ngayHachToan"] <= "2024-06-14" and r["capNhatLuc"] > "2024-06-15" for r in vouchers)  # late
    assert any(r["ngayHachToan"] > "2024-06-14" for r in vouchers)
    assert {r["nam"] for r in vouchers} == {2023, 2024}
    assert any(r["maDuAn"] == "" and r["loai"] == "GIAO" for r in plan)
    assert any(r["ngayQuyetDinh"] < "2024-01-01" and r["nam"] == 2024 for r in plan)
    projects = {r["maDuAn"] for r in documents["du-an"]}
    assert {r["capQuanLy"] for r in documents["du-an"]} == {"TINH", "HUYEN", "XA"}
    assert len({r["maDuAn"] for r in vouchers} - projects) == 1
    assert all(len(code) == 7 and code[0] == "7" for code in projects)
    assert all(
        isinstance(row[name], str) for rows in documents.values() for row in rows for name in row if name in MONEY
    )


MONEY = {"soTien", "giaTriLuyKe", "duToan", "luyKe"}
