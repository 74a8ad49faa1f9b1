"""The portal on its way into the warehouse: pulled from a portal on loopback, landed, checked, loaded."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from cchc.settings import Settings
from extract.contract import contracts
from extract.feeds import _LONGEST_PULL, batches, known_procedures, load_portal
from extract.landing import land
from extract.ledger import LoadOutcome
from extract.loader import Batch
from sample.portal import Account, Faults, serve

Query = Callable[..., list[tuple]]
CONTRACT = contracts()["portal"]
ACCOUNT = Account("tai-khoan", "mat-khau-rat-bi-mat", "H31", "VN:GOV:thu")
PROCEDURES = ["1.000010.H31", "1.000020.H31", "1.000030.H31"]


def listed(code: str) -> dict[str, Any]:
    return {"MATTHC": code, "TENTTHC": f"Thủ tục {code}", "TRANGTHAI": 1, "NGAYCAPNHAT": "02/01/2024"}


def detail(code: str) -> dict[str, Any]:
    return {
        "MATTHC": code,
        "TENTTHC": f"Thủ tục {code}",
        "MACOQUANCONGBO": "H31.1",
        "TRANGTHAI": 1,
        "NGAYHIEULUC": "01/01/2020",
        "NGAYHETHIEULUC": "",
        "LINHVUCTHUCHIEN": [{"MALINHVUC": "G03-GD10", "TENLINHVUC": "Lĩnh vực"}],
        "CAPTHUCHIEN": [{"CAPTHUCHIEN": 1}, {"CAPTHUCHIEN": 3}],
        "CACHTHUCTHUCHIEN": [
            {
                "KENH": "2",
                "THOIGIAN": [
                    {
                        "THOIGIANGIAIQUYET": "5",
                        "DONVITINH": "Ngày làm việc",
                        "PHILEPHI": [{"MAPHILEPHI": "P1", "SOTIEN": 50000}],
                    }
                ],
            }
        ],
        "TTHCLIENTHONG": [],
        "PHIDIAGIOI": 1,
        "NGANHDOC": "",
    }


def agency(code: str) -> dict[str, Any]:
    return {
        "MADONVI": code,
        "TENDONVI": f"Sở {code}",
        "CAPDONVI": 1,
        "MADONVICHA": "H31",
        "MADIABAN": "",
        "NGAYHIEULUC": "01/01/2020",
        "NGAYHETHIEULUC": None,
        "MADONVIKETHUA": "",
    }


def feedback(number: int) -> dict[str, Any]:
    return {
        "MAPAKN": f"PA-{number}",
        "NGAYTIEPNHAN": "03/01/2024",
        "PHANLOAI": "QDHC",
        "MADONVI": "H31.1",
        "NGAYXULYXONG": "",
        "TRANGTHAI": "1",
    }


class Portal:
    """What the portal has to say: files that the player reads again when they change."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "portal").mkdir(parents=True)
        self.say("agencies", [agency("H31.1"), agency("H31.2")])
        self.say("fields", [{"MALINHVUC": "G03-GD10", "TENLINHVUC": "Lĩnh vực", "MANGANH": "G03"}])
        self.say("procedures", [listed(code) for code in PROCEDURES])
        self.say("procedure_details", [detail(code) for code in PROCEDURES])
        service = {"MADVC": "D1", "MATTHC": PROCEDURES[0], "MUCDO": 4, "DUDIEUKIENTOANTRINH": 1, "TICHHOPDVCQG": 1}
        service |= {"THANHTOANTRUCTUYEN": 0, "NGAYHIEULUC": "01/01/2020", "NGAYHETHIEULUC": ""}
        self.say("services", [service])
        decision = {"IDQDCB": 7, "SOQUYETDINH": "12/QĐ-UBND", "NGAYQUYETDINH": "05/01/2024"}
        decision["TTHC"] = [{"MATTHC": PROCEDURES[0], "HINHTHUC": 1}]
        self.say("decisions", [decision])
        self.say("feedback", [feedback(number) for number in range(3)])

    def say(self, name: str, rows: list[dict[str, Any]]) -> None:
        path = self.folder / "portal" / f"{name}.json"
        path.write_text(json.dumps(rows, ensure_ascii=True), encoding="utf-8")


