"""Output of the export verb: a stream, or a file that is whole or not there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from functrace import units
from functrace.cli.render import terminal
from functrace.errors import FunctraceError, UsageError
from functrace.export import Format
from functrace.runtime.output_path import descriptor_of

_STDOUT = 1


def stream_number(out: str | None) -> int | None:
    """Return the descriptor that ``out`` names, if any: opening its path would truncate it."""
    return _STDOUT if out in (None, "-") else descriptor_of(str(out))


def to_stream(
    to: str, output_format: Format, number: int, write: Callable[[BinaryIO], None]
) -> None:
    """Write to a descriptor.

    Raises:
        UsageError: the format is a folder, or binary and the descriptor a terminal.
    """
    if output_format.folder:
        raise UsageError(f"--to {to} writes a folder; name one: -o trace{output_format.suffix}")
    if output_format.binary and os.isatty(number):
        raise UsageError(
            f"refusing to write binary {to} output to a terminal;"
            f" use -o trace{output_format.suffix}, or a pipe"
        )
    stream = _open_stream(number)
    write(stream)
    stream.flush()


def to_file(out: Path, output_format: Format, write: Callable[[BinaryIO], None]) -> None:
    """Write a file, and remove it if that fails."""
    with _remove_on_failure(out), out.open("wb") as file:
        write(file)
    summarize(out, output_format, out.stat().st_size)


def summarize(out: Path, output_format: Format, size: int) -> None:
    """Print the size of the output in bytes, and what opens it."""
    summary = f"functrace export: {out}: {units.size(size)}; opens in {output_format.opens_in}"
    terminal.echo(summary, err=True)


def _open_stream(number: int) -> BinaryIO:
    try:
        return terminal.stream(number)
    except OSError as error:
        raise FunctraceError(f"-o /dev/fd/{number}: {error.strerror}") from None


@contextmanager
def _remove_on_failure(out: Path) -> Iterator[None]:
    """Remove an incomplete regular file if writing it fails."""
    try:
        yield
    except BaseException:
        if out.is_file() and not out.is_symlink():
            out.unlink()
        raise
