"""Failing chains, grouped by the text of the error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from functrace.analysis.columns import summed
from functrace.analysis.examples import Example
from functrace.analysis.failures import pattern_of
from functrace.analysis.merge import Forest
from functrace.analysis.triage.failed_calls import FailedCalls


@dataclass
class FailingChain:
    """Failures of one function whose texts have the same pattern.

    Times are nanoseconds after the start of the first trace.
    """

    function: int
    is_panic: bool
    text: str
    """text of the first failure"""
    example: Example
    """the first failure"""
    first: int
    last: int
    calls: int
    """number of all calls of the function"""
    count: int = 0
    uncaught: int = 0
    """number of them that no function of the track caught"""
    texts: set[str] = field(default_factory=set)
    nodes: Counter[int] = field(default_factory=Counter)
    """number of failures by node"""

    @property
    def pattern(self) -> str:
        """Pattern of the texts, or the text if all are equal."""
        return self.text if len(self.texts) == 1 else pattern_of(self.text)


def find_failing(forest: Forest, failed: Sequence[FailedCalls]) -> list[FailingChain]:
    """Return the failing chains: those first that nothing caught, then the most frequent.

    A failure counts where it came from: in a call none of whose callees passed it on.
    """
    totals = summed(forest.calls, forest.function, len(forest.functions)).tolist()
    began = min((trace.started for trace in forest.traces), default=0)
    found: dict[tuple[int, bool, str], FailingChain] = {}
    for index, each in enumerate(failed):
        calls = each.calls
        nodes = forest.nodes.of(index, calls.node)
        functions, nodes_of = forest.function[nodes].tolist(), nodes.tolist()
        uncaught = each.uncaught.tolist()
        panics, starts = calls.panic.tolist(), calls.start.tolist()
        offset = forest.traces[index].started - began
        for call in _origins(each):
            function, node, start = functions[call], nodes_of[call], starts[call]
            text = each.texts[call]
            key = (function, panics[call], each.pattern(text))
            at = offset + start
            if key not in found:
                example = Example(index, int(calls.track[call]), node, start, None, "first failed")
                found[key] = FailingChain(*key[:2], text, example, at, at, totals[function])
            chain = found[key]
            chain.count += 1
            chain.uncaught += uncaught[call]
            chain.texts.add(text)
            chain.nodes[node] += 1
            chain.first, chain.last = min(chain.first, at), max(chain.last, at)
    return sorted(found.values(), key=_rank)


def _rank(chain: FailingChain) -> tuple[bool, int, int]:
    return not chain.uncaught, -chain.count, chain.first


def _origins(each: FailedCalls) -> Iterator[int]:
    """Return the failed calls whose failure came from none of their callees.

    A failure whose text the recorder cut off may come from any callee that failed.
    """
    callees = np.flatnonzero(each.failed & each.failed[each.caller] & (each.caller >= 0))
    callers = each.caller[callees]
    is_cut = each.calls.text_cut[callees] | each.calls.text_cut[callers]
    passed_on = {
        caller
        for callee, caller, cut in zip(
            callees.tolist(), callers.tolist(), is_cut.tolist(), strict=True
        )
        if cut or _may_contain(each.texts[caller], each.texts[callee])
    }
    return (call for call in each.texts if call not in passed_on)


def _may_contain(outer: str, inner: str) -> bool:
    """Return whether an error may be another one, or wrap it: its text contains the other's."""
    return not outer or inner in outer