@pytest.fixture
def portal(tmp_path: Path) -> Portal:
    return Portal(tmp_path / "province")


Pull = Callable[..., dict[str, LoadOutcome]]


@pytest.fixture
def pull(portal: Portal, settings: Settings, loader: Engine) -> Pull:
    """Pull and load once; the outcome of each dataset (the last one that was noted), the player under «player»."""

    def run(faults: Faults | None = None, password: str = ACCOUNT.password) -> dict[str, Any]:
        with serve(portal.folder, faults=faults, account=ACCOUNT) as player:
            told = {
                "portal_url": player.url,
                "portal_username": ACCOUNT.username,
                "portal_password": Settings(portal_password=password).portal_password,
                "portal_unit": ACCOUNT.unit,
                "portal_dstcode": ACCOUNT.dstcode,
                "portal_calls_per_second": 5000,
            }
            outcomes = load_portal(settings.model_copy(update=told), loader, CONTRACT)
        return {outcome.dataset: outcome for outcome in outcomes} | {"player": player}

    return run


def outcomes(pulled: dict[str, Any]) -> dict[str, str]:
    return {name: outcome.outcome for name, outcome in pulled.items() if isinstance(outcome, LoadOutcome)}


DATASETS = ["agency", "field", "procedure_list", "procedure", "service", "decision", "feedback"]


# ----------------------------------------------------------------------------------------------------- whole pulls


def test_every_dataset_is_pulled_landed_and_loaded(pull: Pull, query: Query) -> None:
    pulled = pull()
    assert outcomes(pulled) == dict.fromkeys(DATASETS, "new")
    assert [pulled[name].rows_loaded for name in DATASETS] == [2, 1, 3, 3, 1, 1, 3]
    assert query("select madonvi, capdonvi, ngayhieuluc::text, ngayhethieuluc from raw.portal__agency order by 1") == [
        ("H31.1", 1, "2020-01-01", None),
        ("H31.2", 1, "2020-01-01", None),
    ]
    [row] = query("select capthuchien, cachthucthuchien, tthclienthong, phidiagioi from raw.portal__procedure limit 1")
    assert row[0] == [{"CAPTHUCHIEN": 1}, {"CAPTHUCHIEN": 3}]
    assert row[1][0]["THOIGIAN"][0]["PHILEPHI"] == [{"MAPHILEPHI": "P1", "SOTIEN": 50000}]
    assert row[2:] == ([], True)
    assert query("select idqdcb, tthc from raw.portal__decision") == [
        ("7", [{"MATTHC": "1.000010.H31", "HINHTHUC": 1}])
    ]
    landed = query("select landing_uri from ops.load")
    assert all(Path(uri.removeprefix("file://")).stat().st_size for (uri,) in landed)


def test_an_unchanged_portal_is_a_repeat_of_everything(pull: Pull, query: Query) -> None:
    first, again = pull(), pull()
    assert outcomes(again) == dict.fromkeys(DATASETS, "repeat")
    # what was fetched long after the list's last change is not asked for again
    assert first["player"].calls["LayThuTuc"] == 3
    assert again["player"].calls["LayThuTuc"] == 0
    assert query("select count(*) from ops.load") == [(7,)]
    assert query("select count(*) from ops.arrival") == [(14,)]


def test_only_procedures_whose_entry_changed_are_asked_for(pull: Pull, portal: Portal, query: Query) -> None:
    pull()
    entries = [listed(code) for code in [*PROCEDURES, "1.000040.H31"]]
    entries[1]["NGAYCAPNHAT"] = "09/02/2024"
    portal.say("procedures", entries)
    portal.say("procedure_details", [detail(entry["MATTHC"]) for entry in entries])
    pulled = pull()
    assert pulled["player"].calls["LayThuTuc"] == 2
    assert pulled["procedure"].rows_loaded == 2
    assert query("select matthc from raw.portal__procedure where _load_id = :id", id=pulled["procedure"].load_id) == [
        ("1.000020.H31",),
        ("1.000040.H31",),
    ]
    assert pull()["player"].calls["LayThuTuc"] == 0


