"""Chains with folded recursion: a repeated cycle of functions is kept once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from functrace.analysis.merge import Forest

_MAX_CYCLE_LENGTH = 8


class Cycle(NamedTuple):
    """Repeated cycle: the ``length`` steps of a folded chain that end at index ``last``."""

    last: int
    length: int
    times: int


@dataclass(frozen=True)
class Position:
    """Position of a node in the tree of folded chains."""

    place: int
    is_repeat: bool
    """whether the node belongs to a further round of a cycle"""
    cycles: tuple[Cycle, ...] = ()
    """cycles on the chain to the node"""


_ROOT = Position(-1, False)


class Places:
    """Tree of chains without cycles. A place is a call with its callers."""

    def __init__(self) -> None:
        self._parent: list[int] = []
        self._key: list[int] = []
        self._depth: list[int] = []
        self._steps: dict[tuple[int, int], tuple[int, int]] = {}

    def __len__(self) -> int:
        """Return the number of places."""
        return len(self._parent)

    def parent(self, place: int) -> int:
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

    def step(self, parent: int, key: int) -> tuple[int, int]:
        """Return the place of a callee, and the length of the cycle that it closes, or 0."""
        step = (parent, key)
        if step not in self._steps:
            self._steps[step] = self._find_cycle(parent, key) or (self._add(parent, key), 0)
        return self._steps[step]

    def _add(self, parent: int, key: int) -> int:
        self._parent.append(parent)
        self._key.append(key)
        self._depth.append(self._depth[parent] + 1 if parent >= 0 else 0)
        return len(self._parent) - 1

    def _find_cycle(self, parent: int, key: int) -> tuple[int, int] | None:
        path = [key]
        place = parent
        places = [-1]
        while place >= 0 and len(path) < 2 * _MAX_CYCLE_LENGTH:
            path.append(self._key[place])
            places.append(place)
            place = self._parent[place]
        for length in range(1, len(path) // 2 + 1):
            if path[:length] == path[length : 2 * length]:
                return places[length], length
        return None


def positions(forest: Forest, nodes: Iterable[int], places: Places) -> dict[int, Position]:
    """Return the positions of ``nodes`` and their ancestors."""
    found: dict[int, Position] = {-1: _ROOT}
    parent, keys = forest.parent.tolist(), _step_keys(forest)
    for node in nodes:
        path = []
        while node not in found:
            path.append(node)
            node = parent[node]
        for each in reversed(path):
            found[each] = _advance(places, found[parent[each]], keys[each])
    return found


def positions_below(forest: Forest, roots: Iterable[int], places: Places) -> dict[int, Position]:
    """Return the positions of ``roots`` and all nodes below, in chains that begin at the roots."""
    parent, keys = forest.parent.tolist(), _step_keys(forest)
    found: dict[int, Position] = {}
    for root in roots:
        found[root] = _advance(places, _ROOT, keys[root] & ~1)
    for node, caller in enumerate(parent):
        if caller in found and node not in found:
            found[node] = _advance(places, found[caller], keys[node])
    return found


def step_key(forest: Forest, node: int) -> int:
    """Return the key of a node among its siblings: its function and whether it started a track."""
    return int(forest.function[node]) << 1 | int(forest.started[node])


def _step_keys(forest: Forest) -> list[int]:
    keys: list[int] = (forest.function.astype("int64") << 1 | forest.started).tolist()
    return keys


def _advance(places: Places, parent: Position, key: int) -> Position:
    place, length = places.step(parent.place, key)
    if not length:
        return Position(place, False, parent.cycles)
    return Position(place, True, _add_round(parent.cycles, Cycle(places.depth(place), length, 2)))


def _add_round(cycles: tuple[Cycle, ...], new: Cycle) -> tuple[Cycle, ...]:
    """Return the cycles after another round of ``new``, without those that ended inside it."""
    remaining = []
    for cycle in cycles:
        if cycle[:2] == new[:2]:
            new = new._replace(times=cycle.times + 1)
        elif cycle.last <= new.last:
            remaining.append(cycle)
    return (*remaining, new)
