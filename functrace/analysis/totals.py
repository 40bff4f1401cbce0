"""Figures of each function over several traces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from functrace.analysis.chains import Chains, Functions
from functrace.analysis.columns import (
    SUMS,
    Figures,
    Int32s,
    Int64s,
    highest,
    lowest,
    summed,
)
from functrace.analysis.histograms import joined
from functrace.analysis.merge import merge_functions
from functrace.tracefile import Trace
from functrace.tracefile.facts import Function


@dataclass(frozen=True, eq=False, kw_only=True)
class Totals(Figures):
    """Columns of functions over several traces, like Functions for one trace."""

    mean: Int64s
    functions: tuple[Function, ...]
    parts: tuple[Functions, ...]
    """figures of the functions of each trace"""
    index_of: tuple[Int32s, ...]
    """indices in ``functions`` of each trace's functions"""

    def __len__(self) -> int:
        """Return the number of functions."""
        return len(self.functions)

    def percentile(self, function: int, percent: float) -> int:
        """Return a percentile of the durations of the function's calls, in nanoseconds."""
        histogram = joined(
            part.histogram(int(own))
            for part, index in zip(self.parts, self.index_of, strict=True)
            for own in np.flatnonzero(index == function)
        )
        return histogram.percentile(percent, int(self.min[function]), int(self.max[function]))


@dataclass(frozen=True, eq=False)
class Part:
    """Figures of the functions of one trace."""

    functions: Functions
    every: Int64s
    """total time of all calls, including those nested in calls of the same function"""


def part_of(chains: Chains) -> Part:
    """Sum up a trace's chains by function, so that the chains need not be kept."""
    every = summed(chains.total, chains.function, len(chains.trace.functions))
    return Part(chains.functions(), every)


def totals(traces: Sequence[Trace], found: Sequence[Part]) -> Totals:
    """Sum up the figures of the functions of all traces."""
    functions, index_of = merge_functions(traces)
    parts = [part.functions for part in found]
    count = len(functions)
    groups = np.concatenate(index_of)

    def column(name: str) -> npt.NDArray[Any]:
        return np.concatenate([getattr(part, name) for part in parts])

    ended = column("finished")
    sums = {name: summed(column(name), groups, count) for name in SUMS}
    every = summed(np.concatenate([part.every for part in found]), groups, count)
    return Totals(
        **sums,
        mean=every // np.maximum(sums["calls"], 1),
        min=lowest(column("min")[ended], groups[ended], count),
        max=highest(column("max")[ended], groups[ended], count),
        functions=functions,
        parts=tuple(parts),
        index_of=tuple(index_of),
    )
