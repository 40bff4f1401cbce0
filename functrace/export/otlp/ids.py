"""Ids of OpenTelemetry traces and spans, the same for the same calls on every export."""

from __future__ import annotations

import struct
import uuid
from hashlib import blake2b

from functrace.export.processes import Recorded

_CALL = struct.Struct("<qiI")
_UNSIGNED = 0xFFFF_FFFF_FFFF_FFFF
# OpenTelemetry's consistent probability sampling compares the last 56 bits of a trace id.
_RANDOM_BITS = 56


class Identity:
    """What tells this process from all others."""

    def __init__(self, recorded: Recorded) -> None:
        facts = f"{recorded.process.get('host', '')}\0{recorded.pid}\0{recorded.started}"
        self._seed = blake2b(facts.encode("utf-8", "replace"), digest_size=16).digest()

    @property
    def instance(self) -> str:
        """A UUID for the process."""
        return str(uuid.UUID(bytes=self._seed, version=4))

    def track(self, track: int) -> TrackIds:
        """Ids of the calls of the track with this id."""
        return TrackIds(self._seed, track)


class TrackIds:
    """Numbers a track's calls, which come in the order of their beginnings."""

    def __init__(self, seed: bytes, track: int) -> None:
        salt = (track & _UNSIGNED).to_bytes(8, "little")
        self._hash = blake2b(key=seed, salt=salt, digest_size=24)
        self._start = -1
        self._here: dict[int, int] = {}
        """by function how many calls began at this very time"""

    def number(self, function: int, start: int) -> int:
        """How many calls of the function began before at the very same ticks; to be asked once."""
        if start != self._start:
            self._start = start
            self._here.clear()
        again = self._here.get(function, 0)
        self._here[function] = again + 1
        return again

    def of(self, function: int, start: int, number: int) -> bytes:
        """24 bytes: a trace id for what begins with the call, and the call's span id.

        They depend on nothing that is not known when the call begins: on its ticks, as what a tick
        is worth is known better the longer the program runs.
        """
        hashed = self._hash.copy()
        hashed.update(_CALL.pack(start, function, number))
        return hashed.digest()


class Rate:
    """Which share of OpenTelemetry traces is kept: the same ones by every process and tool.

    Source: https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
    """

    def __init__(self, rate: float) -> None:
        self._threshold = min(round((1 - rate) * (1 << _RANDOM_BITS)), (1 << _RANDOM_BITS) - 1)
        self.state = ""
        """the tracestate of what is kept, from which a backend can count what is not"""
        if self._threshold:
            digits = f"{self._threshold:014x}".rstrip("0")
            self.state = f"ot=th:{digits}"

    def keeps(self, trace_id: bytes) -> bool:
        """Whether the trace with this id is sent."""
        return int.from_bytes(trace_id[-7:], "big") >= self._threshold
