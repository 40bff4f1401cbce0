from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from functrace.errors import FunctraceError
from functrace.tracefile import Trace, open_trace
from tests.tracefile import writer as w

Read = Callable[[bytes], Trace]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a functrace trace: the file is empty"),
        (b"\x7fELF" + bytes(5000), "not a functrace trace"),
        (w.header()[:4095], "truncated header"),
        (
            w.header(version=3),
            "format version 3 is newer than the supported version 2; upgrade functrace",
        ),
        (w.header(version=0), "corrupt header"),
        (w.header(size=8192), "corrupt header"),
        (w.header(rate=0), "corrupt header: no clock rate"),
        (
            w.header(calibrations=((1, 1001, 10**18, 1),)),
            "corrupt header: clock rate below 1 Hz",
        ),
    ],
)
def test_what_is_no_trace_is_refused(read: Read, content: bytes, message: str) -> None:
    with pytest.raises(FunctraceError, match=re.escape(f"test.ftrace: {message}") + "$"):
        read(content)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FunctraceError, match=r"none: No such file or directory$"):
        open_trace(tmp_path / "none")


def test_flags(read: Read) -> None:
    def flags(value: int) -> tuple[bool, ...]:
        trace = read(w.header(flags=value))
        return trace.ended_cleanly, trace.full, trace.overwritten, trace.write_failed

    assert flags(1) == (True, False, False, False)
    assert flags(2 | 4) == (False, True, True, False)
    assert flags(8) == (False, False, False, True)


SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("calibrations", "rate"),
    [
        ((), SECOND),
        (((1, 1000 + 3 * SECOND, SECOND, 1),), 3 * SECOND),
        (((1, 1000 + 3 * SECOND, SECOND, 1), (2, 1000 + 4 * SECOND, SECOND, 2)), 4 * SECOND),
        (((3, 1000 + 3 * SECOND, SECOND, 3), (2, 1000 + 4 * SECOND, SECOND, 2)), 3 * SECOND),
        # being written when the process ended
        (((3, 1000 + 3 * SECOND, SECOND, 2), (2, 1000 + 4 * SECOND, SECOND, 2)), 4 * SECOND),
        # too soon after the start
        (((1, 1000 + SECOND, 9_999_999, 1),), SECOND),
        (((1, 999, SECOND, 1),), SECOND),
    ],
)
def test_ticks_per_second(
    read: Read, calibrations: tuple[tuple[int, int, int, int], ...], rate: int
) -> None:
    assert read(w.header(calibrations=calibrations)).ticks_per_second == rate
