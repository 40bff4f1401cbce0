"""Large traces, written in a moment."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.tracefile import writer as w

_CALLS_PER_CHUNK = 1 << 16


def write(path: Path, calls: int) -> None:
    """Write calls of main.price, each of 7 ns, one every 10 ns, inside a call of main.main."""
    starts = 10 * np.arange(calls, dtype=np.uint64)
    words = np.empty(2 * calls, np.uint64)
    words[0::2] = starts << np.uint64(22) | np.uint64(3 << 2 | 1)
    words[1::2] = (starts + np.uint64(7)) << np.uint64(22) | np.uint64(3 << 2 | 2)
    with path.open("wb") as file:
        file.write(w.header() + w.FUNCTIONS)
        file.write(w.events(2, w.track(1, 1000), w.enter(1, 0)))
        chunks = range(0, 2 * calls, 2 * _CALLS_PER_CHUNK)
        for sequence, at in enumerate(chunks, start=3):
            part = words[at : at + 2 * _CALLS_PER_CHUNK].tobytes()
            file.write(w.events(sequence, part, track=1, opened=1))
        file.write(w.events(3 + len(chunks), w.leave(1, 10 * calls), track=1, opened=1))
