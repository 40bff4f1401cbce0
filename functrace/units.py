"""Formatting and parsing of numbers with units."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from functrace.errors import UsageError

_UNITS = {"s": 1_000_000_000, "ms": 1_000_000, "µs": 1_000}
_NANOSECONDS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
}
_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h|d)")

_EPOCH = datetime(1970, 1, 1)
_MAX_S = 10_000_000_000

_ZERO = re.compile(r"0+(\.0*)?")  # needs no unit


def duration(nanoseconds: float) -> str:
    """Return three digits and a unit: ``1.23ms``, ``45.6µs``, ``789ns``, ``12.3s``."""
    for unit, size in _UNITS.items():
        if nanoseconds >= size:
            value = nanoseconds / size
            digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
            return f"{value:.{digits}f}{unit}"
    return f"{nanoseconds:.0f}ns"


def signed_duration(nanoseconds: int) -> str:
    """Return a change of a duration: ``+1.23ms`` or ``-789ns``."""
    return ("+" if nanoseconds >= 0 else "-") + duration(abs(nanoseconds))


def size(number: int) -> str:
    """Return a size: ``512 bytes``, ``4.6 kB``, ``12.3 MB``, ``1.2 GB``."""
    for unit, bytes_ in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= bytes_:
            return f"{number / bytes_:.1f} {unit}"
    return several(number, "byte")


def count(number: int) -> str:
    """Return a number with thousands separators."""
    return f"{number:,}"


def several(number: int, noun: str, plural: str = "") -> str:
    """Return a counted noun: ``1 call``, ``2,000 calls``; ``plural`` is by default noun and s."""
    return f"{count(number)} {noun if number == 1 else plural or f'{noun}s'}"


def share(part: float, whole: float) -> str:
    """Return ``part`` as a percentage of ``whole``."""
    if 0 < part < whole * 0.0005:
        return "<0.1%"
    return f"{100 * part / whole:.1f}%" if whole else "-"


def moment(nanoseconds: int) -> str:
    """Return a time since a trace's start, rounded down, in a form that parse_duration reads."""
    return f"{nanoseconds // 1000 / 1e6:.6f}s"


def utc(nanoseconds: int) -> str:
    """Return a time since 1970 in UTC, rounded down: ``2026-11-27T15:04:05.123456Z``."""
    seconds, fraction = divmod(nanoseconds, 1_000_000_000)
    moment = _EPOCH + timedelta(seconds=min(max(seconds, 0), _MAX_S))
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{fraction // 1000:06}Z"


def parse_duration(text: str) -> int:
    """Parse a duration such as ``1.5ms``, ``20us``, ``3s`` or ``0`` to nanoseconds.

    Raises:
        UsageError: the text is not a duration.
    """
    if _ZERO.fullmatch(text):
        return 0
    match = _DURATION.fullmatch(text)
    if match is None:
        raise UsageError(f"{text} is not a time such as 5us, 2ms or 1.5s")
    return round(float(match[1]) * _NANOSECONDS[match[2]])


def parse_share(text: str) -> float:
    """Parse a share such as ``1%`` or ``0.01``; it is above 0 and at most 1.

    Raises:
        UsageError: the text is not such a share.
    """
    number, percent = (text[:-1], 100) if text.endswith("%") else (text, 1)
    try:
        found = float(number) / percent
    except ValueError:
        found = 0.0
    if not 0 < found <= 1:
        raise UsageError(f"{text}: a share is above 0 and at most 1, such as 5% or 0.05")
    return found
