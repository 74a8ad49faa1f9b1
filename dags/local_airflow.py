"""Airflow on this machine: api-server, scheduler, dag-processor and triggerer, their state under `var/airflow`.

Its metadata live in a database of their own on the embedded PostgreSQL, unless `AIRFLOW__DATABASE__SQL_ALCHEMY_CONN`
names another. A component that ends is started again.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psycopg2
from sqlalchemy.engine import make_url

from cchc import embedded
from cchc.settings import PROJECT_ROOT, Settings

API_SERVER = "api-server"
OTHERS = ("scheduler", "dag-processor", "triggerer")
USER = "admin"
METADATA_DATABASE = "airflow"
_READY_SECONDS = 180
_STOP_SECONDS = 30
# a component that ends at once must not be started a hundred times a second
_PAUSE_BEFORE_RESTART = 5.0


class AirflowNotReady(RuntimeError):
    """Airflow did not come up, or is not there. The message is for the person in front of the terminal."""


def home_of(settings: Settings) -> Path:
    """Airflow's home: configuration, passwords, logs, metadata of `cchc refresh`."""
    return settings.var.resolve() / "airflow"


def base_environment(settings: Settings) -> dict[str, str]:
    """What every use of Airflow by this project sets, unless the user has set it otherwise."""
    home = home_of(settings)
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT_ROOT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
    }


def server_environment(settings: Settings, metadata_url: str, port: int) -> dict[str, str]:
    """The environment of the components: the user's own, with defaults for what it does not say."""
    home = home_of(settings)
    url = f"http://127.0.0.1:{port}"
    defaults = base_environment(settings) | {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata_url,
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        # loads and a dbt build share the cores with PostgreSQL
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__FERNET_KEY": _secret(home / "fernet-key", 32),
        "AIRFLOW__API_AUTH__JWT_SECRET": _secret(home / "jwt-secret", 64),
        "AIRFLOW__API__SECRET_KEY": _secret(home / "api-secret", 32),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
    }
    return defaults | dict(os.environ)


def _secret(path: Path, length: int) -> str:
    """A random secret that outlives the process, in a file for its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text()
    with os.fdopen(descriptor, "w") as file:
        file.write(base64.urlsafe_b64encode(secrets.token_bytes(length)).decode())
    return path.read_text()


def _make_password(home: Path) -> None:
    """The password of the user interface; Airflow would make one too, but print it into a log."""
    path = home / "passwords.json"
    if not path.exists():
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps({USER: secrets.token_urlsafe(16)}))
        fresh.replace(path)


@contextmanager
def metadata_database(settings: Settings) -> Iterator[str]:
    """The URL of Airflow's metadata database, which is there while the block runs."""
    if chosen := os.environ.get("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"):
        yield chosen
        return
    with embedded.running(settings.var / "postgres") as address:
        url = make_url(address)
        connection = psycopg2.connect(
            host=url.host, port=url.port, user=url.username, password=url.password, dbname=url.database
        )
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("select 1 from pg_database where datname = %s", (METADATA_DATABASE,))
                if cursor.fetchone() is None:
                    cursor.execute(f"create database {METADATA_DATABASE}")
        finally:
            connection.close()
        yield url.set(database=METADATA_DATABASE).render_as_string(hide_password=False)


