"""Numbers as people read and write them."""

from __future__ import annotations

from functrace.units import (
    count,
    duration,
    parse_duration,
    parse_share,
    several,
    share,
    size,
)

__all__ = [
    "count",
    "duration",
    "moment",
    "parse_duration",
    "parse_share",
    "several",
    "share",
    "size",
]


def moment(nanoseconds: int) -> str:
    """A time after a trace's start that is not after it, as ``parse_duration`` takes it."""
    return f"{nanoseconds // 1000 / 1e6:.6f}s"