def test_a_procedure_that_the_list_spells_otherwise_is_not_fetched_for_ever(pull: Pull, engine: Engine) -> None:
    pull()
    with engine.begin() as connection:
        connection.exec_driver_sql("update raw.portal__procedure set matthc = replace(matthc, '.H31', '')")
        connection.exec_driver_sql(
            "update raw.portal__procedure_list set matthc = replace(matthc, '.H31', '.000.00.00.H31')"
        )
    assert pull()["player"].calls["LayThuTuc"] == 0


def test_a_pull_over_midnight_counts_as_the_day_it_began(pull: Pull, loader: Engine, engine: Engine) -> None:
    pull()
    with engine.begin() as connection:
        connection.exec_driver_sql("update ops.arrival set arrived_at = '2024-03-05 00:30+07'")
    known = known_procedures(loader).procedures["1.000010"]
    assert known.fetched_on == date(2024, 3, 4)
    assert known.updated_on == date(2024, 1, 2)
    assert timedelta(hours=1) < _LONGEST_PULL < timedelta(days=1)


def test_a_dataset_that_fails_keeps_its_last_good_data_and_stops_no_other(
    pull: Pull, portal: Portal, query: Query
) -> None:
    pull()
    portal.say("fields", [])
    pulled = pull()
    assert outcomes(pulled) == dict.fromkeys(DATASETS, "repeat") | {"field": "failed"}
    assert "LayDanhMucLinhVuc" in pulled["field"].message
    assert pulled["field"].needs_attention
    assert query("select count(*) from raw.portal__field") == [(1,)]
    assert query(
        "select outcome, load_id from ops.arrival where dataset = 'field' order by arrival_id desc limit 1"
    ) == [("failed", None)]


def test_a_procedure_that_fails_does_not_cost_the_others(pull: Pull, query: Query) -> None:
    failing = Faults(failing_procedures=frozenset({PROCEDURES[1]}))
    assert outcomes(pull(failing))["procedure"] == "failed"
    assert query("select count(*) from raw.portal__procedure") == [(2,)]
    again = pull()
    assert again["player"].calls["LayThuTuc"] == 1
    assert query("select count(*) from raw.portal__procedure") == [(3,)]


def test_a_refused_account_is_a_failure_of_every_dataset_without_secrets(
    pull: Pull, query: Query, everything: Callable[[], str], all_logs: pytest.LogCaptureFixture
) -> None:
    pulled = pull(password="mat-khau-cu-cua-nam-ngoai")
    assert outcomes(pulled) == dict.fromkeys(DATASETS, "failed")
    assert pulled["player"].calls["login"] == 1
    assert "mat-khau" not in everything() + all_logs.text


def test_a_portal_full_of_faults_gives_the_same_rows(pull: Pull, query: Query) -> None:
    tables = ("agency", "field", "procedure", "procedure_list", "service", "decision", "feedback")
    rows = {
        t: f"select distinct to_jsonb(t) - '_row' - '_load_id' as row from raw.portal__{t} as t order by 1"
        for t in tables
    }
    pull()
    clean = {table: query(statement) for table, statement in rows.items()}
    pull(replace(Faults.all(seed=3), time_out_seconds=0.05))
    assert {table: query(statement) for table, statement in rows.items()} == clean


def test_without_an_address_the_portal_is_skipped_and_said_so(settings: Settings, loader: Engine, query: Query) -> None:
    [outcome] = load_portal(settings, loader, CONTRACT)
    assert (outcome.outcome, outcome.message) == ("skipped", "Chưa đặt CCHC_PORTAL_URL")
    assert query("select outcome, dataset from ops.arrival") == [("skipped", "*")]


# ------------------------------------------------------------------------------------------------------- bad rows


