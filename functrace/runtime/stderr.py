"""Messages to the user on the standard error stream that existed at the start."""

from __future__ import annotations

import atexit

from functrace.runtime import BUILTINS
from functrace.runtime.descriptors import Stream
from functrace.runtime.escaping import escape
from functrace.runtime.system import os

globals()["__builtins__"] = BUILTINS

_ERROR = 2
# Process, line, and whether a capture received it, of messages that nobody may have read.
_unread: list[tuple[int, bytes, bool]] = []


def write_message(message: str, sender: str = "functrace") -> None:
    """Write a line to standard error, unless the program has replaced that descriptor.

    A line that was captured, or could not be written, is written again at exit.
    """
    line = f"{sender}: {escape(message)}\n".encode()
    is_written = _is_open() and _write(line)
    if not is_written or _is_unnamed():
        if not _unread:
            atexit.register(_repeat)
        _unread.append((os.getpid(), line, is_written))


def _repeat() -> None:
    lines, _unread[:] = [*_unread], []
    for process, line, is_captured in lines:
        if process == os.getpid() and (_is_released() if is_captured else _is_open()):
            _write(line)


def _write(line: bytes) -> bool:
    try:
        return bool(os.write(_ERROR, line))
    except OSError:
        return False


def _is_open() -> bool:
    """Return whether standard error is still the same file as at the start."""
    try:
        return Stream(_ERROR).is_same()
    except OSError:
        return False


def _is_unnamed() -> bool:
    """Return whether standard error is a nameless temporary file, as in pytest's capture."""
    try:
        return os.fstat(_ERROR).st_nlink == 0
    except OSError:
        return False


def _is_released() -> bool:
    """Return whether a capture has ended.

    Children inherit the restored descriptor, unlike a file that the program opened.
    """
    try:
        return not _is_open() and not _is_unnamed() and os.get_inheritable(_ERROR)
    except OSError:
        return False
