"""Traces that are truncated in place while they are read: an error, not the end of the process."""

from __future__ import annotations

from functrace._native.engine import engine, octets
from functrace.errors import FunctraceError

_guarded: list[memoryview] | None = None
"""mappings that stay for as long as the process; None: reads are not guarded"""


def guard_reads() -> None:
    """Guard all traces that are opened from now on, for as long as the process runs.

    This sets the action of SIGBUS, so that it is left to programs and not done by the library.
    """
    global _guarded
    _guarded = _guarded if _guarded is not None else []


def note_mapping(data: memoryview) -> None:
    """Guard the mapping of a trace, if reads are guarded."""
    if _guarded is not None:
        _guarded.append(data)
        engine().guard(octets(data))


def check() -> None:
    """Check that no guarded trace was truncated.

    Raises:
        FunctraceError: one was read where it had been truncated, so that results are wrong.
    """
    if engine().truncated():
        raise FunctraceError(
            "a trace was truncated while it was read, and what is shown of it is wrong;"
            " run the command again"
        )
