"""Process pool that yields results in order of completion."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

# Below this size, starting processes costs more than it saves.
_MIN_PARALLEL_BYTES = 1_000_000


def run_parallel(
    work: Callable[[T], R], units: Sequence[T], sizes: Sequence[int], jobs: int = 0
) -> Iterator[tuple[int, R]]:
    """Yield the index of each unit and ``work(unit)`` in order of completion.

    Args:
        work: a picklable function.
        units: its arguments, picklable.
        sizes: bytes of each unit, for load balancing; the largest units start first.
        jobs: number of processes; 0 for one per core.
    """
    jobs = min(jobs or os.cpu_count() or 1, len(units))
    order = sorted(range(len(units)), key=lambda i: -sizes[i])
    if jobs <= 1 or sum(sizes) < _MIN_PARALLEL_BYTES:
        yield from ((i, work(units[i])) for i in order)
        return
    # Forked workers start with everything imported; elsewhere fork is not safe.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    with context.Pool(jobs, initializer=_begin, initargs=(os.getpid(),)) as pool:
        tasks = [(work, b, [units[i] for i in b]) for b in _batches(order, sizes, jobs)]
        for batch, results in pool.imap_unordered(_run, tasks):
            yield from zip(batch, results, strict=True)


def get_file_size(path: str | Path) -> int:
    """Return the size of a file in bytes, a measure of the work on it; 0 if it is missing."""
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _batches(order: Sequence[int], sizes: Sequence[int], jobs: int) -> Iterator[list[int]]:
    """Group small units to limit the overhead per unit."""
    limit = max(100_000, min(2_000_000, sum(sizes) // (jobs * 16)))
    batch: list[int] = []
    size = 0
    for i in order:
        batch.append(i)
        size += sizes[i]
        if size >= limit:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _run(task: tuple[Callable[[T], R], list[int], list[T]]) -> tuple[list[int], list[R]]:
    gc.disable()  # a worker allocates little and creates no cycles
    work, batch, units = task
    return batch, [work(unit) for unit in units]


def _begin(parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers by SIGTERM,
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # for which they may have inherited a handler
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """End this worker when its parent was killed and cannot end it."""
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)
