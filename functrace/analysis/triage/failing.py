"""Failing chains, grouped by the text of the error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from functrace.analysis.columns import summed
from functrace.analysis.examples import Example
from functrace.analysis.failures import pattern_of
from functrace.analysis.merge import Forest
from functrace.analysis.requests.crossing import Crossing
from functrace.analysis.requests.joined import INBOUND, OUTBOUND
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
    first: int | None
    """None for failures in a store"""
    last: int | None
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


def find_failing(
    forest: Forest, failed: Sequence[FailedCalls], crossing: Crossing | None = None
) -> list[FailingChain]:
    """Return the failing chains: those first that nothing caught, then the most frequent.

    A failure counts where it came from: in a call none of whose callees passed it on. The answer of
    an inbound call reports the failure inside it, and an outbound call that of the process that
    received it, if that was recorded.
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
        answered = crossing.joined.failed_elsewhere(index) if crossing else frozenset()
        for call in _origins(each, answered):
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
            chain.last = max(chain.last or at, at)
            chain.first = at if chain.first is None else min(chain.first, at)
    return sorted(found.values(), key=_rank)


def _rank(chain: FailingChain) -> tuple[bool, int, int]:
    return not chain.uncaught, -chain.count, chain.first or 0


def _origins(each: FailedCalls, answered: Collection[tuple[int, int]]) -> Iterator[int]:
    """Return the failed calls whose failure came from none of their callees.

    A failure whose text the recorder cut off may come from any callee that failed. So may that of
    an inbound call, and any may come from an outbound call: these have the text of their status.

    Args:
        each: the failed calls of a trace.
        answered: track and start of the outbound calls that failed in another process.
    """
    calls = each.calls
    callees = np.flatnonzero(each.failed & each.failed[each.caller] & (each.caller >= 0))
    callers = each.caller[callees]
    directions = np.array([f.direction for f in calls.chains.trace.functions], np.int64)
    is_any = calls.text_cut[callees] | calls.text_cut[callers]
    is_any |= directions[calls.function[callers]] == INBOUND
    is_any |= directions[calls.function[callees]] == OUTBOUND
    passed_on = {
        caller
        for callee, caller, may_be_any in zip(
            callees.tolist(), callers.tolist(), is_any.tolist(), strict=True
        )
        if may_be_any or _may_contain(each.texts[caller], each.texts[callee])
    }
    for call in each.texts:
        place = (int(calls.track[call]), int(calls.start[call]))
        if call not in passed_on and (not answered or place not in answered):
            yield call


def _may_contain(outer: str, inner: str) -> bool:
    """Return whether an error may be another one, or wrap it: its text contains the other's."""
    return not outer or inner in outer
