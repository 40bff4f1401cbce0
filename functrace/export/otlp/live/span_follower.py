"""Conversion of a running program's calls to spans."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from functrace._native.row_types import CUT, END_UNKNOWN, ERROR, GOEXIT, PANIC, UNFINISHED
from functrace.analysis.stream import Call
from functrace.export.otlp.call_selection import Options
from functrace.export.otlp.frames import (
    Frame,
    Sampler,
    Span,
    collect_with_callers,
    spans_of,
    to_parent_call,
)
from functrace.export.otlp.ids import Identity, TrackIds
from functrace.export.otlp.live.open_requests import OpenRequests
from functrace.export.otlp.parent_calls import NO_PARENT, ParentCall
from functrace.globs import compile_list
from functrace.tracefile import Function
from functrace.tracefile import format as fmt
from functrace.tracefile.follower import Follower, Progress

_MAX_GENERATIONS = 256  # ancestor tracks whose calls are retained for a track


class LiveTrack:
    """Track of a running program.

    Args:
        id: track id of the language runtime.
        ids: generator of the ids of its calls.
    """

    def __init__(self, id: int, ids: TrackIds) -> None:  # noqa: A002  required by TrackInfo
        self.id = id
        self.ids = ids
        self.kind = fmt.TRACK_KINDS[0]
        self.name = ""
        self.parent_call: ParentCall | None = None
        self.parent_frame: Frame | None = None
        self.generation = 0

    def drop_distant_ancestors(self) -> None:
        """Release calls of distant ancestors; else a chain of tasks that start each other leaks."""
        track: LiveTrack = self
        for _ in range(_MAX_GENERATIONS):
            if track.parent_frame is None:
                return
            track = track.parent_frame.track  # type: ignore[assignment]
        track.parent_frame = None


class _OpenCall(Frame):
    __slots__ = ("has_ended",)

    track: LiveTrack
    has_ended: bool


class LiveProcess:
    """Running process as a source of spans; see functrace.export.otlp.request_encoder.Source.

    Args:
        path: its trace file.
        follower: reader of the trace file.
    """

    def __init__(self, path: Path, follower: Follower) -> None:
        self.path = path
        self.pid = follower.header.pid
        self.language = follower.header.language
        self.started = follower.header.started
        self.tracks: dict[int, LiveTrack] = {}
        self._follower = follower

    @property
    def process(self) -> dict[str, Any]:
        """Process metadata."""
        return self._follower.process

    @property
    def functions(self) -> Sequence[Function]:
        """Functions read so far."""
        return self._follower.functions


class SpanFollower:
    """Reader of a growing trace file that emits a span for each selected call that has ended.

    Args:
        path: the trace file.
        options: selection of calls; its roots are ignored in favor of `roots`.
        roots: globs of functions whose outermost calls each begin an OpenTelemetry trace; if
            empty, the outermost calls of each track do.
        put: function that receives the spans.

    Raises:
        OSError: the file cannot be read.
        FunctraceError: the file is not a trace.
    """

    def __init__(
        self,
        path: Path,
        options: Options,
        roots: Sequence[str],
        put: Callable[[Iterable[Span]], None],
    ) -> None:
        self._follower = Follower(path)
        self.process = LiveProcess(path, self._follower)
        self.dropped = 0
        """calls that are not sent because their exits were overwritten before they were read"""
        self._put = put
        self._selects_all = not options.selects_calls
        self._is_root = compile_list(roots)
        self._roots: set[int] = set()
        self._matched = 0  # functions already compared with the globs
        self._sampler = Sampler(options, self._roots if roots else None)
        self._identity: Identity | None = None
        self._calls: dict[int, _OpenCall] = {}
        self._requests = OpenRequests()

    @property
    def overwritten(self) -> int:
        """Upper bound on the number of events overwritten before they were read."""
        return self._follower.overwritten

    @property
    def ended_cleanly(self) -> bool:
        """Whether the header marks the trace as complete."""
        return self._follower.ended_cleanly

    def advance(self) -> int:
        """Read new data, send the calls that have ended, and return the amount of new data."""
        count = self._follower.advance()
        self._send(self._follower.drain())
        return count

    def finish(self) -> None:
        """Send the remaining calls after the program has ended."""
        while self.advance():
            pass
        self._follower.finish()
        self._send(self._follower.drain())

    def _send(self, progress: Progress) -> None:
        self._match_roots()
        forgotten = []
        for number, start, text, size, index, kind, is_forgotten in progress.tracks.tolist():
            del start
            self._describe(progress, number, index, kind, text, size)
            if is_forgotten:
                forgotten.append(index)
            elif index in forgotten:
                forgotten.remove(index)
        self._begin(progress)
        self._finish(progress)
        for call in progress.released.tolist():
            self._calls.pop(call, None)
        for index in forgotten:
            self.process.tracks.pop(index, None)

    def _begin(self, progress: Progress) -> None:
        """Assign the calls that have begun to OpenTelemetry traces."""
        records = self._requests.read(progress, self._follower.functions)
        begun = []
        for call, caller, start, outer, function, index, outer_track, _ in progress.begun.tolist():
            frame = _OpenCall(self.process.tracks[index], function, start, self._calls.get(caller))
            frame.has_ended = False
            self._calls[call] = frame
            begun.append((call, frame, outer, outer_track))
        if records:  # an outbound call may belong to an inbound call of any track
            begun.sort(key=lambda each: each[1].start)
        for call, frame, outer, outer_track in begun:
            if frame.track.parent_call is None:
                self._set_parent_call(frame.track, outer, outer_track)
            self._sampler.begin(frame)
            if call in records:
                name = self._follower.functions[frame.function].name
                request = self._requests.begin(call, frame, records[call], name)
                self._sampler.begin_request(frame, request)

    def _describe(
        self, progress: Progress, number: int, index: int, kind: int, text: int, size: int
    ) -> None:
        track = self.process.tracks.get(index)
        if track is None:
            if self._identity is None:
                self._identity = Identity(self.process)
            track = LiveTrack(number, self._identity.track(number))
            self.process.tracks[index] = track
        track.kind = fmt.TRACK_KINDS[kind]
        if size:
            track.name = progress.text(text, size)

    def _match_roots(self) -> None:
        functions = self._follower.functions
        for index in range(self._matched, len(functions)):
            if self._is_root(functions[index].name):
                self._roots.add(index)
        self._matched = len(functions)

    def _set_parent_call(self, track: LiveTrack, outer: int, outer_track: int) -> None:
        """Record the parent call of a track."""
        track.parent_call = NO_PARENT
        parent = self.process.tracks.get(outer_track)
        if parent is None:
            return
        frame = self._calls.get(outer)
        if frame is not None:
            track.parent_call = to_parent_call(frame).shortened()
        elif parent.parent_call is not None:
            track.parent_call = parent.parent_call
        if not self._selects_all:
            track.parent_frame = frame or parent.parent_frame
            track.generation = parent.generation + 1
            if track.generation % _MAX_GENERATIONS == 0:
                track.drop_distant_ancestors()

    def _finish(self, progress: Progress) -> None:
        rows = progress.finished
        nanoseconds = self._follower.clock.nanoseconds
        times = [nanoseconds(rows[name]).tolist() for name in ("start", "duration", "suspended")]
        names = ("call", "start", "function", "track", "flags", "depth", "text", "text_length")
        columns = [rows[name].tolist() for name in names]
        statuses = dict(progress.statuses.tolist())
        for row in zip(*times, *columns, strict=True):
            start, duration, suspended, call, ticks, function, track, flags, *text = row
            frame = self._calls[call]
            frame.has_ended = True
            if frame.request is not None and call in statuses:
                frame.request = frame.request.with_status(statuses[call], self._follower.name_of)
            if flags & END_UNKNOWN:
                frame.is_sampled = False
                self.dropped += 1
                continue
            if not frame.is_sampled and self._selects_all:
                continue
            depth, at, size = text
            frame.text = progress.text(at, size) if size else ""
            frame.call = Call(
                track,
                depth + 1,
                function,
                start,
                ticks,
                duration,
                bool(flags & ERROR),
                bool(flags & PANIC),
                bool(flags & GOEXIT),
                bool(flags & UNFINISHED),
                0,
                size,
                bool(flags & CUT),
                suspended,
            )
            self._end(frame)
        self._requests.forget_ended()

    def _end(self, frame: _OpenCall) -> None:
        """Send an ended call if it is selected, together with its callers that have ended."""
        if self._selects_all or frame.is_collected:
            self._put(spans_of((frame,)))
        elif self._sampler.matches(frame.call):
            self._put(spans_of(each for each in collect_with_callers(frame) if each.has_ended))  # type: ignore[attr-defined]
