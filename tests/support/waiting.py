"""Waiting for other processes, with a limit so long that only a hang exceeds it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import IO

PATIENCE = 600
"""seconds after which a process counts as hung; no test uses a shorter limit"""

_INTERVAL_S = 0.05


def read_until(stream: IO[str] | None, word: str) -> None:
    """Read lines until one contains ``word``."""
    assert stream is not None
    read = []
    for line in iter(stream.readline, ""):
        if word in line:
            return
        read.append(line)
    raise AssertionError(f"no {word!r} in {''.join(read)!r}")


def wait_until(is_true: Callable[[], bool]) -> None:
    """Wait until a condition is true."""
    until = time.monotonic() + PATIENCE
    while not is_true():
        assert time.monotonic() < until, "nothing happened"
        time.sleep(_INTERVAL_S)
