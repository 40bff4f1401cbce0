"""Lines that the command writes outside its verbs: messages, and output of other programs."""

from __future__ import annotations

import sys

from functrace.escaping import escape, escape_lines

TYPE_CHECKING = False  # functrace run loads this before it starts the program
if TYPE_CHECKING:
    from typing import TextIO


def say(*lines: str, sender: str = "functrace") -> None:
    """Write a message to standard error, escaped; only its first line names the sender."""
    sys.stderr.write(f"{sender}: " + "".join(f"{escape(line)}\n" for line in lines))


def show(command: str) -> None:
    """Write a command line to standard output: as it is for a shell, escaped for a terminal."""
    sys.stdout.write((escape(command) if sys.stdout.isatty() else command) + "\n")


def pass_on(output: bytes, stream: TextIO) -> None:
    """Write what another program printed, escaped."""
    stream.write(escape_lines(output.decode(errors="backslashreplace")))
