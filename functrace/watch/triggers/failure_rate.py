"""Trigger on the failure rate of a function by chain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from functrace import units
from functrace.watch.config_keys import count, key, percentage, share
from functrace.watch.figures import Figures
from functrace.watch.triggers.by_chain import Floats, Sums
from functrace.watch.triggers.chain_filter import ChainFilter, innermost, last_name
from functrace.watch.triggers.finding import ChainSettings, Finding, most_frequent_text
from functrace.watch.triggers.gauge import Gauge

_DEVIATIONS = 5
"""Standard deviations above the number of failures that the past leads to expect."""


@dataclass(frozen=True)
class FailureRateSettings(ChainSettings):
    """Keys of the trigger ``failure-rate``."""

    min: float = key("min", share, "5%", "failure rate below which it does not fire")
    diff: float = key(
        "diff", percentage, "100%", "fires if the rate is this much above that of the past"
    )
    abs: float | None = key("abs", share, None, "fires if the rate is above this")
    calls: int = key("calls", count, 20, "calls that a chain must have, in `over` and before")
    failures: int = key("failures", count, 10, "failures that a chain must have in `over`")
    over: int = key("over", count, 5, "windows that make up the present")
    past: int = key("past", count, 60, "windows that make up the past")


class FailureRate:
    """Trigger for one process."""

    def __init__(self, settings: FailureRateSettings) -> None:
        self.gauge = Gauge("share")
        self._settings = settings
        self._filter = ChainFilter(settings)
        self._sums = Sums(settings.over, settings.past)

    def observe(self, figures: Figures) -> Iterator[Finding]:
        """Take in the next window."""
        if figures.is_incomplete:
            self.gauge.show_none("incomplete window")
            return
        sums, judged = self._sums, self._filter.of(figures.names)
        sums.add(figures.chains, len(judged))
        enough = judged & (sums.calls >= self._settings.calls)
        rate = sums.failed / np.maximum(sums.calls, 1)
        limit = self._limits()
        self._show(rate, limit, enough, figures.end)
        risen = enough & (sums.failed >= self._settings.failures) & (rate >= limit)
        for chain in self._worst_first(figures, np.flatnonzero(risen)):
            yield self._finding(figures, chain, float(limit[chain]))

    def _limits(self) -> Floats:
        """Return the rate from which on each chain fires; infinite where nothing is known of it."""
        settings, sums = self._settings, self._sums
        past = (sums.past_failed + 0.5) / (sums.past_calls + 1)
        deviation = np.sqrt(past * (1 - past) / np.maximum(sums.calls, 1))
        noise = past + _DEVIATIONS * deviation
        limit = np.maximum.reduce(
            [past * (1 + settings.diff), noise, np.full(len(past), settings.min)]
        )
        limit[sums.past_calls < settings.calls] = np.inf
        if settings.abs is not None:
            limit = np.minimum(limit, max(settings.abs, settings.min))
        found: Floats = limit
        return found

    def _show(
        self,
        rate: Floats,
        limit: Floats,
        enough: npt.NDArray[np.bool_],
        now: float,
    ) -> None:
        chains = np.flatnonzero(enough & np.isfinite(limit))
        if not len(chains):
            self.gauge.show_none("no chain has enough calls, now and before")
            return
        closest = int(chains[np.argmax(rate[chains] / limit[chains])])
        self.gauge.show(float(rate[closest]), float(limit[closest]), now)

    def _worst_first(self, figures: Figures, chains: npt.NDArray[np.intp]) -> list[int]:
        """Return the chains that lead to no other, those with most unexpected failures first."""
        sums = self._sums
        usual = sums.past_failed / np.maximum(sums.past_calls, 1) * sums.calls
        found = innermost(figures.names, chains.tolist())
        return sorted(found, key=lambda chain: usual[chain] - sums.failed[chain])

    def _finding(self, figures: Figures, chain: int, limit: float) -> Finding:
        sums = self._sums
        calls, failed = round(sums.calls[chain]), round(sums.failed[chain])
        before = float(sums.past_failed[chain] / max(sums.past_calls[chain], 1))
        text = most_frequent_text(each for each in figures.errors if each.chain == chain)
        name = last_name(figures.names, chain)
        summary = (
            f"{name}: {units.count(failed)} of {units.several(calls, 'call')} failed"
            f" ({units.share(failed, calls)}) in {self._settings.over} windows, before"
            f" {units.share(before, 1)}" + (f": {text}" if text else "")
        )
        values = {
            "calls": calls,
            "failed": failed,
            "failed_share": failed / calls,
            "past_failed_share": before,
            "threshold_failed_share": limit,
            "windows": self._settings.over,
            "text": text,
        }
        return Finding(chain, summary, values, chain)
