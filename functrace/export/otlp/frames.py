"""Call frames, from which the parents and OpenTelemetry traces of spans are derived.

The parent of a span is its caller, also on another track. A root, where an OpenTelemetry trace
begins, is linked to its caller instead.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import NamedTuple, Protocol

from functrace.analysis.stream import Call
from functrace.export.otlp.ids import Rate, TrackIds
from functrace.export.otlp.options import Options
from functrace.export.otlp.places import NOWHERE, Place

_NONE = NOWHERE.trace_id


class Track(Protocol):
    """Track of a frame."""

    ids: TrackIds
    place: Place | None
    """parent call of the track, once it is known"""
    origin: Frame | None
    """frame of the parent call, if it may have to be sent together with calls of this track"""


class Frame:
    """Call that is open or kept for later calls."""

    __slots__ = (
        "_number",
        "_span_id",
        "above",
        "begins",
        "call",
        "function",
        "kept",
        "start",
        "taken",
        "text",
        "trace_id",
        "track",
    )

    call: Call
    """complete call, set once it is known"""
    text: str
    """failure text, set together with `call`"""

    def __init__(self, track: Track, function: int, start: int, above: Frame | None) -> None:
        self.track = track
        self.function = function
        self.start = start
        """ticks at the start of the call"""
        self.above = above
        """caller on the same track"""
        self.trace_id = _NONE
        self.begins = False
        """whether the call begins an OpenTelemetry trace"""
        self.kept = False
        """whether the OpenTelemetry trace of the call is sampled"""
        self.taken = False
        self._number = track.ids.number(function, start)
        self._span_id = b""

    def begin(self) -> None:
        """Begin an OpenTelemetry trace at this call."""
        hashed = self._hash()
        self.trace_id = hashed[:16]
        self._span_id = hashed[16:]
        self.begins = True

    @property
    def span_id(self) -> bytes:
        """Span id of 8 bytes."""
        if not self._span_id:  # computed on demand, as many calls need none
            self._span_id = self._hash()[16:]
        return self._span_id

    def _hash(self) -> bytes:
        return self.track.ids.of(self.function, self.start, self._number)


class Span(NamedTuple):
    """Call that is sent as a span."""

    call: Call
    text: str
    """text of the error or panic that ended the call"""
    trace_id: bytes
    span_id: bytes
    parent_id: bytes
    """id of the parent span; empty for a root"""
    above: Place
    """for a root: its caller, to which it is linked if the caller is sampled"""


class Choice:
    """Sampler that selects roots, OpenTelemetry traces and calls.

    Args:
        options: selection of calls.
        roots: function indices of the roots, which may grow; None: the outermost calls of each
            track are roots.
    """

    def __init__(self, options: Options, roots: Container[int] | None) -> None:
        self.rate = Rate(options.rate)
        self._everything = not options.chosen
        self._errors = options.errors
        self._slow = options.min_duration_ns
        self._roots = roots

    def begin(self, frame: Frame) -> None:
        """Assign a call that begins to an OpenTelemetry trace, and decide whether it is sampled."""
        above = frame.above
        if above is not None and above.trace_id is not _NONE:
            frame.trace_id = above.trace_id
            frame.kept = above.kept
        elif self._roots is None:
            self._begin(frame)
        elif above is None and (frame.track.place or NOWHERE).trace_id != _NONE:
            frame.trace_id = (frame.track.place or NOWHERE).trace_id
            frame.kept = self.rate.keeps(frame.trace_id)
        elif frame.function in self._roots:
            self._begin(frame)

    def _begin(self, frame: Frame) -> None:
        frame.begin()
        frame.kept = self.rate.keeps(frame.trace_id)

    def wants(self, call: Call) -> bool:
        """Return whether the call itself matches the options."""
        return (
            self._everything
            or (self._errors and (call.error or call.panic))
            or (self._slow is not None and call.duration >= self._slow)
        )


def take(frame: Frame | None) -> list[Frame]:
    """Mark the call and its callers as taken; return those not taken before, outermost first."""
    taken = []
    while frame is not None and not frame.taken:
        frame.taken = True
        taken.append(frame)
        frame = frame.above or frame.track.origin
    return taken[::-1]


def spans_of(frames: Iterable[Frame]) -> list[Span]:
    """Return the spans of the frames whose OpenTelemetry traces are sampled."""
    return [_span(frame) for frame in frames if frame.kept]


def place_of(frame: Frame) -> Place:
    """Return the place of a call as a parent of tracks."""
    chain = []
    around: Frame | None = frame
    while around is not None:
        chain.append(around.function)
        around = around.above
    above = frame.track.place or NOWHERE
    return Place(frame.trace_id, frame.span_id, (*above.chain, *reversed(chain)))


def goes_on_in(still_open: Sequence[Frame], starter: int, last: Frame | None) -> Frame | None:
    """Return the parent call of a track; None: the parent call of its parent track.

    Args:
        still_open: calls open on the parent track when the track began, outermost first.
        starter: index of the function that started the track.
        last: last call of that function before the start, open or ended.
    """
    for frame in reversed(still_open):
        if frame.function == starter:
            return frame
    return last or (still_open[-1] if still_open else None)


def _span(frame: Frame) -> Span:
    if frame.begins:
        above = place_of(frame.above) if frame.above else frame.track.place or NOWHERE
        return Span(frame.call, frame.text, frame.trace_id, frame.span_id, b"", above)
    around = frame.above or frame.track.place or NOWHERE
    return Span(frame.call, frame.text, frame.trace_id, frame.span_id, around.span_id, NOWHERE)
