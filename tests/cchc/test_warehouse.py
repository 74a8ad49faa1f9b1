"""The warehouse: migrations that can be trusted, and four roles that can do their job and no more."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DataError, OperationalError, ProgrammingError

from cchc import embedded, transform, warehouse
from cchc.settings import Settings

MIGRATION_NAMES = sorted(path.name for path in warehouse.MIGRATIONS.glob("[0-9]*.sql"))


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    folder = tmp_path / "sql"
    folder.mkdir()
    (folder / "0001_first.sql").write_text("create table first (a integer); insert into first values (1);")
    (folder / "0002_second.sql").write_text("create table second as select * from first;")
    (folder / "notes.sql").write_text("this is not a migration")
    return folder


def _rows(opened: Engine, statement: str) -> list[tuple]:
    with opened.connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


# --- migrations


def test_migrations_apply_to_an_empty_database_once(empty: Engine) -> None:
    assert MIGRATION_NAMES
    assert warehouse.migrate(empty) == MIGRATION_NAMES
    assert warehouse.migrate(empty) == []
    assert [name for (name,) in _rows(empty, "select name from migration.applied order by name")] == MIGRATION_NAMES
    assert _rows(empty, "select nspname from pg_namespace where nspname in ('raw', 'ops') order by 1") == [
        ("ops",),
        ("raw",),
    ]


def test_two_processes_that_migrate_at_once_wait_for_each_other(empty: Engine, empty_database: URL) -> None:
    program = (
        "import sys\nfrom sqlalchemy.engine import make_url\nfrom cchc import warehouse\n"
        "sys.stdin.readline()\n"
        "with warehouse.engine_on(make_url(sys.argv[1])) as engine:\n    print(len(warehouse.migrate(engine)))"
    )
    url = empty_database.render_as_string(hide_password=False)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], answers
    assert sorted(int(out) for out, _ in answers) == [0, len(MIGRATION_NAMES)]


def test_two_warehouses_of_a_new_cluster_are_migrated_at_once(tmp_path: Path) -> None:
    # roles belong to the cluster, so the migrations of two databases meet there
    with embedded.running(tmp_path / "postgres") as server:
        engines = []
        with create_engine(server, isolation_level="AUTOCOMMIT").connect() as connection:
            for number in range(2):
                connection.execute(text(f"create database one_{number}"))
                engines.append(create_engine(make_url(server).set(database=f"one_{number}")))
        answers = []

        def work() -> None:
            try:
                answers.append(warehouse.migrate(engines[1]))
            except Exception as error:
                answers.append(error)

        thread = threading.Thread(target=work)
        with engines[0].begin() as first:
            first.exec_driver_sql((warehouse.MIGRATIONS / MIGRATION_NAMES[0]).read_text().replace("%", "%%"))
            thread.start()
            # the second waits for roles that the first has made and not yet committed
            time.sleep(0.5)
            assert answers == []
        thread.join(30)
        for opened in engines:
            opened.dispose()
    assert answers == [MIGRATION_NAMES]


def test_the_lock_is_free_afterwards(empty: Engine, empty_database: URL, migrations: Path) -> None:
    impatient = create_engine(empty_database, connect_args={"options": "-c lock_timeout=2s"})
    try:
        warehouse.migrate(empty, migrations)
        assert warehouse.migrate(impatient, migrations) == []
        (migrations / "0003_bad.sql").write_text("select 1 / 0")
        with pytest.raises(DataError, match="division by zero"):
            warehouse.migrate(empty, migrations)
        (migrations / "0003_bad.sql").write_text("select 1")
        assert warehouse.migrate(impatient, migrations) == ["0003_bad.sql"]
    finally:
        impatient.dispose()


def test_a_newer_file_is_applied_alone(empty: Engine, migrations: Path) -> None:
    assert warehouse.migrate(empty, migrations) == ["0001_first.sql", "0002_second.sql"]
    (migrations / "0003_third.sql").write_text("insert into second values (2);")
    assert warehouse.migrate(empty, migrations) == ["0003_third.sql"]
    assert _rows(empty, "select a from second order by a") == [(1,), (2,)]


def test_a_file_changed_after_it_was_applied_is_refused_and_nothing_after_it_is_done(
    empty: Engine, migrations: Path
) -> None:
    warehouse.migrate(empty, migrations)
    with (migrations / "0001_first.sql").open("a") as file:
        file.write(" -- one more word")
    (migrations / "0003_third.sql").write_text("create table third ();")
    with pytest.raises(ValueError, match=r"0001_first\.sql was changed"):
        warehouse.migrate(empty, migrations)
    assert _rows(empty, "select to_regclass('third')") == [(None,)]


def test_a_failing_migration_leaves_nothing_of_itself_and_can_be_mended(empty: Engine, migrations: Path) -> None:
    second = migrations / "0002_second.sql"
    good = second.read_text()
    second.write_text("create table half_done (); insert into first values (2); select 1 / 0;")
    for _ in range(2):
        with pytest.raises(Exception, match="division by zero"):
            warehouse.migrate(empty, migrations)
        assert _rows(empty, "select to_regclass('half_done')") == [(None,)]
        assert _rows(empty, "select a from first") == [(1,)]
        assert _rows(empty, "select name from migration.applied") == [("0001_first.sql",)]
    second.write_text(good)
    assert warehouse.migrate(empty, migrations) == ["0002_second.sql"]


def test_a_migration_may_hold_percent_signs_and_colons(empty: Engine, migrations: Path) -> None:
    (migrations / "0003_signs.sql").write_text(
        "create table signs as select '100 %'::text as a, format('%I', 'x y') as b, '%(name)s :name %%' as c;"
    )
    warehouse.migrate(empty, migrations)
    assert _rows(empty, "select a, b, c from signs") == [("100 %", '"x y"', "%(name)s :name %%")]


# --- roles


@pytest.fixture
def published(empty: Engine, migrated: URL) -> URL:
    """A warehouse with one load, a raw row, working schemas of dbt and a published version."""
    with empty.begin() as connection:
        connection.execute(text(_RAW_TABLE))
        connection.execute(text(_LOAD))
        connection.execute(text("insert into raw.one_thing (_load_id, _row, a) values (1, 1, 'x')"))
        connection.execute(text("create table public.in_public as select 1 as n"))
    with warehouse.engine_on(migrated, "transformer") as transformer:
        with transformer.begin() as connection:
            for schema in ("staging", "intermediate", *(f"{s}_build" for s in transform.PUBLISHED_SCHEMAS)):
                connection.execute(text(f"create schema {schema}"))
                connection.execute(text(f"create table {schema}.t as select 1 as n"))
        with transform.building(transformer) as connection:
            transform.publish(connection, [1], transform.BuildResult("run", 1, 1, [], 0.1))
    return migrated


_RAW_TABLE = """
set local role owner;
create table raw.one_thing (_load_id bigint, _row bigint, a text, primary key (_load_id, _row));
grant select, insert on raw.one_thing to loader;
grant select on raw.one_thing to transformer;
reset role;
"""
_LOAD_COLUMNS = (
    "load_id, source, dataset, digest, contract_version, status, rows_read, rows_loaded, rows_rejected, "
    "rows_duplicate, byte_count, landing_uri, code_version, started_at, finished_at"
)
_LOAD = (
    f"insert into ops.load ({_LOAD_COLUMNS}) values (1, 's', 'd', repeat('a', 64), '1', 'loaded', 1, 1, 0, 0, "
    "1, 'file', 'v', now(), now())"
)
_OTHER_LOAD = _LOAD.replace("(1, 's'", "(2, 's'").replace("'a'", "'b'")
_ARRIVAL = "insert into ops.arrival (source, dataset, name, outcome) values ('s', 'd', 'n', 'new')"
_REJECT = (
    "insert into ops.rejected_row (load_id, row_number, reason_code, reason, faults) values (1, 2, 'c', 'r', '[]')"
)
_WARNING = "insert into ops.load_warning (load_id, code, row_count, message) values (1, 'c', 1, 'm')"
_REQUEST = "insert into ops.report_request (period_id, as_of_at) values ('2024-H1', now())"
_PUBLICATION = (
    "insert into ops.publication (code_version, load_ids, report_requests, test_count, warning_count) "
    "values ('v', '{1}', '{}', 1, 0)"
)
_DBT_RESULT = "insert into ops.dbt_result (run_id, node_id, status, seconds) values ('r', 'n', 's', 1)"
_FUNCTION = "create function {schema}.f() returns integer language sql as 'select 1'"

_MAY = {
    "owner": [
        "create table raw.new_source (_load_id bigint)",
        "alter table raw.one_thing add column b text",
        "comment on table ops.load is 'x'",
        "grant select on raw.one_thing to transformer",
        "create schema new_room",
    ],
    "loader": [
        "insert into raw.one_thing values (2, 1, 'y')",
        "select * from raw.one_thing",
        _OTHER_LOAD,
        "select * from ops.load",
        _ARRIVAL,
        _REJECT,
        _WARNING,
        "select * from ops.drop_repeated_rows('one_thing', 2, '{a}')",
        "create temporary table scratch (a text)",
    ],
    "transformer": [
        "select * from raw.one_thing",
        "select * from ops.load",
        "select * from ops.arrival",
        "select * from ops.rejected_row",
        "select * from ops.load_warning",
        _REQUEST,
        "update ops.report_request set as_of_at = now()",
        _PUBLICATION,
        _DBT_RESULT,
        "create schema marts_build",
        "create table intermediate.new as select * from raw.one_thing",
        "create view staging.new as select * from raw.one_thing",
        "drop schema intermediate cascade",
        "select * from marts.t",
    ],
    "bi_reader": [f"select * from {schema}.t" for schema in transform.PUBLISHED_SCHEMAS],
}

_MAY_NOT = {
    "owner": ["create role another", "alter role loader login", "create extension dblink schema raw"],
    "loader": [
        "delete from raw.one_thing",
        "update raw.one_thing set a = 'z'",
        "truncate raw.one_thing",
        "drop table raw.one_thing",
        "alter table raw.one_thing add column b text",
        "create table raw.mine (a text)",
        "create table public.mine (a text)",
        "create schema mine",
        "delete from ops.load",
        "update ops.load set rows_loaded = 0",
        "truncate ops.load cascade",
        "delete from ops.arrival",
        "update ops.arrival set name = 'z'",
        "delete from ops.rejected_row",
        "update ops.load_warning set message = 'z'",
        _REQUEST,
        _PUBLICATION,
        "select * from marts.t",
        "select * from staging.t",
        "select * from intermediate.t",
        # of a load that is in the ledger nothing may be taken away
        "select * from ops.drop_repeated_rows('one_thing', 1, '{a}')",
        "create or replace function ops.drop_repeated_rows(text, bigint, text []) returns integer language sql as ''",
    ],
    "transformer": [
        "insert into raw.one_thing values (2, 1, 'y')",
        "update raw.one_thing set a = 'z'",
        "delete from raw.one_thing",
        "truncate raw.one_thing",
        "drop table raw.one_thing",
        "drop schema raw cascade",
        "create table raw.mine (a text)",
        "create table ops.mine (a text)",
        "create table public.mine (a text)",
        _OTHER_LOAD,
        "update ops.load set rows_loaded = 0",
        "delete from ops.load",
        _ARRIVAL,
        "delete from ops.publication",
        "update ops.publication set test_count = 0",
        "delete from ops.report_request",
        "select * from ops.drop_repeated_rows('one_thing', 2, '{a}')",
    ],
    "bi_reader": [
        *(f"select * from {table}" for table in ("raw.one_thing", "ops.load", "ops.publication", "ops.dbt_result")),
        "select * from staging.t",
        "select * from intermediate.t",
        "select * from public.in_public",
        "select * from migration.applied",
        *(
            statement.format(schema=schema)
            for schema in transform.PUBLISHED_SCHEMAS
            for statement in (
                "insert into {schema}.t values (2)",
                "update {schema}.t set n = 2",
                "delete from {schema}.t",
                "truncate {schema}.t",
                "drop table {schema}.t",
                "create table {schema}.mine (a text)",
                "create view {schema}.mine as select 1 as one",
                _FUNCTION,
            )
        ),
        "create table public.mine (a text)",
        _FUNCTION.format(schema="public"),
        "create schema mine",
        "create temporary table mine (a text)",
        "select * from ops.drop_repeated_rows('one_thing', 2, '{a}')",
        "drop schema marts cascade",
        "alter schema marts rename to mine",
        "select pg_read_file('/etc/passwd')",
        "copy (select 1) to program 'true'",
    ],
}


def test_each_role_can_do_its_job_and_no_more(published: URL) -> None:
    wrong = []
    for role in ("owner", "loader", "transformer", "bi_reader"):
        with warehouse.engine_on(published, role) as opened, opened.connect() as connection:
            assert connection.execute(text("select current_user")).scalar() == role
            for statement in _MAY[role]:
                try:
                    connection.exec_driver_sql(statement)
                except Exception as error:
                    wrong.append(f"{role} cannot: {statement}: {error}")
                connection.rollback()
            for statement in _MAY_NOT[role]:
                try:
                    connection.exec_driver_sql(statement)
                except ProgrammingError as error:
                    if not _is_refusal(error):
                        wrong.append(f"{role} is refused for another reason: {statement}: {error.orig}")
                except Exception as error:
                    if "append-only" not in str(error):
                        wrong.append(f"{role} fails otherwise: {statement}: {error}")
                else:
                    wrong.append(f"{role} can: {statement}")
                connection.rollback()
    assert not wrong, "\n".join(wrong)


def _is_refusal(error: ProgrammingError) -> bool:
    return error.orig.pgcode == "42501"  # insufficient_privilege


def test_roles_cannot_log_in_nor_inherit_from_each_other(engine: Engine) -> None:
    rows = _rows(
        engine,
        "select rolname, rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication from pg_roles "
        "where rolname in ('owner', 'loader', 'transformer', 'bi_reader')",
    )
    assert len(rows) == 4
    assert not any(flag for _, *flags in rows for flag in flags)
    memberships = _rows(
        engine,
        "select m.rolname, r.rolname from pg_auth_members a join pg_roles m on m.oid = a.member "
        "join pg_roles r on r.oid = a.roleid where m.rolname in ('owner', 'loader', 'transformer', 'bi_reader')",
    )
    assert memberships == []


def test_a_login_that_belongs_to_no_role_cannot_even_connect(empty: Engine, migrated: URL) -> None:
    with empty.begin() as connection:
        connection.execute(text("create role stranger login password 'word'"))
    try:
        with (
            pytest.raises(OperationalError, match="permission denied for database"),
            warehouse.engine_on(migrated.set(username="stranger", password="word")) as opened,
        ):
            opened.connect()
        with empty.begin() as connection:
            connection.execute(text("grant bi_reader to stranger"))
        with warehouse.engine_on(migrated.set(username="stranger", password="word"), "bi_reader") as opened:
            assert _rows(opened, "select current_user") == [("bi_reader",)]
        # a member of one role cannot become another
        with (
            pytest.raises(ProgrammingError, match="permission denied to set role"),
            warehouse.engine_on(migrated.set(username="stranger", password="word"), "loader") as opened,
        ):
            opened.connect()
    finally:
        with empty.begin() as connection:
            connection.execute(text("drop role stranger"))


def test_a_role_survives_a_rollback_and_the_pool(warehouse_url: URL) -> None:
    with warehouse.engine_on(warehouse_url, "loader") as opened:
        for _ in range(2):
            with opened.connect() as connection:
                assert connection.execute(text("select current_user")).scalar() == "loader"
                connection.rollback()
                assert connection.execute(text("select current_user")).scalar() == "loader"


# --- where it is


def test_a_configured_warehouse_is_used_and_no_server_is_started(settings: Settings, warehouse_url: URL) -> None:
    with warehouse.available(settings) as url:
        assert (url.host, url.port, url.database) == (warehouse_url.host, warehouse_url.port, warehouse_url.database)
        assert url.drivername == "postgresql+psycopg2"
    assert not (settings.var / "postgres").exists()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_any_spelling_of_the_scheme_is_understood(scheme: str, tmp_path: Path) -> None:
    with warehouse.available(Settings(var=tmp_path, warehouse_url=f"{scheme}://u:p%40ss@h:6543/d")) as url:
        assert url.drivername == "postgresql+psycopg2"
        assert warehouse.dbt_environment(url) == {
            "CCHC_DBT_HOST": "h",
            "CCHC_DBT_PORT": "6543",
            "CCHC_DBT_USER": "u",
            "CCHC_DBT_PASSWORD": "p@ss",
            "CCHC_DBT_DBNAME": "d",
        }


def test_dbt_gets_the_default_port_and_no_none() -> None:
    environment = warehouse.dbt_environment(make_url("postgresql://h/d"))
    assert environment["CCHC_DBT_PORT"] == "5432"
    assert all(isinstance(value, str) for value in environment.values())


def test_without_a_configured_warehouse_one_is_started_under_var(tmp_path: Path) -> None:
    with warehouse.engine(Settings(var=tmp_path / "var", warehouse_url=None)) as opened:
        assert _rows(opened, "select current_database()") == [("cchc",)]
    assert (tmp_path / "var" / "postgres" / "data" / "PG_VERSION").exists()


# --- which code


@pytest.fixture
def repository(tmp_path: Path) -> Callable[..., str]:
    def git(*words: str) -> str:
        identity = ["-c", "user.name=n", "-c", "user.email=e@e", "-c", "commit.gpgsign=false"]
        done = subprocess.run(["git", *identity, *words], cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    git("init", "--initial-branch=main")
    git("commit", "--allow-empty", "--message=first")
    return git


def test_code_version_is_the_commit_however_git_keeps_it(repository: Callable[..., str], tmp_path: Path) -> None:
    commit = repository("rev-parse", "HEAD")
    assert warehouse.code_version(tmp_path) == commit
    repository("pack-refs", "--all")
    assert not (tmp_path / ".git" / "refs" / "heads" / "main").exists()
    assert warehouse.code_version(tmp_path) == commit
    repository("checkout", "--detach")
    assert warehouse.code_version(tmp_path) == commit


def test_without_a_repository_code_version_is_told_or_the_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cchc import __version__

    monkeypatch.delenv("CCHC_CODE_VERSION", raising=False)
    assert warehouse.code_version(tmp_path) == __version__
    monkeypatch.setenv("CCHC_CODE_VERSION", "abc")
    assert warehouse.code_version(tmp_path) == "abc"
