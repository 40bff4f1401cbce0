"""Errors and panics of failed calls, grouped by text."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from functrace.analysis.calls import Calls
from functrace.analysis.merge import Forest

# Parts of a text that differ from call to call: UUIDs, quoted strings, addresses, ids, numbers. An
# apostrophe within a word is no quotation mark.
_VOLATILE = re.compile(
    r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"
    r"|\"[^\"]*\"|(?<!\w)'[^']*'(?!\w)"
    r"|0x[0-9a-fA-F]+|\b(?=[a-fA-F]*\d)[0-9a-fA-F]{8,}\b|\d+"
)
# Exceptions that end a program, a thread, a task or an iteration on purpose.
_ENDINGS = re.compile(
    r"(\w+\.)*(SystemExit|KeyboardInterrupt|GeneratorExit|StopIteration|StopAsyncIteration"
    r"|CancelledError|Cancelled|GreenletExit)\b"
)


@dataclass
class Failures:
    """Errors or panics whose texts have the same pattern."""

    panic: bool
    text: str
    """text of the first one"""
    count: int = 0
    texts: set[str] = field(default_factory=set)

    @property
    def pattern(self) -> str:
        """Pattern of the texts, or the text if all are equal."""
        return self.text if len(self.texts) == 1 else pattern_of(self.text)


def is_ending(text: str) -> bool:
    """Return whether a Python exception is a way to end something, not an error of it."""
    return bool(_ENDINGS.match(text))


def pattern_of(text: str) -> str:
    """Return a text with # in place of each number, hexadecimal id, UUID and quoted string."""
    return _VOLATILE.sub("#", text)


_Kinds = dict[tuple[bool, str], Failures]


def by_node(forest: Forest, listed: Iterable[Calls]) -> dict[int, list[Failures]]:
    """Group the failures of the listed calls by the forest's nodes, most frequent first."""
    found: defaultdict[int, _Kinds] = defaultdict(dict)
    for index, calls in enumerate(listed):
        nodes = forest.nodes.of(index, calls.node)
        for call in np.flatnonzero(calls.error | calls.panic).tolist():
            _add(found[int(nodes[call])], calls.text(call), bool(calls.panic[call]), 1)
    return {node: _ranked(kinds) for node, kinds in found.items()}


def joined(several: Iterable[list[Failures]]) -> list[Failures]:
    """Return the failures of several nodes as one list, most frequent first."""
    kinds: _Kinds = {}
    for failures in several:
        for each in failures:
            _add(kinds, each.text, each.panic, each.count).texts |= each.texts
    return _ranked(kinds)


def _add(kinds: _Kinds, text: str, panic: bool, count: int) -> Failures:
    key = (panic, pattern_of(text))
    group = kinds.setdefault(key, Failures(panic, text))
    group.count += count
    group.texts.add(text)
    return group


def _ranked(kinds: _Kinds) -> list[Failures]:
    return sorted(kinds.values(), key=lambda each: (-each.count, each.text))
