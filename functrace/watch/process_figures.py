"""CPU time, memory and threads of a running process."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from functrace.tracefile.ending import start_ticks_of
from functrace.watch.memory_limit import memory_limit_bytes


@dataclass(frozen=True)
class ProcessFigures:
    """Measurements of a process; None for what cannot be read."""

    cpu_cores: float | None = None
    rss_bytes: int | None = None
    memory_limit_bytes: int | None = None
    threads: int | None = None


class ProcessMeter:
    """Meter of one process. CPU is that since the last measurement.

    A process in another namespace of process ids has no figures.

    Args:
        pid: process id.
        start: start of the process, as in the name of its ring.
        clock: seconds of a monotonic clock.
    """

    def __init__(self, pid: int, start: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._pid = pid
        self._start = start
        self._clock = clock
        self._last: tuple[float, float] | None = None  # time and CPU seconds
        self.measure()

    def measure(self) -> ProcessFigures:
        """Return the current figures."""
        try:
            process = psutil.Process(self._pid)
            with process.oneshot():
                times = process.cpu_times()
                rss, threads = process.memory_info().rss, process.num_threads()
            if not self._is_same(process):
                return ProcessFigures()
        except (psutil.Error, OSError):
            return ProcessFigures()
        cores = self._cores(times.user + times.system)
        return ProcessFigures(cores, rss, memory_limit_bytes(self._pid), threads)

    def _is_same(self, process: psutil.Process) -> bool:
        """Return whether the process id has not been reused, and is of this namespace."""
        if psutil.LINUX:
            return start_ticks_of(self._pid) == self._start
        return bool(abs(process.create_time() - self._start / 1e9) < 1)

    def _cores(self, used: float) -> float | None:
        now, last = self._clock(), self._last
        self._last = now, used
        if last is None or now <= last[0]:
            return None
        return max(used - last[1], 0.0) / (now - last[0])
