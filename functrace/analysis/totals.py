"""What is known of each function over several traces."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from functrace.analysis.chains import Chains, Functions, Int32s, Int64s
from functrace.analysis.columns import Columns
from functrace.analysis.histograms import joined
from functrace.analysis.merge import merge_functions
from functrace.trace import Trace
from functrace.trace.facts import Function


@dataclass(frozen=True, eq=False)
class Totals(Columns):
    """A column for each fact about a function, as Functions has of one trace."""

    calls: Int64s
    total: Int64s
    mean: Int64s
    self: Int64s
    min: Int64s
    max: Int64s
    errors: Int64s
    panics: Int64s
    unfinished: Int64s
    functions: tuple[Function, ...]
    parts: tuple[Functions, ...]
    """of each trace"""
    index_of: tuple[Int32s, ...]
    """by trace: which functions its own are"""

    def __len__(self) -> int:
        """How many functions there are."""
        return len(self.functions)

    def percentile(self, function: int, percent: float) -> int:
        """Nanoseconds that so many percent of the function's calls do not exceed."""
        histogram = joined(
            part.histogram(int(own))
            for part, index in zip(self.parts, self.index_of, strict=True)
            for own in np.flatnonzero(index == function)
        )
        return histogram.percentile(percent, int(self.min[function]), int(self.max[function]))


@dataclass(frozen=True, eq=False)
class Part:
    """What a trace tells of its functions."""

    functions: Functions
    every: Int64s
    """nanoseconds of all calls, also of those inside calls of the same function"""


def part_of(chains: Chains) -> Part:
    """Sum up a trace's chains, which need not be kept then."""
    every = np.zeros(len(chains.trace.functions), np.int64)
    np.add.at(every, chains.function, chains.total)
    return Part(chains.functions(), every)


def totals(traces: Sequence[Trace], found: Sequence[Part]) -> Totals:
    """Sum up what was found of each trace's functions."""
    functions, index_of = merge_functions(traces)
    parts = [part.functions for part in found]

    def added(columns: Iterable[Int64s]) -> Int64s:
        sums = np.zeros(len(functions), np.int64)
        for column, index in zip(columns, index_of, strict=True):
            np.add.at(sums, index, column)
        return sums

    def summed(name: str) -> Int64s:
        return added(getattr(part, name) for part in parts)

    calls, every = summed("calls"), added(part.every for part in found)

    least = np.full(len(functions), np.iinfo(np.int64).max)
    most = np.zeros(len(functions), np.int64)
    for part, index in zip(parts, index_of, strict=True):
        ended = part.calls > part.unfinished
        np.minimum.at(least, index[ended], part.min[ended])
        np.maximum.at(most, index[ended], part.max[ended])
    return Totals(
        calls=calls,
        total=summed("total"),
        mean=every // np.maximum(calls, 1),
        self=summed("self"),
        min=np.where(least <= most, least, 0),
        max=most,
        errors=summed("errors"),
        panics=summed("panics"),
        unfinished=summed("unfinished"),
        functions=functions,
        parts=tuple(parts),
        index_of=tuple(index_of),
    )
