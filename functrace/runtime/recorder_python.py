"""Recorder in Python: the fallback for the C extension functrace._native._recorder.

functrace/_native/_recorder.pyi documents each method.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import CodeType
from typing import Any

from functrace.runtime import BUILTINS
from functrace.runtime.call_stacks import (
    INBOUND,
    TASK,
    THREAD,
    Call,
    CallStacks,
    DescribeThread,
    Forked,
    Origin,
    Track,
)
from functrace.runtime.chunk_writer import ThreadWriters
from functrace.runtime.code_info import (
    CODE_INFOS,
    DRAINING,
    RECORDED,
    REQUEST_INFOS,
    SILENT,
    Callback,
    CodeInfo,
    RequestInfo,
    get_code_info,
)
from functrace.runtime.event_budget import EventBudget
from functrace.runtime.event_source import EventSource, make_event_source
from functrace.runtime.exception_text import describe_exception, is_error
from functrace.runtime.system import CLOCK
from functrace.runtime.system import clock as _now
from functrace.runtime.trace_file import TraceFile
from functrace.runtime.track_writer import TrackWriter

globals()["__builtins__"] = BUILTINS

__all__ = ["TASK", "THREAD", "Recorder", "clock", "has_budget"]

_ROUTE_SHIFT = 20  # in the value of a status record

_forked: list[Forked] = []
_recorders: list[Recorder] = []  # the open one, if any


def clock() -> str:
    """Return the name of the clock that ticks come from."""
    return CLOCK


def has_budget() -> bool:
    """Return whether this recorder can keep a budget: sys.setprofile has no events to disable."""
    return sys.version_info >= (3, 12)


def current() -> Recorder | None:
    """Return the recorder that is not closed."""
    return _recorders[0] if _recorders else None


def is_recording() -> bool:
    """Return whether calls are recorded."""
    return any(recorder._is_started for recorder in _recorders)


class Recorder:
    """Recorder of calls into a trace file."""

    def __init__(
        self,
        path: str,
        *,
        max_size: int,
        overwrite: bool,
        depth: int,
        min_duration: int,
        facts: bytes,
        budget: float,
        describe_thread: DescribeThread,
        current_task_track: Callable[[], int],
        warn: Callable[[str], None],
    ) -> None:
        if _recorders:
            raise RuntimeError("a recorder is already active")
        self._warn = warn
        self._depth = depth
        self._min_duration = min_duration
        self._stacks = CallStacks(self, describe_thread, current_task_track)
        self._source: EventSource = make_event_source(self._stacks, self._fail)
        self._is_started = False
        self._stopped_at = 0
        self._requests = 0  # how many have begun
        for info in (*CODE_INFOS.values(), *REQUEST_INFOS):
            info.number, info.state, info.demotions, info.is_mute = 0, RECORDED, 0, False
        self._file = TraceFile(
            path, max_size=max_size, overwrite=overwrite, facts=facts, fail=self._fail
        )
        self._budget: EventBudget | None = None
        if budget:
            self._budget = EventBudget(budget, self._file, self._source, self._stacks.open_tracks)
            self._stacks.keep_events = self._budget.keep_events
        self._writers = ThreadWriters(
            self._file, [], None if self._budget is None else self._budget.count_chunk
        )
        self.path = self._file.path
        self.failed = False
        _recorders.append(self)

    # Control

    def add(self, code: CodeType, name: str, file: str, line: int) -> None:
        """Record the calls of a code object while started."""
        info = get_code_info(code)
        if not info.is_traced:
            info.name, info.file, info.line = name, file, line
            info.is_traced = True
            self._source.add(code)

    def watch(self, code: CodeType, started: Callback | None, returned: Callback | None) -> None:
        """Call back at each call of a code object while started."""
        info = get_code_info(code)
        info.on_call, info.on_return = started, returned
        if info.state == SILENT:
            info.state = DRAINING
        self._source.add(code)

    def add_request_function(self, name: str, direction: int, protocol: int) -> int:
        """Add a function that stands for requests and return its index."""
        REQUEST_INFOS.append(RequestInfo(name, direction, protocol))
        return len(REQUEST_INFOS)

    def begin_request(
        self, function: int, flags: int, inbound: int, ids: bytes, ft: bytes, track: int = 0
    ) -> int:
        """Begin a request on this thread's track and return its number."""
        info = REQUEST_INFOS[function - 1]
        if not self._is_started or not self.number(info):
            return 0
        call = Call(info)
        numbers = (inbound,) if flags & 3 != INBOUND else ()

        def enter(track: Track, call: Call) -> bool:
            if len(track.stack) >= self._depth:
                return False
            self._requests += 1
            call.request = self._requests
            head = b"".join(n.to_bytes(8, "little") for n in (call.request, *numbers))
            writer = self._writer(track)
            writer.enter_request(call, info.number, flags, head + ids + ft)
            return True

        return call.request if self._stacks.begin_request(call, enter, track) else 0

    def end_request(
        self, number: int, status: int, route: int, failure: str | BaseException | None
    ) -> None:
        """End a request, and the calls inside it that are still open."""
        if not self._is_started:
            _track, call = self._stacks.find_request(number)
            if call is not None:
                call.is_ended = True
            return
        if status >= 0 and route:
            status |= self.number(REQUEST_INFOS[route - 1]) << _ROUTE_SHIFT
        text = _failure_text(failure)
        self._stacks.end_request(
            number, lambda track, call: self._writer(track).leave_request(call, status, text)
        )

    def open_inbound(self) -> int:
        """Return the number of the innermost inbound call open on this thread's track, or 0."""
        return self._stacks.open_inbound()

    def current_origin(self) -> Origin:
        """Return this thread's track, innermost function, line and time."""
        return self._stacks.current_origin()

    def new_track(self, kind: int, name: str, parent: Origin | None) -> int:
        """Create a track and return its number."""
        return self._stacks.new_track(kind, name, parent)

    def release_track(self, track: int) -> None:
        """Release a track that has ended."""
        self._stacks.release_track(track)

    def thread_track(self) -> int:
        """Return the number of this thread's own track."""
        return self._stacks.thread_track()

    def switch_track(self, track: int) -> int:
        """Switch this thread to another track, or with 0 to its own."""
        return self._stacks.switch_track(track)

    def start(self) -> None:
        """Start recording calls."""
        if self._is_started or self.failed or not _recorders:
            return
        if _forked:
            self._stacks.take_over(_forked.pop(), self._inherit_call)
        else:
            self._end_finished_calls()
        self._source.start()
        if self._budget is not None:
            self._budget.restart()
        self._is_started = True

    def stop(self) -> None:
        """Stop recording calls."""
        self._source.stop()
        if self._is_started:
            self._is_started = False
            self._stopped_at = _now()

    def snapshot(self, path: str) -> None:
        """Copy the trace recorded so far to a file."""
        self._file.copy(path)

    def close(self) -> None:
        """Stop permanently, at the program's end."""
        self._end(is_clean=True)

    def abandon(self) -> None:
        """Stop permanently, in a forked child."""
        if self in _recorders:
            _forked[:] = [self._stacks.hand_over()]
        self._end(is_clean=False)

    def _end(self, *, is_clean: bool) -> None:
        self.stop()
        if self in _recorders:
            _recorders.remove(self)
            self._file.end(is_clean=is_clean)

    def _fail(self, why: str) -> None:
        self.failed = True
        self.stop()
        self._warn(f"{why}; tracing is off")

    def _end_finished_calls(self) -> None:
        """End the calls that returned while recording was stopped."""
        threads = [_codes(frame) for frame in sys._current_frames().values()]
        for track in self._stacks.open_tracks():
            # A suspended task has no frame and resumes at its outermost call.
            open_count = (
                1
                if track.is_suspended
                else max(_count_open_calls(track, codes) for codes in threads)
            )
            self._writer(track).now = self._stopped_at
            self._stacks.leave_all(track, len(track.stack) - open_count)
            self._writer(track).now = 0

    # Events of calls

    def now(self) -> int:
        """Return the time in ticks."""
        return _now()

    def number(self, info: CodeInfo) -> int:
        """Return a function's number, or 0 if the trace accepts no more functions."""
        if not info.number and info.request is not None:
            info.number = self._file.add_request_function(info.name, *info.request)
        elif not info.number:
            info.number = self._file.add_function(info.name, info.file, info.line)
        return info.number

    def enter(self, track: Track, call: Call) -> None:
        """Record the entry of a call."""
        number = call.info.number or self.number(call.info)
        if number and len(track.stack) < self._depth and call.info.state == RECORDED:
            self._writer(track).enter(call, number, is_immediate=not self._min_duration)

    def _inherit_call(self, track: Track, call: Call) -> None:
        if self.number(call.info) and len(track.stack) < self._depth:
            self._writer(track).inherit(call)

    def leave(self, track: Track, call: Call, failure: bytes | None) -> None:
        """Record the exit of a call."""
        if call.entered:
            self._writer(track).leave(call, failure, self._min_duration)
            call.entered = 0
        elif self._budget is not None and call.info.demotions:
            self._leave_unrecorded(self._budget, track, call, failure)

    def _leave_unrecorded(
        self, budget: EventBudget, track: Track, call: Call, failure: bytes | None
    ) -> None:
        """Record the failure of a call that began while its function was demoted."""
        if failure is not None and not call.info.is_mute and len(track.stack) <= self._depth:
            self._writer(track).put_failed_call(call, failure)
        if call.info.state == DRAINING:
            budget.silence(call)

    def suspend(self, track: Track) -> None:
        """Record that a track is suspended."""
        self._writer(track).suspend(self._min_duration)

    def resume(self, track: Track) -> None:
        """Record that a track has resumed."""
        self._writer(track).resume(self._min_duration)

    def _writer(self, track: Track) -> TrackWriter:
        if track.writer is None:
            track.writer = TrackWriter(track, self._file, self._writers)
        writer: TrackWriter = track.writer
        return writer


def _codes(frame: Any) -> list[CodeType]:
    """Return the code objects of all frames, outermost first."""
    codes = []
    while frame is not None:
        codes.append(frame.f_code)
        frame = frame.f_back
    return codes[::-1]


def _count_open_calls(track: Track, codes: list[CodeType]) -> int:
    """Return how many of a track's calls, starting at the outermost, have frames here."""
    count = _count_requests(track, 0)
    for code in codes:
        if count < len(track.stack) and track.stack[count].info.code() is code:
            count = _count_requests(track, count + 1)
    return count


def _count_requests(track: Track, count: int) -> int:
    """Return ``count`` and the requests behind the first ``count`` calls, which have no frames."""
    while count < len(track.stack):
        call = track.stack[count]
        if call.info.request is None or call.is_ended:
            break
        count += 1
    return count


def _failure_text(failure: str | BaseException | None) -> bytes | None:
    if failure is None:
        return None
    if isinstance(
        failure, BaseException
    ):  # without calling the program: the test by type comes first
        return describe_exception(failure) if is_error(failure) else None
    return failure.encode("utf-8", "backslashreplace")
