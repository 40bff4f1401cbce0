"""Cache of results that are computed once, also if several threads request them at a time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class Once:
    """Cache of results by key. An error is raised but not cached.

    Args:
        capacity: number of most recently used results that are kept; None: all.
    """

    def __init__(self, capacity: int | None = None) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self._results: OrderedDict[Hashable, Future[Any]] = OrderedDict()

    def get(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Return the result for a key; compute it if no thread has done so or is doing so."""
        with self._lock:
            found = self._results.get(key)
            result: Future[T] = found or Future()
            self._results[key] = result
            self._results.move_to_end(key)
            while self._capacity and len(self._results) > self._capacity:
                self._results.popitem(last=False)
        if not found:
            self._compute(key, result, compute)
        return result.result()

    def is_known(self, key: Hashable) -> bool:
        """Return whether the result for a key is there without waiting."""
        with self._lock:
            found = self._results.get(key)
        return found is not None and found.done()

    def has_begun(self, key: Hashable) -> bool:
        """Return whether the result for a key is there, or a thread is computing it."""
        with self._lock:
            return key in self._results

    def _compute(self, key: Hashable, result: Future[T], compute: Callable[[], T]) -> None:
        try:
            result.set_result(compute())
        except Exception as error:  # noqa: BLE001  # who waits for the result gets it
            with self._lock:
                if self._results.get(key) is result:
                    del self._results[key]
            result.set_exception(error)
