"""Work spread over the cores, with results as they come."""

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

# Below this many bytes starting processes costs more than it saves.
_WORTH_IT = 1_000_000


def spread(
    work: Callable[[T], R], units: Sequence[T], sizes: Sequence[int], jobs: int = 0
) -> Iterator[tuple[int, R]]:
    """Yield the index of each unit with ``work(unit)``, in whatever order they are done.

    Args:
        work: a picklable function.
        units: picklable.
        sizes: bytes of each unit, to share the work out; the largest come first.
        jobs: processes to use; 0 for one a core.
    """
    jobs = min(jobs or os.cpu_count() or 1, len(units))
    order = sorted(range(len(units)), key=lambda i: -sizes[i])
    if jobs <= 1 or sum(sizes) < _WORTH_IT:
        yield from ((i, work(units[i])) for i in order)
        return
    # Forked workers start with everything imported; elsewhere fork is not safe.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    with context.Pool(jobs, initializer=_begin, initargs=(os.getpid(),)) as pool:
        tasks = [(work, b, [units[i] for i in b]) for b in _batches(order, sizes, jobs)]
        for batch, results in pool.imap_unordered(_run, tasks):
            yield from zip(batch, results, strict=True)


def size(path: str | Path) -> int:
    """Bytes of a file, which the work on it is roughly proportional to; 0 if there is none."""
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _batches(order: Sequence[int], sizes: Sequence[int], jobs: int) -> Iterator[list[int]]:
    """Group small units, so that their number does not cost more than their work."""
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
    gc.disable()  # a worker holds little, and nothing of it in cycles
    work, batch, units = task
    return batch, [work(unit) for unit in units]


def _begin(parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers,
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # by this, whatever it does of it itself
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """End this worker when its parent has been killed: nobody else would."""
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)
