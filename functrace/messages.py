"""Messages, and the output of other programs, on standard streams."""

from __future__ import annotations

import sys

from functrace.runtime.escaping import escape, escape_lines

TYPE_CHECKING = False  # functrace run loads this before it starts the program
if TYPE_CHECKING:
    from typing import TextIO


def write_message(*lines: str, sender: str = "functrace") -> None:
    """Write a message to standard error, escaped; ``sender`` precedes the first line only."""
    sys.stderr.write(f"{sender}: " + "".join(f"{escape(line)}\n" for line in lines))


def write_command(command: str) -> None:
    """Write a command line to standard output, escaped only if that is a terminal."""
    sys.stdout.write((escape(command) if sys.stdout.isatty() else command) + "\n")


def write_output(output: bytes, stream: TextIO) -> None:
    """Write the output of another program, escaped."""
    stream.write(escape_lines(output.decode(errors="backslashreplace")))
