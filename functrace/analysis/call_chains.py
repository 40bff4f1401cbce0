"""Chains of calls as people tell them apart: with recursion folded, or whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from functrace.analysis.cycles import Cycle, Places, Position, item, positions
from functrace.analysis.merge import Forest
from functrace.analysis.sums import Sums


@dataclass(kw_only=True)
class CallChain(Sums):
    """A chain from the root to a function, and what is known of its calls.

    With recursion folded it stands for several nodes, which differ in how often a cycle repeats.
    """

    whole: bool
    nodes: list[int] = field(default_factory=list)
    rounds: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    """by a cycle's last step and length: how often it is gone round at least and at most"""


@dataclass(frozen=True)
class Link:
    """Where a track was started: its kind, and the place in the source if that is known."""

    kind: str
    file: str
    line: int


def chains_to(forest: Forest, nodes: Iterable[int], *, whole: bool = False) -> list[CallChain]:
    """The chains to some nodes; those that only recursion tells apart are one, unless whole."""
    nodes = list(nodes)
    if whole:
        return [_counted(CallChain(whole=True), forest, node, _ALONE) for node in nodes]
    found = positions(forest, nodes, Places())
    chains: dict[int, CallChain] = {}
    for node in nodes:
        chain = chains.setdefault(found[node].place, CallChain(whole=False))
        _counted(chain, forest, node, found[node])
    return list(chains.values())


_ALONE = Position(0, False)


def _counted(chain: CallChain, forest: Forest, node: int, position: Position) -> CallChain:
    chain.add(forest, node, inner=position.again)
    _note_rounds(chain, position.cycles)
    chain.nodes.append(node)
    return chain


def _note_rounds(chain: CallChain, cycles: tuple[Cycle, ...]) -> None:
    """A cycle that another of the chain's nodes goes round is gone round once by this one."""
    times = {(cycle.last, cycle.length): cycle.times for cycle in cycles}
    for key in times.keys() | chain.rounds.keys():
        now = times.get(key, 1)
        least, most = chain.rounds.get(key, (1, 1) if chain.nodes else (now, now))
        chain.rounds[key] = (min(least, now), max(most, now))


def steps(forest: Forest, chain: CallChain, node: int) -> list[int]:
    """The nodes from the root to one of a chain; of a cycle's, those of the first round."""
    path = _path(forest, node)
    if chain.whole:
        return path
    places = Places()
    first: dict[int, int] = {}
    place = -1
    for each in path:
        place, _ = places.step(place, item(forest, each))
        first.setdefault(place, each)
    return [first[place] for place in places.path(place)]


def links(forest: Forest, node: int, trace: int, track: int) -> dict[int, Link]:
    """By node on the chain: where its track was started, as a call on the track given tells."""
    chains = forest.chains[trace]
    tracks, functions = chains.trace.tracks, chains.trace.functions
    own = chains.chain(forest.member(node, trace))
    found = {}
    for outer, inner in zip(reversed(_path(forest, node)), reversed(own), strict=True):
        if chains.started[inner] and track >= 0:
            begun = tracks[track]
            file = functions[begun.starter].file if begun.starter >= 0 and begun.line else ""
            found[outer] = Link(begun.kind, file, begun.line)
            track = begun.parent
    return found


def _path(forest: Forest, node: int) -> list[int]:
    path = []
    while node >= 0:
        path.append(node)
        node = int(forest.parent[node])
    return path[::-1]
