"""One side of a comparison: functions and chains by name, summed over its traces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from functrace.analysis.chains import Chains, Functions
from functrace.analysis.histograms import Histogram, joined


@dataclass(frozen=True, eq=False)
class Chain:
    """Function name with the chain of its callers. ChainRegistry keeps one object per chain."""

    parent: Chain | None
    name: str
    started: bool
    """whether it runs on another track than its parent, which started that track"""

    @property
    def names(self) -> tuple[str, ...]:
        """Names from the outermost function to the innermost."""
        names = []
        chain: Chain | None = self
        while chain:
            names.append(chain.name)
            chain = chain.parent
        return tuple(reversed(names))


class ChainRegistry:
    """Registry of the chains of both sides, with one object per chain."""

    def __init__(self) -> None:
        self._chains: dict[tuple[Chain | None, str, bool], Chain] = {}

    def chain(self, parent: Chain | None, name: str, started: bool) -> Chain:
        """Return the chain of a function called from ``parent``."""
        key = (parent, name, started)
        found = self._chains.get(key)
        return found or self._chains.setdefault(key, Chain(*key))


@dataclass
class FunctionFigures:
    """Figures of a function's calls in all traces of a side. Times are nanoseconds."""

    calls: int = 0
    finished: int = 0
    total: int = 0
    self: int = 0
    failed: int = 0
    min: int = 1 << 62
    max: int = 0
    text: str = ""
    """text of a failure"""
    parts: list[Histogram] = field(default_factory=list)
    medians: list[int] = field(default_factory=list)
    """median of each trace"""
    chain: Chain | None = None
    """most frequent chain of the function"""

    @property
    def histogram(self) -> Histogram:
        """Histogram of the durations of its calls."""
        return joined(self.parts)

    def percentile(self, percent: float) -> int:
        """Return a percentile of the durations of the calls, in nanoseconds."""
        return self.histogram.percentile(percent, self.min, self.max)

    def add(self, functions: Functions, function: int) -> None:
        """Add the figures of a function in one trace."""
        finished = int(functions.calls[function] - functions.unfinished[function])
        self.calls += int(functions.calls[function])
        self.finished += finished
        self.total += int(functions.total[function])
        self.self += int(functions.self[function])
        self.failed += int(functions.errors[function] + functions.panics[function])
        if finished:
            self.min = min(self.min, int(functions.min[function]))
            self.max = max(self.max, int(functions.max[function]))
            self.parts.append(functions.histogram(function))
            self.medians.append(functions.percentile(function, 50))


@dataclass(frozen=True)
class Count:
    """Number of calls and total time of a chain."""

    calls: int
    total: int


class Side:
    """Sums over the traces of one side."""

    def __init__(self, registry: ChainRegistry, traces: Sequence[Chains]) -> None:
        self._registry = registry
        self._traces = len(traces)
        self.functions: dict[str, FunctionFigures] = {}
        self.chains: dict[Chain, Count] = {}
        """counts by chain; a parent precedes its children"""
        for chains in traces:
            self._add_functions(chains)
            self._add_chains(chains)
        self._find_most_frequent()

    def trials(self, chain: Chain) -> int:
        """Return the number of calls of the chain's parent, or of traces if it has none."""
        if chain.parent is None:
            return self._traces
        parent = self.chains.get(chain.parent)
        return parent.calls if parent else 0

    def _add_functions(self, chains: Chains) -> None:
        functions = chains.functions()
        for function in np.flatnonzero(functions.calls).tolist():
            name = chains.trace.functions[function].name
            self.functions.setdefault(name, FunctionFigures()).add(functions, function)

    def _add_chains(self, chains: Chains) -> None:
        names = [function.name for function in chains.trace.functions]
        created: list[Chain] = []
        columns = (chains.parent, chains.function, chains.started, chains.calls, chains.total)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        for node, (parent, function, started, calls, total) in enumerate(rows):
            caller = created[parent] if parent >= 0 else None
            chain = self._registry.chain(caller, names[function], started)
            created.append(chain)
            before = self.chains.get(chain, Count(0, 0))
            self.chains[chain] = Count(before.calls + calls, before.total + total)
            figures = self.functions.get(chain.name)
            if figures and not figures.text:
                figures.text = chains.failure(node)

    def _find_most_frequent(self) -> None:
        for chain, count in self.chains.items():
            figures = self.functions.get(chain.name)
            if (
                figures
                and count.calls
                and (figures.chain is None or count.calls > self.chains[figures.chain].calls)
            ):
                figures.chain = chain
