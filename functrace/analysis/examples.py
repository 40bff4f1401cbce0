"""Example calls of nodes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from functrace.analysis.calls import Calls
from functrace.analysis.fold import Listing, calls
from functrace.analysis.merge import Forest


@dataclass(frozen=True)
class Example:
    """Example call: its trace and track by index, and its node in the forest."""

    trace: int
    track: int
    node: int
    start: int
    """nanoseconds since the start of its trace"""
    duration: int | None
    """nanoseconds, or None if not known"""
    reason: str
    """why it was chosen: first failed, slowest or unfinished"""


@dataclass(frozen=True)
class CallPlace:
    """Place of a call: in a trace, or in the trace of a process whose rollups are in a store."""

    trace: str
    track: int
    """id of the track"""
    kind: str
    start_ns: int | None
    """start of the call after the start of the trace; None in a store"""
    time_ns: int | None
    """start of the call since 1970; None in a trace"""


def place_of(forest: Forest, example: Example) -> CallPlace:
    """Return the place of an example call."""
    chains = forest.chains[example.trace]
    track = chains.trace.tracks[example.track]
    if chains.example_paths:
        path = chains.example_paths[example.track]
        return CallPlace(path, track.id, track.kind, None, example.start)
    return CallPlace(str(chains.trace.path), track.id, track.kind, example.start, None)


def first_failed(forest: Forest, nodes: Iterable[int]) -> Example | None:
    """Return the first call of ``nodes`` that returned an error or panicked."""
    found = []
    for node in nodes:
        trace = int(forest.failed[node])
        if trace >= 0:
            chains, own = forest.chains[trace], forest.member(node, trace)
            start = int(chains.failed_start[own])
            track = int(chains.failed_track[own])
            example = Example(trace, track, node, start, None, "first failed")
            found.append((chains.trace.started + start, example))
    return min(found, key=lambda pair: pair[0])[1] if found else None


def slowest(forest: Forest, nodes: Iterable[int]) -> Example | None:
    """Return the slowest finished call of ``nodes``."""
    ended = [node for node in nodes if forest.slowest[node] >= 0]
    if not ended:
        return None
    node = max(ended, key=lambda node: int(forest.max[node]))
    trace = int(forest.slowest[node])
    chains, own = forest.chains[trace], forest.member(node, trace)
    start, track = int(chains.slowest_start[own]), int(chains.slowest_track[own])
    duration = int(forest.max[node])
    return Example(trace, track, node, start, duration, "slowest")


def longest(forest: Forest, listed: Iterable[Calls]) -> dict[int, Example]:
    """Return the longest listed call of each node."""
    found: dict[int, Example] = {}
    for index, calls_of in enumerate(listed):
        ranked = np.lexsort((-calls_of.duration, calls_of.node))
        nodes, first = np.unique(calls_of.node[ranked], return_index=True)
        merged = forest.nodes.of(index, nodes).tolist()
        for node, call in zip(merged, ranked[first].tolist(), strict=True):
            track, start = int(calls_of.track[call]), int(calls_of.start[call])
            duration = int(calls_of.duration[call])
            example = Example(index, track, node, start, duration, "slowest")
            if node not in found or duration > (found[node].duration or 0):
                found[node] = example
    return found


def unfinished(forest: Forest, functions: Sequence[Collection[int]]) -> dict[int, Example]:
    """Return the first unfinished call of each node, for the given functions of each trace.

    Unlike the other functions, this one reads the traces again, up to a million calls of each.
    """
    found: dict[int, Example] = {}
    for index, (chains, chosen) in enumerate(zip(forest.chains, functions, strict=True)):
        if chains.example_paths:  # a store has no other examples
            continue
        listed = calls(chains.trace, listing=Listing(functions=chosen))
        for call in np.flatnonzero(listed.unfinished).tolist():
            node = int(forest.nodes.of(index, listed.node[call : call + 1])[0])
            track, start = int(listed.track[call]), int(listed.start[call])
            found.setdefault(node, Example(index, track, node, start, None, "unfinished"))
    return found
