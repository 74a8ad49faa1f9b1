"""The embedded server lives as long as somebody uses it, however its users and its supervisor end."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy.engine import make_url

from cchc import embedded
from cchc.settings import PROJECT_ROOT

IS_ROOT = os.geteuid() == 0
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")

# a user of the server: says where it is, stays until its standard input closes
USER = """
import sys
from pathlib import Path
from cchc import embedded
with embedded.running(Path(sys.argv[1])) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


class User:
    """A process that uses the server of a folder."""

    def __init__(self, folder: Path, interpreter: str = sys.executable, **options: object) -> None:
        self.process = subprocess.Popen(
            [interpreter, "-c", USER, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **options,
        )

    def url(self) -> str:
        url = self.process.stdout.readline().strip()
        assert url, self.process.stderr.read()
        return url

    def leave(self) -> None:
        self.process.stdin.close()
        assert self.process.wait(30) == 0, self.process.stderr.read()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if not stream.closed:
                stream.close()


@pytest.fixture
def user() -> Iterator[Callable[..., User]]:
    """Start a user of a folder's server; whoever is left at the end is killed."""
    started: list[User] = []

    def start(folder: Path, *arguments: str, **options: object) -> User:
        started.append(User(folder, *arguments, **options))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A place for a server; the test fails when a process is left behind."""
    place = tmp_path / "postgres"
    yield place
    _wait_until(lambda: not _processes(place), "a process was left behind")


def _processes(folder: Path) -> list[int]:
    """The supervisor, the server and its helpers: all work inside the folder. Zombies do not count."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            place = Path(os.readlink(entry / "cwd"))
        except OSError:
            continue
        if place.is_relative_to(folder):
            found.append(int(entry.name))
    return found


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def _supervisors(folder: Path) -> list[int]:
    return [pid for pid in _processes(folder) if "cchc.embedded" in _command(pid)]


def _servers(folder: Path) -> list[int]:
    return [pid for pid in _processes(folder) if "bin/postgres -D" in _command(pid)]


def _capabilities(pid: int) -> int:
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line
    )
    return int(status["CapEff"], 16)


