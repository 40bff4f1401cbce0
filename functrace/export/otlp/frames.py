"""Call frames, from which the parents and OpenTelemetry traces of spans are derived.

The parent of a span is its caller, also on another track. A root, where an OpenTelemetry trace
begins, is linked to its caller instead.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import NamedTuple, Protocol

from functrace.analysis.stream import Call
from functrace.export.otlp.call_selection import Options
from functrace.export.otlp.ids import ProbabilitySampler, TrackIds
from functrace.export.otlp.parent_calls import NO_PARENT, ParentCall
from functrace.export.otlp.request_calls import Place, RequestCall

_NONE = NO_PARENT.trace_id


class Track(Protocol):
    """Track of a frame."""

    ids: TrackIds
    parent_call: ParentCall | None
    """parent call of the track, once it is determined"""
    parent_frame: Frame | None
    """frame of the parent call, if it may have to be sent together with calls of this track"""


class Frame:
    """Call that is open, or may be the caller or parent call of later calls."""

    __slots__ = (
        "_number",
        "_span_id",
        "call",
        "caller",
        "function",
        "is_collected",
        "is_root",
        "is_sampled",
        "outer",
        "remote_parent_id",
        "request",
        "request_end",
        "start",
        "text",
        "trace_id",
        "track",
    )

    call: Call
    """complete call, set once it is known"""
    text: str
    """failure text, set together with `call`"""

    def __init__(self, track: Track, function: int, start: int, caller: Frame | None) -> None:
        self.track = track
        self.function = function
        self.start = start
        """ticks at the start of the call"""
        self.caller = caller
        """caller on the same track"""
        self.trace_id = _NONE
        self.is_root = False
        """whether the call begins an OpenTelemetry trace"""
        self.is_sampled = False
        """whether the OpenTelemetry trace of the call is sampled"""
        self.is_collected = False
        self.outer: Frame | None = None
        """call on another track that the span is below, if both must be sent together"""
        self.request: RequestCall | None = None
        """request that the call stands for"""
        self.request_end = 0
        """end of the request that began the OpenTelemetry trace, 0 if none did"""
        self.remote_parent_id = b""
        """for a root: its parent in another process or on another track"""
        self._number = track.ids.number(function, start)
        self._span_id = b""

    def begin(self) -> None:
        """Begin an OpenTelemetry trace at this call."""
        hashed = self._hash()
        self.trace_id = hashed[:16]
        self._span_id = hashed[16:]
        self.is_root = True

    def begin_at(self, place: Place) -> None:
        """Begin this process's part of an OpenTelemetry trace at this call."""
        self.trace_id = place.trace_id
        self.remote_parent_id = place.parent_id
        self.is_root = True

    def set_span_id(self, span_id: bytes) -> None:
        """Set the span id, which otherwise is derived from the call."""
        self._span_id = span_id

    @property
    def span_id(self) -> bytes:
        """Span id of 8 bytes."""
        if not self._span_id:  # computed on demand, as many calls need none
            self._span_id = self._hash()[16:]
        return self._span_id

    def _hash(self) -> bytes:
        return self.track.ids.compute(self.function, self.start, self._number)


class Span(NamedTuple):
    """Call that is sent as a span."""

    call: Call
    text: str
    """text of the error or panic that ended the call"""
    trace_id: bytes
    span_id: bytes
    parent_id: bytes
    """id of the parent span; empty for a root"""
    root_caller: ParentCall
    """for a root: its caller, to which it is linked if the caller is sampled"""
    request: RequestCall | None = None


