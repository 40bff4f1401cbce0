"""Waiting for other processes: however busy the machine is, only what hangs fails."""

from __future__ import annotations

from typing import IO

PATIENCE = 600
"""seconds after which a process hangs; no test expects that anything takes less"""


def read_until(stream: IO[str] | None, word: str) -> None:
    """Read lines until one has the word in it."""
    assert stream is not None
    read = []
    for line in iter(stream.readline, ""):
        if word in line:
            return
        read.append(line)
    raise AssertionError(f"no {word!r} in {''.join(read)!r}")