def serve(settings: Settings, port: int, announce: Callable[[str], None]) -> None:
    """Run Airflow until SIGTERM or SIGINT; components that end are started again. Raises AirflowNotReady."""
    home = home_of(settings)
    home.mkdir(parents=True, exist_ok=True)
    port = port or _free_port()
    with (home / "server.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AirflowNotReady("Airflow của dự án này đang chạy; dừng bằng: make down") from None
        with metadata_database(settings) as metadata_url:
            environment = server_environment(settings, metadata_url, port)
            _make_password(home)
            _migrate(environment, home / "logs")
            with _components(environment, home / "logs") as components:
                # tasks talk to the api-server, so nothing may be scheduled before it answers
                components.start(API_SERVER)
                _wait_until_healthy(environment["AIRFLOW__API__BASE_URL"], components, ("metadatabase",))
                components.start(*OTHERS)
                _wait_until_healthy(environment["AIRFLOW__API__BASE_URL"], components)
                (home / "server.json").write_text(json.dumps({"pid": os.getpid(), "url": f"http://127.0.0.1:{port}"}))
                try:
                    announce(login_of(settings))
                    components.keep_alive()
                finally:
                    (home / "server.json").unlink(missing_ok=True)


def login_of(settings: Settings) -> str:
    """Where the user interface is and how to log in, in Vietnamese. Raises AirflowNotReady."""
    home = home_of(settings)
    try:
        url = json.loads((home / "server.json").read_text())["url"]
        password = json.loads((home / "passwords.json").read_text())[USER]
    except (FileNotFoundError, KeyError, ValueError):
        raise AirflowNotReady("Airflow của dự án này không chạy; khởi động bằng: make up") from None
    return f"Airflow: {url} · tài khoản admin · mật khẩu {password}"


def stop(settings: Settings) -> None:
    """Stop what `serve` runs and wait until it has ended. Raises AirflowNotReady when nothing runs."""
    home = home_of(settings)
    home.mkdir(parents=True, exist_ok=True)
    with (home / "server.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            try:
                os.kill(json.loads((home / "server.json").read_text())["pid"], signal.SIGTERM)
            except (FileNotFoundError, ProcessLookupError, ValueError):
                raise AirflowNotReady("Airflow đang khởi động; hãy thử dừng lại sau ít giây") from None
            fcntl.flock(lock, fcntl.LOCK_EX)
            return
    raise AirflowNotReady("Airflow của dự án này không chạy")


def start_in_background(settings: Settings, port: int) -> str:
    """Start `cchc up --foreground` apart from this terminal and wait until it is ready; returns the login."""
    log = home_of(settings) / "logs" / "server.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        server = subprocess.Popen(
            [Path(sys.executable).with_name("cchc"), "up", "--foreground", "--port", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + _READY_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            if json.loads((home_of(settings) / "server.json").read_text())["pid"] == server.pid:
                return login_of(settings)
        except (FileNotFoundError, ValueError):
            pass
        time.sleep(0.5)
    server.terminate()
    raise AirflowNotReady(f"Airflow không khởi động được; xem {log}\n{log.read_text(errors='replace')[-2000:]}")


class _Components:
    """The components as child processes, each with a log of its own."""

    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        self._environment = environment
        self._logs = logs
        self._is_stopping = False
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, *names: str) -> None:
        self.processes |= {name: self._start(name) for name in names}

    def _start(self, name: str) -> subprocess.Popen[bytes]:
        with (self._logs / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "airflow", name],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # a group of its own, so that its children end with it
                start_new_session=True,
            )

    def ask_to_stop(self, *_signal: object) -> None:
        self._is_stopping = True

    def keep_alive(self) -> None:
        """Start again what ended, until `ask_to_stop`."""
        while not self._is_stopping:
            for name, process in self.processes.items():
                if process.poll() is not None:
                    print(f"{name} đã dừng (mã {process.returncode}), khởi động lại", flush=True)
                    # children that outlived it: their tasks are given to others, and nobody would ever end them
                    _signal_group(process, signal.SIGKILL)
                    self.processes[name] = self._start(name)
                    time.sleep(_PAUSE_BEFORE_RESTART)
            time.sleep(0.2)

    @property
    def is_stopping(self) -> bool:
        return self._is_stopping

    def stop(self) -> None:
        """End every component with its children; those that do not end in time are killed."""
        for process in self.processes.values():
            _signal_group(process, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        for process in self.processes.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0, deadline - time.monotonic()))
            _signal_group(process, signal.SIGKILL)
            process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


@contextmanager
def _components(environment: Mapping[str, str], logs: Path) -> Iterator[_Components]:
    logs.mkdir(parents=True, exist_ok=True)
    components = _Components(environment, logs)
    previous = {number: signal.signal(number, components.ask_to_stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield components
    finally:
        components.stop()
        for number, handler in previous.items():
            signal.signal(number, handler)


def _migrate(environment: Mapping[str, str], logs: Path) -> None:
    logs.mkdir(parents=True, exist_ok=True)
    with (logs / "migrate.log").open("ab") as log:
        done = subprocess.run(
            [sys.executable, "-m", "airflow", "db", "migrate"], env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    if done.returncode:
        raise AirflowNotReady(f"Không dựng được cơ sở dữ liệu của Airflow; xem {logs / 'migrate.log'}")


def _wait_until_healthy(url: str, components: _Components, parts: Sequence[str] = ()) -> None:
    """Wait for the parts of Airflow's health that are named, else for all. Raises AirflowNotReady."""
    deadline = time.monotonic() + _READY_SECONDS
    unhealthy = API_SERVER
    while time.monotonic() < deadline and not components.is_stopping:
        try:
            health = httpx.get(f"{url}/api/v2/monitor/health", timeout=5).raise_for_status().json()
            unhealthy = ", ".join(name for name in parts or health if health[name].get("status") != "healthy")
            if not unhealthy:
                return
        except (httpx.HTTPError, ValueError):
            pass
        time.sleep(0.5)
    raise AirflowNotReady(f"Airflow chưa sẵn sàng sau {_READY_SECONDS} giây: {unhealthy}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