class Sampler:
    """Sampler that selects roots, OpenTelemetry traces and calls.

    Args:
        options: selection of calls.
        roots: function indices of the roots, which may grow; None: the outermost calls of each
            track are roots.
    """

    def __init__(self, options: Options, roots: Container[int] | None) -> None:
        self._probability_sampler = ProbabilitySampler(options.rate)
        self._selects_all = not options.selects_calls
        self._errors = options.errors
        self._slow = options.min_duration_ns
        self._roots = roots

    def begin(self, frame: Frame) -> None:
        """Assign a call that begins to an OpenTelemetry trace, and decide whether it is sampled."""
        caller = frame.caller
        if caller is not None and caller.trace_id is not _NONE:
            frame.trace_id = caller.trace_id
            frame.is_sampled = caller.is_sampled
            frame.request_end = caller.request_end
        elif self._roots is None:
            self._begin(frame)
        elif caller is None and (frame.track.parent_call or NO_PARENT).trace_id != _NONE:
            self._continue_parent(frame)
        elif frame.function in self._roots:
            self._begin(frame)

    def begin_in_request(self, frame: Frame) -> None:
        """Do the same for the first call of a track that was started in a request.

        If it ends within the request, it belongs to the request's OpenTelemetry trace.
        """
        if (
            self._roots is None
            and frame.call.end <= (frame.track.parent_call or NO_PARENT).request_end
        ):
            self._continue_parent(frame)
        else:
            self.begin(frame)

    def begin_request(self, frame: Frame, request: RequestCall) -> None:
        """Move a request that has begun to its own place, if its call is to be sent."""
        frame.request = request
        if frame.trace_id is _NONE:
            return
        if request.own_span_id:
            frame.set_span_id(request.own_span_id)
        place = _place_of(frame, request)
        if place is not None:
            frame.begin_at(place)
        elif request.is_inbound and not frame.is_root:
            frame.begin()
        frame.is_sampled = self._probability_sampler.samples(frame.trace_id)

    def _continue_parent(self, frame: Frame) -> None:
        parent = frame.track.parent_call or NO_PARENT
        frame.trace_id = parent.trace_id
        frame.request_end = parent.request_end
        frame.is_sampled = self._probability_sampler.samples(frame.trace_id)

    def _begin(self, frame: Frame) -> None:
        frame.begin()
        frame.is_sampled = self._probability_sampler.samples(frame.trace_id)

    def matches(self, call: Call) -> bool:
        """Return whether the call itself matches the options."""
        return (
            self._selects_all
            or (self._errors and (call.error or call.panic))
            or (self._slow is not None and call.duration >= self._slow)
        )


def _place_of(frame: Frame, request: RequestCall) -> Place | None:
    """Return the place of a request's span; None if it is below its caller.

    Ids that functrace made and sent determine the trace.
    """
    place, own = request.place, request.own_trace_id
    if own and (place is None or place.trace_id != own):
        place = Place(own, b"")
    is_in_trace = place is not None and place.trace_id == frame.trace_id
    return None if is_in_trace and not request.is_inbound else place


def collect_with_callers(frame: Frame | None) -> list[Frame]:
    """Mark the call and its callers as collected; return those that were not, outermost first."""
    collected = []
    waiting = [frame]
    while waiting:
        frame = waiting.pop()
        while frame is not None and not frame.is_collected:
            frame.is_collected = True
            collected.append(frame)
            waiting.append(frame.outer)
            frame = frame.caller or frame.track.parent_frame
    return collected[::-1]


def spans_of(frames: Iterable[Frame]) -> list[Span]:
    """Return the spans of the frames whose OpenTelemetry traces are sampled."""
    return [_span(frame) for frame in frames if frame.is_sampled]


def to_parent_call(frame: Frame) -> ParentCall:
    """Return a call as the parent call of tracks."""
    chain = []
    current: Frame | None = frame
    while current is not None:
        chain.append(current.function)
        current = current.caller
    parent = frame.track.parent_call or NO_PARENT
    functions = (*parent.chain, *reversed(chain))
    return ParentCall(frame.trace_id, frame.span_id, functions, frame.request_end)


def find_parent_frame(
    still_open: Sequence[Frame], starter: int, last: Frame | None
) -> Frame | None:
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
    parent_id, root_caller = frame.remote_parent_id, NO_PARENT
    if not frame.is_root:
        parent_id = (frame.caller or frame.track.parent_call or NO_PARENT).span_id
    elif frame.caller:
        root_caller = to_parent_call(frame.caller)
    else:
        root_caller = frame.track.parent_call or NO_PARENT
    return Span(
        frame.call,
        frame.text,
        frame.trace_id,
        frame.span_id,
        parent_id,
        root_caller,
        frame.request,
    )
