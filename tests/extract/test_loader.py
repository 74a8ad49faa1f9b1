"""The loader on a real PostgreSQL: one file, one transaction; all of it or nothing; every row accounted for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from extract import ledger
from extract.check import Fault
from extract.ledger import LoadOutcome, Quarantine

from .conftest import GOOD_ROW, NAME, Exports

Query = Callable[..., list[tuple]]


def counts(outcome: LoadOutcome) -> tuple[int, int, int, int, int]:
    """(read, loaded, rejected, duplicate, held)"""
    return (
        outcome.rows_read,
        outcome.rows_loaded,
        outcome.rows_rejected,
        outcome.rows_duplicate,
        outcome.rows_held,
    )


LEDGER = "select rows_read, rows_loaded, rows_rejected, rows_duplicate, rows_held from ops.load"


# ----------------------------------------------------------------------------------------------------- a good load


def test_a_row_arrives_typed_without_the_person(exports: Exports, query: Query) -> None:
    outcome = exports.load([GOOD_ROW])
    assert (outcome.outcome, counts(outcome), outcome.warning_count) == ("new", (1, 1, 0, 0, 0), 0)
    columns = query("select column_name from information_schema.columns where table_name = 'one_stop__dossier'")
    assert not {"chuhoso", "sogiaytochuhoso", "sodienthoai", "email", "diachi"} & {name for (name,) in columns}
    [row] = query(
        "select _load_id, _row, mahoso, matthc, kenhthuchien, applicant_key, ngaytiepnhan::text, ngayyeucaubosung,"
        " lephi, hosocothanhphansohoa, coketquadientu, daxoa, thoidiemcapnhat::text from raw.one_stop__dossier"
    )
    assert row[:5] == (outcome.load_id, 2, "H31.05-240115-00012", "1.004190.H31", 2)
    assert len(row[5]) == 64
    assert row[6:] == ("2024-01-15 08:30:00", None, 50000, True, False, None, "2024-01-20 11:00:00")


def test_the_ledger_knows_the_load(exports: Exports, query: Query) -> None:
    content = exports.content([GOOD_ROW])
    outcome = exports.load(content)
    [row] = query(
        "select load_id, source, dataset, contract_version, status, refused_reason, covers_from_on::text,"
        " covers_to_on::text, byte_count, started_at <= finished_at, length(code_version) > 0, landing_uri"
        " from ops.load"
    )
    assert row[:9] == (
        *(outcome.load_id, "one_stop", "dossier", "1.0.0", "loaded", None),
        *("2024-01-01", "2024-01-31", len(content)),
    )
    assert row[9:11] == (True, True)
    assert Path(row[11].removeprefix("file://")).read_bytes() == content
    assert query("select name, outcome, load_id from ops.arrival") == [(NAME, "new", outcome.load_id)]


def test_texts_of_every_kind_come_through(exports: Exports, query: Query) -> None:
    texts = [
        'nói "vâng"',
        "dòng\nhai",
        "dòng\r\nhai",
        "a\rb",
        "\\.",
        "a\n\\.\nb",
        "\\N",
        "a,b;c\td",
        "𠮷 ắ",
        "NULL",
        '""',
    ]
    rows = [exports.rows(1, first=n)[0] | {"DonViXuLy": value} for n, value in enumerate(texts)]
    assert counts(exports.load(rows)) == (len(texts), len(texts), 0, 0, 0)
    assert [value for (value,) in query("select donvixuly from raw.one_stop__dossier order by _row")] == texts


def test_rows_know_their_physical_line(exports: Exports, query: Query) -> None:
    rows = exports.rows(3)
    rows[0]["DiaChi"] = "Số 5\nđường X\nHưng Yên"
    rows[2]["MucDo"] = "9"
    exports.load(rows, max_reject_share=0.5)
    assert query("select _row from raw.one_stop__dossier order by 1") == [(2,), (5,)]
    assert query("select row_number, column_name, value, reason_code from ops.rejected_row") == [
        (6, "MucDo", "9", "not_in_list")
    ]


# -------------------------------------------------------------------------------------------------- rejected rows


def test_a_rejected_row_has_line_column_value_and_every_reason(exports: Exports, query: Query) -> None:
    rows = exports.rows(40)
    rows[4] |= {"KenhThucHien": "7", "LePhi": "-1"}
    outcome = exports.load(rows)
    assert counts(outcome) == (40, 39, 1, 0, 0)
    [(load_id, line, column, value, code, reason, faults)] = query(
        "select load_id, row_number, column_name, value, reason_code, reason, faults from ops.rejected_row"
    )
    assert (load_id, line, column, value, code) == (outcome.load_id, 6, "KenhThucHien", "7", "not_in_list")
    assert reason == "KenhThucHien phải là một trong: 1, 2, 3"
    assert [(fault["column"], fault["code"]) for fault in faults] == [
        ("KenhThucHien", "not_in_list"),
        ("LePhi", "below_minimum"),
    ]


def test_exactly_5_percent_loads(exports: Exports, query: Query) -> None:
    outcome = exports.load([*exports.rows(95), *exports.rows(5, first=200, MucDo="9")])
    assert (outcome.outcome, counts(outcome)) == ("new", (100, 95, 5, 0, 0))
    assert query("select count(*) from raw.one_stop__dossier") == [(95,)]
    assert query("select count(*) from ops.rejected_row") == [(5,)]


def test_above_5_percent_the_whole_file_is_refused_and_its_rejects_are_kept(exports: Exports, query: Query) -> None:
    rows = [*exports.rows(94), *exports.rows(1), *exports.rows(6, first=200, MucDo="9")]
    outcome = exports.load(rows)
    assert (outcome.outcome, counts(outcome)) == ("refused", (101, 0, 6, 0, 95))
    assert outcome.message == "6 trong 101 dòng bị loại, quá 5% cho phép; hãy sửa và gửi lại cả tệp"
    assert query("select count(*) from raw.one_stop__dossier") == [(0,)]
    assert query(LEDGER + " where status = 'refused'") == [(101, 0, 6, 0, 95)]
    assert query("select count(*), min(row_number), max(value) from ops.rejected_row") == [(6, 97, "9")]
    assert query("select outcome, message from ops.arrival") == [("refused", outcome.message)]


def test_the_allowed_share_is_of_the_rows_read_repeats_included(exports: Exports) -> None:
    repeats = exports.rows(1) * 19
    assert counts(exports.load([*repeats, *exports.rows(1, MucDo="9")])) == (20, 1, 1, 18, 0)


def test_the_allowed_share_is_exact_where_a_binary_fraction_is_not(exports: Exports) -> None:
    rows = [*exports.rows(71), *exports.rows(29, first=200, MucDo="9")]
    assert exports.load(rows, max_reject_share=0.29).outcome == "new"
    rows = [*exports.rows(70, first=500), *exports.rows(30, first=600, MucDo="9")]
    assert "quá 29,5%" in exports.load(rows, max_reject_share=0.295).message


def test_a_refused_file_is_refused_again_without_loading(exports: Exports, query: Query) -> None:
    bad = exports.content(exports.rows(2, MucDo="9"))
    first, again = exports.load(bad), exports.load(bad)
    assert (again.outcome, again.message, again.load_id) == ("refused", first.message, first.load_id)
    assert query("select count(*) from ops.load") == query("select count(*) / 2 from ops.arrival") == [(1,)]
    assert query("select count(*) from ops.rejected_row") == [(2,)]


def test_a_refused_file_gets_another_try_when_more_is_allowed(exports: Exports, query: Query) -> None:
    content = exports.content([*exports.rows(9), *exports.rows(1, first=20, MucDo="9")])
    assert exports.load(content).outcome == "refused"
    assert exports.load(content, max_reject_share=0.06).outcome == "refused"
    assert counts(exports.load(content, max_reject_share=0.1)) == (10, 9, 1, 0, 0)
    assert exports.load(content).outcome == "repeat"
    assert query("select count(*) from raw.one_stop__dossier") == [(9,)]


# --------------------------------------------------------------------------------------------------------- repeats


def test_the_same_bytes_twice_are_one_load_also_under_another_name(exports: Exports, query: Query) -> None:
    content = exports.content(exports.rows(3))
    first = exports.load(content)
    again = exports.load(content)
    renamed = exports.load(content, "ho-so_20240101_20240229.csv")
    assert [first.outcome, again.outcome, renamed.outcome] == ["new", "repeat", "repeat"]
    assert first.load_id == again.load_id == renamed.load_id
    assert query("select count(*) from raw.one_stop__dossier") == [(3,)]
    assert query("select count(*) from ops.load") == [(1,)]
    assert query("select name, outcome, load_id = :id from ops.arrival order by arrival_id", id=first.load_id) == [
        (NAME, "new", True),
        (NAME, "repeat", True),
        ("ho-so_20240101_20240229.csv", "repeat", True),
    ]


def test_a_load_has_the_same_id_in_every_order_of_arrival(exports: Exports, query: Query) -> None:
    outcome = exports.load([GOOD_ROW])
    [(digest,)] = query("select digest from ops.load")
    assert outcome.load_id == ledger.load_id_of("one_stop", "dossier", digest, "1.0.0")


def test_identical_rows_are_one_row(exports: Exports, query: Query) -> None:
    rows = [*exports.rows(2), *exports.rows(2), *exports.rows(1, Email="khac@thu-dien-tu.vn")]
    outcome = exports.load(rows)
    assert counts(outcome) == (5, 2, 0, 3, 0)
    assert outcome.warning_count == 0
    assert query("select mahoso, _row from raw.one_stop__dossier order by 1") == [
        ("H31.05-240115-00001", 6),
        ("H31.05-240115-00002", 5),
    ]


def test_of_conflicting_rows_the_later_line_stays_and_warns(exports: Exports, query: Query) -> None:
    rows = [
        *exports.rows(1, LePhi="1"),
        *exports.rows(1, LePhi="2"),
        *exports.rows(1, LePhi="3"),
        *exports.rows(1, first=5),
    ]
    rows.append(rows[1])
    outcome = exports.load(rows)
    assert counts(outcome) == (5, 2, 0, 3, 0)
    assert query("select lephi, _row from raw.one_stop__dossier where mahoso like '%1'") == [(2, 6)]
    assert query("select code, column_name, row_count, first_row from ops.load_warning") == [
        ("conflicting_rows", "MaHoSo, ThoiDiemCapNhat", 2, 2)
    ]


def test_another_moment_of_a_dossier_is_another_version(exports: Exports) -> None:
    versions = [*exports.rows(1), *exports.rows(1, ThoiDiemCapNhat="20240120110001")]
    assert counts(exports.load(versions)) == (2, 2, 0, 0, 0)


def test_a_file_that_repeats_every_row_does_not_take_for_ever(exports: Exports, engine: Engine) -> None:
    """Also beside earlier loads: their statistics tell the planner that the new one has no rows."""
    exports.load(exports.rows(10_000))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("analyze raw.one_stop__dossier")
        connection.exec_driver_sql(f"alter database {engine.url.database} set statement_timeout = '10s'")
    exports.reconnect()
    rows = exports.rows(10_000, first=20_000)
    outcome = exports.load([*rows, *rows, *exports.rows(10_000, first=20_000, LePhi="7")])
    assert counts(outcome) == (30_000, 10_000, 0, 20_000, 0)


def test_rows_of_another_load_are_left_alone(exports: Exports, query: Query) -> None:
    exports.load(exports.rows(3))
    outcome = exports.load(exports.rows(4), "ho-so_20240101_20240229.csv")
    assert counts(outcome) == (4, 4, 0, 0, 0)
    assert query("select count(*) from raw.one_stop__dossier") == [(7,)]


# ---------------------------------------------------------------------------------------- roles, several processes


def test_the_loader_appends_and_nothing_else(exports: Exports, loader: Engine) -> None:
    exports.load([GOOD_ROW])
    for statement in (
        "delete from raw.one_stop__dossier",
        "update raw.one_stop__dossier set lephi = 0",
        "truncate raw.one_stop__dossier",
        "drop table raw.one_stop__dossier",
        "update ops.load set rows_read = 0",
        "delete from ops.load",
        "delete from ops.rejected_row",
        "update ops.arrival set outcome = 'new'",
    ):
        with loader.connect() as connection, pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
            connection.execute(text(statement))


def test_rows_of_a_finished_load_cannot_be_dropped(exports: Exports, loader: Engine) -> None:
    load_id = exports.load([GOOD_ROW]).load_id
    with loader.connect() as connection, pytest.raises(DBAPIError, match="append-only"):
        connection.execute(
            text("select ops.drop_repeated_rows('one_stop__dossier', :id, array['matthc'])"), {"id": load_id}
        )


def test_the_ledger_does_not_take_a_load_that_does_not_add_up(exports: Exports, engine: Engine) -> None:
    exports.load([GOOD_ROW])
    with engine.connect() as connection, pytest.raises(DBAPIError, match="check constraint"):
        connection.execute(text("update ops.load set rows_loaded = 2"))
    with pytest.raises(AssertionError, match="1 rows read but loaded 2"):
        LoadOutcome("s", "d", "n", "new", rows_read=1, rows_loaded=2).assert_balanced()


def test_two_that_load_the_same_file_at_once_make_one_load(exports: Exports, query: Query) -> None:
    exports.drop(exports.content(exports.rows(20_000)))
    start = threading.Barrier(2)
    outcomes = []

    def run() -> None:
        start.wait()
        outcomes.extend(exports.load_all())

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcome.outcome for outcome in outcomes) == ["new", "repeat"]
    assert query("select count(*) from raw.one_stop__dossier") == [(20_000,)]
    assert query("select count(*) from ops.load") == [(1,)]


def until(happens: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline, "did not happen"
        time.sleep(0.05)


LOAD = textwrap.dedent("""
    import sys
    from cchc import warehouse
    from cchc.settings import Settings
    from extract import sources

    settings = Settings()
    with warehouse.available(settings) as url, warehouse.engine_on(url, "loader") as engine:
        for outcome in sources.load_source(settings, engine, "one_stop"):
            print(outcome.outcome, outcome.rows_read, outcome.rows_loaded)
