"""From the calls of a trace to spans: track by track, with where each track's chain goes on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from functrace.analysis import Selection
from functrace.analysis.stream import Call, by_track
from functrace.export.otlp.frames import Choice, Frame, Span, goes_on_in, place_of, spans_of, take
from functrace.export.otlp.ids import Identity
from functrace.export.otlp.options import Options
from functrace.export.otlp.places import Children, Place, Places
from functrace.export.otlp.worth import Worth
from functrace.trace import Trace

_NEVER = 1 << 63


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
        roots = None if options.roots is None else frozenset(options.roots(trace))
        self.choice = Choice(options, roots)
        self.identity = Identity(trace)
        self.worth = Worth(trace, options)
        self.children = Children(trace)
        self.places = Places(trace)
        self.origins: dict[int, Frame] = {}
        """by track the call that it goes on in, where that may have to be sent for its sake"""
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


class _Track:
    """What is open on a track, and the tracks that it started."""

    def __init__(self, walk: _Walk, index: int) -> None:
        tracks = walk.trace.tracks
        self._walk = walk
        self._index = index
        self.place: Place | None = None
        self.origin: Frame | None = None
        self.ids = walk.identity.track(int(tracks.id[index]))
        self._open: list[Frame] = []
        self._children = walk.children.of(index)[::-1]
        self._next_child = int(tracks.start[self._children[-1]]) if self._children else _NEVER
        self._starters = frozenset(tracks.starter[self._children].tolist())
        self._last: dict[int, Frame] = {}
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
        above = self._open[-1] if self._open else None
        frame = Frame(self, call.function, call.start_ticks, above)
        self._walk.choice.begin(frame)
        frame.call = call
        frame.text = self._walk.trace.text(call.text_at, call.text_bytes) if call.text_bytes else ""
        self._open.append(frame)
        if call.function in self._starters:
            self._last[call.function] = frame
        return spans_of(take(frame)) if self._walk.choice.wants(call) else ()

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
        origin = frame or self.origin
        if walk.options.chosen and origin is not None:
            walk.origins[child] = origin
        place = self.place if frame is None else place_of(frame)
        if place is not None:
            walk.places[child] = place

    def _origin(self, child: int) -> Frame | None:
        """As docs/trace-format.md has it."""
        tracks = self._walk.trace.tracks
        start, starter = int(tracks.start[child]), int(tracks.starter[child])
        still_open = [frame for frame in self._open if _is_open(frame.call, start)]
        return goes_on_in(still_open, starter, self._last.get(starter))


def _is_open(call: Call, time: int) -> bool:
    return call.end > time or (call.unfinished and call.end == time)
