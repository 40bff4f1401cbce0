"""Call chains as text, for the output of callers, graph and triage.

For example ``main.main → go main.serve (main.go:41) → (a → b)x2-9 → store.Get``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from functrace.runtime.escaping import escape
from functrace.text import layout

if TYPE_CHECKING:
    from functrace.analysis.call_chains import CallChain, Link
    from functrace.analysis.examples import Example
    from functrace.analysis.merge import Forest

_ARROW = " → "
_STARTS = {"goroutine": "go", "unknown": "started"}
_INBOUND, _OUTBOUND = 1, 2
_MAX_WORDS = 14
_HEAD, _TAIL = 4, 8


def words(
    forest: Forest, names: layout.Names, chain: CallChain, example: Example | None
) -> list[str]:
    """Return a word for each call of a chain, with the links of the example if there is one.

    Across processes, the first word of each service begins with its name, and inbound calls are
    left out where a function of the program follows.
    """
    from functrace.analysis.call_chains import links, steps

    node = example.node if example else chain.nodes[0]
    started = links(forest, node, example.trace, example.track) if example else {}
    found = []
    path = steps(forest, chain, node)
    for step in path:
        name = names[int(forest.function[step])]
        found.append(_started(forest, name, started.get(step)) if forest.started[step] else name)
    found = _mark_cycles(found, chain)
    return _with_services(forest, chain, path, found) if forest.services else found


def service_prefix(forest: Forest, function: int, before: int | None) -> str:
    """Return the service of a function, if it is another than that of the function before it."""
    if not forest.services:
        return ""
    service = forest.services[function]
    if before is not None and forest.services[before] == service:
        return ""
    return f"{escape(service)}: "


def _with_services(
    forest: Forest, chain: CallChain, path: Sequence[int], found: Sequence[str]
) -> list[str]:
    functions = [int(forest.function[step]) for step in path]
    kept: list[str] = []
    last = -1
    for place in _shown(forest, chain, functions):
        crosses = any(_is_received(forest, functions, each) for each in range(last + 1, place + 1))
        before = functions[last] if last >= 0 and not crosses else None
        kept.append(service_prefix(forest, functions[place], before) + found[place])
        last = place
    return kept


def _is_received(forest: Forest, functions: Sequence[int], place: int) -> bool:
    """Return whether a process receives a request from another one there."""
    ends = [_direction(forest, function) for function in functions[max(place - 1, 0) : place + 1]]
    return ends == [_OUTBOUND, _INBOUND]


def _shown(forest: Forest, chain: CallChain, functions: Sequence[int]) -> list[int]:
    """Return the places of a chain that are shown, without inbound calls and what serves them.

    A chain begins behind the first inbound call. One that a cycle contains is shown.
    """
    in_cycle = {
        place for last, length in chain.rounds for place in range(last - length + 1, last + 1)
    }
    directions = [_direction(forest, function) for function in functions]
    hidden: set[int] = set()
    for place, direction in enumerate(directions):
        is_followed = place + 1 < len(functions) and directions[place + 1] == 0
        if direction == _INBOUND and is_followed and place not in in_cycle:
            is_first = _INBOUND not in directions[:place] and _OUTBOUND not in directions[:place]
            served = range(place) if is_first else ()
            hidden |= {place, *(each for each in served if each not in in_cycle)}
    return [place for place in range(len(functions)) if place not in hidden]


def _direction(forest: Forest, function: int) -> int:
    return forest.functions[function].direction


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
