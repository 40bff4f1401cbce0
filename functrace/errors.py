"""Errors that are reported to the user."""

from __future__ import annotations


class FunctraceError(Exception):
    """A failure that ends the verb with exit status 1; each argument is a line of its message."""

    def __str__(self) -> str:
        """Return the lines as one text."""
        return "\n".join(map(str, self.args))


class UsageError(FunctraceError):
    """An invalid command line or setting; exit status 2."""
