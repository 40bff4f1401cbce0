"""From calls to spans: which are sent, below what, and in which OpenTelemetry trace.

A span's parent is the call above it, on another track as well. Where an OpenTelemetry trace
begins, at a root, the call above is a link instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from functrace.analysis import Selection
from functrace.analysis.stream import Call, by_track
from functrace.export.otlp.ids import Identity, Rate
from functrace.export.otlp.options import Options
from functrace.export.otlp.places import NOWHERE, Children, Place, Places
from functrace.export.otlp.worth import Worth
from functrace.trace import Trace

_NEVER = 1 << 63
_NONE = NOWHERE.trace_id


class Span(NamedTuple):
    """A call that is sent."""

    call: Call
    trace_id: bytes
    span_id: bytes
    parent_id: bytes
    """empty at a root"""
    above: Place
    """of a root: the call above it, which it is linked to if that is sent"""


def spans(trace: Trace, options: Options) -> Iterator[Span]:
    """The spans of a trace, a call not before those above it; always in the same order."""
    walk = _Walk(trace, options)
    for tracks, listing in walk.worth.passes(options):
        for block in by_track(trace, Selection(tracks=tracks), listing):
            for place, (index, calls) in enumerate(block.tracks):
                if place == 0:
                    walk.close_before(index)
                track = walk.track(index)
                for call in calls:
                    yield from track.enter(call)
                if block.until > trace.span[1]:
                    walk.drop_childless(index)
        walk.close_before(len(trace.tracks))


class _Walk:
    """A trace's tracks, as they are gone through in the order of their beginnings."""

    def __init__(self, trace: Trace, options: Options) -> None:
        self.trace = trace
        self.options = options
        self.roots = None if options.roots is None else frozenset(options.roots(trace))
        self.identity = Identity(trace)
        self.rate = Rate(options.rate)
        self.worth = Worth(trace, options)
        self.children = Children(trace)
        self.places = Places(trace)
        self.origins: dict[int, _Frame] = {}
        """by track the call that it goes on in, where that may have to be sent for its sake"""
        self._everything = not options.chosen
        self._open: dict[int, _Track] = {}

    def close_before(self, index: int) -> None:
        """Nothing more comes of the tracks before this one."""
        for done in [each for each in self._open if each < index]:
            self._open.pop(done).place_children()

    def track(self, index: int) -> _Track:
        """The track with this index."""
        if index not in self._open:
            self._open[index] = _Track(self, index)
        return self._open[index]

    def drop_childless(self, index: int) -> None:
        """No more calls come of the track; it stays for as long as tracks have to be placed."""
        if self._open[index].placed_all:
            del self._open[index]

    def parent_of(self, index: int) -> _Track | None:
        """The track's parent, if more may come of it."""
        return self._open.get(int(self.trace.tracks.parent[index]))

    def wants(self, call: Call) -> bool:
        """Whether the call is sent for its own sake."""
        options = self.options
        return (
            self._everything
            or (options.errors and (call.error or call.panic))
            or (options.slow is not None and call.duration >= options.slow)
        )


class _Frame:
    """A call, open or the last of its function."""

    __slots__ = ("above", "begins", "call", "kept", "span_id", "taken", "trace_id", "track")

    def __init__(self, track: _Track, call: Call, above: _Frame | None, hashed: bytes) -> None:
        self.track = track
        self.call = call
        self.above = above
        self.span_id = hashed[16:]
        self.trace_id = _NONE
        self.begins = False
        """an OpenTelemetry trace"""
        self.kept = False
        """the OpenTelemetry trace is one that is sent"""
        self.taken = False


