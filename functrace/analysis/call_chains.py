"""Call chains to given nodes, with recursion folded or complete."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from functrace.analysis.cycles import Cycle, Places, Position, positions, step_key
from functrace.analysis.merge import Forest
from functrace.analysis.sums import Sums


@dataclass(kw_only=True)
class CallChain(Sums):
    """Call chain from the root to a function, with the sums of its calls.

    A chain with folded recursion covers all nodes that differ only in how often a cycle repeats.
    """

    is_folded: bool
    nodes: list[int] = field(default_factory=list)
    rounds: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    """min and max rounds of a cycle, by the cycle's last step and length"""


@dataclass(frozen=True)
class Link:
    """Start of a track: its kind, and the source position if it is known."""

    kind: str
    file: str
    line: int


def chains_to(
    forest: Forest, nodes: Iterable[int], *, fold_recursion: bool = True
) -> list[CallChain]:
    """Return the chains to ``nodes``; if ``fold_recursion``, each cycle occurs once."""
    nodes = list(nodes)
    if not fold_recursion:
        return [_add_node(CallChain(is_folded=False), forest, node, _NO_CYCLE) for node in nodes]
    found = positions(forest, nodes, Places())
    chains: dict[int, CallChain] = {}
    for node in nodes:
        chain = chains.setdefault(found[node].place, CallChain(is_folded=True))
        _add_node(chain, forest, node, found[node])
    return list(chains.values())


_NO_CYCLE = Position(0, False)


def _add_node(chain: CallChain, forest: Forest, node: int, position: Position) -> CallChain:
    chain.add(forest, node, inner=position.is_repeat)
    _update_rounds(chain, position.cycles)
    chain.nodes.append(node)
    return chain


def _update_rounds(chain: CallChain, cycles: tuple[Cycle, ...]) -> None:
    """Update the min and max rounds. A node without a cycle counts as one round of it."""
    times = {(cycle.last, cycle.length): cycle.times for cycle in cycles}
    for key in times.keys() | chain.rounds.keys():
        rounds = times.get(key, 1)
        minimum, maximum = chain.rounds.get(key, (1, 1) if chain.nodes else (rounds, rounds))
        chain.rounds[key] = (min(minimum, rounds), max(maximum, rounds))


def steps(forest: Forest, chain: CallChain, node: int) -> list[int]:
    """Return the nodes from the root to a chain's ``node``; of a cycle, only the first round."""
    path = _path(forest, node)
    if not chain.is_folded:
        return path
    places = Places()
    first: dict[int, int] = {}
    place = -1
    for each in path:
        place, _ = places.step(place, step_key(forest, each))
        first.setdefault(place, each)
    return [first[place] for place in places.path(place)]


def links(forest: Forest, node: int, trace: int, track: int) -> dict[int, Link]:
    """Return the track starts on the chain of a call on ``track``, by each track's first node.

    Only those in the call's own process.
    """
    chains = forest.chains[trace]
    tracks, functions = chains.trace.tracks, chains.trace.functions
    own = chains.chain(forest.member(node, trace))
    found = {}
    for outer, inner in zip(reversed(_path(forest, node)), reversed(own), strict=False):
        if chains.origin[inner]:
            break  # the chain goes on in another process
        if chains.started[inner] and track >= 0:
            started = tracks[track]
            file = functions[started.starter].file if started.starter >= 0 and started.line else ""
            found[outer] = Link(started.kind, file, started.line)
            track = started.parent
    return found


def _path(forest: Forest, node: int) -> list[int]:
    path = []
    while node >= 0:
        path.append(node)
        node = int(forest.parent[node])
    return path[::-1]
