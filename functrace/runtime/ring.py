"""Rings: traces in memory that keep the latest calls, one for each process (docs/ring.md).

The Go runtime names, limits and sizes rings in the same way.
"""

from __future__ import annotations

import stat
from contextlib import suppress

from functrace.runtime import BUILTINS
from functrace.runtime.descriptors import OwnFile
from functrace.runtime.process_facts import program_name, stat_fields
from functrace.runtime.system import os, time

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from collections.abc import Callable

globals()["__builtins__"] = BUILTINS

_SHARED_MEMORY = "/dev/shm"
_TEMPORARY = ("/tmp", "/var/tmp", "/usr/tmp")
_EXTENSION = ".ftrace"
_MAX_NAME = 64
_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
_MIN_BYTES = 1 << 20
_UNLIMITED = 1 << 62
_START_FIELD = 19  # of stat_fields
_HEADER_WORDS = 16
_STOPPED_AT = 152  # in the header
_UNAVAILABLE = (FileNotFoundError, NotADirectoryError, PermissionError)


class _Ring:
    """File of a process, with what its name contains."""

    def __init__(self, path: str, pid: int, start: int, number: int) -> None:
        self.path = path
        self.pid = pid
        self.start = start  # of the process
        self.number = number  # among the rings of the process, which may replace its program
        self.size = 0
        self.latest = 0  # when it was last written, nanoseconds since 1970

    def is_dead(self) -> bool:
        """Return whether nobody uses the ring, and read its size and age."""
        import fcntl  # not at the top: an untraced program should not load it

        try:
            file = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            self.size = os.fstat(file).st_size
            header = os.pread(file, 8 * _HEADER_WORDS, 0)
            words = memoryview(header.ljust(8 * _HEADER_WORDS, b"\0")).cast("Q")
            self.latest = words[5] + max(words[10], words[14])  # at the later calibration
        except OSError:
            return False
        finally:
            os.close(file)
        return True


def prepare_ring(
    folder: str, *, max_size: int, keep: int, keep_size: int, warn: Callable[[str], None]
) -> tuple[str, int]:
    """Return the path and size of this process's ring, after removing old rings.

    Args:
        folder: the folder of rings; empty for the default.
        max_size: the size wanted, in bytes.
        keep: how many rings of processes that have ended are kept.
        keep_size: how many bytes they may have.
        warn: called with a message if the ring is smaller than wanted.

    Raises:
        OSError: there is no private folder or too little space.
    """
    try:
        folder = _private_folder(folder)
        rings = _find(folder)
        dead = _limited(_dead(rings), keep, keep_size)
        size = _fitting_size(folder, max_size, dead, warn)
    except OSError as error:
        where = f"{os.fsdecode(error.filename)}: " if error.filename is not None else ""
        raise OSError(f"FUNCTRACE=ring: {where}{error.strerror or error}") from None
    pid, start = os.getpid(), _process_start()
    numbers = [ring.number for ring in rings if (ring.pid, ring.start) == (pid, start)]
    suffix = f".{max(numbers) + 1}" if numbers else ""
    name = _safe(program_name())
    return os.path.join(folder, f"{name}-{pid}-{start}{suffix}{_EXTENSION}"), size


def lock_ring(path: str) -> OwnFile:
    """Mark a ring as in use until this process ends. Raises OSError."""
    import fcntl  # not at the top: an untraced program should not load it

    file = OwnFile(path, os.O_RDWR)
    with suppress(OSError):  # a file system without locks
        fcntl.flock(file.number(), fcntl.LOCK_EX)
    return file


def mark_stopped(ring: OwnFile, is_stopped: bool) -> None:
    """Store in the ring whether tracing is stopped."""
    with suppress(OSError):  # the ring has been removed
        os.pwrite(ring.number(), int(is_stopped).to_bytes(8, "little"), _STOPPED_AT)


def _private_folder(asked: str) -> str:
    if asked:
        folder = os.path.abspath(asked)
        os.makedirs(os.path.dirname(folder), exist_ok=True)
        _make_private(folder)
        return folder
    name = f"functrace-{os.geteuid()}"
    variables = [os.environ.get("TMPDIR", "")]
    for parent in (_SHARED_MEMORY, *variables, *_TEMPORARY):
        folder = os.path.join(os.path.abspath(parent), name)
        if parent:
            try:
                _make_private(folder)
            except _UNAVAILABLE:
                continue
            return folder
    raise OSError("there is no folder for temporary files; set FUNCTRACE_RING_DIR")


