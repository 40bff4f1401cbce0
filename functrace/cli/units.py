"""Numbers as people read and write them."""

from __future__ import annotations

import re

from functrace.errors import UsageError
from functrace.units import count, duration, several, share, size

__all__ = ["count", "duration", "moment", "parse_duration", "several", "share", "size"]

_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
}
_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m)")


def parse_duration(text: str) -> int:
    """Nanoseconds of ``1.5ms``, ``20us``, ``3s``.

    Raises:
        UsageError: the text is no duration.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise UsageError(f"{text} is not a time such as 5us, 2ms or 1.5s")
    return round(float(match[1]) * _UNITS[match[2]])


def moment(nanoseconds: int) -> str:
    """A time after a trace's start that is not after it, as ``parse_duration`` takes it."""
    return f"{nanoseconds // 1000 / 1e6:.6f}s"
