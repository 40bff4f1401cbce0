"""The CPU time of a request, as the least of several runs: other programs only lengthen it."""

from __future__ import annotations

import time
from collections.abc import Callable

_TURNS, _REQUESTS = 20, 2_000


def measure(serve: Callable[[int], None]) -> float:
    """Return nanoseconds of CPU time a request; ``serve`` serves the given number of them."""
    serve(_REQUESTS)
    return min(_measure_once(serve) for _ in range(_TURNS))


def _measure_once(serve: Callable[[int], None]) -> float:
    began = time.process_time_ns()
    serve(_REQUESTS)
    return (time.process_time_ns() - began) / _REQUESTS
