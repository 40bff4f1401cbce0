"""Ids of OpenTelemetry traces and spans, which are the same on every export of a call.

The Go sender computes the same ids in runtime_go/otlp/internal/ids.
"""

from __future__ import annotations

import struct
import uuid
from hashlib import blake2b

from functrace.tracefile.programs import Recorded

_CALL = struct.Struct("<qiI")
_UNSIGNED = 0xFFFF_FFFF_FFFF_FFFF
# OpenTelemetry's consistent probability sampling compares the last 56 bits of a trace id.
_RANDOM_BITS = 56


class Identity:
    """Identity of a process, different from that of all others."""

    def __init__(self, recorded: Recorded) -> None:
        facts = f"{recorded.process.get('host', '')}\0{recorded.pid}\0{recorded.started}"
        self._seed = blake2b(facts.encode("utf-8", "replace"), digest_size=16).digest()

    @property
    def instance(self) -> str:
        """UUID of the process."""
        return str(uuid.UUID(bytes=self._seed, version=4))

    def track(self, track: int) -> TrackIds:
        """Return the ids of the calls of a track."""
        return TrackIds(self._seed, track)


class TrackIds:
    """Generator of the ids of a track's calls, in order of their starts."""

    def __init__(self, seed: bytes, track: int) -> None:
        self._prefix = seed + (track & _UNSIGNED).to_bytes(8, "little")
        self._start = -1
        self._counts: dict[int, int] = {}
        """number of calls that began at the tick `_start`, by function"""

    def number(self, function: int, start: int) -> int:
        """Return how many calls of the function began earlier at the same tick.

        Must be called exactly once for each call.
        """
        if start != self._start:
            self._start = start
            self._counts.clear()
        count = self._counts.get(function, 0)
        self._counts[function] = count + 1
        return count

    def compute(self, function: int, start: int, number: int) -> bytes:
        """Return 24 bytes: the id of the trace whose root the call would be, and its span id.

        They depend only on facts that are available when the call begins. Therefore they depend on
        ticks, not on times: the clock rate becomes more exact the longer the program runs.
        """
        call = self._prefix + _CALL.pack(start, function, number)
        return blake2b(call, digest_size=24).digest()


class ProbabilitySampler:
    """Consistent probability sampler: every process and tool samples the same OpenTelemetry traces.

    Source: https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
    """

    def __init__(self, rate: float) -> None:
        self._threshold = min(round((1 - rate) * (1 << _RANDOM_BITS)), (1 << _RANDOM_BITS) - 1)
        self.state = ""
        """tracestate of sampled spans, from which a backend can estimate the total count"""
        if self._threshold:
            digits = f"{self._threshold:014x}".rstrip("0")
            self.state = f"ot=th:{digits}"

    def samples(self, trace_id: bytes) -> bool:
        """Return whether the trace with this id is sampled."""
        return int.from_bytes(trace_id[-7:], "big") >= self._threshold
