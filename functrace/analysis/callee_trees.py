"""Callee trees of given functions, merged over all chains that lead to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from functrace.analysis.cycles import Places, positions_below
from functrace.analysis.merge import Forest, below
from functrace.analysis.sums import Sums


@dataclass(kw_only=True)
class Callee(Sums):
    """Node of a callee tree: a function with its callees."""

    function: int
    started: bool
    """whether it runs on a separate track"""
    recursive: bool = False
    """whether further rounds of a cycle are counted here"""
    callees: list[Callee] = field(default_factory=list)
    """callees, longest total first"""


def build_callee_trees(forest: Forest, nodes: Sequence[int]) -> list[Callee]:
    """Return the callee trees of ``nodes``, one per function."""
    inner = below(forest, nodes)
    places = Places()
    found = positions_below(forest, [node for node in nodes if not inner[node]], places)
    roots: list[Callee] = []
    callees: dict[int, Callee] = {}
    for node, position in found.items():
        if position.place not in callees:
            parent = places.parent(position.place)
            started = bool(forest.started[node]) and parent >= 0
            new = Callee(function=int(forest.function[node]), started=started)
            callees[position.place] = new
            (callees[parent].callees if parent >= 0 else roots).append(new)
        callees[position.place].add(forest, node, inner=position.is_repeat)
        callees[position.place].recursive |= position.is_repeat
    for callee in callees.values():
        callee.callees.sort(key=lambda each: each.total, reverse=True)
    return sorted(roots, key=lambda each: each.total, reverse=True)
