"""Limit on the pages of trace files that count as memory of this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread

from functrace.tracefile import Trace

_INTERVAL = 0.1  # seconds, in which the reader goes through some 50 MB


@contextmanager
def few_pages(traces: Sequence[Trace]) -> Iterator[None]:
    """Release the pages of traces again and again while they are read from end to end."""
    is_done = Event()
    releasing = Thread(target=_release, args=(traces, is_done), daemon=True)
    releasing.start()
    try:
        yield
    finally:
        is_done.set()
        releasing.join()


def _release(traces: Sequence[Trace], is_done: Event) -> None:
    while True:
        is_last = is_done.wait(_INTERVAL)
        for trace in traces:
            trace.release_pages()
        if is_last:
            return
