"""What some functions call, as a tree merged over all chains that lead to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from functrace.analysis.cycles import Places, positions_below
from functrace.analysis.merge import Forest, below
from functrace.analysis.sums import Sums


@dataclass(kw_only=True)
class Callee(Sums):
    """A function at a place below those asked for, or one of these, with what it calls."""

    function: int
    started: bool
    """on a track of its own"""
    recursive: bool = False
    """calls of the same cycle inside are counted here"""
    callees: list[Callee] = field(default_factory=list)
    """those that took longest first"""


def graph(forest: Forest, nodes: Sequence[int]) -> list[Callee]:
    """The trees below some nodes; one tree for each function."""
    inner = below(forest, nodes)
    places = Places()
    found = positions_below(forest, [node for node in nodes if not inner[node]], places)
    roots: list[Callee] = []
    callees: dict[int, Callee] = {}
    for node, position in found.items():
        if position.place not in callees:
            around = places.above(position.place)
            started = bool(forest.started[node]) and around >= 0
            new = Callee(function=int(forest.function[node]), started=started)
            callees[position.place] = new
            (callees[around].callees if around >= 0 else roots).append(new)
        callees[position.place].add(forest, node, inner=position.again)
        callees[position.place].recursive |= position.again
    for callee in callees.values():
        callee.callees.sort(key=lambda each: each.total, reverse=True)
    return sorted(roots, key=lambda each: each.total, reverse=True)
