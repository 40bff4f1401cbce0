"""What goes wrong and is told to the user in one sentence."""

from __future__ import annotations


class FunctraceError(Exception):
    """A failure with a message made for the reader, an argument for each of its lines.

    It ends the verb with exit status 1.
    """

    def __str__(self) -> str:
        """Return the lines in one text."""
        return "\n".join(map(str, self.args))


class UsageError(FunctraceError):
    """The command line asks for something that makes no sense; exit status 2."""
