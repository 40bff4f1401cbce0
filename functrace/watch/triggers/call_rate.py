"""Trigger on the number of calls a second outside a band."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from functrace.watch.config_keys import count, duration_s, globs, key, number
from functrace.watch.figures import Figures
from functrace.watch.triggers.chain_filter import ChainFilter
from functrace.watch.triggers.finding import ChainSettings, Finding
from functrace.watch.triggers.gauge import Gauge


@dataclass(frozen=True)
class CallRateSettings(ChainSettings):
    """Keys of the trigger ``call-rate``."""

    functions: tuple[str, ...] = key(
        "functions", globs, [], "functions whose calls are added up; [globs](globs.md)"
    )
    below: float | None = key("below", number, None, "fires if there are fewer calls a second")
    above: float | None = key("above", number, None, "fires if there are more calls a second")
    windows: int = key("windows", count, 5, "consecutive windows in which that holds")
    learning_s: float = key(
        "learning", duration_s, "30s", "time after a process was found in which it does not fire"
    )


class CallRate:
    """Trigger for one process."""

    def __init__(self, settings: CallRateSettings) -> None:
        has_band = settings.below is not None or settings.above is not None
        is_set = bool(settings.functions) and has_band
        self.gauge = Gauge("calls/s", note="" if is_set else "`functions` or the band is not set")
        self._settings = settings
        self._filter = ChainFilter(settings) if is_set else None
        self._outside = 0
        self._first: float | None = None

    def observe(self, figures: Figures) -> Iterator[Finding]:
        """Take in the next window."""
        if self._filter is None:
            return
        self._first = figures.end if self._first is None else self._first
        if figures.is_incomplete or figures.ended is not None or not figures.seconds:
            self.gauge.show_none("incomplete window")
            return
        rows = figures.chains[self._filter.of(figures.names)[figures.chains["chain"]]]
        rate = float(np.sum(rows["calls"]) / figures.seconds)
        limit = self._crossed(rate)
        self.gauge.show(rate, self._settings.above, figures.end)
        self._outside = self._outside + 1 if limit is not None else 0
        is_learning = figures.end - self._first < self._settings.learning_s
        if limit is not None and not is_learning and self._outside >= self._settings.windows:
            yield self._finding(rate, limit)

    def _crossed(self, rate: float) -> float | None:
        below, above = self._settings.below, self._settings.above
        if above is not None and rate > above:
            return above
        return below if below is not None and rate < below else None

    def _finding(self, rate: float, limit: float) -> Finding:
        side = "above" if rate > limit else "below"
        names = ", ".join(self._settings.functions)
        summary = (
            f"{rate:,.1f} calls/s of {names}, {side} {limit:,.1f}"
            f" in {self._settings.windows} consecutive windows"
        )
        values = {"calls_per_second": rate, "threshold_calls_per_second": limit}
        return Finding(None, summary, values)
