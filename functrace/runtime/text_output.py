"""Destination of text output: a stream that was open at the start, or a file."""

from __future__ import annotations

import io
import select
import stat
import sys
from contextlib import suppress

from functrace.runtime import BUILTINS
from functrace.runtime.descriptors import OwnFile, Stream
from functrace.runtime.output_path import make_folder, stream_number
from functrace.runtime.system import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Output = "StreamOutput | FileOutput"

globals()["__builtins__"] = BUILTINS

_STANDARD = (1, 2)


def open_output(out: str, max_size: int, warn: Callable[[str], None]) -> StreamOutput | FileOutput:
    """Return the destination of text output.

    Args:
        out: the value of FUNCTRACE_OUT.
        max_size: the size limit of a file, in bytes.
        warn: called with messages to the user.

    Raises:
        OSError: it cannot be opened.
    """
    number = stream_number(out)
    if number is not None:
        return StreamOutput(number, warn)
    make_folder(out)
    # Append, because child processes inherit the setting and share the file.
    file = OwnFile(out, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for number in _STANDARD:
        # Two descriptors of one file have separate positions and would overwrite each other's
        # lines.
        if file.is_file_of(number):
            file.close()
            return StreamOutput(number, warn)
    return FileOutput(file, max_size)


class StreamOutput:
    """Standard stream; nothing is written while the program has replaced its descriptor."""

    def __init__(self, number: int, warn: Callable[[str], None]) -> None:
        self._stream = Stream(number)
        self._warn = warn
        self._process = 0
        self._lost = 0
        stream = {1: sys.__stdout__, 2: sys.__stderr__}.get(number)
        self._buffer: Any = stream if _is_implemented_in_c(stream) else None

    def write(self, line: bytes) -> None:
        """Write a line. Raises OSError."""
        if not self._stream.is_same():
            self._count_lost()
            return
        self._flush()
        _write(self._stream.number(), line)

    def close(self) -> None:
        """Report how many lines were not written."""
        if self._lost and self._process == os.getpid():
            name = self._stream.name
            self._warn(f"{self._lost:,} lines were not printed: the program had replaced {name}")

    def _count_lost(self) -> None:
        if self._process != os.getpid():
            self._process, self._lost = os.getpid(), 0
            name = self._stream.name
            self._warn(f"the program replaced {name}: calls are not printed until it is restored")
        self._lost += 1

    def _flush(self) -> None:
        """Flush what the program has printed, to keep the order of the output."""
        if self._buffer is not None:
            with suppress(RuntimeError, ValueError, OSError):  # the stream is busy or closed
                self._buffer.flush()


def _is_implemented_in_c(stream: Any) -> bool:
    """Return whether flushing a stream runs no program code: each layer has a class of io."""
    if type(stream) is not io.TextIOWrapper:
        return False
    try:
        buffer: Any = stream.buffer
        if type(buffer) is io.BufferedWriter:  # python -u has no buffer
            buffer = buffer.raw
    except ValueError:  # the program has detached the buffer
        return False
    return type(buffer) is io.FileIO


class FileOutput:
    """File opened by functrace."""

    def __init__(self, file: OwnFile, max_size: int) -> None:
        self._file = file
        self._bytes_left = sys.maxsize
        status = os.fstat(file.number())
        if stat.S_ISREG(status.st_mode):
            self._bytes_left = max_size - status.st_size

    def write(self, line: bytes) -> None:
        """Write a line. Raises OSError."""
        self._bytes_left -= len(line)
        if self._bytes_left < 0:
            raise OSError("the file has reached FUNCTRACE_MAX_SIZE")
        _write(self._file.number(), line)

    def close(self) -> None:
        """Do nothing: there is nothing to report."""


def _write(descriptor: int, line: bytes) -> None:
    while line:
        with suppress(BlockingIOError):  # another process may have made standard output nonblocking
            line = line[os.write(descriptor, line) :]
            continue
        _wait_until_writable(descriptor)


def _wait_until_writable(descriptor: int) -> None:
    poll = select.poll()  # select.select accepts no number above 1023
    poll.register(descriptor, select.POLLOUT)
    poll.poll()
