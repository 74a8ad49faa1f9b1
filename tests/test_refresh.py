"""From files and feed to the report, as an operator runs it: real processes, embedded server, Airflow's DAG."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from sqlalchemy import text

from cchc import warehouse
from cchc.progress import vietnamese
from publish.check import Level, compare, read_computed
from publish.declared import read
from publish.explain import explain, lines, total_query
from sample.province import write_province
from tests.machine import CCHC, PERIOD, Machine, wait_until
from tests.publish import published_report
from tests.sample.test_province import recount

PERSONAL = ("ChuHoSo", "SoGiayToChuHoSo", "SoDienThoai", "Email", "DiaChi")
STEPS = "from dags import steps; steps.load('one_stop', 'portal', 'budget'); steps.load_departments(); steps.build()"


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small province, as the generator writes it."""
    folder = tmp_path_factory.mktemp("province")
    write_province(folder, PERIOD, seed=7, scale=0.02)
    return folder


@pytest.fixture
def machine(tmp_path: Path, province: Path) -> Machine:
    return Machine(tmp_path, province)


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory: pytest.TempPathFactory, province: Path) -> Machine:
    """A machine after its first refresh."""
    machine = Machine(tmp_path_factory.mktemp("machine"), province)
    machine.first_refresh = machine.run(CCHC, "refresh", PERIOD)
    return machine


@pytest.fixture(scope="module")
def undisturbed(refreshed: Machine) -> dict[str, list[str]]:
    """The marts of a run that nothing disturbed."""
    return refreshed.marts()


def test_every_row_of_every_form_is_the_true_one(refreshed: Machine, province: Path) -> None:
    computed = refreshed.indicators()
    expected = _expected(province / "expected.csv", "form", "code")
    expected |= _expected(province / "expected_forms.csv", "form", "code")
    assert len(expected) == len(computed) == 144
    assert len([value for value in expected.values() if value]) > 115
    assert _unequal(expected, {key: row["value"] for key, row in computed.items()}) == []
    assert {row["status"] for row in computed.values()} == {"ok"}


def test_every_figure_of_the_text_is_the_true_one(refreshed: Machine, province: Path) -> None:
    rows = refreshed.ask(
        f"select key, value::text, unit, status from reporting.rpt_narrative where period_id = '{PERIOD}'"
    )
    of_workbooks = _expected(province / "expected_narrative.csv", "key")
    expected = json.loads((province / "manifest.json").read_text(encoding="utf-8"))["text_figures"]
    expected = {(key,): str(value) for key, value in expected.items()} | of_workbooks
    # the budget feed and its answers speak of đồng, the text of tỷ đồng
    in_billions = {(key,) for key, _, unit, _ in rows if unit == "tỷ đồng"} - set(of_workbooks)
    computed = {
        (key,): str(Decimal(value) * (10**9 if (key,) in in_billions else 1)) if value else ""
        for key, value, *_ in rows
    }
    assert len(set(expected) & set(computed)) > 80
    assert _unequal({key: value for key, value in expected.items() if key in computed}, computed) == []
    assert {status for *_, status in rows} == {"ok"}


def _expected(file: Path, *key: str) -> dict[tuple[str, ...], str]:
    with open(file, newline="") as opened:
        return {tuple(row[name] for name in key): row["value"] for row in csv.DictReader(opened)}


def _unequal(expected: dict, computed: dict) -> list[tuple]:
    """What differs: key, true value, computed value. A ratio is written as its two counts and computed in per cent."""
    wrong = []
    for key, value in expected.items():
        found = computed[key]
        if "/" in value:
            if not found or abs(Fraction(Decimal(found)) - 100 * Fraction(value)) > Fraction(1, 10**9):
                wrong.append((key, value, found))
        elif (value == "") != (found == "") or (value and Decimal(value) != Decimal(found)):
            wrong.append((key, value, found))
    return wrong


def test_the_summary_says_what_was_read_and_where_the_time_went(refreshed: Machine) -> None:
    shown = refreshed.first_refresh.stdout + refreshed.first_refresh.stderr
    read, loaded, rejected, duplicate = refreshed.ask(
        "select sum(rows_read), sum(rows_loaded), sum(rows_rejected), sum(rows_duplicate) "
        "from ops.load where source = 'one_stop'"
    )[0]
    assert rejected > 0
    assert duplicate > 0
    read, loaded, rejected, duplicate = map(vietnamese, (read, loaded, rejected, duplicate))
    assert f"đọc {read} dòng, nạp {loaded}, loại {rejected}, trùng {duplicate}" in shown
    assert re.search(r"Dựng, kiểm tra và công bố: [0-9]+,[0-9] giây", shown)
    assert "phu-luc.xlsx" in shown
    assert "phieu-phan-hoi/van-phong-ubnd.xlsx" in shown
    assert "bao-cao.docx" in shown
    # rejects and missing rows must be read by a person
    assert refreshed.first_refresh.returncode == 3


