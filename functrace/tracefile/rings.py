"""Rings of processes, found by process id or program name (docs/ring.md)."""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from functrace.errors import FunctraceError
from functrace.tracefile.ending import start_ticks_of

FOLDER_VARIABLE = "FUNCTRACE_RING_DIR"

_SHARED_MEMORY = Path("/dev/shm")
_FOLDER = re.compile(r"functrace-(\d+)")
_NAME = re.compile(r"(.+)-(\d+)-(\d+)(?:\.(\d+))?\.ftrace")


@dataclass(frozen=True)
class Ring:
    """Trace in memory that keeps the latest calls of one process.

    Attributes:
        path: the file.
        program: name of the program, in the characters that a ring's name permits.
        pid: process id in the process's own namespace.
        start: start of the process: field 22 of /proc/PID/stat; elsewhere nanoseconds since 1970.
        number: from 1 on; a process that replaces its program has several rings.
        is_running: whether the process still writes to it.
    """

    path: Path
    program: str
    pid: int
    start: int
    number: int
    is_running: bool


def ring_folders() -> list[Path]:
    """Return the folders in which this user's rings can be; for root, those of all users."""
    asked = os.environ.get(FOLDER_VARIABLE)
    if asked:
        return [Path(asked).absolute()]
    parents = [
        parent for parent in (_SHARED_MEMORY, Path(tempfile.gettempdir())) if parent.is_dir()
    ]
    user = os.geteuid()
    if user:
        return [parent / f"functrace-{user}" for parent in parents]
    return [folder for parent in parents for folder in sorted(parent.glob("functrace-*"))]


def is_in_ring_folder(path: Path) -> bool:
    """Return whether a file may be the ring of a running process."""
    return path.absolute().parent in ring_folders()


def find_ring(text: str) -> Ring:
    """Return the ring of the process id or program name ``text``.

    Raises:
        FunctraceError: there is none, or several.
    """
    found = find_rings(text)
    if not found:
        where = " or ".join(map(str, ring_folders())) or f"{_SHARED_MEMORY}/functrace-*"
        raise FunctraceError(
            f"{text}: no such file, and no ring of a process with this id or name in {where};"
            " start the program with FUNCTRACE=ring"
        )
    if len(found) > 1:
        candidates = (f"  {ring.path}{'' if ring.is_running else ', ended'}" for ring in found)
        raise FunctraceError(
            f"{text}: {len(found)} rings match; name one by its process id, or by its path to read"
            " it:",
            *candidates,
        )
    return found[0]


def find_rings(text: str) -> list[Ring]:
    """Return the rings of the process id or program name ``text``.

    Running processes have precedence over those that have ended, and the last program of a process
    over the ones before.
    """
    rings = list_rings()
    program = re.sub(r"[^A-Za-z0-9._-]", "_", text)
    found = [ring for ring in rings if text == str(ring.pid) or program == ring.program]
    latest: dict[tuple[Path, int, int], Ring] = {}
    for ring in sorted(found, key=lambda ring: ring.number):
        latest[ring.path.parent, ring.pid, ring.start] = ring
    found = list(latest.values())
    running = [ring for ring in found if ring.is_running]
    return running or found


def list_rings(folder: Path | None = None) -> list[Ring]:
    """Return all rings in a folder, or in the user's folders; none from a folder open to others."""
    folders = ring_folders() if folder is None else [folder.absolute()]
    return [ring for each in folders for ring in _rings_in(each)]


def _rings_in(folder: Path) -> Iterator[Ring]:
    if not is_private(folder):
        return
    for path in sorted(folder.iterdir()):
        name = _NAME.fullmatch(path.name)
        if name and path.is_file() and not path.is_symlink():
            program, pid, start, number = name.groups()
            running = is_running(path, int(pid), int(start))
            yield Ring(path, program, int(pid), int(start), int(number or 1), running)


def is_private(folder: Path) -> bool:
    """Return whether nobody but its user, who is this one or named by it, can write to a folder."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    name = _FOLDER.fullmatch(folder.name)
    owners = {os.geteuid(), *([int(name[1])] if name and not os.geteuid() else [])}
    return (found.st_mode & 0o170077) == 0o040000 and found.st_uid in owners


def is_running(path: Path, pid: int, start: int) -> bool:
    """Return whether a process holds the lock of its ring, or has the id and start in its name.

    A program that closes all its descriptors loses the lock; one in another namespace of process
    ids has the lock alone.
    """
    try:
        if start_ticks_of(pid) == start:
            return True
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(file)
    return False