def _make_private(folder: str) -> None:
    """Create a folder that only this user can use, or check the existing one.

    Another user can have created it.
    """
    with suppress(FileExistsError):
        os.mkdir(folder, 0o700)
    found = os.lstat(folder)
    if not stat.S_ISDIR(found.st_mode):
        raise OSError(f"{folder} is not a folder; remove it, or set FUNCTRACE_RING_DIR")
    if found.st_uid != os.geteuid():
        raise OSError(
            f"{folder} belongs to another user; set FUNCTRACE_RING_DIR to a folder of your own"
        )
    if found.st_mode & 0o077:
        raise OSError(f"{folder} is open to other users; set its mode to 0700")


def _process_start() -> int:
    """Return when this process started in the unit of /proc; elsewhere nanoseconds since 1970."""
    fields = stat_fields("self")
    return int(fields[_START_FIELD]) if fields else time.time_ns()


def _safe(name: str) -> str:
    """Return a name that is safe in a file's name."""
    cut = name.encode("utf-8", "surrogateescape")[:_MAX_NAME].decode("latin-1")
    safe = "".join(c if c in _NAME_CHARACTERS else "_" for c in cut)
    return "_" + safe[1:] if safe.startswith(".") else safe or "program"


def _find(folder: str) -> list[_Ring]:
    rings = []
    for name in os.listdir(folder):
        parts = name.removesuffix(_EXTENSION).rsplit("-", 2)
        if not name.endswith(_EXTENSION) or len(parts) < 3:
            continue
        start, _, number = parts[2].partition(".")
        numbers = (parts[1], start, number or "1")
        if all(text.isascii() and text.isdigit() for text in numbers):
            rings.append(_Ring(os.path.join(folder, name), *map(int, numbers)))
    return rings


def _dead(rings: list[_Ring]) -> list[_Ring]:
    """Return the rings of processes that have ended, oldest first."""
    newest: dict[int, int] = {}
    for ring in rings:
        newest[ring.pid] = max(newest.get(ring.pid, 0), ring.number)
    dead = [
        ring
        for ring in rings
        if not (ring.number == newest[ring.pid] and _is_process(ring.pid, ring.start))
        and ring.is_dead()
    ]
    return sorted(dead, key=lambda ring: ring.latest)


def _is_process(pid: int, start: int) -> bool:
    fields = stat_fields(str(pid))
    return fields[:1] not in ([], [b"Z"], [b"X"]) and int(fields[_START_FIELD]) == start


def _limited(dead: list[_Ring], count: int, size: int) -> list[_Ring]:
    """Remove the oldest rings beyond the limits and return the others."""
    while dead and (len(dead) > count or sum(ring.size for ring in dead) > size):
        _remove(dead.pop(0))
    return dead


def _remove(ring: _Ring) -> None:
    with suppress(OSError):  # another process has removed it
        os.unlink(ring.path)


def _fitting_size(folder: str, wanted: int, dead: list[_Ring], warn: Callable[[str], None]) -> int:
    """Return the size of a new ring: the wanted one, or half of the free space if that is less.

    Rings of processes that have ended, except the latest, are removed to make room.
    """
    free = _free_bytes(folder)
    while free // 2 < wanted and len(dead) > 1:
        _remove(dead.pop(0))
        free = _free_bytes(folder)
    size = min(wanted, free // 2)
    if size < _MIN_BYTES and size < wanted:
        raise OSError(
            f"{folder} has too little space for a ring: {free >> 10} KB are free; "
            "set FUNCTRACE_RING_DIR to another folder"
        )
    if size < wanted:
        warn(
            f"FUNCTRACE=ring: the ring has {size >> 10} KB instead of {wanted >> 10} KB: "
            f"half of the space that is free in {folder}"
        )
    return size


def _free_bytes(folder: str) -> int:
    found = os.statvfs(folder)
    # A tmpfs may have no limit.
    return found.f_bavail * found.f_frsize if found.f_blocks else _UNLIMITED