def test_status_shows_what_there_is_and_when_the_report_runs_next(refreshed: Machine) -> None:
    shown = refreshed.run(CCHC, "status").stdout
    assert "one_stop · dossier: " in shown
    assert len(re.findall(r"^Lịch · [0-9/]{10} 02:00 · Chạy ", shown, re.MULTILINE)) == 3


def test_every_figure_is_explained_by_files_and_by_rows_that_make_it(refreshed: Machine) -> None:
    measured = dict(refreshed.ask("select measure_code, measure_value from reporting.rpt_measure"))
    codes = [".".join(key) for key, row in refreshed.indicators().items() if row["value"]]
    codes += [key for (key,) in refreshed.ask("select key from reporting.rpt_narrative where value is not null")]
    seen = set()
    with warehouse.engine(refreshed.settings, "transformer") as engine, engine.connect() as connection:
        for code in codes:
            explanation = explain(connection, PERIOD, code)
            assert explanation.loads, code
            assert all(re.fullmatch(r"[0-9a-f]{64}", load.digest) and load.names for load in explanation.loads), code
            # units that do not add up are said with these words
            assert "Chú ý" not in "\n".join(lines(explanation)), code
            seen |= set(explanation.measures)
        assert seen == measured.keys()
        for measure in seen:
            total = connection.execute(text(total_query(measure, PERIOD))).scalar_one()
            assert total == measured[measure], measure
    assert len(codes) > 220


def test_the_published_report_contradicts_the_sample_where_it_contradicts_itself_and_nowhere_else(
    refreshed: Machine,
) -> None:
    """A small province has fewer dossiers and procedures: what counts them is declared as it is computed."""
    with warehouse.engine(refreshed.settings, "transformer") as engine, engine.connect() as connection:
        figures = read_computed(connection, PERIOD)
        indicators = connection.execute(
            text(
                "select form_no || '.' || code, display, sources from reporting.rpt_indicator where period_id = :period"
            ),
            {"period": PERIOD},
        )
        scaled = {key: display for key, display, sources in indicators if _is_scaled(sources)}
        left_out = {key for key in figures.narrative if _is_scaled(explain(connection, PERIOD, key).indicator.sources)}
    appendix = published_report.workbook(
        published_report.published(
            lambda row: {**row, "published": scaled.get(f"{row['form']}.{row['code']}", row["published"]) or ""}
        )
    )
    header, *rows = published_report.text_file().decode().splitlines()
    kept = "\n".join([header, *(row for row in rows if row.split(",")[1] not in left_out)])
    labels = figures.labels()
    comparison = compare(figures, read(appendix, "phu-luc.xlsx", labels) + read(kept.encode(), "so-lieu.csv", labels))

    assert [(finding.kind, finding.declared, finding.expected) for finding in comparison.contradictions] == [
        ("text_and_table", "134", "139"),
        ("sum", "2518", "2.487"),
        ("up", "12.7", "12,64"),
        ("unreadable", "22.6290", "226.290"),
    ]
    assert [(remark.kind, remark.declared) for remark in comparison.remarks] == [("unit", "43")]
    # nothing is left that the warehouse has no word on
    assert comparison.count(Level.OPEN) == 0
    assert len(comparison.figures) > 50


def _is_scaled(sources: Sequence[str]) -> bool:
    return any(source.startswith(("one_stop.", "portal.")) and source != "portal.agency" for source in sources)


def test_raw_holds_just_what_the_ledger_says(refreshed: Machine) -> None:
    counted = refreshed.ask(
        "select load.load_id, load.rows_loaded, count(r.*), load.rows_rejected, "
        "(select count(*) from ops.rejected_row as j where j.load_id = load.load_id) "
        "from ops.load as load left join raw.one_stop__dossier as r on load.load_id = r._load_id "
        "where load.source = 'one_stop' group by load.load_id, load.rows_loaded, load.rows_rejected"
    )
    assert counted
    for _, loaded, in_raw, rejected, in_quarantine in counted:
        assert (loaded, rejected) == (in_raw, in_quarantine)


def test_no_personal_data_in_the_database_nor_in_any_log(refreshed: Machine, province: Path) -> None:
    values = _personal_values(province)
    # who invests is public; a few of those companies are applicants too
    [(investors,)] = refreshed.ask("select string_agg(project, ' | ') from raw.thu_hut_dau_tu__du_an")
    values = {value for value in values if value not in investors}
    assert len(values) > 5_000
    found = _leaks(_everything_written(refreshed), values)
    assert not found


