"""Chains of several traces, folded on first use."""

from __future__ import annotations

from collections.abc import Sequence

from functrace.analysis.chains import Chains
from functrace.analysis.fold import fold
from functrace.tracefile import Trace


class Folds:
    """Chains of each of several traces, kept once they are folded.

    Attributes:
        traces: the traces.
    """

    def __init__(self, traces: Sequence[Trace]) -> None:
        self.traces = tuple(traces)
        self._chains: dict[int, Chains] = {}

    def chains(self, trace: int) -> Chains:
        """Return the chains of the trace with this index."""
        if trace not in self._chains:
            self._chains[trace] = fold(self.traces[trace])
        return self._chains[trace]

    def all_chains(self) -> list[Chains]:
        """Return the chains of all traces, in order."""
        return [self.chains(trace) for trace in range(len(self.traces))]