""")


def process(exports: Exports, script: str = LOAD) -> subprocess.Popen[str]:
    settings = exports.settings
    environment = os.environ | {
        "CCHC_WAREHOUSE_URL": settings.warehouse_url.get_secret_value(),
        "CCHC_INBOX": settings.inbox,
        "CCHC_LANDING": settings.landing,
        "CCHC_VAR": str(settings.var),
        "CCHC_PSEUDONYM_KEY": "k" * 40,
    }
    return subprocess.Popen(
        [sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_a_process_killed_while_it_copies_leaves_nothing_and_the_next_is_right(exports: Exports, query: Query) -> None:
    exports.drop(exports.content(exports.rows(40_000)))
    # row 30000 is in the second batch: its COPY waits there as long as somebody holds the lock
    url = exports.settings.warehouse_url.get_secret_value().replace("+psycopg2", "")
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("""
            create function pause() returns trigger language plpgsql as $$
            begin
                if new._row = 30000 then
                    perform pg_advisory_xact_lock_shared(42);
                end if;
                return new;
            end $$;
            create trigger pause before insert on raw.one_stop__dossier for each row execute function pause();
        """)
    holder = psycopg2.connect(url)
    with holder.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(42)")
    killed = process(exports)
    waiting = "select count(*) from pg_stat_activity where wait_event = 'advisory' and query like 'copy raw%'"
    until(lambda: query(waiting) == [(1,)] or killed.poll() is not None)
    assert killed.poll() is None, killed.communicate()
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    killed.communicate()
    holder.close()
    until(lambda: query("select count(*) from pg_stat_activity where query like 'copy raw%'") == [(0,)])
    content = (
        "select (select count(*) from raw.one_stop__dossier), (select count(*) from ops.load),"
        " (select count(*) from ops.arrival)"
    )
    assert query(content) == [(0, 0, 0)]

    again = process(exports)
    output, errors = again.communicate(timeout=60)
    assert output == "new 40000 40000\n", errors
    assert query(content) == [(40_000, 1, 1)]


# ---------------------------------------------------------------------------------------------------------- memory

# not ru_maxrss, which begins at what the parent process had
PEAK = """
print(int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) // 1024)
"""


def peak_of_loading(exports: Exports, row_count: int) -> int:
    """MB at the most while a file of so many rows is loaded by a process of its own."""
    path = exports.drop(b"", f"ho-so_20240101_2024{row_count % 12 + 1:02d}28.csv")
    one = exports.content(exports.rows(1)).split(b"\r\n")
    with path.open("wb") as target:
        target.write(one[0] + b"\r\n")
        for number in range(row_count):
            row = one[1].replace(b"-00001,", b"-%07d," % number, 1).replace(b"033090001234", b"%012d" % number)
            target.write(row + b"\r\n")
    output, errors = process(exports, LOAD + PEAK).communicate(timeout=120)
    path.unlink()
    lines = output.splitlines() or [""]
    assert lines[0] == f"new {row_count} {row_count}", errors
    return int(lines[-1])


def test_memory_does_not_grow_with_the_file(exports: Exports) -> None:
    small, large = peak_of_loading(exports, 100_000), peak_of_loading(exports, 300_000)
    assert large < 350
    assert large - small < 40


# ------------------------------------------------------------------------------------------------------ quarantine


def test_quarantine_keeps_what_it_is_given(engine: Engine, exports: Exports, query: Query) -> None:
    load_id = exports.load([GOOD_ROW]).load_id
    connection = engine.raw_connection()
    with Quarantine() as quarantine:
        for row in range(10_000):
            quarantine.add(row, [Fault(row, "Cột", 'a "b"', "code", "lý do, có phẩy")], sheet="Trang", cell="B7")
        quarantine.add(1, [Fault(1, "", None, "code", "lý do")])
        quarantine.write(connection, load_id)
    connection.commit()
    connection.close()
    assert query("select count(*) from ops.rejected_row") == [(10_001,)]
    row = "select sheet, cell, column_name, value, reason from ops.rejected_row where row_number = 1 order by sheet"
    assert query(row) == [("", None, None, None, "lý do"), ("Trang", "B7", "Cột", 'a "b"', "lý do, có phẩy")]
