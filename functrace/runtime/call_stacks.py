"""Open calls of a Python process by track: converts events of instrumented code to calls.

An event may interrupt the handling of another, because a signal handler or the garbage collector
runs code. The calls of such code are complete when the interrupted handling continues, so it is
sufficient that each change of a stack is a single step.
"""

from __future__ import annotations

import sys
import weakref
from _thread import _local
from collections.abc import Callable, Iterable
from types import CodeType
from typing import Any, NamedTuple, Protocol

from functrace.runtime import BUILTINS
from functrace.runtime.code_info import CODE_INFOS, MAIN, SILENT, CodeInfo, new_track_number
from functrace.runtime.exception_text import describe_exception, is_error, is_own

globals()["__builtins__"] = BUILTINS

THREAD = 2
TASK = 3

INBOUND = 1

Origin = tuple[int, int, int, int]

_CLASS_NAME: Any = type.__dict__["__name__"]  # a metaclass may override it


class Call:
    """Open call; ``is_written`` and ``entered`` are reserved for the sink."""

    __slots__ = (
        "entered",
        "info",
        "is_ended",
        "is_inherited",
        "is_suspended",
        "is_written",
        "request",
    )

    def __init__(self, info: CodeInfo) -> None:
        self.info = info
        self.entered = 0
        self.is_suspended = False  # it has yielded to its event loop and has not resumed
        self.is_inherited = False  # the parent process counts it
        self.is_written = False
        self.request = 0  # the number of a request
        self.is_ended = False  # it is a request that ended while recording was stopped


class Track:
    """Thread, task or other sequence of calls; ``writer`` is reserved for the sink."""

    __slots__ = (
        "__weakref__",
        "id",
        "is_suspended",
        "kind",
        "name",
        "parent",
        "stack",
        "suspended_count",
        "writer",
    )

    def __init__(self, number: int, kind: int, name: str, parent: Origin | None) -> None:
        self.id = number
        self.kind = kind
        self.name = name
        self.parent = parent
        self.stack: list[Call] = []
        self.suspended_count = 0  # number of suspended calls on the stack
        self.is_suspended = False
        self.writer: Any = None


class Sink(Protocol):
    """Consumer of calls."""

    def enter(self, track: Track, call: Call) -> None:
        """Handle the begin of ``call``, which is not on ``track.stack`` yet."""

    def leave(self, track: Track, call: Call, failure: bytes | None) -> None:
        """Handle the end of ``call``, the top of the stack; ``failure`` if it raises."""

    def suspend(self, track: Track) -> None:
        """Handle the suspension of a track."""

    def resume(self, track: Track) -> None:
        """Handle the resumption of a track."""

    def number(self, info: CodeInfo) -> int:
        """Return the function's number, or 0 for none."""

    def now(self) -> int:
        """Return the time in ticks."""


class _ThreadState(_local):
    """State of the current thread."""

    own: Track | None = None
    switched_to: Track | None = None  # set by switch_track
    is_muted = False


class Forked(NamedTuple):
    """Tracks of the forking thread, which continue in the child."""

    own: Track
    switched_to: Track | None
    current: Track


DescribeThread = Callable[[], "tuple[bool, str, Origin | None]"]


