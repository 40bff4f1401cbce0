"""Atomic writes and copies of files."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
from pathlib import Path

from functrace.processes import is_alive

_TEMPORARY = re.compile(r"\..+\.functrace-(\d+)\.tmp\Z")


def write_atomic(
    path: Path | str, content: bytes, *, like: os.stat_result | None = None, durable: bool = True
) -> None:
    """Write ``content`` to ``path``, completely or not at all.

    Args:
        path: the file, in an existing directory.
        content: its complete new content.
        like: the file whose mode, and owner where permitted, to keep.
        durable: sync the new content to the disk before it replaces the old content;
            not necessary for files that can be generated again.
    """
    temporary = _temporary(path)
    try:
        with open(temporary, "xb") as file:
            file.write(content)
            if like is not None:
                _keep_owner_and_mode(file.fileno(), like)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def copy_atomic(source: Path | str, target: Path | str) -> None:
    """Copy a file with its mode and times; a symbolic link is copied as a link."""
    temporary = _temporary(target)
    try:
        shutil.copy2(source, temporary, follow_symlinks=False)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def is_leftover(name: str) -> bool:
    """Return whether a file name is that of a temporary file of a killed functrace."""
    match = _TEMPORARY.match(name)
    return match is not None and not is_alive(int(match[1]))


def _temporary(path: Path | str) -> str:
    folder, name = os.path.split(path)
    return os.path.join(folder, f".{name[:200]}.functrace-{os.getpid()}.tmp")


def _keep_owner_and_mode(descriptor: int, like: os.stat_result) -> None:
    own = os.fstat(descriptor)
    if (own.st_uid, own.st_gid) != (like.st_uid, like.st_gid):
        with contextlib.suppress(OSError):
            os.fchown(descriptor, like.st_uid, like.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(like.st_mode))
