"""Writing what people receive: to a folder or any fsspec URL, whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

# These show an object only when it is complete, so a temporary name would cost a copy and gain nothing.
_OBJECT_STORES = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "memory"}


def join(url: str, *parts: str) -> str:
    """`out`, `2024-H1`, `indicators.csv` → `out/2024-H1/indicators.csv`, for folders and URLs alike."""
    return "/".join([url.rstrip("/"), *parts])


def read_if_there(url: str) -> bytes | None:
    """The bytes at `url`, or None."""
    filesystem, path = url_to_fs(url)
    try:
        return filesystem.cat_file(path)
    except FileNotFoundError:
        return None


def names(url: str) -> list[str]:
    """The names of what lies in the folder `url`, sorted; none when there is no such folder."""
    filesystem, path = url_to_fs(url)
    try:
        return sorted(found.rstrip("/").rsplit("/", 1)[-1] for found in filesystem.ls(path, detail=False))
    except (FileNotFoundError, NotADirectoryError):
        return []


def remove(url: str) -> None:
    """Delete the file at `url`."""
    filesystem, path = url_to_fs(url)
    filesystem.rm_file(path)


def write(url: str, content: bytes) -> str:
    """Put `content` at `url`; a reader sees the old file or the new one, never a part. Returns the path."""
    filesystem, path = url_to_fs(url)
    folder, _, name = path.rpartition("/")
    temporary = f"{folder}/.{name}.{uuid4().hex}.tmp"
    if isinstance(filesystem, LocalFileSystem):
        Path(folder).mkdir(parents=True, exist_ok=True)
        _replace_local(path, temporary, content)
    elif _protocols(filesystem) & _OBJECT_STORES:
        filesystem.pipe_file(path, content)
    else:
        filesystem.makedirs(folder, exist_ok=True)
        _replace_remote(filesystem, path, temporary, content)
    return filesystem.unstrip_protocol(path) if "://" in url else path


def _protocols(filesystem: AbstractFileSystem) -> set[str]:
    protocol = filesystem.protocol
    return {protocol} if isinstance(protocol, str) else set(protocol)


def _replace_local(path: str, temporary: str, content: bytes) -> None:
    unfinished = Path(temporary)
    try:
        with unfinished.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _replace_remote(filesystem: AbstractFileSystem, path: str, temporary: str, content: bytes) -> None:
    try:
        filesystem.pipe_file(temporary, content)
        filesystem.mv(temporary, path)
    except BaseException:
        if filesystem.exists(temporary):
            filesystem.rm_file(temporary)
        raise
