"""Call chains to given nodes, with recursion folded or whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from functrace.analysis.cycles import Cycle, Places, Position, item, positions
from functrace.analysis.merge import Forest
from functrace.analysis.sums import Sums


@dataclass(kw_only=True)
class CallChain(Sums):
    """Call chain from the root to a function, with the sums of its calls.

    A chain with folded recursion covers all nodes that differ only in how often a cycle repeats.
    """

    whole: bool
    nodes: list[int] = field(default_factory=list)
    rounds: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    """min and max rounds of a cycle, by the cycle's last step and length"""


@dataclass(frozen=True)
class Link:
    """Start of a track: its kind, and the source position if it is known."""

    kind: str
    file: str
    line: int


def chains_to(forest: Forest, nodes: Iterable[int], *, whole: bool = False) -> list[CallChain]:
    """Return the chains to ``nodes``; unless ``whole``, fold their recursion."""
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
    """Update the min and max rounds. A node without a cycle counts as one round of it."""
    times = {(cycle.last, cycle.length): cycle.times for cycle in cycles}
    for key in times.keys() | chain.rounds.keys():
        now = times.get(key, 1)
        least, most = chain.rounds.get(key, (1, 1) if chain.nodes else (now, now))
        chain.rounds[key] = (min(least, now), max(most, now))


def steps(forest: Forest, chain: CallChain, node: int) -> list[int]:
    """Return the nodes from the root to a chain's ``node``; of a cycle, only the first round."""
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
    """Return the track starts on the chain of a call on ``track``, by each track's first node."""
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
