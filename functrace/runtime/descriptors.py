"""File descriptors whose file is verified before each use.

A program may close every descriptor that it finds, as daemons do, and open its own files under the
same numbers.
"""

from __future__ import annotations

import sys

from functrace.runtime import BUILTINS
from functrace.runtime.system import os

globals()["__builtins__"] = BUILTINS

_STREAMS = {1: "stdout", 2: "stderr"}
_SET_GROUP_ID = 0o2000
_MIN_DESCRIPTOR = 100  # programs choose, or expect, lower numbers


def identify(number: int) -> tuple[int, int] | None:
    """Return the device and inode of an open descriptor, or None if it is closed."""
    try:
        status = os.fstat(number)
    except OSError:
        return None
    return status.st_dev, status.st_ino


# Python has no stream object for a number that was closed at the start; the number may refer to one
# of the program's files by now.
_AT_START = {
    number: identify(number) if stream is not None else None
    for number, stream in enumerate((sys.__stdin__, sys.__stdout__, sys.__stderr__))
}


class Stream:
    """Descriptor that was open when the process started.

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
        """Return whether it still refers to the same file as at the start."""
        return identify(self._number) == self._identity

    def number(self) -> int:
        """Return the descriptor."""
        return self._number


class OwnFile:
    """File opened by functrace.

    Args:
        path: the path of the file.
        flags: as for ``os.open``.
        is_nameless: whether the file is created without a name, which ``publish`` adds. Linux
            supports this on max_descriptors file systems.

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
        """Give a nameless file its name. Raises OSError if the name is in use."""
        if self._is_nameless:
            own = f"/proc/self/fd/{self._number}"
            # Without src_dir_fd, which has no effect on an absolute path, the link is not followed.
            os.link(own, self.path, src_dir_fd=self._number)
            self._is_nameless = False

    def remove(self) -> None:
        """Delete the file and close it."""
        if not self._is_nameless:
            os.unlink(self.path)
        self.close()

    def is_same(self) -> bool:
        """Return whether the descriptor still refers to this file."""
        return identify(self._number) == self._identity

    def is_file_of(self, number: int) -> bool:
        """Return whether another descriptor refers to the same file."""
        return identify(number) == self._identity

    def number(self) -> int:
        """Return a descriptor of the file, reopened if the program has closed the previous one.

        Raises:
            OSError: the file cannot be opened, or another file has replaced it.
        """
        if not self.is_same():
            self._number = _open(self.path, self._flags)
            if not self.is_same():
                os.close(self._number)
                self._number = -1
                raise OSError(f"{self.path} is another file now")
        return self._number

    def close(self) -> None:
        """Close the descriptor unless the program has reused its number."""
        if self.is_same():
            os.close(self._number)
        self._number = -1


def _closed(name: str) -> OSError:
    import errno  # not at the top, for the same reason as fcntl below

    return OSError(errno.EBADF, "it is closed", name)


def move_up(number: int) -> int:
    """Move a descriptor to a number that no standard stream uses and no program expects."""
    import fcntl  # not at the top: an untraced program should not load it

    max_descriptors = os.sysconf("SC_OPEN_MAX")  # -1 means no limit
    lowest = _MIN_DESCRIPTOR if max_descriptors < 0 else min(_MIN_DESCRIPTOR, max_descriptors // 2)
    try:
        return fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, lowest)
    finally:
        os.close(number)


def new_file_mode(path: str) -> int:
    """Return the mode of a file created at ``path``.

    Traced data is private to the user, unless the directory's set-group-ID bit shares it with the
    directory's group.
    """
    try:
        is_shared = os.stat(os.path.dirname(path) or ".").st_mode & _SET_GROUP_ID
    except OSError:
        is_shared = 0
    return 0o640 if is_shared else 0o600


def _open_nameless(path: str, flags: int) -> int:
    if os.path.lexists(path):
        import errno  # see _closed

        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
    flags = flags & ~(os.O_CREAT | os.O_EXCL) | os.O_TMPFILE | os.O_CLOEXEC
    return move_up(os.open(os.path.dirname(path), flags, new_file_mode(path)))


def _open(path: str, flags: int) -> int:
    return move_up(os.open(path, flags | os.O_CLOEXEC, new_file_mode(path)))
