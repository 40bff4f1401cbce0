from pathlib import Path

import numpy as np

from functrace._native.row_types import BLOCK
from functrace.tracefile.facts import Function
from functrace.tracefile.reader import Clock
from functrace.watch.figures import (
    CHAIN_FIGURES,
    OTHER_CHAIN,
    ChainNames,
    Figures,
    RingProcess,
    percentile_ns,
)

PROCESS = RingProcess("shop", 7, "1", Path("shop-7-1.ftrace"), "go")
NAMES = ChainNames(
    [-1, -1, 1, 2],
    [-1, 0, 1, 0],
    [0, 0, 0, 1],
    [Function(1, "main", "a.go", 1), Function(2, "load", "b.go", 9)],
)


def window(durations: dict[int, list[int]], clock: float = 1e9) -> Figures:
    """Figures of calls with these durations, below 32 ticks, by chain."""
    chains = np.zeros(len(durations), CHAIN_FIGURES)
    blocks = np.zeros(len(durations), BLOCK)
    for i, (chain, values) in enumerate(durations.items()):
        chains[i]["chain"] = blocks[i]["owner"] = chain
        chains[i]["calls"] = len(values)
        chains[i]["max_ns"] = Clock(clock).nanosecond(max(values))
        np.add.at(blocks[i]["counts"], values, 1)
    empty: list[None] = []
    return Figures(
        PROCESS, NAMES, 0.0, 1.0, None, None, None, None, 0, 0, 0, False, chains, blocks,
        Clock(clock), empty, empty, None,
    )  # fmt: skip


def test_a_chain_has_the_names_of_its_functions() -> None:
    assert NAMES.functions(3) == ("main", "load", "main")
    assert NAMES.functions(1) == ("main",)
    assert NAMES.functions(OTHER_CHAIN) == ("(other chains)",)
    assert NAMES.function(2) == Function(2, "load", "b.go", 9)
    assert NAMES.function(OTHER_CHAIN) is None
    assert len(NAMES) == 4


def test_percentiles_merge_chains() -> None:
    figures = window({1: [5] * 50 + [7] * 10, 2: [3] * 40, 3: [31]})
    assert percentile_ns([figures], [1, 2], 40) == 3
    assert percentile_ns([figures], [1, 2], 50) == 5
    assert percentile_ns([figures], [1, 2], 99) == 7
    assert percentile_ns([figures], [3], 50) == 31


def test_percentiles_merge_windows_of_different_clocks() -> None:
    windows = [window({1: [4] * 9}), window({1: [4]}, 1e8), window({2: [1]})]
    assert percentile_ns(windows, [1], 50) == 4
    assert percentile_ns(windows, [1], 100) == 40


def test_a_percentile_of_no_calls_is_zero() -> None:
    assert percentile_ns([window({1: [5]})], [2], 50) == 0
    assert percentile_ns([], [2], 50) == 0
