"""Sessions that follow a running program: each is a copy of its ring at one moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from functrace.errors import FunctraceError
from functrace.tracefile import Trace
from functrace.view.session import Session

_PERIOD_SECONDS = 2.0


class Sessions:
    """The current session, renewed on request if its traces still grow.

    Args:
        open_traces: opens the traces.
        arguments: what the user named them by.
        is_live: whether the traces grow.
        clock: seconds, ascending.
    """

    def __init__(
        self,
        open_traces: Callable[[], Sequence[Trace]],
        arguments: Sequence[str],
        *,
        is_live: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open_traces = open_traces
        self._arguments = arguments
        self._is_live = is_live
        self._clock = clock
        self._lock = threading.Lock()
        self.current = Session(open_traces(), arguments, is_live=is_live)
        self._renewed = clock()

    def newest(self) -> Session:
        """Return a session that is at most as old as the period, or the last one that worked."""
        with self._lock:
            if self._is_live and self._clock() - self._renewed >= _PERIOD_SECONDS:
                self._renew()
                self._renewed = self._clock()  # a slow copy must not follow the next one at once
            return self.current

    def _renew(self) -> None:
        try:
            traces = self._open_traces()
        except FunctraceError:
            return  # the program has ended and removed its ring
        if [trace.events for trace in traces] != [trace.events for trace in self.current.traces]:
            self.current = Session(traces, self._arguments, is_live=True, before=self.current)
