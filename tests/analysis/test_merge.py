"""Chains of several traces as one forest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from functrace.analysis import Forest, fold, merge
from functrace.analysis.merge import below
from functrace.tracefile import open_trace
from tests.cli import shop

VECTORS = sorted((Path(__file__).parents[1] / "vectors").glob("*.ftrace"))
SUMS = ("calls", "total", "self", "errors", "panics", "unfinished")


def names(forest: Forest, node: int) -> tuple[str, ...]:
    chain = []
    while node >= 0:
        started = "go " if forest.started[node] else ""
        chain.append(started + forest.functions[forest.function[node]].name)
        node = int(forest.parent[node])
    return tuple(chain[::-1])


def by_chain(forest: Forest, column: str) -> dict[tuple[str, ...], int]:
    return {names(forest, i): int(getattr(forest, column)[i]) for i in range(len(forest))}


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_a_trace_with_itself_is_twice_as_much(path: Path) -> None:
    chains = fold(open_trace(path))
    one, two = merge([chains]), merge([chains, chains])
    assert len(one) == len(two)
    for column in SUMS:
        twice = {chain: 2 * value for chain, value in by_chain(one, column).items()}
        assert by_chain(two, column) == twice
    for column in ("min", "max", "recursive", "slowest", "failed"):
        assert by_chain(two, column) == by_chain(one, column)
    assert all(parent < node for node, parent in enumerate(two.parent))


def test_what_both_have_is_one(tmp_path: Path) -> None:
    folded = [fold(open_trace(shop.monday(tmp_path))), fold(open_trace(shop.tuesday(tmp_path)))]
    forest = merge(folded)
    get = ("main.main", "go main.serve", "main.invoice", shop.GET)
    assert by_chain(forest, "calls")[get] == 8
    assert by_chain(forest, "unfinished")[get] == 1
    assert by_chain(forest, "max")["main.main", shop.GET] == 20_000
    assert by_chain(forest, "slowest")["main.main", shop.GET] == 1
    assert by_chain(forest, "failed")[get] == 0
    assert len(forest) == len(folded[0])


def test_members_lead_back(tmp_path: Path) -> None:
    folded = [fold(open_trace(shop.monday(tmp_path))), fold(open_trace(shop.tuesday(tmp_path)))]
    forest = merge(folded)
    for node in range(len(forest)):
        members = forest.members(node)
        assert forest.calls[node] == sum(folded[trace].calls[own] for trace, own in members)
        for trace, own in members:
            assert forest.nodes.of(trace, np.array([own], np.int32)).tolist() == [node]


def test_below(tmp_path: Path) -> None:
    forest = merge([fold(open_trace(shop.monday(tmp_path)))])
    walks = [i for i in range(len(forest)) if names(forest, i)[-1] == "main.walk"]
    inside = below(forest, walks)
    for node in range(len(forest)):
        assert inside[node] == ("main.walk" in names(forest, node)[:-1])
