"""Lengths of windows."""

from __future__ import annotations

from functrace import units
from functrace.errors import UsageError

_SECOND_NS, _HOUR_NS = 1_000_000_000, 3_600_000_000_000


def parse_width_ns(text: str) -> int:
    """Parse the length of a window such as ``1m``.

    Raises:
        UsageError: it is not a whole number of seconds, or an hour is not a whole number of it.
    """
    width_ns = units.parse_duration(text)
    if width_ns <= 0 or width_ns % _SECOND_NS or _HOUR_NS % width_ns:
        raise UsageError(f"{text}: an hour must have a whole number of windows")
    return width_ns
