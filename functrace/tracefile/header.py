"""Trace header: process, ending and clock rate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from functrace.errors import FunctraceError
from functrace.tracefile import format as fmt
from functrace.tracefile.ending import Ending, read_ending

_NS_PER_SECOND = 1_000_000_000
_MAX_STARTED = 1 << 62  # nanoseconds since 1970, so that a time after the start never overflows


@dataclass(frozen=True)
class Header:
    """Trace header with the calibrated clock rate."""

    version: int
    pid: int
    language: str
    ticks_per_second: float
    start: int
    """ticks at the start of the trace"""
    started: int
    """the same instant, nanoseconds since 1970"""
    flags: int
    lost: int
    overwritten: int
    """events in chunks that were overwritten; 0 in version 1, which does not count them"""
    last_overwritten: int
    """highest sequence number of the chunks of events that were or are being overwritten"""
    is_stopped: bool
    """whether the program of a ring has stopped tracing"""
    ending: Ending | None

    @property
    def is_overwriting(self) -> bool:
        """Whether old chunks are overwritten."""
        return bool(self.flags & fmt.OVERWRITTEN)


def parse_header(path: Path, data: memoryview) -> Header:
    """Return the header in the first bytes of a file.

    Raises:
        FunctraceError: the header is missing, corrupt or of another version.
    """
    if bytes(data[: len(fmt.MAGIC)]) != fmt.MAGIC:
        raise FunctraceError(f"{path}: not a functrace trace")
    if len(data) < fmt.HEADER_BYTES:
        raise FunctraceError(f"{path}: truncated header")
    _, version, size, pid, language, rate, start, started, flags, lost = fmt.HEADER.unpack_from(
        data
    )
    if version > fmt.VERSION:
        raise FunctraceError(
            f"{path}: format version {version} is newer than the supported version {fmt.VERSION};"
            " upgrade functrace"
        )
    if version not in fmt.VERSIONS or size != fmt.HEADER_BYTES:
        raise FunctraceError(f"{path}: corrupt header")
    rate = _calibrated(data, start) or float(rate)
    if not rate:
        raise FunctraceError(f"{path}: corrupt header: no clock rate")
    if rate < 1:
        raise FunctraceError(f"{path}: corrupt header: clock rate below 1 Hz")
    language_name = fmt.LANGUAGES.get(language, "unknown")
    started = min(started, _MAX_STARTED)
    ending = read_ending(data, flags)
    (overwritten,) = fmt.WORD.unpack_from(data, fmt.OVERWRITTEN_AT)
    (last_overwritten,) = fmt.WORD.unpack_from(data, fmt.LAST_OVERWRITTEN_AT)
    return Header(
        version,
        pid,
        language_name,
        rate,
        start,
        started,
        flags,
        lost,
        overwritten,
        last_overwritten,
        data[fmt.STOPPED_AT] != 0,
        ending,
    )


def _calibrated(data: memoryview, start: int) -> float | None:
    """Return ticks per second from the latest intact calibration.

    None if there is no intact calibration or the latest covers too short a time.
    """
    ticks, ns = latest_calibration(data)
    if ns < fmt.CALIBRATION_MIN_NS or ticks <= start:
        return None
    return float((ticks - start) * _NS_PER_SECOND / ns)


def latest_calibration(data: memoryview) -> tuple[int, int]:
    """Return ticks, and nanoseconds since the start, of the latest intact calibration; or zeros."""
    intact = [
        (sequence, ticks, ns)
        for sequence, ticks, ns, second_sequence in (
            fmt.CALIBRATION.unpack_from(data, at) for at in fmt.CALIBRATIONS_AT
        )
        if sequence == second_sequence and sequence > 0
    ]
    _, ticks, ns = max(intact, default=(0, 0, 0))
    return ticks, ns