def test_nothing_is_written_to_the_home_folder_and_no_server_is_left(refreshed: Machine) -> None:
    assert list((refreshed.folder / "home").rglob("*")) == []
    wait_until(lambda: not _processes_of(refreshed.folder))


def test_again_changes_nothing(refreshed: Machine, undisturbed: dict[str, list[str]]) -> None:
    before = (refreshed.folder / "out" / PERIOD / "phu-luc.xlsx").read_bytes()
    refreshed.run(CCHC, "refresh", PERIOD)
    assert refreshed.marts() == undisturbed
    assert (refreshed.folder / "out" / PERIOD / "phu-luc.xlsx").read_bytes() == before
    assert refreshed.ask("select count(*) from ops.arrival where outcome = 'new' and source = 'one_stop'") == [
        (len(list((refreshed.province / "inbox" / "mot-cua").iterdir())),)
    ]


def test_restored_elsewhere_from_a_backup_it_is_the_same_and_goes_on(
    refreshed: Machine, machine: Machine, undisturbed: dict[str, list[str]]
) -> None:
    copy = machine.folder / "copy.tar.zst"
    for on, command in ((refreshed, ["backup"]), (machine, ["restore", "--check"]), (machine, ["restore"])):
        done = subprocess.run([CCHC, *command, str(copy)], env=on.environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert machine.marts() == undisturbed
    for figures in (machine.indicators(), refreshed.indicators()):
        assert len(figures) > 100
    assert machine.indicators() == refreshed.indicators()
    ledger = "select load_id, digest, status, rows_loaded, finished_at from ops.load order by load_id"
    assert machine.ask(ledger) == refreshed.ask(ledger)
    for digest, uri in machine.ask("select digest, landing_uri from ops.load"):
        assert uri.startswith(f"file://{machine.folder}/landing/")
        assert hashlib.sha256(Path(uri.removeprefix("file://")).read_bytes()).hexdigest() == digest
    machine.run(CCHC, "refresh", PERIOD)
    assert machine.marts() == undisturbed
    # the files are known; the feeds are asked for changes only, each answer a load of its own
    files = "select count(*) from ops.load where source not in ('portal', 'budget')"
    assert machine.ask(files) == refreshed.ask(files)


def test_another_order_of_arrival_gives_the_same_marts(machine: Machine, undisturbed: dict[str, list[str]]) -> None:
    inbox = machine.folder / "trickle"
    files = sorted(
        (path.relative_to(machine.province / "inbox") for path in (machine.province / "inbox").rglob("*.*")),
        key=lambda path: path.name[::-1],
    )
    assert any("_v2" in file.name for file in files)
    loads = ["from dags import steps; import os, shutil", f"os.environ['CCHC_INBOX'] = {str(inbox)!r}"]
    loads += [f"steps.prepare({PERIOD!r}, None)", "steps.load('portal')", "steps.load_departments()", "steps.build()"]
    machine.run(sys.executable, "-c", "\n".join(loads))
    # what never came is missing, not zero
    rows = machine.ask("select form_no::text, status, value from reporting.rpt_indicator where kind <> 'heading'")
    assert {status for form, status, _ in rows if form in "12456"} == {"missing"}
    assert {value for _, status, value in rows if status == "missing"} == {None}
    loads = loads[:2]
    for file in files:
        loads += [
            f"os.makedirs({str(inbox / file.parent)!r}, exist_ok=True)",
            f"shutil.copy({str(machine.province / 'inbox' / file)!r}, {str(inbox / file)!r})",
            "steps.load('one_stop')" if file.parts[0] == "mot-cua" else "steps.load_departments()",
        ]
    machine.run(sys.executable, "-c", "\n".join([*loads, "steps.load('budget')", "steps.build()"]))
    assert machine.marts() == undisturbed


def test_killed_in_the_middle_of_a_load_then_run_again(machine: Machine, undisturbed: dict[str, list[str]]) -> None:
    victim = machine.start(CCHC, "load", "one_stop")
    wait_until(lambda: _some_raw_rows_are_on_their_way(machine))
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    machine.run(sys.executable, "-c", f"from dags import steps; steps.prepare({PERIOD!r}, None); {STEPS}")
    assert machine.marts() == undisturbed


def test_ctrl_c_ends_the_refresh_at_once_and_leaves_no_server(machine: Machine) -> None:
    running = machine.start(CCHC, "refresh", PERIOD)
    wait_until(lambda: _some_raw_rows_are_on_their_way(machine))
    running.send_signal(signal.SIGINT)
    assert running.wait(timeout=10) == 128 + signal.SIGINT
    wait_until(lambda: not _processes_of(machine.folder))
    assert not (machine.folder / "out").exists()


def test_the_same_period_as_of_two_moments(refreshed: Machine, province: Path) -> None:
    seen = []
    for day in (date(2024, 3, 31), date(2024, 6, 14)):
        refreshed.run(CCHC, "refresh", PERIOD, "--as-of", day.isoformat())
        counted = recount(province, as_of=day).figures
        computed = {name: int(refreshed.indicators()[tuple(name.split("/"))]["value"]) for name in counted}
        assert computed == counted
        seen.append(computed)
    assert seen[0] != seen[1]


def test_a_portal_that_is_down_leaves_its_last_good_data_and_says_so(refreshed: Machine) -> None:
    refreshed.run(CCHC, "refresh", PERIOD)
    before = refreshed.indicators()
    down = {"CCHC_PORTAL_URL": "http://127.0.0.1:9", "CCHC_INBOX": str(refreshed.province / "inbox")}
    done = subprocess.run(
        [CCHC, "refresh", PERIOD], env=refreshed.environment | down, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 3, done.stderr
    after = refreshed.indicators()
    assert {key: row["value"] for key, row in after.items()} == {key: row["value"] for key, row in before.items()}
    assert after["3", "1.4"]["status"] == "stale"
    assert after["3", "3.1.1"]["value"] == before["3", "3.1.1"]["value"]
    assert "LayDanhSachTTHC" in done.stdout + done.stderr


def test_without_a_key_nothing_is_read(machine: Machine) -> None:
    del machine.environment["CCHC_PSEUDONYM_KEY"], machine.environment["CCHC_SYNTHETIC"]
    environment = machine.environment | {"CCHC_INBOX": str(machine.province / "inbox")}
    done = subprocess.run([CCHC, "refresh", PERIOD], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "CCHC_PSEUDONYM_KEY" in done.stderr
    assert not (machine.folder / "landing").exists()


def _exports(province: Path) -> Iterator[dict[str, str]]:
    """Every readable row of every export, by plain means."""
    import zstandard

    for path in sorted((province / "inbox" / "mot-cua").iterdir()):
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
        elif path.suffix == ".zst":
            content = zstandard.ZstdDecompressor().decompressobj().decompress(content)
        lines = content.decode("utf-8-sig", errors="replace").splitlines(keepends=True)
        yield from csv.DictReader(lines)


def _personal_values(province: Path) -> set[str]:
    values = set()
    for row in _exports(province):
        values.update(row[name] for name in PERSONAL if row.get(name) and len(row[name]) > 7)
    values.discard("000000001")
    return values


def _everything_written(machine: Machine) -> Iterator[tuple[str, str]]:
    """(where, content) of the whole database and of every file but the landing store and the database's own files."""
    with warehouse.engine(machine.settings) as engine, engine.connect() as connection:
        tables = connection.execute(
            text(
                "select schemaname || '.' || tablename from pg_tables "
                "where schemaname not in ('pg_catalog', 'information_schema')"
            )
        ).scalars()
        for table in tables.all():
            rows = connection.execute(text(f"select t::text from {table} as t")).scalars()
            yield table, "\n".join(rows)
    for path in machine.folder.rglob("*"):
        inside = path.relative_to(machine.folder).parts
        if path.is_file() and inside[0] != "landing" and "data" not in inside[:3]:
            yield str(path), path.read_bytes().decode("utf-8", errors="replace")


def _leaks(written: Iterator[tuple[str, str]], values: set[str]) -> list[tuple[str, str]]:
    """Where a personal value stands as it was sent. Values are looked up as whole words and whole texts."""
    found = []
    numbers = {value for value in values if value.isdigit()}
    others = re.compile("|".join(re.escape(value) for value in sorted(values - numbers)[:4000]))
    for where, content in written:
        found += [(where, word) for word in set(re.findall(r"(?<![0-9a-f])\d{8,13}(?![0-9a-f])", content)) & numbers]
        found += [(where, match.group()) for match in others.finditer(content)]
    return found


def _some_raw_rows_are_on_their_way(machine: Machine) -> bool:
    try:
        with warehouse.engine(machine.settings) as engine, engine.connect() as connection:
            copying = (
                "select count(*) from pg_stat_activity where application_name = 'cchc loader' and query ~ '^copy raw'"
            )
            return connection.execute(text(copying)).scalar() > 0
    except Exception:  # the server may still be starting
        return False


def _processes_of(folder: Path) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in command and str(os.getpid()) != entry.name:
            found.append(command)
    return found
