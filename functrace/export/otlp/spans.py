"""Conversion of the calls of a trace to spans, across tracks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from functrace.analysis import Selection
from functrace.analysis.stream import Call, by_track
from functrace.export.otlp.call_selection import Options
from functrace.export.otlp.frames import (
    Frame,
    Sampler,
    Span,
    collect_with_callers,
    find_parent_frame,
    spans_of,
    to_parent_call,
)
from functrace.export.otlp.ids import Identity
from functrace.export.otlp.parent_calls import Children, ParentCall, ParentCalls
from functrace.export.otlp.request_calls import RequestCalls
from functrace.export.otlp.track_selection import TrackSelection
from functrace.tracefile import Trace

_NEVER = 1 << 63


def spans(
    trace: Trace,
    options: Options,
    requests: RequestCalls | None = None,
    *,
    only_requests: bool = False,
) -> Iterator[Span]:
    """Yield the spans of a trace, callers before callees, in an order that is always the same.

    Args:
        trace: the trace.
        options: selection of calls.
        requests: its requests, if it has any.
        only_requests: whether tracks may be left out that do not matter to the spans of requests.
    """
    walk = _Walk(trace, options, requests, only_requests)
    for tracks, listing in walk.selection.passes(options):
        for block in by_track(trace, Selection(tracks=tracks), listing):
            for position, (index, calls) in enumerate(block.tracks):
                if position == 0:
                    walk.close_before(index)
                track = walk.track(index)
                for call in calls:
                    yield from track.enter(call)
                if block.until > trace.span[1]:
                    walk.drop_childless(index)
        walk.close_before(len(trace.tracks))


class _Walk:
    """State of a walk over the tracks of a trace in the order of their starts."""

    def __init__(
        self, trace: Trace, options: Options, requests: RequestCalls | None, only_requests: bool
    ) -> None:
        self.trace = trace
        self.requests = requests
        self.options = options
        roots = None if options.roots is None else frozenset(options.roots(trace))
        self.sampler = Sampler(options, roots)
        self.identity = Identity(trace)
        only = requests.tracks if requests is not None and only_requests else None
        self.selection = TrackSelection(trace, options, requests is not None, only)
        self.children = Children(trace)
        self.parent_calls = ParentCalls(trace)
        self.parent_frames: dict[int, Frame] = {}
        """parent call by track, if it may have to be sent together with calls of the track"""
        self._open: dict[int, _Track] = {}

    def close_before(self, index: int) -> None:
        """Close the tracks with smaller indices, which have no more calls."""
        for done in [each for each in self._open if each < index]:
            self._open.pop(done).assign_parent_calls()

    def track(self, index: int) -> _Track:
        """Return the track with an index; open it if necessary."""
        if index not in self._open:
            self._open[index] = _Track(self, index)
        return self._open[index]

    def drop_childless(self, index: int) -> None:
        """Drop a track without further calls unless children of it still need a parent call."""
        if self._open[index].has_assigned_all:
            del self._open[index]

    def parent_of(self, index: int) -> _Track | None:
        """Return the parent of a track if it is still open."""
        return self._open.get(int(self.trace.tracks.parent[index]))


class _Track:
    """Open calls of a track, and its child tracks."""

    def __init__(self, walk: _Walk, index: int) -> None:
        tracks = walk.trace.tracks
        self._walk = walk
        self._index = index
        self.parent_call: ParentCall | None = None
        self.parent_frame: Frame | None = None
        self._is_new = True
        self.ids = walk.identity.track(int(tracks.id[index]))
        self._open: list[Frame] = []
        self._children = walk.children.get(index)[::-1]
        self._next_child = int(tracks.start[self._children[-1]]) if self._children else _NEVER
        self._starters = frozenset(tracks.starter[self._children].tolist())
        self._last: dict[int, Frame] = {}
        """last call by starter function"""

    @property
    def has_assigned_all(self) -> bool:
        """Whether every child track has been assigned its parent call."""
        return not self._children

    def enter(self, call: Call) -> Sequence[Span]:
        """Add a call, and return the spans to send: those of the call and its unsent callers."""
        if self.parent_call is None:
            self._adopt_parent_call()
        if call.start > self._next_child:
            self.assign_parent_calls(call.start)
        del self._open[call.level - 1 :]
        caller = self._open[-1] if self._open else None
        frame = Frame(self, call.function, call.start_ticks, caller)
        frame.call = call
        self._begin(frame)
        frame.text = self._walk.trace.text(call.text_at, call.text_bytes) if call.text_bytes else ""
        self._open.append(frame)
        if call.function in self._starters:
            self._last[call.function] = frame
        return spans_of(collect_with_callers(frame)) if self._walk.sampler.matches(call) else ()

    def _begin(self, frame: Frame) -> None:
        sampler, requests = self._walk.sampler, self._walk.requests
        if self._is_new:
            sampler.begin_in_request(frame)
            self._is_new = False
        else:
            sampler.begin(frame)
        request = None if requests is None else requests.find(frame.call)
        if request is not None:
            sampler.begin_request(frame, request)
            if request.is_inbound:
                frame.request_end = frame.call.end

    def assign_parent_calls(self, before: int = _NEVER) -> None:
        """Assign a parent call to the children that began before a time."""
        starts = self._walk.trace.tracks.start
        while self._next_child < before:
            self._assign_parent_call(self._children.pop())
            self._next_child = int(starts[self._children[-1]]) if self._children else _NEVER

    def _adopt_parent_call(self) -> None:
        """Adopt the parent call of the track, which its parent track determines."""
        parent = self._walk.parent_of(self._index)
        if parent is not None:
            parent.assign_parent_calls(int(self._walk.trace.tracks.start[self._index]) + 1)
        self.parent_call = self._walk.parent_calls[self._index]
        self.parent_frame = self._walk.parent_frames.pop(self._index, None)

    def _assign_parent_call(self, child: int) -> None:
        walk = self._walk
        if child not in walk.selection:
            return
        found = self._find_parent_frame(child)
        parent_frame = found or self.parent_frame
        if walk.options.selects_calls and parent_frame is not None:
            walk.parent_frames[child] = parent_frame
        parent_call = self.parent_call if found is None else to_parent_call(found)
        if parent_call is not None:
            walk.parent_calls[child] = parent_call

    def _find_parent_frame(self, child: int) -> Frame | None:
        """Return the parent call of a child track, as docs/trace-format.md defines it."""
        tracks = self._walk.trace.tracks
        start, starter = int(tracks.start[child]), int(tracks.starter[child])
        still_open = [frame for frame in self._open if _is_open(frame.call, start)]
        return find_parent_frame(still_open, starter, self._last.get(starter))


def _is_open(call: Call, time: int) -> bool:
    return call.end > time or (call.unfinished and call.end == time)