class CallStacks:
    """Converter of events to calls on tracks.

    Args:
        sink: receives the calls.
        describe_thread: returns whether this is the main thread, its name, and its origin.
        current_task_track: returns the track number of the task that this thread runs, 0 for none.

    Attributes:
        keep_events: called with a function whose events were disabled while a call of it began.
    """

    keep_events: Callable[[CodeInfo], None]

    def __init__(self, sink: Sink, thread: DescribeThread, current: Callable[[], int]) -> None:
        self._sink = sink
        self._thread = thread
        self._current = current
        self._state = _ThreadState()
        self._tasks: dict[int, Track] = {}
        self._threads: weakref.WeakSet[Track] = weakref.WeakSet()

    # Events. The methods have the signatures of sys.monitoring's callbacks.

    def start(self, code: CodeType, _offset: int) -> None:
        """Handle the begin of a call."""
        info = CODE_INFOS.get(id(code))
        if info is None or self._state.is_muted:
            return
        if info.on_call is not None:
            self._call_muted(info.on_call, _first_argument(code))
        if info.is_traced:
            self._push(self._track(), info)

    def resume(self, code: CodeType, _offset: int) -> None:
        """Handle the resumption of a generator of any kind."""
        self._resume_call(code, innermost=False)

    def throw(self, code: CodeType, _offset: int, _exception: BaseException) -> None:
        """Handle the resumption of a generator with an exception."""
        # throw() and close() bypass the awaiting callers.
        self._resume_call(code, innermost=True)

    def yield_(self, code: CodeType, _offset: int, value: object) -> None:
        """Handle a yield of a generator."""
        info = CODE_INFOS.get(id(code))
        if info is None or not info.is_traced or self._state.is_muted:
            return
        track = self._track()
        if info.is_async and self._yields_to_loop(track, info, value):
            if not track.is_suspended:
                self._suspend(track)
        else:
            self._pop(track, info, None)

    def return_(self, code: CodeType, _offset: int, value: object) -> None:
        """Handle the return of a call."""
        info = CODE_INFOS.get(id(code))
        if info is None or self._state.is_muted:
            return
        if info.is_traced:
            self._pop(self._track(), info, None)
        if info.on_return is not None:
            self._call_muted(info.on_return, value)

    def unwind(self, code: CodeType, _offset: int, exception: BaseException | None) -> None:
        """Handle an exception that leaves a call; it is ``None`` if unknown."""
        info = CODE_INFOS.get(id(code))
        if info is None or self._state.is_muted:
            return
        if info.is_traced:
            self._pop(self._track(), info, _failure(exception))
        if info.on_return is not None:
            self._call_muted(info.on_return, None)

    def handle(self, _code: CodeType, _offset: int, _exception: BaseException) -> None:
        """Handle an exception that is caught, in instrumented code or elsewhere.

        The event of a call that the exception left may be missing, because its callback had no
        stack left or was interrupted by a signal handler that raised.
        """
        state = self._state
        if state.is_muted or state.own is None:
            return
        track = self._track()
        while track.stack and not track.stack[-1].is_suspended:
            if track.stack[-1].info.request is not None:
                return
            if "greenlet" in sys.modules or _frame_of(track.stack[-1].info.code()) is not None:
                return
            self.leave_all(track, 1)

    # Requests

    def begin_request(self, call: Call, enter: Callable[[Track, Call], bool], number: int) -> bool:
        """Begin a call that has no frame, unless ``enter`` refuses it.

        ``number`` is the track's, or 0 for the current one.
        """
        if self._state.is_muted:
            return False
        track = self._known_track(number) if number else self._track()
        if track.is_suspended:
            self._resume(track)
        is_entered = enter(track, call)
        if is_entered:
            track.stack.append(call)
        return is_entered

    def end_request(self, number: int, leave: Callable[[Track, Call], None]) -> None:
        """End a request, and the calls inside it that are still open."""
        track, call = self.find_request(number)
        if track is None or call is None:
            return
        while track.stack[-1] is not call:
            self._leave(track, None)
        if track.is_suspended:
            self._resume(track)
        leave(track, call)
        track.suspended_count -= track.stack.pop().is_suspended

    def find_request(self, number: int) -> tuple[Track | None, Call | None]:
        """Return an open request and its track."""
        here = self._track()
        for track in (here, *self.open_tracks()):
            for call in reversed(track.stack):
                if call.request == number:
                    return track, call
        return None, None

    def open_inbound(self) -> int:
        """Return the number of the innermost inbound call open on this thread's track, or 0."""
        for call in reversed(self._track().stack):
            if call.request and call.info.request is not None and call.info.request[0] == INBOUND:
                return call.request
        return 0

    # Tracks

    def new_track(self, kind: int, name: str, parent: Origin | None) -> int:
        """Create a track other than a thread's and return its number."""
        number = new_track_number()
        self._tasks[number] = Track(number, kind, name, parent)
        return number

    def release_track(self, number: int) -> None:
        """Release a track."""
        self._tasks.pop(number, None)

    def thread_track(self) -> int:
        """Return the number of this thread's own track."""
        return self._own_track().id

    def switch_track(self, number: int) -> int:
        """Switch this thread to another track, 0 for its own; return the previous one."""
        before = self._state.switched_to
        self._state.switched_to = self._known_track(number) if number else None
        return before.id if before else 0

    def current_origin(self) -> Origin:
        """Return this thread's track, innermost function, current line and time."""
        track = self._track()
        for call in reversed(track.stack):
            if call.entered:  # others are not recorded
                info = call.info
                return track.id, self._sink.number(info), _line(info.code()), self._sink.now()
        return track.id, 0, 0, self._sink.now()

    def open_tracks(self) -> list[Track]:
        """Return all tracks that have open calls."""
        return [t for t in (*self._threads, *self._tasks.values()) if t.stack]

    def leave_all(self, track: Track, count: int) -> None:
        """End the ``count`` innermost calls of a track as if they had returned."""
        for _ in range(count):
            self._leave(track, None)

    def hand_over(self) -> Forked:
        """Return the tracks of this thread, which is the only one in a forked child."""
        return Forked(self._own_track(), self._state.switched_to, self._track())

    def take_over(self, forked: Forked, inherit: Callable[[Track, Call], None]) -> None:
        """Continue the tracks of this thread; pass its open calls to ``inherit``."""
        state = self._state
        state.own, state.switched_to, _ = forked
        self._threads.add(forked.own)
        forked.own.id, forked.own.parent = MAIN, None
        for track in {t.id: t for t in forked if t is not None}.values():
            if track is not forked.own:
                self._tasks[track.id] = track
            track.writer, calls, track.stack, track.suspended_count = None, track.stack, [], 0
            for call in calls:
                inherited = Call(call.info)
                inherited.is_inherited = True
                inherit(track, inherited)
                track.stack.append(inherited)

    def _track(self) -> Track:
        state = self._state
        number = self._call_muted(self._current)
        if number:
            return self._tasks.get(number) or self._known_track(number)
        return state.switched_to or state.own or self._own_track()

    def _known_track(self, number: int) -> Track:
        track = self._tasks.get(number)
        if track is None:
            track = self._tasks[number] = Track(number, TASK, "", None)
        return track

    def _own_track(self) -> Track:
        state = self._state
        if state.own is None:
            is_main, name, parent = self._call_muted(self._thread) or (False, "", None)
            number = MAIN if is_main else new_track_number()
            state.own = Track(number, THREAD, name, parent)
            self._threads.add(state.own)
        return state.own

    # Stacks

    def _push(self, track: Track, info: CodeInfo) -> None:
        if track.is_suspended:
            self._resume(track)
        call = Call(info)
        self._sink.enter(track, call)
        track.stack.append(call)
        if info.state == SILENT:
            self.keep_events(info)

    def _pop(self, track: Track, info: CodeInfo, failure: bytes | None) -> None:
        """End the innermost call of a function, and the calls inside it whose exits were missed."""
        stack = track.stack
        if not stack or stack[-1].info is not info:
            inner = _count_inner_calls(stack, info)
            if inner >= 0:
                self.leave_all(track, inner)
            elif info.demotions and failure is not None:
                stack.append(Call(info))  # it began while the function was demoted
            else:
                return
        if track.is_suspended:
            self._resume(track)
        self._leave(track, failure)

    def _leave(self, track: Track, failure: bytes | None) -> None:
        # The call stays open until its exit has been recorded.
        self._sink.leave(track, track.stack[-1], failure)
        track.suspended_count -= track.stack.pop().is_suspended

    def _resume_call(self, code: CodeType, *, innermost: bool) -> None:
        info = CODE_INFOS.get(id(code))
        if info is None or not info.is_traced or self._state.is_muted:
            return
        track = self._track()
        calls: Iterable[Call] = reversed(track.stack) if innermost else track.stack
        for call in calls if track.suspended_count else ():
            if call.is_suspended and call.info is info:
                call.is_suspended = False
                track.suspended_count -= 1
                if track.is_suspended:
                    self._resume(track)
                return
        self._push(track, info)

    def _yields_to_loop(self, track: Track, info: CodeInfo, value: object) -> bool:
        """Return whether a coroutine yields to the event loop."""
        if _CLASS_NAME.__get__(type(value)) == "async_generator_wrapped_value":
            return False
        if track.kind != TASK or track is self._state.switched_to:
            return False
        inner = _count_inner_calls(track.stack, info)
        outer = track.stack[: len(track.stack) - 1 - inner]
        return inner >= 0 and all(call.info.is_async for call in outer)

    def _suspend(self, track: Track) -> None:
        track.is_suspended = True
        track.suspended_count = len(track.stack)
        for call in track.stack:
            call.is_suspended = True
        self._sink.suspend(track)

    def _resume(self, track: Track) -> None:
        track.is_suspended = False
        self._sink.resume(track)

    def _call_muted(self, callback: Callable[..., Any], *arguments: object) -> Any:
        """Call back without recording; return None if functrace's own code fails."""
        state = self._state
        was_muted, state.is_muted = state.is_muted, True
        try:
            return callback(*arguments)
        except Exception as error:
            if not is_own(error):
                raise
        finally:
            state.is_muted = was_muted


def _count_inner_calls(stack: list[Call], info: CodeInfo) -> int:
    """Return how many calls are open inside the innermost one of a function; -1 for none."""
    for inner, call in enumerate(reversed(stack)):
        if call.info is info:
            return inner
    return -1


def _failure(exception: BaseException | None) -> bytes | None:
    if exception is None:
        return b""
    return describe_exception(exception) if is_error(exception) else None


def _frame_of(code: CodeType | None) -> Any:
    frame: Any = sys._getframe(1)
    while frame is not None and frame.f_code is not code:
        frame = frame.f_back
    return frame


def _line(code: CodeType | None) -> int:
    frame = _frame_of(code)
    return frame.f_lineno or 0 if frame is not None else 0


def _first_argument(code: CodeType) -> object:
    frame = _frame_of(code)
    return frame.f_locals.get(code.co_varnames[0]) if frame and code.co_argcount else None
