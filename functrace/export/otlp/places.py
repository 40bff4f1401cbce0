"""Where the chain of a track's calls goes on: a call of the track that started it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from functrace.trace import Trace

# Of a chain above an OpenTelemetry trace, so many functions are told: the innermost.
_CHAIN = 128


class Place(NamedTuple):
    """A call that another track goes on in."""

    trace_id: bytes
    span_id: bytes
    """zeros where the call is in no OpenTelemetry trace that is sent"""
    chain: tuple[int, ...]
    """the functions from the outermost call down to this one"""

    def shortened(self) -> Place:
        """With as much of the chain as is told."""
        return self._replace(chain=self.chain[-_CHAIN:])


NOWHERE = Place(bytes(16), bytes(8), ())


class Places:
    """A place for each track, in 28 bytes: there may be millions of tracks."""

    def __init__(self, trace: Trace) -> None:
        self._ids = np.zeros((len(trace.tracks), 24), np.uint8)
        self._chain = np.zeros(len(trace.tracks), np.int32)
        self._chains: list[tuple[int, ...]] = [()]
        self._numbers: dict[tuple[int, ...], int] = {(): 0}

    def __getitem__(self, track: int) -> Place:
        """Of the track with this index; NOWHERE where it is not known."""
        ids = self._ids[track].tobytes()
        return Place(ids[:16], ids[16:], self._chains[self._chain[track]])

    def __setitem__(self, track: int, place: Place) -> None:
        """Note where the track goes on."""
        self._ids[track] = np.frombuffer(place.trace_id + place.span_id, np.uint8)
        chain = place.shortened().chain
        number = self._numbers.setdefault(chain, len(self._chains))
        if number == len(self._chains):
            self._chains.append(chain)
        self._chain[track] = number


class Children:
    """The tracks that a track started, in the order of their beginnings."""

    def __init__(self, trace: Trace) -> None:
        parent = trace.tracks.parent
        self._order = np.argsort(parent, kind="stable")
        self._first = np.searchsorted(parent[self._order], np.arange(len(parent) + 1))

    def of(self, track: int) -> list[int]:
        """The indices of the track's children."""
        children: list[int] = self._order[self._first[track] : self._first[track + 1]].tolist()
        return children