def test_a_bad_row_is_rejected_and_the_rest_loads(pull: Pull, portal: Portal, query: Query) -> None:
    rows = [agency("H31.1"), agency("H31.2") | {"CAPDONVI": "tỉnh"}, agency("") | {"NGAYHIEULUC": "31/02/2024"}]
    portal.say("agencies", [*rows, agency(""), agency("H31.3") | {"TENDONVI": None}])
    outcome = pull()["agency"]
    assert (outcome.outcome, outcome.rows_read, outcome.rows_loaded, outcome.rows_rejected) == ("new", 5, 1, 4)
    reasons = query("select row_number, column_name, value, reason_code from ops.rejected_row order by 1")
    assert reasons == [
        (2, "CAPDONVI", "tỉnh", "not_in_list"),
        (3, "MADONVI", None, "required"),
        (4, "MADONVI", None, "required"),
        (5, "TENDONVI", None, "required"),
    ]


def test_a_list_without_a_good_row_is_refused_and_the_last_good_one_stays(
    pull: Pull, portal: Portal, query: Query
) -> None:
    pull()
    portal.say("agencies", [agency("H31.1") | {"CAPDONVI": 9}])
    for _ in range(2):
        outcome = pull()["agency"]
        assert (outcome.outcome, outcome.message) == ("refused", "Cả 1 dòng đều bị loại")
    assert query("select count(*) from raw.portal__agency") == [(2,)]
    assert query("select count(*) from ops.load where status = 'refused'") == [(1,)]


def test_repeated_rows_are_one_and_of_conflicting_ones_the_last_stays(pull: Pull, portal: Portal, query: Query) -> None:
    rows = [agency("H31.1"), agency("H31.1"), agency("H31.2"), agency("H31.2") | {"TENDONVI": "Tên mới"}]
    portal.say("agencies", rows)
    outcome = pull()["agency"]
    assert (outcome.rows_read, outcome.rows_loaded, outcome.rows_duplicate) == (4, 2, 2)
    assert query("select tendonvi from raw.portal__agency where madonvi = 'H31.2'") == [("Tên mới",)]
    assert query("select code, row_count, first_row from ops.load_warning") == [("conflicting_rows", 1, 4)]


def test_an_unknown_field_is_reported_fit_for_a_message(pull: Pull, portal: Portal, query: Query) -> None:
    portal.say("agencies", [agency("H31.1") | {"GHICHU": 1, "x\0y" * 2000: 1, "a@b.vn": 2, "0912345678": 3}])
    assert pull()["agency"].outcome == "new"
    names = query("select column_name, row_count from ops.load_warning order by row_count, column_name")
    assert ("GHICHU", 1) in names
    assert ("không đọc được tên", 2) in names
    assert all(len(name) <= 60 for name, _ in names)


# --------------------------------------------------------------------------------------------- cells of landed bytes


def test_a_repeat_that_is_only_spelled_otherwise_is_no_conflict(tmp_path: Path) -> None:
    yes = {"MADVC": "S1", "MATTHC": "1.000001", "MUCDO": 4, "TICHHOPDVCQG": True, "THANHTOANTRUCTUYEN": "false"}
    batch, warnings = batch_and_warnings(
        "service", [yes, yes | {"TICHHOPDVCQG": "1", "THANHTOANTRUCTUYEN": 0}], tmp_path
    )
    assert (batch.frame.height, batch.duplicate_count, batch.faults) == (1, 1, {})
    assert not warnings


def test_an_unreadable_repeat_does_not_take_the_place_of_the_row_that_can_be_read(tmp_path: Path) -> None:
    good = {"MADVC": "S1", "MATTHC": "1.000001", "MUCDO": 4}
    batch, warnings = batch_and_warnings("service", [good, good | {"MUCDO": 9}], tmp_path)
    assert batch.frame["mucdo"].to_list() == ["4", "9"]  # the second is the checker's to reject
    assert batch.duplicate_count == 0
    assert not warnings


