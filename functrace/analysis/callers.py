"""Who calls some functions: the chains that lead to them, over all of some traces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from functrace.analysis import failures
from functrace.analysis.call_chains import CallChain, chains_to
from functrace.analysis.calls import Calls
from functrace.analysis.examples import Example, first_failed, longest, slowest, unfinished
from functrace.analysis.failures import Failures
from functrace.analysis.fold import Listing, calls
from functrace.analysis.histograms import Histogram, joined
from functrace.analysis.merge import Forest, below, merge
from functrace.analysis.sums import Sums
from functrace.trace import Trace

_SLOW_LIMIT = 2_000_000
_TEXT_LIMIT = 100_000


@dataclass(frozen=True)
class Wanted:
    """Which calls of the functions are asked for."""

    failed: bool = False
    least: int = 0
    """nanoseconds that they took"""
    whole: bool = False
    """chains with their recursion unfolded"""


@dataclass(frozen=True, eq=False)
class Callers:
    """The chains to some functions."""

    forest: Forest
    wanted: Wanted
    functions: tuple[set[int], ...]
    """by trace, by its own index"""
    nodes: list[int]
    """of the functions' calls"""
    chains: list[CallChain]
    asked: Counter[int]
    """by node: calls that were asked for"""
    longest: dict[int, Example]
    """by node: of those the longest, where only slow ones are asked for"""
    failures: dict[int, list[Failures]]
    """by node: what those that were asked for, or a sample, said"""
    sampled: bool
    """there were more than could be looked at one by one"""

    def count(self, chain: CallChain) -> int:
        """How many of a chain's calls were asked for."""
        if self.wanted.least:
            return sum(self.asked[node] for node in chain.nodes)
        return chain.failed if self.wanted.failed else chain.calls

    def percentile(self, chain: CallChain, percent: float) -> int:
        """Nanoseconds that so many percent of a chain's calls do not exceed."""
        return self._of(self.forest.histogram(chain.nodes), chain.nodes, percent)

    def overall(self) -> Sums:
        """All chains together; a call inside another of the functions is not counted twice."""
        sums = Sums()
        inner = below(self.forest, self.nodes)
        for node in self.nodes:
            sums.add(self.forest, node, inner=bool(inner[node]))
        return sums

    def overall_percentile(self, percent: float) -> int:
        """Nanoseconds that so many percent of all calls do not exceed."""
        histogram = joined(
            chains.function_histograms.of(function)
            for chains, chosen in zip(self.forest.chains, self.functions, strict=True)
            for function in chosen
        )
        return self._of(histogram, self.nodes, percent)

    def _of(self, histogram: Histogram, nodes: Sequence[int], percent: float) -> int:
        ended = [n for n in nodes if self.forest.calls[n] > self.forest.unfinished[n]]
        least = min((int(self.forest.min[n]) for n in ended), default=0)
        most = max((int(self.forest.max[n]) for n in ended), default=0)
        return histogram.percentile(percent, least, most)

    def texts(self, chain: CallChain) -> list[Failures]:
        """What a chain's failing calls said."""
        return failures.joined(self.failures.get(node, []) for node in chain.nodes)

    def examples(self, chains: Iterable[CallChain]) -> list[Example | None]:
        """For each chain a call to look at: the first that failed, the slowest, or an open one."""
        found = [self._example(chain) for chain in chains]
        missing = [i for i, example in enumerate(found) if example is None]
        if missing:
            of_node = unfinished(self.forest, self.functions)
            for index, chain in enumerate(chains):
                if index in missing:
                    open_ones = (of_node[node] for node in chain.nodes if node in of_node)
                    found[index] = next(open_ones, None)
        return found

    def _example(self, chain: CallChain) -> Example | None:
        if self.wanted.least:
            listed = (self.longest[node] for node in chain.nodes if node in self.longest)
            return max(listed, key=lambda example: example.duration or 0)
        return first_failed(self.forest, chain.nodes) or slowest(self.forest, chain.nodes)


def callers(
    traces: Sequence[Trace], functions: Callable[[Trace], set[int]], wanted: Wanted
) -> Callers:
    """The chains to the functions that are chosen of each trace, those with calls asked for."""
    pairs = [(trace, chosen) for trace in traces if (chosen := functions(trace))]
    listed = [_listed(trace, chosen, wanted) for trace, chosen in pairs]
    forest = merge([each.chains for each in listed])
    nodes = _nodes(forest, [chosen for _, chosen in pairs])
    asked: Counter[int] = Counter()
    for index, each in enumerate(listed):
        asked.update(forest.nodes.of(index, each.node).tolist())
    found = Callers(
        forest=forest,
        wanted=wanted,
        functions=tuple(chosen for _, chosen in pairs),
        nodes=nodes,
        chains=chains_to(forest, nodes, whole=wanted.whole),
        asked=asked,
        longest=longest(forest, listed) if wanted.least else {},
        failures=failures.by_node(forest, listed),
        sampled=any(each.truncated for each in listed),
    )
    found.chains[:] = [chain for chain in found.chains if found.count(chain)]
    return found


def _listed(trace: Trace, chosen: set[int], wanted: Wanted) -> Calls:
    listing = Listing(
        limit=_SLOW_LIMIT if wanted.least else _TEXT_LIMIT,
        functions=chosen,
        least=wanted.least,
        failed_only=wanted.failed or not wanted.least,
    )
    return calls(trace, listing=listing, histograms_of=chosen)


def _nodes(forest: Forest, chosen: list[set[int]]) -> list[int]:
    """The nodes of the functions, that were called."""
    mine = np.zeros(len(forest), np.bool_)
    for index, (chains, functions) in enumerate(zip(forest.chains, chosen, strict=True)):
        own = np.flatnonzero(np.isin(chains.function, list(functions)) & (chains.calls > 0))
        mine[forest.nodes.of(index, own.astype(np.int32))] = True
    return [int(node) for node in np.flatnonzero(mine)]
