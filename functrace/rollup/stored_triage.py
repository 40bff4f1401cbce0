"""Findings of a triage in a store, which has the figures of chains and no single calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from functrace.analysis.columns import Bools, summed
from functrace.analysis.examples import first_failed, slowest
from functrace.analysis.failures import Failures
from functrace.analysis.merge import Forest
from functrace.analysis.triage import FailingChain, SlowChain, Triage
from functrace.analysis.triage.recursion import find_growing_recursion
from functrace.analysis.triage.slow import limits_of
from functrace.rollup.stored_chains import StoredChains

_EXPLAINED_PART = 0.5
"""An outlier is explained by one below it that took this part of its time."""


def stored_triage(stored: StoredChains) -> Triage:
    """Return the findings that the figures of chains show: failing, slow and recursion."""
    forest = stored.forest()
    return Triage(
        forest=forest,
        losses=[],
        failing=_failing(forest, stored.failures),
        swallowed=[],
        never_ended=[],
        slow=_slow(forest),
        repeated=[],
        recursion=find_growing_recursion(forest),
        sampled=frozenset(),
    )


def _failing(forest: Forest, failures: dict[int, list[Failures]]) -> list[FailingChain]:
    """Return the failures by function and text where they came from, most frequent first.

    As many failures of a caller came from its callees as these have with a text that is part of
    that of the caller.
    """
    callees: dict[int, list[int]] = {}
    for node in failures:
        callees.setdefault(int(forest.parent[node]), []).append(node)
    calls = summed(forest.calls, forest.function, len(forest.functions)).tolist()
    found: dict[tuple[int, bool, str], FailingChain] = {}
    for node, texts in failures.items():
        inner = [each for callee in callees.get(node, []) for each in failures[callee]]
        example = first_failed(forest, [node])
        function = int(forest.function[node])
        for each, count in _own(texts, inner):
            key = function, each.panic, each.text
            if example is not None and key not in found:
                found[key] = FailingChain(*key, example, None, None, calls[function])
            if key in found:
                found[key].count += count
                found[key].texts.add(each.text)
                found[key].nodes += Counter({node: count})
    return sorted(found.values(), key=lambda chain: -chain.count)


def _own(texts: list[Failures], inner: list[Failures]) -> Iterator[tuple[Failures, int]]:
    """Yield the failures of a chain that came from none of its callees, and their number."""
    for each in texts:
        passed_on = sum(other.count for other in inner if not each.text or other.text in each.text)
        if each.count > passed_on:
            yield each, each.count - passed_on


def _slow(forest: Forest) -> list[SlowChain]:
    """Return the chains with outliers, those first that took most time."""
    (chains,) = forest.chains
    functions = chains.functions()
    limits = limits_of(functions)[forest.function]
    is_slow = forest.max > limits
    found = []
    for node in np.flatnonzero(is_slow & ~_explained(forest, is_slow)).tolist():
        function, limit = int(forest.function[node]), int(limits[node])
        histogram = forest.histogram([node])
        outliers = histogram.low >= limit
        chain = SlowChain(
            node=node,
            example=slowest(forest, [node]),
            max=int(forest.max[node]),
            limit=limit,
            p50=functions.percentile(function, 50),
            p99=functions.percentile(function, 99),
            count=max(int(histogram.count[outliers].sum()), 1),
            total=int((histogram.low * histogram.count)[outliers].sum()),
        )
        found.append(chain)
    return sorted(found, key=lambda each: -each.total)


def _explained(forest: Forest, is_slow: Bools) -> Bools:
    """Return the chains with an outlier that one below it explains."""
    explained = np.zeros(len(forest), np.bool_)
    for node in np.flatnonzero(is_slow).tolist():
        around = int(forest.parent[node])
        while around >= 0:
            explained[around] |= forest.max[node] >= _EXPLAINED_PART * forest.max[around]
            around = int(forest.parent[around])
    return explained