def batch_and_warnings(dataset: str, rows: list[dict[str, Any]], tmp_path: Path) -> tuple[Batch, dict]:
    service = CONTRACT.table(dataset).custom("service")
    body = json.dumps({"error_code": 0, "result": rows})
    landed = land(iter([json.dumps({"service": service, "body": body}).encode()]), str(tmp_path), "portal", ".jsonl")
    warnings: dict = {}
    [batch] = batches(landed, CONTRACT.table(dataset), warnings)
    return batch, warnings


def batch_of(dataset: str, row: dict[str, Any], tmp_path: Path) -> Batch:
    return batch_and_warnings(dataset, [row], tmp_path)[0]


def faults_of(dataset: str, row: dict[str, Any], tmp_path: Path) -> list[tuple[str, str]]:
    return [(fault.column, fault.code) for found in batch_of(dataset, row, tmp_path).faults.values() for fault in found]


@pytest.mark.parametrize("bad", ["a\0b", "\ud800"])
def test_what_no_database_text_can_hold_rejects_the_row(bad: str, tmp_path: Path) -> None:
    assert faults_of("agency", agency("H31.1") | {"TENDONVI": bad}, tmp_path) == [("TENDONVI", "not_text")]
    nested = {"LINHVUCTHUCHIEN": [{"MALINHVUC": bad, "TENLINHVUC": "x"}]}
    assert faults_of("procedure", detail("1") | nested, tmp_path) == [("LINHVUCTHUCHIEN.MALINHVUC", "not_text")]


def test_lists_where_a_value_belongs_and_values_where_lists_belong(tmp_path: Path) -> None:
    assert faults_of("agency", agency("H31.1") | {"TENDONVI": ["a"]}, tmp_path) == [("TENDONVI", "not_a_value")]
    nested = {"LINHVUCTHUCHIEN": [{"MALINHVUC": {"a": 1}, "TENLINHVUC": "x"}]}
    assert faults_of("procedure", detail("1") | nested, tmp_path) == [("LINHVUCTHUCHIEN.MALINHVUC", "not_a_value")]
    for wrong in ("abc", 5, ["abc"], [[1]]):
        assert set(faults_of("procedure", detail("1") | {"CAPTHUCHIEN": wrong}, tmp_path)) == {
            ("CAPTHUCHIEN", "not_an_object")
        }


@pytest.mark.parametrize(
    ("money", "stored"), [(50000, 50000), ("50000", 50000), ("50000.0", 50000), ("-1", -1), (None, None)]
)
def test_money_in_nested_lists_is_a_number(money: object, stored: object, tmp_path: Path) -> None:
    row = detail("1")
    row["CACHTHUCTHUCHIEN"][0]["THOIGIAN"][0]["PHILEPHI"][0]["SOTIEN"] = money
    [text] = batch_of("procedure", row, tmp_path).frame["cachthucthuchien"].to_list()
    assert json.loads(text)[0]["THOIGIAN"][0]["PHILEPHI"][0]["SOTIEN"] == stored


@pytest.mark.parametrize(
    "money", ["50.000", 0.5, "1_000", "NaN", "Infinity", "1e999999999", "50.000,0", "１２", "nhiều", "9" * 40]
)
def test_what_is_no_money_rejects_the_row(money: object, tmp_path: Path) -> None:
    row = detail("1")
    row["CACHTHUCTHUCHIEN"][0]["THOIGIAN"][0]["PHILEPHI"][0]["SOTIEN"] = money
    assert faults_of("procedure", row, tmp_path) == [("CACHTHUCTHUCHIEN.THOIGIAN.PHILEPHI.SOTIEN", "not_a_number")]


def test_landed_bytes_load_again_with_the_portal_gone(pull: Pull, query: Query) -> None:
    pull()
    [(uri, loaded)] = query("select landing_uri, rows_loaded from ops.load where dataset = 'procedure'")
    content = Path(uri.removeprefix("file://")).read_bytes()
    landed = land(iter([content]), str(Path(uri.removeprefix("file://")).parents[3] / "again"), "portal", ".jsonl")
    [batch] = batches(landed, CONTRACT.table("procedure"), {})
    assert batch.frame.height == loaded == 3
