"""What is known of each function over several traces."""

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
from functrace.trace import Trace
from functrace.trace.facts import Function


@dataclass(frozen=True, eq=False, kw_only=True)
class Totals(Figures):
    """A column for each fact about a function, as Functions has of one trace."""

    mean: Int64s
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
    every = summed(chains.total, chains.function, len(chains.trace.functions))
    return Part(chains.functions(), every)


def totals(traces: Sequence[Trace], found: Sequence[Part]) -> Totals:
    """Sum up what was found of each trace's functions."""
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
