"""Failures that the caller did not return: dropped or handled errors, recovered panics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from functrace.analysis.columns import Bools
from functrace.analysis.examples import Example
from functrace.analysis.failures import pattern_of
from functrace.analysis.merge import Forest
from functrace.analysis.triage.failed_calls import FailedCalls


class _Key(NamedTuple):
    function: int
    caller: int
    is_panic: bool
    by_go_statement: bool


@dataclass
class SwallowedFailure:
    """Failures of one function that calls of one caller did not return."""

    function: int
    caller: int
    """function that called it, or whose go statement did"""
    is_panic: bool
    by_go_statement: bool
    """whether a go statement started the function, which drops what a function returns"""
    text: str
    """text of the first failure"""
    example: Example
    """first such call"""
    until: int
    """end of the caller of the example, or of the example itself if a go statement started it"""
    count: int = 0
    texts: set[str] = field(default_factory=set)

    @property
    def pattern(self) -> str:
        """Pattern of the texts, or the text if all are equal or their patterns differ."""
        is_pattern = len(self.texts) > 1 and not self.has_several_patterns
        return pattern_of(self.text) if is_pattern else self.text

    @property
    def has_several_patterns(self) -> bool:
        """Whether the patterns of the texts differ."""
        return len({pattern_of(text) for text in self.texts}) > 1


_MAX_TEXTS = 100  # distinct texts kept of a finding


def find_swallowed(forest: Forest, failed: Sequence[FailedCalls]) -> list[SwallowedFailure]:
    """Return the swallowed failures, most frequent first.

    A call counts if it failed and its caller ended without a failure. A caller that has not ended
    may still return the error, and the caller of a track's outermost call is not known, except
    that a go statement drops every error.
    """
    found: dict[_Key, SwallowedFailure] = {}
    for index, each in enumerate(failed):
        nodes = forest.nodes.of(index, each.calls.node)
        for call, by_go_statement, until in _swallowed(each):
            node, text = int(nodes[call]), each.texts[call]
            caller = int(forest.function[forest.parent[node]])
            is_panic = bool(each.calls.panic[call])
            key = _Key(int(forest.function[node]), caller, is_panic, by_go_statement)
            if key not in found:
                track, start = int(each.calls.track[call]), int(each.calls.start[call])
                example = Example(index, track, node, start, None, "first swallowed")
                found[key] = SwallowedFailure(*key, text, example, until)
            found[key].count += 1
            if len(found[key].texts) < _MAX_TEXTS:
                found[key].texts.add(text)
    return sorted(found.values(), key=lambda each: -each.count)


def _swallowed(each: FailedCalls) -> Iterator[tuple[int, bool, int]]:
    """Yield each swallowed failure, whether a go statement did it, and when that was over."""
    calls = each.calls
    end = calls.start + calls.duration
    has_returned = ~(each.failed | calls.unfinished | calls.goexit)
    by_caller = each.failed & (each.caller >= 0) & has_returned[each.caller]
    by_go_statement = _dropped_by_go_statements(each)
    for call in np.flatnonzero(by_caller | by_go_statement).tolist():
        last = call if by_go_statement[call] else int(each.caller[call])
        yield call, bool(by_go_statement[call]), int(end[last])


def _dropped_by_go_statements(each: FailedCalls) -> Bools:
    calls = each.calls
    if calls.chains.trace.language != "go":
        return np.zeros(len(calls), np.bool_)
    is_request = np.array([f.direction > 0 for f in calls.chains.trace.functions], np.bool_)
    is_started = calls.chains.started[calls.node] & (calls.depth == 0)
    is_started &= ~is_request[calls.function]  # the failure of a request is its answer
    dropped: Bools = calls.error & ~calls.panic & is_started
    return dropped
