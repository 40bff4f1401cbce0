"""Trigger on the 99th percentile of the durations of a chain."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from functrace import units
from functrace.watch.config_keys import count, duration_s, key, percentage
from functrace.watch.figures import Figures, percentile_ns
from functrace.watch.firing import JSON
from functrace.watch.triggers.chain_filter import ChainFilter, innermost, last_name
from functrace.watch.triggers.finding import ChainSettings, Finding
from functrace.watch.triggers.gauge import Gauge

_MAX_CHAINS = 100
"""Chains with most time whose percentiles are computed."""
_MIN_PAST = 5
"""Percentiles of the past below which they are no measure."""


@dataclass(frozen=True)
class P99Settings(ChainSettings):
    """Keys of the trigger ``p99``."""

    min_s: float = key("min", duration_s, "250ms", "p99 below which it does not fire")
    diff: float = key(
        "diff", percentage, "300%", "fires if the p99 is this much above its average of the past"
    )
    abs_s: float | None = key("abs", duration_s, None, "fires if the p99 is above this")
    calls: int = key("calls", count, 100, "calls that a chain must have in `over`")
    over: int = key("over", count, 5, "windows over which a p99 is computed")
    times: int = key("times", count, 3, "consecutive p99s that must be above")
    past: int = key("past", count, 24, "p99s that make up the past")


@dataclass
class _Past:
    """Percentiles of one chain."""

    values: deque[int]
    above: int = 0


class P99:
    """Trigger for one process."""

    def __init__(self, settings: P99Settings) -> None:
        self.gauge = Gauge("ns", note="no chain has enough calls")
        self._settings = settings
        self._filter = ChainFilter(settings)
        self._windows: list[Figures] = []
        self._pasts: dict[int, _Past] = {}

    def observe(self, figures: Figures) -> Iterator[Finding]:
        """Take in the next window. Percentiles are computed after every `over` windows."""
        if figures.is_incomplete:
            self._windows = []
            return
        self._windows.append(figures)
        if len(self._windows) < self._settings.over:
            return
        windows, self._windows = self._windows, []
        above = self._judge(windows)
        for chain in innermost(figures.names, list(above)):
            yield self._finding(figures, chain, *above[chain])

    def _judge(self, windows: list[Figures]) -> dict[int, tuple[int, float]]:
        """Return the p99 and the limit of each chain that fires."""
        found: dict[int, tuple[int, float]] = {}
        closest = 0.0
        now = windows[-1].end
        self.gauge.show_none("no chain has enough calls and a p99 of the past")
        for chain in self._chains(windows):
            past = self._pasts.setdefault(chain, _Past(deque(maxlen=self._settings.past)))
            p99 = percentile_ns(windows, [chain], 99)
            limit = self._limit(past)
            past.above = past.above + 1 if limit is not None and p99 >= limit else 0
            if not past.above:  # what is judged is no part of what it is compared with
                past.values.append(p99)
            if limit is not None and p99 / limit > closest:
                closest = p99 / limit
                self.gauge.show(p99, limit, now)
            if limit is not None and past.above >= self._settings.times:
                found[chain] = p99, limit
                if past.above == self._settings.times + self._settings.past:
                    past.values.clear()  # it has become usual
        return found

    def _chains(self, windows: list[Figures]) -> list[int]:
        """Return the chains with enough calls; most time first."""
        rows = np.concatenate([window.chains for window in windows])
        count = len(windows[-1].names)
        calls = np.bincount(rows["chain"], rows["calls"], count)
        times = np.bincount(rows["chain"], rows["total_ns"], count)
        judged = self._filter.of(windows[-1].names) & (calls >= self._settings.calls)
        chains = np.flatnonzero(judged)
        ranked: list[int] = chains[np.argsort(-times[chains], kind="stable")][:_MAX_CHAINS].tolist()
        return ranked

    def _limit(self, past: _Past) -> float | None:
        """Return the p99 in nanoseconds from which on a chain fires."""
        settings = self._settings
        limits = []
        if settings.abs_s is not None:
            limits.append(settings.abs_s * 1e9)
        if len(past.values) >= _MIN_PAST:
            average = sum(past.values) / len(past.values)
            limits.append(max(settings.min_s * 1e9, average * (1 + settings.diff)))
        return max(min(limits), 1.0) if limits else None

    def _finding(self, figures: Figures, chain: int, p99: int, limit: float) -> Finding:
        values = self._pasts[chain].values
        average = round(sum(values) / len(values)) if values else None
        name = last_name(figures.names, chain)
        past = f", before {units.duration(average)}" if average is not None else ""
        summary = (
            f"p99 of {name} is {units.duration(p99)}, above {units.duration(limit)},"
            f" {self._settings.times} times in a row over {self._settings.over} windows{past}"
        )
        figures_: dict[str, JSON] = {
            "p99_ns": p99,
            "threshold_p99_ns": round(limit),
            "past_p99_ns": average,
            "windows": self._settings.over,
        }
        return Finding(chain, summary, figures_, chain)
