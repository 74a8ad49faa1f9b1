"""The landing store: every file and every pull as received, named by its SHA-256, before anything is parsed."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import fsspec
from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs

_LONGEST_COPY = timedelta(days=1)


@dataclass(frozen=True)
class Landed:
    """One archived original."""

    uri: str
    digest: str
    byte_count: int

    def open(self) -> BinaryIO:
        return fsspec.open(self.uri, "rb").open()


def land(blocks: Iterator[bytes], root: str, source: str, suffix: str) -> Landed:
    """Archive a stream of bytes under `root` and return where; the same bytes twice are kept once.

    The bytes are complete under their final name or not there at all, so an interrupted copy is harmless.
    """
    filesystem, base = url_to_fs(root)
    folder = f"{base}/{source}"
    filesystem.makedirs(folder, exist_ok=True)
    if "file" in filesystem.protocol:
        Path(folder).chmod(0o700)  # the originals hold personal data
    _remove_leftovers(filesystem, folder)
    incoming = f"{folder}/.incoming-{uuid.uuid4().hex}"
    digest = hashlib.sha256()
    size = 0
    try:
        with filesystem.open(incoming, "wb") as target:
            for block in blocks:
                digest.update(block)
                size += len(block)
                target.write(block)
        name = digest.hexdigest()
        final = f"{folder}/{name[:2]}/{name}{suffix}"
        # a machine that lost power may have kept the name and not the bytes
        if not filesystem.exists(final) or filesystem.size(final) != size:
            filesystem.makedirs(f"{folder}/{name[:2]}", exist_ok=True)
            filesystem.mv(incoming, final)
        return Landed(filesystem.unstrip_protocol(final), name, size)
    finally:
        if filesystem.exists(incoming):
            filesystem.rm(incoming)


def _remove_leftovers(filesystem: AbstractFileSystem, folder: str) -> None:
    """Delete what processes that were killed left half copied: it holds personal data that nobody would look for."""
    for path in filesystem.glob(f"{folder}/.incoming-*"):
        try:
            if filesystem.modified(path) < datetime.now(UTC) - _LONGEST_COPY:
                filesystem.rm(path)
        except FileNotFoundError:
            continue  # another process was faster
