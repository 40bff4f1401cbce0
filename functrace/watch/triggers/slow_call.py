"""Trigger on a single slow call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from functrace import units
from functrace.watch.config_keys import duration_s, key
from functrace.watch.figures import Figures
from functrace.watch.triggers.chain_filter import ChainFilter, innermost, last_name
from functrace.watch.triggers.finding import ChainSettings, Finding
from functrace.watch.triggers.gauge import Gauge


@dataclass(frozen=True)
class SlowCallSettings(ChainSettings):
    """Keys of the trigger ``slow-call``."""

    above_s: float | None = key(
        "above", duration_s, None, "fires if one call took longer than this"
    )


class SlowCall:
    """Trigger for one process."""

    def __init__(self, settings: SlowCallSettings) -> None:
        self.gauge = Gauge("ns", note="" if settings.above_s else "`above` is not set")
        self._settings = settings
        self._filter = ChainFilter(settings)

    def observe(self, figures: Figures) -> Iterator[Finding]:
        """Take in the next window."""
        if self._settings.above_s is None:
            return
        limit = self._settings.above_s * 1e9
        rows = figures.chains[self._filter.of(figures.names)[figures.chains["chain"]]]
        self.gauge.show(int(rows["max_ns"].max(initial=0)), limit, figures.end)
        slow = rows[rows["max_ns"] > limit]
        longest = dict(zip(slow["chain"].tolist(), slow["max_ns"].tolist(), strict=True))
        for chain in sorted(innermost(figures.names, list(longest)), key=lambda c: -longest[c]):
            yield _finding(figures, chain, longest[chain], round(limit))


def _finding(figures: Figures, chain: int, longest: int, limit: int) -> Finding:
    calls = int(np.sum(figures.chains["calls"][figures.chains["chain"] == chain]))
    name = last_name(figures.names, chain)
    took, above = units.duration(longest), units.duration(limit)
    summary = f"a call of {name} took {took}, above {above}; {units.several(calls, 'call')} of it"
    values = {"duration_ns": longest, "threshold_ns": limit, "calls": calls}
    return Finding(chain, f"{summary} ended in this window", values, chain)
