"""Call chains that lead to given functions, over several traces."""

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
from functrace.analysis.requests.crossing import follow
from functrace.analysis.sums import Sums
from functrace.tracefile import Trace

_MAX_SLOW_CALLS = 2_000_000
_MAX_FAILED_CALLS = 100_000


@dataclass(frozen=True)
class CallerFilter:
    """Filter for the calls of the functions."""

    failed: bool = False
    min_duration_ns: int = 0
    unfold_recursion: bool = False
    """whether chains contain each call of a recursion"""


@dataclass(frozen=True, eq=False)
class CallerChains:
    """Call chains to given functions, with figures and examples."""

    forest: Forest
    filter: CallerFilter
    functions: tuple[set[int], ...]
    """function indices of each trace"""
    nodes: list[int]
    """nodes of the functions"""
    chains: list[CallChain]
    listed_calls: Counter[int]
    """number of listed calls, by node"""
    longest: dict[int, Example]
    """longest listed call, by node; empty without a minimum duration"""
    failures: dict[int, list[Failures]]
    """errors and panics of the listed calls, by node"""
    sampled: bool
    """whether more calls matched than were listed"""

    def count(self, chain: CallChain) -> int:
        """Return the number of a chain's calls that match the filter."""
        if self.filter.min_duration_ns:
            return sum(self.listed_calls[node] for node in chain.nodes)
        return chain.failed if self.filter.failed else chain.calls

    def percentile(self, chain: CallChain, percent: float) -> int:
        """Return a percentile of the durations of a chain's calls, in nanoseconds."""
        return self._percentile(self.forest.histogram(chain.nodes), chain.nodes, percent)

    def overall(self) -> Sums:
        """Return the sums over all nodes. The time of a call nested in another is counted once."""
        sums = Sums()
        inner = below(self.forest, self.nodes)
        for node in self.nodes:
            sums.add(self.forest, node, inner=bool(inner[node]))
        return sums

    def overall_percentile(self, percent: float) -> int:
        """Return a percentile of the durations of all calls, in nanoseconds."""
        histogram = joined(
            chains.function_histograms.of(function)
            for chains, chosen in zip(self.forest.chains, self.functions, strict=True)
            for function in chosen
        )
        return self._percentile(histogram, self.nodes, percent)

    def _percentile(self, histogram: Histogram, nodes: Sequence[int], percent: float) -> int:
        ended = [n for n in nodes if self.forest.calls[n] > self.forest.unfinished[n]]
        minimum = min((int(self.forest.min[n]) for n in ended), default=0)
        maximum = max((int(self.forest.max[n]) for n in ended), default=0)
        return histogram.percentile(percent, minimum, maximum)

    def failure_texts(self, chain: CallChain) -> list[Failures]:
        """Return the errors and panics of a chain's calls, most frequent first."""
        return failures.joined(self.failures.get(node, []) for node in chain.nodes)

    def examples(self, chains: Iterable[CallChain]) -> list[Example | None]:
        """Return an example call per chain: the first failed, the slowest, or an unfinished one."""
        found = [self._example(chain) for chain in chains]
        missing = [i for i, example in enumerate(found) if example is None]
        if missing:
            of_node = unfinished(self.forest, self.functions)
            for index, chain in enumerate(chains):
                if index in missing:
                    open_calls = (of_node[node] for node in chain.nodes if node in of_node)
                    found[index] = next(open_calls, None)
        return found

    def _example(self, chain: CallChain) -> Example | None:
        if self.filter.min_duration_ns:
            listed = (self.longest[node] for node in chain.nodes if node in self.longest)
            return max(listed, key=lambda example: example.duration or 0)
        return first_failed(self.forest, chain.nodes) or slowest(self.forest, chain.nodes)


def find_caller_chains(
    traces: Sequence[Trace], functions: Callable[[Trace], set[int]], call_filter: CallerFilter
) -> CallerChains:
    """Return the chains to the functions chosen in each trace that have matching calls.

    Chains begin in the process that received a request first.
    """
    followed, crossing = follow(traces)
    pairs = [(trace, functions(trace)) for trace in followed]
    if crossing is None:
        pairs = [(trace, chosen) for trace, chosen in pairs if chosen]
    listed = [_list_calls(trace, chosen, call_filter) for trace, chosen in pairs]
    forest = merge([each.chains for each in listed], crossing)
    nodes = _nodes(forest, [chosen for _, chosen in pairs])
    listed_calls: Counter[int] = Counter()
    for index, each in enumerate(listed):
        listed_calls.update(forest.nodes.of(index, each.node).tolist())
    found = CallerChains(
        forest=forest,
        filter=call_filter,
        functions=tuple(chosen for _, chosen in pairs),
        nodes=nodes,
        chains=chains_to(forest, nodes, fold_recursion=not call_filter.unfold_recursion),
        listed_calls=listed_calls,
        longest=longest(forest, listed) if call_filter.min_duration_ns else {},
        failures=failures.by_node(forest, listed),
        sampled=any(each.truncated for each in listed),
    )
    found.chains[:] = [chain for chain in found.chains if found.count(chain)]
    return found


def _list_calls(trace: Trace, chosen: set[int], call_filter: CallerFilter) -> Calls:
    listing = Listing(
        limit=_MAX_SLOW_CALLS if call_filter.min_duration_ns else _MAX_FAILED_CALLS,
        functions=chosen,
        min_duration_ns=call_filter.min_duration_ns,
        failed_only=call_filter.failed or not call_filter.min_duration_ns,
    )
    return calls(trace, listing=listing, histograms_of=chosen)


def _nodes(forest: Forest, chosen: list[set[int]]) -> list[int]:
    """Return the nodes of the chosen functions that have calls."""
    chosen_nodes = np.zeros(len(forest), np.bool_)
    for index, (chains, functions) in enumerate(zip(forest.chains, chosen, strict=True)):
        own = np.flatnonzero(np.isin(chains.function, list(functions)) & (chains.calls > 0))
        chosen_nodes[forest.nodes.of(index, own.astype(np.int32))] = True
    return [int(node) for node in np.flatnonzero(chosen_nodes)]
