"""Calls while their spans are worked out: below what each is, and in which OpenTelemetry trace.

A span's parent is the call above it, on another track as well. Where an OpenTelemetry trace
begins, at a root, the call above is a link instead.
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
    """What a frame knows of its track."""

    ids: TrackIds
    place: Place | None
    """where the chain of its calls goes on, once that is known"""
    origin: Frame | None
    """the call that is, where that may have to be sent for the sake of this track's"""


class Frame:
    """A call, open or remembered."""

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
    """once all of it is known"""
    text: str
    """with which it failed; likewise"""

    def __init__(self, track: Track, function: int, start: int, above: Frame | None) -> None:
        self.track = track
        self.function = function
        self.start = start
        """in ticks"""
        self.above = above
        """on the same track"""
        self.trace_id = _NONE
        self.begins = False
        """an OpenTelemetry trace"""
        self.kept = False
        """the OpenTelemetry trace is one that is sent"""
        self.taken = False
        self._number = track.ids.number(function, start)
        self._span_id = b""

    def begin(self) -> None:
        """An OpenTelemetry trace begins here."""
        hashed = self._hash()
        self.trace_id = hashed[:16]
        self._span_id = hashed[16:]
        self.begins = True

    @property
    def span_id(self) -> bytes:
        """8 bytes."""
        if not self._span_id:  # of many calls nobody asks for it
            self._span_id = self._hash()[16:]
        return self._span_id

    def _hash(self) -> bytes:
        return self.track.ids.of(self.function, self.start, self._number)


class Span(NamedTuple):
    """A call that is sent."""

    call: Call
    text: str
    """of the error or panic with which the call ended"""
    trace_id: bytes
    span_id: bytes
    parent_id: bytes
    """empty at a root"""
    above: Place
    """of a root: the call above it, which it is linked to if that is sent"""


class Choice:
    """Which calls begin OpenTelemetry traces, which of these are sent, and which calls of them.

    Args:
        options: what is asked for.
        roots: their indices, to which more may come; None: a track's outermost calls begin them.
    """

    def __init__(self, options: Options, roots: Container[int] | None) -> None:
        self.rate = Rate(options.rate)
        self._everything = not options.chosen
        self._errors = options.errors
        self._slow = options.slow
        self._roots = roots

    def begin(self, frame: Frame) -> None:
        """A call begins: note which OpenTelemetry trace it is in, and whether that is sent."""
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
        """Whether the call is sent for its own sake."""
        return (
            self._everything
            or (self._errors and (call.error or call.panic))
            or (self._slow is not None and call.duration >= self._slow)
        )


def take(frame: Frame | None) -> list[Frame]:
    """The call and those above it that nobody has taken yet, the outermost first."""
    taken = []
    while frame is not None and not frame.taken:
        frame.taken = True
        taken.append(frame)
        frame = frame.above or frame.track.origin
    return taken[::-1]


def spans_of(frames: Iterable[Frame]) -> list[Span]:
    """The spans of those whose OpenTelemetry traces are sent."""
    return [_span(frame) for frame in frames if frame.kept]


def place_of(frame: Frame) -> Place:
    """Where a chain goes on that goes on in this call."""
    chain = []
    around: Frame | None = frame
    while around is not None:
        chain.append(around.function)
        around = around.above
    above = frame.track.place or NOWHERE
    return Place(frame.trace_id, frame.span_id, (*above.chain, *reversed(chain)))


def goes_on_in(still_open: Sequence[Frame], starter: int, last: Frame | None) -> Frame | None:
    """The call that a track goes on in, of its parent's; None: where the parent's own chain does.

    Args:
        still_open: what was open on the parent when the track began, the outermost first.
        starter: the function that began it.
        last: the last call of that before then, open or not.
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
