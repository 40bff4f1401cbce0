"""OpenMetrics endpoint with figures of the watched processes and of chosen functions."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from functrace import extras
from functrace.analysis.histograms import Histograms
from functrace.globs import compile_list
from functrace.watch.figures import Figures, RingProcess

_KEEP_ENDED_S = 300
_MAX_FUNCTIONS = 500  # of a process
# Upper bounds of buckets in nanoseconds: 1 µs to 67 s, a factor of 4 between them.
_BOUNDS = 1000 * 4 ** np.arange(14, dtype=np.int64)

_GAUGES = (
    ("cpu_cores", "CPU seconds per second.", ""),
    ("rss_bytes", "Resident memory.", "bytes"),
    ("memory_limit_bytes", "Memory limit of the cgroup.", "bytes"),
    ("threads", "Threads.", ""),
    ("live_tracks", "Goroutines, threads and tasks with open calls.", ""),
)
_COUNTERS = (
    ("calls", "calls", "Calls that ended."),
    ("failed_calls", "failed", "Calls that failed."),
    ("incomplete_windows", "incomplete", "Windows in which the watcher lost calls."),
)
_LABELS = ("service", "pid", "ring")  # processes of two containers may have one name and id


@dataclass
class _Function:
    calls: int = 0
    failed: int = 0
    total_ns: int = 0
    buckets: Any = field(default_factory=lambda: np.zeros(len(_BOUNDS) + 1, np.int64))


@dataclass
class _Process:
    latest: Figures
    seen: float
    calls: int = 0
    failed: int = 0
    incomplete: int = 0
    functions: dict[str, _Function] = field(default_factory=dict)
    names: dict[int, str | None] = field(default_factory=dict)
    """by chain, the name of its function if it is chosen"""


class Metrics:
    """Figures for scrapes. Series of a process remain for five minutes after its end.

    Safe to use from several threads.
    """

    def __init__(
        self, functions: Iterable[str], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Create metrics.

        Args:
            functions: globs of the functions with figures of their own.
            clock: returns seconds.

        Raises:
            UsageError: a glob is invalid.
            MissingExtraError: prometheus-client is not installed.
        """
        extras.require("prometheus_client", "watch", "the OpenMetrics endpoint")
        self._matches = compile_list(functions)
        self._clock = clock
        self._lock = threading.Lock()
        self._processes: dict[RingProcess, _Process] = {}
        self._firings: Counter[tuple[str, str]] = Counter()
        self._bundles: Counter[tuple[str, str]] = Counter()
        self._notices = 0

    def observe(self, figures: Figures) -> None:
        """Add the window of a process."""
        with self._lock:
            found = self._processes.get(figures.process)
            if found is None:
                found = self._processes[figures.process] = _Process(figures, 0)
            found.latest, found.seen = figures, self._clock()
            found.calls += figures.calls
            found.failed += figures.failed
            found.incomplete += figures.is_incomplete
            self._add_functions(found, figures)
            self._forget_ended()

    def count_firing(self, service: str, trigger: str) -> None:
        """Count the firing of a trigger."""
        with self._lock:
            self._firings[service, trigger] += 1

    def count_bundle(self, service: str, *, saved: bool) -> None:
        """Count a bundle that was saved, or that could not be."""
        with self._lock:
            self._bundles[service, "saved" if saved else "failed"] += 1

    def set_failed_notices(self, count: int) -> None:
        """Set the number of notices that could not be delivered."""
        with self._lock:
            self._notices = count

    def collect(self) -> Iterator[Any]:
        """Yield all metrics, as a collector of prometheus-client does."""
        with self._lock:
            self._forget_ended()
            yield from list(self._of_watcher())
            yield from list(self._of_processes())
            yield from list(self._of_functions())

    def _add_functions(self, found: _Process, figures: Figures) -> None:
        histograms = Histograms(figures.durations, figures.durations["owner"], figures.clock)
        for row in figures.chains:
            chain = int(row["chain"])
            name = self._chosen(found, figures, chain)
            if name is None:
                continue
            function = found.functions.setdefault(name, _Function())
            function.calls += int(row["calls"])
            function.failed += int(row["failed"])
            function.total_ns += int(row["total_ns"])
            histogram = histograms.of(chain)
            place = np.searchsorted(_BOUNDS, histogram.high - 1)
            np.add.at(function.buckets, place, histogram.count)

    def _chosen(self, found: _Process, figures: Figures, chain: int) -> str | None:
        """Return the name of a chain's function if it has figures of its own."""
        if chain not in found.names:
            function = figures.names.function(chain)
            is_chosen = function is not None and self._matches(function.name)
            found.names[chain] = function.name if function and is_chosen else None
        name = found.names[chain]
        if name in found.functions or len(found.functions) < _MAX_FUNCTIONS:
            return name
        return None

    def _forget_ended(self) -> None:
        limit = self._clock() - _KEEP_ENDED_S
        for process in [p for p, found in self._processes.items() if found.seen < limit]:
            del self._processes[process]

    def _of_watcher(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        running = sum(found.latest.ended is None for found in self._processes.values())
        yield GaugeMetricFamily("functrace_watched_processes", "Processes watched.", running)
        firings = CounterMetricFamily(
            "functrace_firings", "Firings of triggers.", labels=["service", "trigger"]
        )
        for labels, count in self._firings.items():
            firings.add_metric(labels, count)
        yield firings
        bundles = CounterMetricFamily("functrace_bundles", "Bundles.", labels=["service", "result"])
        for labels, count in self._bundles.items():
            bundles.add_metric(labels, count)
        yield bundles
        yield CounterMetricFamily(
            "functrace_failed_notices", "Notices that were not delivered.", self._notices
        )

    def _of_processes(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        running = [found for found in self._processes.values() if found.latest.ended is None]
        for name, text, unit in _GAUGES:
            full = f"functrace_process_{name}"
            gauge = GaugeMetricFamily(full, text, labels=_LABELS, unit=unit)
            for found in running:
                value = getattr(found.latest, name)
                if value is not None:
                    gauge.add_metric(_labels(found), value)
            yield gauge
        for name, attribute, text in _COUNTERS:
            counter = CounterMetricFamily(f"functrace_process_{name}", text, labels=_LABELS)
            for found in self._processes.values():
                counter.add_metric(_labels(found), getattr(found, attribute))
            yield counter

    def _of_functions(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

        names = [*_LABELS, "function"]
        calls = CounterMetricFamily("functrace_function_calls", "Calls that ended.", labels=names)
        failed = CounterMetricFamily(
            "functrace_function_failed_calls", "Calls that failed.", labels=names
        )
        durations = HistogramMetricFamily(
            "functrace_function_duration_seconds",
            "Durations of calls.",
            labels=names,
            unit="seconds",
        )
        for found in self._processes.values():
            for name, function in found.functions.items():
                labels = [*_labels(found), name]
                calls.add_metric(labels, function.calls)
                failed.add_metric(labels, function.failed)
                durations.add_metric(labels, _buckets(function), function.total_ns / 1e9)
        yield from (calls, failed, durations)


def _labels(found: _Process) -> list[str]:
    process = found.latest.process
    return [process.name, str(process.pid), str(process.ring)]


def _buckets(function: _Function) -> list[tuple[str, float]]:
    bounds = [*(str(bound / 1e9) for bound in _BOUNDS.tolist()), "+Inf"]
    return list(zip(bounds, np.cumsum(function.buckets).tolist(), strict=True))
