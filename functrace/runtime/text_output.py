"""What lines are printed to: a stream that the process was started with, or a file."""

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
    """Return what to print to.

    Args:
        out: as FUNCTRACE_OUT has it.
        max_size: bytes that a file gets.
        warn: is called with what the user has to know.

    Raises:
        OSError: it cannot be opened.
    """
    number = stream_number(out)
    if number is not None:
        return StreamOutput(number, warn)
    make_folder(out)
    # Appended to, since child processes inherit the setting and share the file.
    file = OwnFile(out, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for number in _STANDARD:
        # Two descriptors of one file, each with its own position, overwrite each other's lines.
        if file.is_file_of(number):
            file.close()
            return StreamOutput(number, warn)
    return FileOutput(file, max_size)


class StreamOutput:
    """A stream; nothing is written while the program has another file under its number."""

    def __init__(self, number: int, warn: Callable[[str], None]) -> None:
        self._stream = Stream(number)
        self._warn = warn
        self._process = 0
        self._lost = 0
        stream = {1: sys.__stdout__, 2: sys.__stderr__}.get(number)
        self._buffer: Any = stream if _is_in_c(stream) else None

    def write(self, line: bytes) -> None:
        """Hand a line to the system. Raises OSError."""
        if not self._stream.is_same():
            self._count_lost()
            return
        self._flush()
        _write(self._stream.number(), line)

    def close(self) -> None:
        """Say how many lines were not written."""
        if self._lost and self._process == os.getpid():
            name = self._stream.name
            self._warn(f"{self._lost:,} lines were not printed: {name} was another file")

    def _count_lost(self) -> None:
        if self._process != os.getpid():
            self._process, self._lost = os.getpid(), 0
            self._warn(f"{self._stream.name} is another file now: calls are not printed to that")
        self._lost += 1

    def _flush(self) -> None:
        """What the program has printed before comes before."""
        if self._buffer is not None:
            with suppress(RuntimeError, ValueError, OSError):  # in the midst of it, or closed
                self._buffer.flush()


def _is_in_c(stream: Any) -> bool:
    """Whether to flush a stream runs no code of the program: each layer is of io's own class."""
    if type(stream) is not io.TextIOWrapper:
        return False
    try:
        buffer: Any = stream.buffer
        if type(buffer) is io.BufferedWriter:  # python -u has none
            buffer = buffer.raw
    except ValueError:  # the program has detached it
        return False
    return type(buffer) is io.FileIO


class FileOutput:
    """A file of functrace's own."""

    def __init__(self, file: OwnFile, max_size: int) -> None:
        self._file = file
        self._writer = sys.maxsize
        status = os.fstat(file.number())
        if stat.S_ISREG(status.st_mode):
            self._writer = max_size - status.st_size

    def write(self, line: bytes) -> None:
        """Hand a line to the system. Raises OSError."""
        self._writer -= len(line)
        if self._writer < 0:
            raise OSError("the file has reached FUNCTRACE_MAX_SIZE")
        _write(self._file.number(), line)

    def close(self) -> None:
        """Nothing is left to be said."""


def _write(descriptor: int, line: bytes) -> None:
    while line:
        with suppress(BlockingIOError):  # somebody made standard output so
            line = line[os.write(descriptor, line) :]
            continue
        _wait_for_room(descriptor)


def _wait_for_room(descriptor: int) -> None:
    waiting = select.poll()  # select.select takes no number above 1023
    waiting.register(descriptor, select.POLLOUT)
    waiting.poll()
