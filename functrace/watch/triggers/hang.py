"""Trigger on calls that are open for much longer than others of their chain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from functrace import units
from functrace.watch.config_keys import count, duration_s, flag, globs, key, number
from functrace.watch.figures import Figures, OpenCall
from functrace.watch.triggers.by_chain import grown
from functrace.watch.triggers.chain_filter import ChainFilter, last_name
from functrace.watch.triggers.finding import ChainSettings, Finding
from functrace.watch.triggers.gauge import Gauge

_WAITING = [
    f"*.{name}*"
    for word in ("accept", "listen", "poll", "recv", "select", "serve", "sleep", "wait", "watch")
    for name in (word, word.capitalize())
]


@dataclass(frozen=True)
class HangSettings(ChainSettings):
    """Keys of the trigger ``hang``."""

    exclude: tuple[str, ...] = key(
        "exclude", globs, _WAITING, "functions that are not judged: they wait by design"
    )
    open_s: float = key("open", duration_s, "30s", "fires if a call is open for this long")
    factor: float = key(
        "factor", number, 10, "and this many times as long as the longest call of its chain"
    )
    calls: int = key(
        "calls", count, 5, "calls of the chain that must have ended, which shows that they end"
    )
    outermost: bool = key("outermost", flag, False, "also the outermost calls of tracks")


class Hang:
    """Trigger for one process.

    Suspended calls, and calls that began before the process was found, do not hang.
    """

    def __init__(self, settings: HangSettings) -> None:
        self.gauge = Gauge("ns")
        self._settings = settings
        self._filter = ChainFilter(settings)
        self._calls = np.zeros(0, np.int64)
        self._longest = np.zeros(0, np.int64)
        self._since: float | None = None

    def observe(self, figures: Figures) -> Iterator[Finding]:
        """Take in the next window."""
        if self._since is None:
            self._since = figures.end - figures.seconds
        if figures.is_incomplete or figures.ended is not None:
            self.gauge.show_none("incomplete window")
            return
        self._learn(figures)
        usual = [call for call in figures.open_calls if self._should_end(figures, call)]
        limit = self._settings.open_s * 1e9
        longest = max((call.open_ns for call in usual), default=0)
        self.gauge.show(longest, limit, figures.end)
        hanging = [call for call in usual if call.open_ns >= limit and self._is_unusual(call)]
        if hanging:
            lineages = {call.chain: len(figures.names.lineage(call.chain)) for call in hanging}
            deepest = max(hanging, key=lambda call: (lineages[call.chain], call.open_ns))
            yield self._finding(figures, deepest)

    def _learn(self, figures: Figures) -> None:
        count = len(figures.names)
        self._calls, self._longest = grown(self._calls, count), grown(self._longest, count)
        rows = figures.chains
        np.add.at(self._calls, rows["chain"], rows["calls"] - rows["unfinished"])
        np.maximum.at(self._longest, rows["chain"], rows["max_ns"])

    def _should_end(self, figures: Figures, call: OpenCall) -> bool:
        """Return whether a call is one of those that are known to end."""
        began = figures.end - call.open_ns / 1e9
        is_outermost = figures.names.is_outermost(call.chain)
        return bool(
            self._filter.of(figures.names)[call.chain]
            and not call.suspended
            and (self._settings.outermost or not is_outermost)
            and self._since is not None
            and began >= self._since
            and self._calls[call.chain] >= self._settings.calls
        )

    def _is_unusual(self, call: OpenCall) -> bool:
        return bool(call.open_ns >= self._settings.factor * self._longest[call.chain])

    def _finding(self, figures: Figures, call: OpenCall) -> Finding:
        names, longest = figures.names, int(self._longest[call.chain])
        inside = [
            each.chain
            for each in figures.open_calls
            if each.track == call.track and call.chain in names.lineage(each.chain)
        ]
        deepest = max(inside, key=lambda chain: len(names.lineage(chain)), default=call.chain)
        name = last_name(names, call.chain)
        within = f", in {last_name(names, deepest)}" if deepest != call.chain else ""
        summary = (
            f"a call of {name} has been open for {units.duration(call.open_ns)}{within};"
            f" {units.several(int(self._calls[call.chain]), 'earlier call')} took at most"
            f" {units.duration(longest)}"
        )
        values = {
            "open_ns": call.open_ns,
            "threshold_ns": round(self._settings.open_s * 1e9),
            "longest_earlier_ns": longest,
            "earlier_calls": int(self._calls[call.chain]),
            "track": call.track,
        }
        began = figures.end - call.open_ns / 1e9
        return Finding(call.chain, summary, values, deepest, began)
