"""Output of the verbs; every text is escaped when it becomes part of a line."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, TextIO, cast

import click

from functrace.runtime.escaping import escape, escape_lines
from functrace.text.safe_text import SafeText, line

_STDOUT = 1
_PIPED_WIDTH = 100
_DIFF_STYLES = {"+": "green", "-": "red", "@": "cyan"}


def echo(*parts: str, err: bool = False, **how: Any) -> None:
    """Print a line of ``parts`` to standard output or error, in a style if one is given."""
    text = line(*parts)
    styled = click.style(text, **how) if any(how.values()) else text
    click.echo(styled, err=err, color=is_coloured(sys.stderr if err else sys.stdout))


def width() -> int:
    """Return the maximum line width: the terminal's, else one that fits chats and tickets."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else _PIPED_WIDTH


def is_coloured(stream: TextIO) -> bool:
    """Return whether to print in colour, by ``--color``, NO_COLOR, FORCE_COLOR or the stream."""
    context = click.get_current_context(silent=True)
    if context is not None and context.color is not None:
        return context.color
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or stream.isatty()


def paged(lines: Iterator[SafeText]) -> None:
    """Print lines to standard output as they arrive; on a terminal through a pager, as git does."""
    ended = (line + "\n" for line in lines)
    if not sys.stdout.isatty():
        sys.stdout.writelines(ended)
        return
    os.environ.setdefault("LESS", "FRX")
    click.echo_via_pager(ended, color=is_coloured(sys.stdout))


def usage_error(error: click.ClickException) -> None:
    """Print click's error about the command line to standard error."""
    error.message = escape(error.message)  # type: ignore[misc]
    output = io.StringIO()
    error.show(output)
    for each in output.getvalue().expandtabs(4).splitlines():
        echo(each, err=True)


def print_json(value: Any) -> None:
    """Print a value as JSON to standard output."""
    text = json.dumps(value, indent=2)
    click.echo(text.replace("\x7f", "\\u007f"))  # json.dumps leaves this one unescaped


def write(content: Iterable[bytes]) -> None:
    """Write bytes to standard output, as :func:`stream` does."""
    stream(_STDOUT).writelines(content)


def diff(content: bytes) -> None:
    """Print a diff to standard output; escape it on a terminal and in colour."""
    coloured = is_coloured(sys.stdout)
    if not coloured and not sys.stdout.isatty():
        write([content])
        return
    for each in escape_lines(content.decode(errors="backslashreplace")).splitlines(keepends=True):
        click.secho(each, fg=_DIFF_STYLES.get(each[:1]), nl=False, color=coloured)


def stream(number: int) -> BinaryIO:
    """Return a stream that writes bytes to a descriptor, and escapes them if it is a terminal.

    Raises:
        OSError: the descriptor is not open.
    """
    binary = sys.stdout.buffer if number == _STDOUT else _opened(number)
    return cast("BinaryIO", _Terminal(binary) if binary.isatty() else binary)


def _opened(number: int) -> BinaryIO:
    return open(number, "wb", closefd=False)


class _Terminal(io.RawIOBase):
    """A binary stream to a terminal that escapes everything except line breaks and tabs."""

    def __init__(self, binary: BinaryIO) -> None:
        self._binary = binary
        self._decoder = getincrementaldecoder("utf-8")(errors="backslashreplace")

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        data = bytes(content)
        text = escape_lines(self._decoder.decode(data))
        self._binary.write(text.encode(errors="backslashreplace"))
        return len(data)

    def flush(self) -> None:
        self._binary.flush()
