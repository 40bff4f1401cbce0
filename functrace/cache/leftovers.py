"""Temporary directories of a run, and removal of those left behind by killed processes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from functrace.cache.folders import make_temporary
from functrace.errors import FunctraceError
from functrace.processes import is_alive

_SESSION = "functrace-go-"
_RUN = "functrace-run-"
_NAME = re.compile(rf"(?:{_SESSION}|{_RUN}(\d+)-)[0-9a-f]+")
_LIVE_TRACE = re.compile(r"functrace-otlp-(\d+)-\w+\.ftrace")
# The go command may outlive a killed ``functrace go``, and it needs the directory.
_MIN_AGE_S = 60 * 60


@contextlib.contextmanager
def session_folder() -> Iterator[Path]:
    """Yield a new directory that is locked while in use and deleted at the end.

    Raises:
        FunctraceError: no temporary directory is usable.
    """
    try:
        folder = make_temporary(_SESSION)
    except OSError as error:
        raise FunctraceError(str(error)) from None
    descriptor = lock(folder)
    remove_stale(Path(folder).parent)
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def run_folder() -> str:
    """Create a directory for the program that replaces this process; a later run deletes it.

    Raises:
        OSError: no temporary directory is usable.
    """
    folder = make_temporary(f"{_RUN}{os.getpid()}-")
    remove_stale(Path(folder).parent)
    return folder


def lock(path: Path | str) -> int:
    """Lock a file or directory until the returned descriptor is closed. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    with contextlib.suppress(OSError):  # a file system without locks
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return descriptor


def remove_stale(folder: Path) -> None:
    """Delete from ``folder`` what killed processes of this user left and nothing uses."""
    for entry in _entries(folder):
        match = _NAME.fullmatch(entry.name) or _LIVE_TRACE.fullmatch(entry.name)
        if match and not (match[1] and is_alive(int(match[1]))):
            with contextlib.suppress(OSError):
                _remove_unlocked(entry.path)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if entry.name.startswith("functrace-")]
    except OSError:
        return []


def _remove_unlocked(path: str) -> None:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, flags)
    try:
        found = os.fstat(descriptor)
        if found.st_uid != os.geteuid() or time.time() - found.st_mtime < _MIN_AGE_S:
            return
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails if it is in use
        if stat.S_ISDIR(found.st_mode):
            shutil.rmtree(path, ignore_errors=True)
        elif stat.S_ISREG(found.st_mode):
            os.unlink(path)
    finally:
        os.close(descriptor)
