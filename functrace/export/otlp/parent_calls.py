"""Parent calls of tracks: for each track, a call of the track that started it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from functrace.tracefile import Trace

# Maximum length of the exported call chain of a root; the innermost calls are exported.
_CHAIN = 128


class ParentCall(NamedTuple):
    """Parent call of a track."""

    trace_id: bytes
    """zeros if the call is in no OpenTelemetry trace"""
    span_id: bytes
    """zeros if there is no parent call"""
    chain: tuple[int, ...]
    """function indices from the outermost call to this one"""
    request_end: int = 0
    """end of the request that began the OpenTelemetry trace, 0 if none did"""

    def shortened(self) -> ParentCall:
        """Return the parent call with the chain shortened to its exported length."""
        return self._replace(chain=self.chain[-_CHAIN:])


NO_PARENT = ParentCall(bytes(16), bytes(8), ())


class ParentCalls:
    """ParentCalls by track, 36 bytes each, because a trace may contain millions of tracks."""

    def __init__(self, trace: Trace) -> None:
        self._ids = np.zeros((len(trace.tracks), 24), np.uint8)
        self._chain = np.zeros(len(trace.tracks), np.int32)
        self._request_end = np.zeros(len(trace.tracks), np.int64)
        self._chains: list[tuple[int, ...]] = [()]
        self._numbers: dict[tuple[int, ...], int] = {(): 0}

    def __getitem__(self, track: int) -> ParentCall:
        """Return the parent call of a track, or a copy of NO_PARENT if none is set."""
        ids = self._ids[track].tobytes()
        chain = self._chains[self._chain[track]]
        return ParentCall(ids[:16], ids[16:], chain, int(self._request_end[track]))

    def __setitem__(self, track: int, parent_call: ParentCall) -> None:
        """Set the parent call of a track."""
        self._ids[track] = np.frombuffer(parent_call.trace_id + parent_call.span_id, np.uint8)
        self._request_end[track] = parent_call.request_end
        chain = parent_call.shortened().chain
        number = self._numbers.setdefault(chain, len(self._chains))
        if number == len(self._chains):
            self._chains.append(chain)
        self._chain[track] = number


class Children:
    """Child tracks by parent track, in the order of their starts."""

    def __init__(self, trace: Trace) -> None:
        parent = trace.tracks.parent
        self._order = np.argsort(parent, kind="stable")
        self._first = np.searchsorted(parent[self._order], np.arange(len(parent) + 1))

    def get(self, track: int) -> list[int]:
        """Return the indices of a track's children."""
        children: list[int] = self._order[self._first[track] : self._first[track + 1]].tolist()
        return children