class _Track:
    """What is open on a track, and the tracks that it started."""

    def __init__(self, walk: _Walk, index: int) -> None:
        tracks = walk.trace.tracks
        self._walk = walk
        self._index = index
        self.place: Place | None = None
        self.origin: _Frame | None = None
        self._ids = walk.identity.track(int(tracks.id[index]))
        self._open: list[_Frame] = []
        self._children = walk.children.of(index)[::-1]
        self._next_child = int(tracks.start[self._children[-1]]) if self._children else _NEVER
        self._starters = frozenset(tracks.starter[self._children].tolist())
        self._last: dict[int, _Frame] = {}
        """by starter its last call"""

    @property
    def placed_all(self) -> bool:
        """Whether it is known of all tracks that it started where they go on."""
        return not self._children

    def enter(self, call: Call) -> Sequence[Span]:
        """What is sent now that the call has begun."""
        if self.place is None:
            self._settle()
        if call.start > self._next_child:
            self.place_children(call.start)
        del self._open[call.level - 1 :]
        frame = self._frame(call)
        self._open.append(frame)
        if call.function in self._starters:
            self._last[call.function] = frame
        return _take(frame) if self._walk.wants(call) else ()

    def place_children(self, before: int = _NEVER) -> None:
        """Those that began before a time go on in what is open now."""
        starts = self._walk.trace.tracks.start
        while self._next_child < before:
            self._place_child(self._children.pop())
            self._next_child = int(starts[self._children[-1]]) if self._children else _NEVER

    def _settle(self) -> None:
        """The track begins: its parent has to say where it goes on."""
        parent = self._walk.parent_of(self._index)
        if parent is not None:
            parent.place_children(int(self._walk.trace.tracks.start[self._index]) + 1)
        self.place = self._walk.places[self._index]
        self.origin = self._walk.origins.pop(self._index, None)

    def _place_child(self, child: int) -> None:
        walk = self._walk
        if child not in walk.worth:
            return
        frame = self._origin(child)
        if frame is None:
            return
        if walk.options.chosen:
            walk.origins[child] = frame
        walk.places[child] = _place(frame)

    def _origin(self, child: int) -> _Frame | None:
        """As docs/trace-format.md has it."""
        tracks = self._walk.trace.tracks
        start, starter = int(tracks.start[child]), int(tracks.starter[child])
        still_open = [frame for frame in self._open if _is_open(frame.call, start)]
        for frame in reversed(still_open):
            if frame.call.function == starter:
                return frame
        return self._last.get(starter) or (still_open[-1] if still_open else None)

    def _frame(self, call: Call) -> _Frame:
        above = self._open[-1] if self._open else None
        hashed = self._ids.next(call)
        frame = _Frame(self, call, above, hashed)
        around = above or self.place
        if around is not None and around.trace_id != _NONE and not self._begins_by_itself(above):
            frame.trace_id = around.trace_id
            frame.kept = above.kept if above else self._walk.rate.keeps(around.trace_id)
        elif self._walk.roots is None or call.function in self._walk.roots:
            frame.trace_id = hashed[:16]
            frame.begins = True
            frame.kept = self._walk.rate.keeps(frame.trace_id)
        return frame

    def _begins_by_itself(self, above: _Frame | None) -> bool:
        """Without roots, what comes first on a track is one."""
        return above is None and self._walk.roots is None


def _take(frame: _Frame | None) -> Sequence[Span]:
    """The call and those above it, each once."""
    taken = []
    while frame is not None and not frame.taken:
        frame.taken = True
        taken.append(frame)
        frame = frame.above or frame.track.origin
    return [_span(each) for each in reversed(taken) if each.kept]


def _span(frame: _Frame) -> Span:
    if frame.begins:
        return Span(frame.call, frame.trace_id, frame.span_id, b"", _above(frame))
    around = frame.above or frame.track.place or NOWHERE
    return Span(frame.call, frame.trace_id, frame.span_id, around.span_id, NOWHERE)


def _above(frame: _Frame) -> Place:
    """Of a root."""
    if frame.above is None:
        return frame.track.place or NOWHERE
    return _place(frame.above)


def _place(frame: _Frame) -> Place:
    chain = []
    around: _Frame | None = frame
    while around is not None:
        chain.append(around.call.function)
        around = around.above
    above = frame.track.place or NOWHERE
    return Place(frame.trace_id, frame.span_id, (*above.chain, *reversed(chain)))


def _is_open(call: Call, time: int) -> bool:
    return call.end > time or (call.unfinished and call.end == time)
