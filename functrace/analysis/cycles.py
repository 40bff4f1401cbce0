"""Chains with folded recursion: a repeated cycle of functions is kept once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from functrace.analysis.merge import Forest

_LONGEST = 8


class Cycle(NamedTuple):
    """Repeated cycle: the ``length`` steps of a folded chain that end at index ``last``."""

    last: int
    length: int
    times: int


@dataclass(frozen=True)
class Position:
    """Position of a node in the tree of folded chains."""

    place: int
    again: bool
    """whether the node belongs to a further round of a cycle"""
    cycles: tuple[Cycle, ...] = ()
    """cycles on the chain to the node"""


_ROOT = Position(-1, False)


class Places:
    """Tree of chains without cycles. A place is a call with its callers."""

    def __init__(self) -> None:
        self._parent: list[int] = []
        self._item: list[int] = []
        self._depth: list[int] = []
        self._steps: dict[tuple[int, int], tuple[int, int]] = {}

    def __len__(self) -> int:
        """Return the number of places."""
        return len(self._parent)

    def above(self, place: int) -> int:
        """Return the parent of a place, or -1."""
        return self._parent[place]

    def depth(self, place: int) -> int:
        """Return the number of ancestors of a place."""
        return self._depth[place]

    def path(self, place: int) -> list[int]:
        """Return the places from the root to ``place``."""
        path = []
        while place >= 0:
            path.append(place)
            place = self._parent[place]
        return path[::-1]

    def step(self, around: int, item: int) -> tuple[int, int]:
        """Return the place of a call in ``around``, and the length of the cycle it closes, or 0."""
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
    """Return the positions of ``nodes`` and their ancestors."""
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
    """Return the positions of ``roots`` and all nodes below, in chains that begin at the roots."""
    parent, items = forest.parent.tolist(), _items(forest)
    found: dict[int, Position] = {}
    for root in roots:
        found[root] = _next(places, _ROOT, items[root] & ~1)
    for node, around in enumerate(parent):
        if around in found and node not in found:
            found[node] = _next(places, found[around], items[node])
    return found


def item(forest: Forest, node: int) -> int:
    """Return the key of a node among its siblings: its function and whether it started a track."""
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
    """Return the cycles after another round of ``new``, without those that ended inside it."""
    kept = []
    for cycle in cycles:
        if cycle[:2] == new[:2]:
            new = new._replace(times=cycle.times + 1)
        elif cycle.last <= new.last:
            kept.append(cycle)
    return (*kept, new)
