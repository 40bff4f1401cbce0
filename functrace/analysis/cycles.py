"""Chains with their recursion folded: a cycle of functions counts as gone round once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from functrace.analysis.merge import Forest

_LONGEST = 8


class Cycle(NamedTuple):
    """So many calls up to the one at an index of a folded chain, several times in a row."""

    last: int
    length: int
    times: int


@dataclass(frozen=True)
class Position:
    """Where a node is among the folded chains."""

    place: int
    again: bool
    """the node is a further round of a cycle"""
    cycles: tuple[Cycle, ...] = ()
    """on the way to it"""


_ROOT = Position(-1, False)


class Places:
    """The tree of chains that have no cycle: a place is a call with everything above it."""

    def __init__(self) -> None:
        self._parent: list[int] = []
        self._item: list[int] = []
        self._depth: list[int] = []
        self._steps: dict[tuple[int, int], tuple[int, int]] = {}

    def __len__(self) -> int:
        """How many places there are."""
        return len(self._parent)

    def above(self, place: int) -> int:
        """The place around one, -1 where there is none."""
        return self._parent[place]

    def depth(self, place: int) -> int:
        """How many places are above one."""
        return self._depth[place]

    def path(self, place: int) -> list[int]:
        """The places from the root to one."""
        path = []
        while place >= 0:
            path.append(place)
            place = self._parent[place]
        return path[::-1]

    def step(self, around: int, item: int) -> tuple[int, int]:
        """From a place on to a call: where that is, and how long the cycle is that it closes."""
        key = (around, item)
        if key not in self._steps:
            self._steps[key] = self._closing(around, item) or (self._add(around, item), 0)
        return self._steps[key]

    def _add(self, around: int, item: int) -> int:
        self._parent.append(around)
        self._item.append(item)
        self._depth.append(self._depth[around] + 1 if around >= 0 else 0)
        return len(self._parent) - 1

    def _closing(self, around: int, item: int) -> tuple[int, int] | None:
        path = [item]
        place = around
        places = [-1]
        while place >= 0 and len(path) < 2 * _LONGEST:
            path.append(self._item[place])
            places.append(place)
            place = self._parent[place]
        for length in range(1, len(path) // 2 + 1):
            if path[:length] == path[length : 2 * length]:
                return places[length], length
        return None


def positions(forest: Forest, nodes: Iterable[int], places: Places) -> dict[int, Position]:
    """Where some nodes and all above them are."""
    found: dict[int, Position] = {-1: _ROOT}
    parent, items = forest.parent.tolist(), _items(forest)
    for node in nodes:
        path = []
        while node not in found:
            path.append(node)
            node = parent[node]
        for below in reversed(path):
            found[below] = _next(places, found[parent[below]], items[below])
    return found


def positions_below(forest: Forest, roots: Iterable[int], places: Places) -> dict[int, Position]:
    """Where some nodes and all below them are, their chains beginning at the roots."""
    parent, items = forest.parent.tolist(), _items(forest)
    found: dict[int, Position] = {}
    for root in roots:
        found[root] = _next(places, _ROOT, items[root] & ~1)
    for node, around in enumerate(parent):
        if around in found and node not in found:
            found[node] = _next(places, found[around], items[node])
    return found


def item(forest: Forest, node: int) -> int:
    """What tells a place from its neighbours: the node's function, and whether it was started."""
    return int(forest.function[node]) << 1 | int(forest.started[node])


def _items(forest: Forest) -> list[int]:
    items: list[int] = (forest.function.astype("int64") << 1 | forest.started).tolist()
    return items


def _next(places: Places, around: Position, item: int) -> Position:
    place, length = places.step(around.place, item)
    if not length:
        return Position(place, False, around.cycles)
    return Position(place, True, _once_more(around.cycles, Cycle(places.depth(place), length, 2)))


def _once_more(cycles: tuple[Cycle, ...], new: Cycle) -> tuple[Cycle, ...]:
    """The cycles after a further round; what was gone round within it is forgotten."""
    kept = []
    for cycle in cycles:
        if cycle[:2] == new[:2]:
            new = new._replace(times=cycle.times + 1)
        elif cycle.last <= new.last:
            kept.append(cycle)
    return (*kept, new)