def _wait_until(condition: Callable[[], bool], what: str, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def _ask(url: str, statement: str) -> list[tuple]:
    parts = make_url(url)
    connection = psycopg2.connect(
        host=parts.host, port=parts.port, user=parts.username, password=parts.password, dbname=parts.database
    )
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def test_it_starts_answers_and_stops_and_the_data_stays(folder: Path) -> None:
    with embedded.running(folder) as url:
        _ask(url, "create table kept as select 'hồ sơ' as what")
        assert len(_servers(folder)) == 1
    _wait_until(lambda: not _processes(folder), "the server outlived its last user")
    with embedded.running(folder) as url:
        assert _ask(url, "select what from kept") == [("hồ sơ",)]
        assert _ask(url, "show listen_addresses") == [("127.0.0.1",)]


def test_a_relative_folder_is_the_one_the_caller_means(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    with embedded.running(Path(folder.name)) as url:
        assert _ask(url, "select 1") == [(1,)]
    assert (folder / "data" / "PG_VERSION").exists()


def test_processes_that_come_at_once_share_one_server_and_the_last_one_out_stops_it(
    folder: Path, user: Callable[..., User]
) -> None:
    users = [user(folder) for _ in range(4)]
    urls = [one.url() for one in users]
    assert len(set(urls)) == 1
    assert len(_servers(folder)) == len(_supervisors(folder)) == 1
    for one in users[:-1]:
        one.leave()
    time.sleep(0.3)
    assert _ask(urls[0], "select 1") == [(1,)]
    users[-1].leave()
    _wait_until(lambda: not _processes(folder), "the server outlived its last user")


def test_a_user_that_is_killed_leaves_no_server(folder: Path, user: Callable[..., User]) -> None:
    first = user(folder)
    first.url()
    first.process.kill()
    _wait_until(lambda: not _processes(folder), "the server outlived a killed user")


def test_ctrl_c_ends_the_user_and_then_the_server_but_not_the_server_of_others(
    folder: Path, user: Callable[..., User]
) -> None:
    first = user(folder)
    url = first.url()
    # the first one's child is the supervisor, which must not be in its group
    second = user(folder)
    second.url()
    # what a terminal does: to the whole foreground group
    os.killpg(first.process.pid, signal.SIGINT)
    first.process.wait(15)
    time.sleep(0.3)
    assert _ask(url, "select 1") == [(1,)]
    os.killpg(second.process.pid, signal.SIGINT)
    second.process.wait(15)
    _wait_until(lambda: not _processes(folder), "the server outlived Ctrl-C")


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_supervisor_takes_its_server_along_and_the_next_user_gets_a_new_one(
    folder: Path, user: Callable[..., User], signal_number: int
) -> None:
    first = user(folder)
    url = first.url()
    _ask(url, "create table kept as select 1 as n")
    (supervisor,) = _supervisors(folder)
    os.kill(supervisor, signal_number)
    # a signal takes its time to arrive; after that the old server may still answer, and must not be taken for a new one
    _wait_until(lambda: supervisor not in _supervisors(folder), "the supervisor stayed")
    with embedded.running(folder) as new_url:
        deadline = time.monotonic() + 0.7
        while time.monotonic() < deadline:
            assert _ask(new_url, "select n from kept") == [(1,)]
        assert len(_servers(folder)) == 1
        first.leave()
        assert _ask(new_url, "select n from kept") == [(1,)]


def test_a_server_that_answers_without_its_supervisor_is_on_its_way_out(folder: Path, tmp_path: Path) -> None:
    orphaned = tmp_path / "orphaned"
    orphaned.mkdir()
    with embedded.running(folder) as url:
        assert embedded._url_of_running_server(folder) == url
        for name in ("port", "password"):
            shutil.copy(folder / name, orphaned)
        assert embedded._url_of_running_server(orphaned) is None


def test_a_killed_server_is_replaced_and_leaves_no_supervisor(folder: Path, user: Callable[..., User]) -> None:
    first = user(folder)
    _ask(first.url(), "create table kept as select 1 as n; checkpoint")
    (server,) = _servers(folder)
    os.kill(server, signal.SIGKILL)
    _wait_until(lambda: not _processes(folder), "a supervisor stayed without a server")
    with embedded.running(folder) as url:
        assert _ask(url, "select n from kept") == [(1,)]


def test_an_interrupted_initdb_is_begun_again(folder: Path, user: Callable[..., User]) -> None:
    first = user(folder)
    _wait_until(lambda: (folder / "data.new" / "PG_VERSION").exists(), "initdb never began")
    assert not (folder / "data").exists()
    for pid in _processes(folder):
        # initdb's helpers come and go between the look and the kill
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    first.process.kill()
    _wait_until(lambda: not _processes(folder), "initdb was left behind")
    assert not (folder / "data").exists()
    with embedded.running(folder) as url:
        assert _ask(url, "select 1") == [(1,)]
    assert not (folder / "data.new").exists()
    assert not (folder / "password.new").exists()


def test_a_server_that_cannot_start_says_why_and_soon(folder: Path) -> None:
    with embedded.running(folder):
        pass
    _wait_until(lambda: not _processes(folder), "the server outlived its last user")
    with (folder / "data" / "postgresql.conf").open("a") as config:
        config.write("\nno_such_parameter = on\n")
    started = time.monotonic()
    with pytest.raises(embedded.EmbeddedServerError, match="no_such_parameter"), embedded.running(folder):
        pass
    assert time.monotonic() - started < 15


def test_the_password_is_for_the_owner_alone_and_required(folder: Path) -> None:
    with embedded.running(folder) as url:
        assert stat.S_IMODE((folder / "password").stat().st_mode) == 0o600
        assert stat.S_IMODE((folder / "data").stat().st_mode) == 0o700
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            _ask(make_url(url).set(password="wrong").render_as_string(hide_password=False), "select 1")


@pytest.mark.skipif(not IS_ROOT, reason="only root becomes somebody else")
def test_started_by_root_the_server_is_an_ordinary_user_without_capabilities(user: Callable[..., User]) -> None:
    place = Path(tempfile.mkdtemp())
    place.chmod(0o755)
    try:
        first = user(place / "postgres")
        first.url()
        (server,) = _servers(place)
        assert Path(f"/proc/{server}").stat().st_uid != 0
        # everybody may enter the folders above the data and above the program, or else one capability is needed
        program = Path(embedded.tool("postgres"))
        is_open = all(path.stat().st_mode & stat.S_IXOTH for path in program.parents)
        assert _capabilities(server) == (0 if is_open else 1 << 2)
        first.leave()
        _wait_until(lambda: not _processes(place), "a process was left behind")
    finally:
        shutil.rmtree(place)


@pytest.mark.skipif(not IS_ROOT, reason="an ordinary user cannot make a folder of root's")
def test_a_closed_folder_of_roots_stays_closed(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    folder = closed / "var" / "postgres"
    with embedded.running(folder) as url:
        assert _ask(url, "select 1") == [(1,)]
        (server,) = _servers(folder)
        assert Path(f"/proc/{server}").stat().st_uid != 0
        # searching folders, nothing else
        assert _capabilities(server) == 1 << 2
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert (closed.stat().st_uid, closed.stat().st_gid) == (0, 0)
    _wait_until(lambda: not _processes(folder), "a process was left behind")


@pytest.mark.skipif(not IS_ROOT, reason="only root can enter a folder of somebody else's")
def test_a_project_in_a_closed_folder_of_roots_can_run_its_programs(tmp_path: Path) -> None:
    # such as /root: initdb looks for its own program with access(2), which does not see capabilities by itself
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    programs = closed / "programs"
    shutil.copytree(Path(embedded.tool("postgres")).parents[1], programs)
    for path in (programs / "bin").iterdir():
        path.chmod(0o755)
    data = closed / "data"
    data.mkdir()
    user = embedded._unprivileged_user()
    os.chown(data, user.pw_uid, user.pw_gid)
    original, embedded.tool = embedded.tool, lambda name: str(programs / "bin" / name)
    try:
        become = embedded._become_postgres_user(data)
    finally:
        embedded.tool = original
    command = [str(programs / "bin" / "initdb"), f"--pgdata={data}", "--no-sync", "--no-instructions", "--auth=trust"]
    done = subprocess.run(command, preexec_fn=become, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (data / "PG_VERSION").exists()


def test_an_ordinary_user_needs_nothing_and_nothing_is_written_outside_the_folder(user: Callable[..., User]) -> None:
    place = Path(tempfile.mkdtemp())
    home, folder = place / "home", place / "project" / "postgres"
    home.mkdir()
    folder.parent.mkdir()
    options: dict[str, object] = {}
    if IS_ROOT:
        place.chmod(0o755)
        for path in (home, folder.parent):
            shutil.chown(path, "nobody")
        options = {"user": "nobody", "group": embedded._unprivileged_user().pw_gid, "extra_groups": []}
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHONPATH": os.pathsep.join([str(PROJECT_ROOT), *filter(None, sys.path)]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LANG": "C.UTF-8",
    }
    options |= {"cwd": place, "env": environment}
    interpreter = _interpreter_for(options)
    shared_memory_before = _shared_memory()
    sockets_before = set(Path("/tmp").glob(".s.PGSQL.*"))
    try:
        first = user(folder, interpreter, **options)
        url = first.url()
        # a parallel query needs shared memory of its own
        _ask(url, "create table numbers as select generate_series(1, 100000) as n")
        assert _ask(url, "set debug_parallel_query = on; select count(*) from numbers") == [(100000,)]
        (server,) = _servers(folder)
        assert Path(f"/proc/{server}").stat().st_uid == Path(f"/proc/{first.process.pid}").stat().st_uid
        assert _capabilities(server) == 0
        assert _shared_memory() <= shared_memory_before
        assert set(Path("/tmp").glob(".s.PGSQL.*")) <= sockets_before
        first.leave()
        _wait_until(lambda: not _processes(folder), "a process was left behind")
        assert list(home.iterdir()) == []
        assert sorted(path.name for path in place.iterdir()) == ["home", "project"]
        assert [path.name for path in folder.parent.iterdir()] == ["postgres"]
    finally:
        shutil.rmtree(place)


def _interpreter_for(options: dict) -> str:
    """This interpreter, or the system's of the same version where this one lies in a folder closed to others."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        try:
            if (
                subprocess.run([candidate, "-c", "import cchc.embedded"], capture_output=True, **options).returncode
                == 0
            ):
                return candidate
        except OSError:
            continue
    pytest.skip("no interpreter of this version is open to ordinary users")


def _shared_memory() -> set[str]:
    place = Path("/dev/shm")
    return {path.name for path in place.iterdir() if path.name.startswith("PostgreSQL")} if place.is_dir() else set()
