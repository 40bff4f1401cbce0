"""File descriptors whose file is checked before each use.

A program may close every descriptor that it finds, as daemons do, and open files of its own under
the same numbers.
"""

from __future__ import annotations

import sys

from functrace.runtime import BUILTINS
from functrace.runtime.system import os

globals()["__builtins__"] = BUILTINS

_STREAMS = {1: "stdout", 2: "stderr"}
_SET_GROUP_ID = 0o2000
_MIN_DESCRIPTOR = 100  # below are the numbers that programs choose, or expect


def identify(number: int) -> tuple[int, int] | None:
    """Return the device and inode of an open descriptor, None if it is closed."""
    try:
        status = os.fstat(number)
    except OSError:
        return None
    return status.st_dev, status.st_ino


# Python has no stream where the number was not open; it may be a file of the program's by now.
_AT_START = {
    number: identify(number) if stream is not None else None
    for number, stream in enumerate((sys.__stdin__, sys.__stdout__, sys.__stderr__))
}


class Stream:
    """A descriptor that the process was started with.

    Raises:
        OSError: it is closed.
    """

    def __init__(self, number: int) -> None:
        self.name = _STREAMS.get(number, f"/dev/fd/{number}")
        self._number = number
        self._identity = _AT_START.get(number, identify(number))
        if self._identity is None:
            raise _closed(self.name)

    def is_same(self) -> bool:
        """Return whether it still is the file that it was at the start."""
        return identify(self._number) == self._identity

    def number(self) -> int:
        """Return the descriptor."""
        return self._number


class OwnFile:
    """A file that functrace has opened.

    Args:
        path: of the file.
        flags: as for ``os.open``.
        is_nameless: whether the file is created without a name, which ``publish`` gives it. Linux
            can do so on most file systems.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, path: str, flags: int, *, is_nameless: bool = False) -> None:
        self.path = os.path.abspath(path)
        self._flags = flags & ~(os.O_CREAT | os.O_EXCL)
        self._is_nameless = is_nameless
        self._number = _open_nameless(self.path, flags) if is_nameless else _open(path, flags)
        self._identity = identify(self._number)

    def publish(self) -> None:
        """Give a nameless file its name. Raises OSError where it has none then."""
        if self._is_nameless:
            own = f"/proc/self/fd/{self._number}"
            # Without src_dir_fd, which an absolute path has no use for, the link is not followed.
            os.link(own, self.path, src_dir_fd=self._number)
            self._is_nameless = False

    def remove(self) -> None:
        """Delete the file and close it."""
        if not self._is_nameless:
            os.unlink(self.path)
        self.close()

    def is_same(self) -> bool:
        """Return whether the descriptor still is this file's."""
        return identify(self._number) == self._identity

    def is_file_of(self, number: int) -> bool:
        """Return whether another descriptor is the same file's."""
        return identify(number) == self._identity

    def number(self) -> int:
        """Return a descriptor of the file, a new one if the program has taken the last.

        Raises:
            OSError: the file is out of reach, or another file is in its place.
        """
        if not self.is_same():
            self._number = _open(self.path, self._flags)
            if not self.is_same():
                os.close(self._number)
                self._number = -1
                raise OSError(f"{self.path} is another file now")
        return self._number

    def close(self) -> None:
        """Close the descriptor, unless the program has taken it."""
        if self.is_same():
            os.close(self._number)
        self._number = -1


def _closed(name: str) -> OSError:
    import errno  # not at the top, like fcntl below

    return OSError(errno.EBADF, "it is closed", name)


def move_up(number: int) -> int:
    """Give a descriptor a number that no standard stream has, nor any that a program expects."""
    import fcntl  # not at the top: a program that is not traced does not have it

    most = os.sysconf("SC_OPEN_MAX")  # -1 for no limit
    lowest = _MIN_DESCRIPTOR if most < 0 else min(_MIN_DESCRIPTOR, most // 2)
    try:
        return fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, lowest)
    finally:
        os.close(number)


def new_file_mode(path: str) -> int:
    """Return the mode of a file that is created at ``path``.

    What was traced is the user's alone, unless the folder's set-group-ID bit shares it with the
    folder's group.
    """
    try:
        is_shared = os.stat(os.path.dirname(path) or ".").st_mode & _SET_GROUP_ID
    except OSError:
        is_shared = 0
    return 0o640 if is_shared else 0o600


def _open_nameless(path: str, flags: int) -> int:
    if os.path.lexists(path):
        import errno  # as above

        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
    flags = flags & ~(os.O_CREAT | os.O_EXCL) | os.O_TMPFILE | os.O_CLOEXEC
    return move_up(os.open(os.path.dirname(path), flags, new_file_mode(path)))


def _open(path: str, flags: int) -> int:
    return move_up(os.open(path, flags | os.O_CLOEXEC, new_file_mode(path)))
