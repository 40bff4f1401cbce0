"""Folder of a bundle that is being written: one writer, and resumable after a kill."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from itertools import count
from pathlib import Path

from functrace.errors import FunctraceError
from functrace.watch.bundle_names import (
    WHY,
    bundle_name,
    final,
    partial,
)
from functrace.watch.firing import Firing, from_json

_FIELDS = [each.name for each in fields(Firing)]


def folder_of(firing: Firing, destination: Path) -> Path:
    """Return the folder of a firing's bundle, the same each time."""
    for number in count(1):
        folder = destination / bundle_name(firing, number)
        found = read_firing(folder) or read_firing(partial(folder))
        if found is None or _identity(found) == _identity(firing):
            return folder
    raise AssertionError("unreachable")


def read_firing(folder: Path) -> Firing | None:
    """Return the firing in a bundle's folder; None if the folder is not this user's bundle."""
    try:
        if not _is_own(folder):
            return None
        firing = parse_firing((folder / WHY).read_bytes())
    except OSError:
        return None
    if firing is None or not (final(folder) or folder).name.startswith(bundle_name(firing)):
        return None
    return firing


def parse_firing(content: bytes) -> Firing | None:
    """Return the firing in the content of a why.json; None if it contains none."""
    try:
        found = json.loads(content)
        firing = from_json({name: found[name] for name in _FIELDS})
        bundle_name(firing)
    except (ValueError, TypeError, LookupError, OverflowError, RecursionError, AttributeError):
        return None
    return firing


@contextmanager
def locked(folder: Path) -> Iterator[Path]:
    """Create a bundle's folder under a temporary name, or find it, and lock it.

    The system releases the lock of a process that is killed.

    Raises:
        FunctraceError: another watcher writes this bundle.
    """
    while True:
        path = folder
        if not folder.is_dir():
            path = partial(folder)
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            _lock(descriptor, folder)
            if _is_at(descriptor, path):  # nobody removed or renamed it before it was locked
                for left in path.glob(".*.partial"):
                    left.unlink()
                yield path
                return
        finally:
            os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise FunctraceError(f"{folder}: another watcher is writing this bundle") from None


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


def _is_own(folder: Path) -> bool:
    found = folder.lstat()
    return (found.st_mode & 0o170000) == 0o040000 and found.st_uid == os.geteuid()


def _identity(firing: Firing) -> tuple[object, ...]:
    process = firing.process
    return process.ring.name, process.start, process.pid, firing.trigger, round(firing.at, 3)
