"""What goes wrong and is told to the user in one sentence."""

from __future__ import annotations


class FunctraceError(Exception):
    """A failure with a message made for the reader; ends the verb with exit status 1."""


class UsageError(FunctraceError):
    """The command line asks for something that makes no sense; exit status 2."""
