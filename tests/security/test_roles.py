"""The four roles against every table there is, and against the ways around a role."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, InternalError, OperationalError, ProgrammingError

from cchc import transform, warehouse
from extract import sources

ROLES = ("owner", "loader", "transformer", "bi_reader")
RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
ALL = set(RIGHTS)
READ, ADD = {"SELECT"}, {"SELECT", "INSERT"}

# What a role may do to a table; what is not named here it may not. A new table of ops needs a line.
LEDGER = {"owner": ALL, "loader": ADD, "transformer": READ}
EXPECTED = {
    "ops.load": LEDGER,
    "ops.arrival": LEDGER,
    "ops.rejected_row": LEDGER,
    "ops.load_warning": LEDGER,
    "ops.report_request": {"owner": ALL, "loader": READ, "transformer": ADD | {"UPDATE"}},
    "ops.publication": {"owner": ALL, "loader": READ, "transformer": ADD},
    "ops.dbt_result": {"owner": ALL, "transformer": ADD},
    # the administrator's alone: the owner of the other tables can neither take their trigger off nor drop them
    "ops.submission": {"loader": READ, "transformer": ADD},
    "ops.submitted_figure": {"loader": READ, "transformer": ADD},
    "ops.original_deletion": {"owner": ALL, "loader": ADD, "transformer": READ},
    "ops.delivery": {"owner": ALL, "transformer": ADD | {"DELETE"}},
    "ops.mail": {"owner": ALL, "transformer": ADD | {"UPDATE"}},
    "migration.applied": {},
}
OF_SCHEMA = {
    "raw": LEDGER,
    "staging": {"transformer": ALL},
    "intermediate": {"transformer": ALL},
    **{schema: {"transformer": ALL, "bi_reader": READ} for schema in transform.PUBLISHED_SCHEMAS},
    **{f"{schema}_build": {"transformer": ALL} for schema in transform.PUBLISHED_SCHEMAS},
}


@pytest.fixture(scope="module")
def database(server: URL) -> Iterator[URL]:
    """A warehouse migrated in place, with a load, a signed report, a published version and one being built."""
    name = "roles_of_the_warehouse"
    with (
        warehouse.engine_on(server) as admin,
        admin.execution_options(isolation_level="AUTOCOMMIT").connect() as connection,
    ):
        connection.execute(text(f"create database {name}"))
        url = server.set(database=name)
        with warehouse.engine_on(url) as engine:
            sources.prepare(engine)
            with engine.begin() as prepared:
                prepared.exec_driver_sql(_CONTENT)
        with warehouse.engine_on(url, "transformer") as transformer:
            for first in (True, False):
                with transformer.begin() as built:
                    schemas = [f"{schema}_build" for schema in transform.PUBLISHED_SCHEMAS]
                    for schema in [*schemas, *(["staging", "intermediate"] if first else [])]:
                        built.execute(text(f"create schema {schema}"))
                        built.execute(text(f"create table {schema}.t as select 1 as n"))
                if first:
                    with transform.building(transformer) as held:
                        transform.publish(held, [1], transform.BuildResult("run", 1, 1, [], 0.1))
        yield url
        connection.execute(text(f"drop database {name} with (force)"))


_CONTENT = """
insert into ops.load (
    load_id, source, dataset, digest, contract_version, status, rows_read, rows_loaded, rows_rejected,
    rows_duplicate, byte_count, landing_uri, code_version, started_at, finished_at
) values (1, 's', 'd', repeat('a', 64), '1', 'loaded', 1, 1, 0, 0, 1, 'file', 'v', now(), now());
insert into raw.one_stop__dossier (_load_id, _row) values (1, 1);
insert into ops.publication (code_version, load_ids, report_requests, test_count, warning_count)
values ('v', '{1}', '{}', 1, 0);
insert into ops.submission (period_id, version, submitted_by, as_of_at, publication_id, file_digests)
values ('2024-H1', 1, 'A', now(), 1, '{}');
insert into ops.submitted_figure (submission_id, figure_key, label, status, load_ids)
values (1, '1/1', 'x', 'ok', '{1}');
"""


@pytest.fixture
def admin(database: URL) -> Iterator[Engine]:
    with warehouse.engine_on(database) as opened:
        yield opened


def test_every_table_gives_each_role_just_what_the_list_says(admin: Engine) -> None:
    wrong, seen = [], set()
    with admin.connect() as connection:
        tables = connection.execute(
            text(
                "select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace "
                "where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^pg_' "
                "and n.nspname <> 'information_schema' order by 1, 2"
            )
        ).all()
        for schema, name in tables:
            table = f"{schema}.{name}"
            expected = EXPECTED.get(table) if schema in ("ops", "migration") else OF_SCHEMA.get(schema)
            if expected is None:
                wrong.append(f"{table}: nobody has said who may do what")
                continue
            seen.add(schema)
            for role in ROLES:
                may_enter = connection.execute(
                    text("select has_schema_privilege(:role, :schema, 'USAGE')"), {"role": role, "schema": schema}
                ).scalar()
                may = {
                    right
                    for right in RIGHTS
                    if may_enter
                    and connection.execute(
                        text("select has_table_privilege(:role, :table, :right)"),
                        {"role": role, "table": f'"{schema}"."{name}"', "right": right},
                    ).scalar()
                }
                if may != expected.get(role, set()):
                    wrong.append(f"{table}: {role} may {sorted(may)}, should {sorted(expected.get(role, set()))}")
    assert not wrong, "\n".join(wrong)
    assert seen == {"raw", "ops", "migration", *OF_SCHEMA}


def test_only_the_builder_of_a_schema_creates_in_it(admin: Engine) -> None:
    with admin.connect() as connection:
        can = connection.execute(
            text(
                "select n.nspname, r.rolname from pg_namespace n cross join pg_roles r "
                "where r.rolname = any(:roles) and has_schema_privilege(r.rolname, n.oid, 'CREATE') "
                "and n.nspname !~ '^pg_(toast|temp)' order by 1, 2"
            ),
            {"roles": [*ROLES, "pg_read_all_data"]},
        ).all()
    by_transformer = {schema for schema in OF_SCHEMA if schema != "raw"}
    assert {tuple(row) for row in can} == {
        ("raw", "owner"),
        ("ops", "owner"),
        *((schema, "transformer") for schema in by_transformer),
    }


def test_a_function_that_acts_for_its_owner_has_a_fixed_path_and_is_nobodys_by_default(admin: Engine) -> None:
    with admin.connect() as connection:
        functions = connection.execute(
            text(
                "select p.oid::regprocedure::text, p.prosecdef, p.proconfig, "
                "has_function_privilege('bi_reader', p.oid, 'EXECUTE') as anybody "
                "from pg_proc p join pg_namespace n on n.oid = p.pronamespace "
                "where n.nspname not in ('pg_catalog', 'information_schema')"
            )
        ).all()
    definers = [row for row in functions if row.prosecdef]
    assert definers
    for row in definers:
        # pg_temp last: else it is searched first, and anybody's temporary table stands for a system table
        assert "search_path=pg_catalog, pg_temp" in row.proconfig, row
        assert not row.anybody, row


# insufficient_privilege; undefined_object (no such language); feature_not_supported (no such extension in the wheel)
REFUSALS = {"42501", "42704", "0A000"}
ATTACKS = {
    "loader": [
        "insert into ops.submission (period_id, version, submitted_by, as_of_at, publication_id, file_digests) "
        "values ('2024-H1', 2, 'A', now(), 1, '{}')",
        "insert into ops.publication (code_version, load_ids, report_requests, test_count, warning_count) "
        "values ('v', '{}', '{}', 1, 0)",
        "delete from ops.original_deletion",
        "select * from ops.dbt_result",
        "select * from migration.applied",
        "alter table raw.one_stop__dossier disable trigger all",
        "alter function ops.drop_repeated_rows set search_path = public",
        "create index on raw.one_stop__dossier (_row)",
        "lock table raw.one_stop__dossier in access exclusive mode",
        "set session_replication_role = replica",
        "set session authorization owner",
        "copy raw.one_stop__dossier to '/tmp/taken'",
        "copy raw.one_stop__dossier to program 'cat > /tmp/taken'",
        "select lo_import('/etc/passwd')",
    ],
    "transformer": [
        "update ops.submission set submitted_by = 'B'",
        "delete from ops.submitted_figure",
        "truncate ops.submitted_figure, ops.submission",
        "drop trigger submission_stays on ops.submission",
        "alter table ops.submission disable trigger submission_stays",
        "create or replace function ops.refuse_change() returns trigger language plpgsql as 'begin return null; end'",
        "insert into ops.original_deletion (source, digest, landing_uri, byte_count, last_needed_at, kept_years, "
        "deleted_by) values ('s', repeat('a', 64), 'u', 1, now(), 1, 'x')",
        "alter schema ops owner to transformer",
        "set session_replication_role = replica",
        "create function marts.f() returns text language plpython3u as 'x'",
        "create extension dblink schema marts",
        "select pg_read_file('/etc/passwd')",
        "select pg_ls_dir('.')",
    ],
    "owner": [
        "update ops.submission set submitted_by = 'B'",
        "delete from ops.submitted_figure",
        "drop trigger submission_stays on ops.submission",
        "alter table ops.submission disable trigger submission_stays",
        "drop table ops.submission cascade",
        "drop schema ops cascade",
        "alter schema ops owner to owner",
        "create or replace function ops.refuse_change() returns trigger language plpgsql as 'begin return null; end'",
        "select * from marts.t",
        "select * from staging.t",
        "drop schema marts cascade",
        "update migration.applied set digest = 'x'",
        "alter role bi_reader login",
        "grant owner to bi_reader",
        "set session_replication_role = replica",
    ],
    "bi_reader": [
        "select * from marts_build.t",
        "select * from ops.submission",
        "select * from pg_authid",
        "select * from pg_shadow",
        "select pg_terminate_backend(pg_backend_pid()) from pg_stat_activity where usename = 'loader'; "
        "select pg_read_file('/etc/passwd')",
        "select pg_reload_conf()",
        "select lo_import('/etc/passwd')",
        "select lo_from_bytea(0, '\\x00')::text from pg_largeobject",
        "alter table marts.t owner to bi_reader",
        "set session authorization loader",
        "create temporary table pg_class as select 1 as n",
    ],
}


@pytest.mark.parametrize("role", ROLES)
def test_a_login_of_one_role_has_no_way_around_it(database: URL, admin: Engine, role: str) -> None:
    """As a login that is a member of this role alone: the way installations are told to connect people and tools."""
    login = f"person_{role}"
    with admin.begin() as connection:
        connection.execute(text(f"create role {login} login password 'word' in role {role}"))
    wrong = []
    try:
        for switched in (role, None):  # what somebody smuggles in may begin with RESET ROLE
            with warehouse.engine_on(database.set(username=login, password="word"), switched) as opened:
                others = [f"set role {other}" for other in (*ROLES, "postgres") if other != role]
                for statement in [*ATTACKS[role], *others]:
                    with opened.connect() as connection:
                        try:
                            connection.exec_driver_sql(statement)
                        except DBAPIError as error:
                            if error.orig.pgcode not in REFUSALS:
                                wrong.append(f"{statement}: refused for another reason: {error.orig}")
                        else:
                            wrong.append(f"{statement}: done")
                        connection.rollback()
    finally:
        with admin.begin() as connection:
            connection.execute(text(f"drop role {login}"))
    assert not wrong, "\n".join(wrong)


def test_not_even_the_administrator_changes_a_signed_report_by_accident(admin: Engine) -> None:
    for statement in (
        "update ops.submission set submitted_by = 'B'",
        "delete from ops.submitted_figure",
        "truncate ops.submitted_figure, ops.submission",
    ):
        with admin.connect() as connection, pytest.raises((InternalError, DBAPIError), match="báo cáo đã chốt"):
            connection.exec_driver_sql(statement)


def test_nobody_gets_in_by_another_name(database: URL, admin: Engine) -> None:
    for role in ROLES:
        with (
            pytest.raises(OperationalError, match=r"not permitted to log in|password authentication failed"),
            warehouse.engine_on(database.set(username=role, password="word")) as opened,
        ):
            opened.connect()
    with (
        pytest.raises(OperationalError, match=r"password authentication failed|no password supplied"),
        warehouse.engine_on(database.set(password="wrong")) as opened,
    ):
        opened.connect()


# ------------------------------------------------------------------------------------------- attacks by the search path


def test_temporary_tables_and_names_do_not_lead_the_function_astray(database: URL) -> None:
    with warehouse.engine_on(database, "loader") as opened, opened.connect() as connection:
        # the ledger says that load 1 is final; a temporary table of that name says that it is not
        for shadow in ("load", "pg_class", "pg_attribute", "unnest"):
            connection.exec_driver_sql(f"create temporary table {shadow} (load_id bigint, _load_id bigint)")
        connection.exec_driver_sql("set search_path = pg_temp, ops, raw")
        with pytest.raises(DBAPIError, match="append-only"):
            connection.exec_driver_sql("select ops.drop_repeated_rows('one_stop__dossier', 1, '{_row}')")
        connection.rollback()


@pytest.mark.parametrize(
    ("table", "keys"),
    [
        ("one_stop__dossier; drop table ops.load", "{_row}"),
        ('one_stop__dossier" where true; drop table ops.load; --', "{_row}"),
        ("one_stop__dossier", '{"_row) from ops.load; drop table ops.load; --"}'),
        ("../ops/load", "{load_id}"),
        ("load", "{load_id}"),
    ],
)
def test_names_given_to_the_function_are_names_and_no_sql(database: URL, table: str, keys: str) -> None:
    with warehouse.engine_on(database, "loader") as opened, opened.connect() as connection:
        with pytest.raises(ProgrammingError, match="does not exist"):
            connection.execute(
                text("select ops.drop_repeated_rows(:table, 99, cast(:keys as text []))"),
                {"table": table, "keys": keys},
            )
        connection.rollback()
        assert connection.execute(text("select count(*) from ops.load")).scalar() == 1
