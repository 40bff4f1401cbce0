"""Call chains as text, for the output of callers, graph and triage.

For example ``main.main → go main.serve (main.go:41) → (a → b)x2-9 → store.Get``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from functrace.text import layout

if TYPE_CHECKING:
    from functrace.analysis.call_chains import CallChain, Link
    from functrace.analysis.examples import Example
    from functrace.analysis.merge import Forest

_ARROW = " → "
_STARTS = {"goroutine": "go", "unknown": "started"}
_MAX_WORDS = 14
_HEAD, _TAIL = 4, 8


def words(
    forest: Forest, names: layout.Names, chain: CallChain, example: Example | None
) -> list[str]:
    """Return a word for each call of a chain, with the links of the example if there is one."""
    from functrace.analysis.call_chains import links, steps

    node = example.node if example else chain.nodes[0]
    started = links(forest, node, example.trace, example.track) if example else {}
    found = []
    for step in steps(forest, chain, node):
        name = names[int(forest.function[step])]
        found.append(_started(forest, name, started.get(step)) if forest.started[step] else name)
    return _mark_cycles(found, chain)


def start(forest: Forest) -> str:
    """Return the word before a function that started a track of unknown kind."""
    from functrace.tracefile.format import TRACK_KINDS

    kinds = {kind for t in forest.traces for kind in t.tracks.kind[t.tracks.parent >= 0].tolist()}
    kind = TRACK_KINDS[kinds.pop()] if len(kinds) == 1 else "unknown"
    return _STARTS.get(kind, kind)


def _started(forest: Forest, name: str, link: Link | None) -> str:
    if link is None:
        return f"{start(forest)} {name}"
    at = f" ({layout.place(link.file, link.line)})" if link.file else ""
    return f"{_STARTS.get(link.kind, link.kind)} {name}{at}"


def _mark_cycles(found: list[str], chain: CallChain) -> list[str]:
    for (last, length), (minimum, maximum) in chain.rounds.items():
        first = last - length + 1
        times = f"x{minimum}-{maximum}" if minimum < maximum else f"x{maximum}"
        if length == 1:
            found[last] += f" ({times})"
        else:
            found[first] = f"({found[first]}"
            found[last] += f"){times}"
    return found


def shorten(found: list[str]) -> list[str]:
    """Return a chain, without its middle if it is long."""
    if len(found) <= _MAX_WORDS:
        return found
    return [*found[:_HEAD], f"… {len(found) - _HEAD - _TAIL} more", *found[-_TAIL:]]


def common_prefix(chains: Sequence[list[str]]) -> int:
    """Return the length of the common prefix of all chains; 0 if it is short."""
    if len(chains) < 2:
        return 0
    length = 0
    for each in zip(*chains, strict=False):
        if len(set(each)) > 1:
            break
        length += 1
    length = min(length, min(map(len, chains)) - 1)
    return length if length >= 4 else 0


def lines(found: Sequence[str], width: int) -> list[str]:
    """Break a chain before arrows so that lines fit ``width``; a name is never broken."""
    broken = [found[0]]
    for word in found[1:]:
        if len(broken[-1]) + len(_ARROW) + len(word) <= width:
            broken[-1] += _ARROW + word
        else:
            broken.append(_ARROW.lstrip() + word)
    return broken
