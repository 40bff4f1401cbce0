"""What is open on every track: events of instrumented code in, calls out.

An event may arrive in the midst of another: of a signal's handler, or of what the collector runs.
Such calls are complete when the interrupted event goes on, so all that matters is that each change
of a stack is one step.
"""

from __future__ import annotations

import sys
import weakref
from _thread import _local
from collections.abc import Callable, Iterable
from types import CodeType
from typing import Any, NamedTuple, Protocol

from functrace.runtime import BUILTINS
from functrace.runtime.code_info import CODE_INFOS, MAIN, CodeInfo, new_track_number
from functrace.runtime.exception_text import describe_exception, is_error, is_own

globals()["__builtins__"] = BUILTINS

THREAD = 2
TASK = 3

Origin = tuple[int, int, int, int]

_CLASS_NAME: Any = type.__dict__["__name__"]  # past what a metaclass says


class Call:
    """An open call; ``is_written`` and ``entered`` are for whoever records it."""

    __slots__ = ("entered", "info", "is_inherited", "is_suspended", "is_written")

    def __init__(self, info: CodeInfo) -> None:
        self.info = info
        self.entered = 0
        self.is_suspended = False  # its event loop has not come back to it
        self.is_inherited = False  # the process that was forked counts it
        self.is_written = False


class Track:
    """A thread, a task, or what else goes its own way; ``writer`` is the sink's."""

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
        self.suspended_count = 0  # how many of these are
        self.is_suspended = False
        self.writer: Any = None


class Sink(Protocol):
    """Where calls go."""

    def enter(self, track: Track, call: Call) -> None:
        """``call`` begins, on top of ``track.stack``, which it is not on yet."""

    def leave(self, track: Track, call: Call, failure: bytes | None) -> None:
        """``call``, on top of the stack, ends; ``failure`` if an exception passes through."""

    def suspend(self, track: Track) -> None:
        """The track waits."""

    def resume(self, track: Track) -> None:
        """It runs again."""

    def number(self, info: CodeInfo) -> int:
        """The function's number, 0 for none."""

    def now(self) -> int:
        """Ticks."""


class _ThreadState(_local):
    """What is info of the thread that asks."""

    own: Track | None = None
    switched_to: Track | None = None  # by switch_track
    is_muted = False


class Forked(NamedTuple):
    """The tracks that the forking thread has in the child."""

    own: Track
    switched_to: Track | None
    current: Track


DescribeThread = Callable[[], "tuple[bool, str, Origin | None]"]


class CallStacks:
    """Turns events into calls on tracks.

    Args:
        sink: is told them.
        thread: tells of this thread whether it is the main one, its name, and its parent.
        current: the number of the track of the task that runs in this thread, 0 for none.
    """

    def __init__(self, sink: Sink, thread: DescribeThread, current: Callable[[], int]) -> None:
        self._sink = sink
        self._thread = thread
        self._current = current
        self._state = _ThreadState()
        self._tasks: dict[int, Track] = {}
        self._threads: weakref.WeakSet[Track] = weakref.WeakSet()

    # Events; the signatures of sys.monitoring's callbacks, so that these can be they.

    def start(self, code: CodeType, _offset: int) -> None:
        """A call begins."""
        info = CODE_INFOS.get(id(code))
        if info is None or self._state.is_muted:
            return
        if info.on_call is not None:
            self._call_muted(info.on_call, _first_argument(code))
        if info.is_traced:
            self._push(self._track(), info)

    def resume(self, code: CodeType, _offset: int) -> None:
        """A generator, of any kind, goes on."""
        self._resume_call(code, innermost=False)

    def throw(self, code: CodeType, _offset: int, _exception: BaseException) -> None:
        """A generator goes on with an exception."""
        # throw() and close() go past those who await it.
        self._resume_call(code, innermost=True)

    def yield_(self, code: CodeType, _offset: int, value: object) -> None:
        """A generator yields."""
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
        """A call returns."""
        info = CODE_INFOS.get(id(code))
        if info is None or self._state.is_muted:
            return
        if info.is_traced:
            self._pop(self._track(), info, None)
        if info.on_return is not None:
            self._call_muted(info.on_return, value)

    def unwind(self, code: CodeType, _offset: int, exception: BaseException | None) -> None:
        """An exception, ``None`` if it cannot be told which, passes through a call."""
        info = CODE_INFOS.get(id(code))
        if info is None or self._state.is_muted:
            return
        if info.is_traced:
            self._pop(self._track(), info, _failure(exception))
        if info.on_return is not None:
            self._call_muted(info.on_return, None)

    def handle(self, _code: CodeType, _offset: int, _exception: BaseException) -> None:
        """Some code, whether info or not, catches an exception.

        Of a call that it went through nothing was told if the callback, too, was out of stack, or
        was interrupted by a signal's handler that raises.
        """
        state = self._state
        if state.is_muted or state.own is None:
            return
        track = self._track()
        while track.stack and not track.stack[-1].is_suspended:
            if "greenlet" in sys.modules or _frame_of(track.stack[-1].info.code()) is not None:
                return
            self.leave_all(track, 1)

    # Tracks

    def new_track(self, kind: int, name: str, parent: Origin | None) -> int:
        """The number of a new track that is no thread's."""
        number = new_track_number()
        self._tasks[number] = Track(number, kind, name, parent)
        return number

    def release_track(self, number: int) -> Any:
        """Let go of a track. Returns its writer, if it has one."""
        track = self._tasks.pop(number, None)
        return track.writer if track else None

    def thread_track(self) -> int:
        """The number of this thread's own track."""
        return self._own_track().id

    def switch_track(self, number: int) -> int:
        """Let this thread go on in another track, 0 for its own; returns the one before."""
        before = self._state.switched_to
        self._state.switched_to = self._known_track(number) if number else None
        return before.id if before else 0

    def current_origin(self) -> Origin:
        """This thread's track, the innermost call's function, the line it is at, ticks."""
        track = self._track()
        if not track.stack:
            return track.id, 0, 0, self._sink.now()
        info = track.stack[-1].info
        return track.id, self._sink.number(info), _line(info.code()), self._sink.now()

    def open_tracks(self) -> list[Track]:
        """All tracks on which something is open."""
        return [t for t in (*self._threads, *self._tasks.values()) if t.stack]

    def leave_all(self, track: Track, count: int) -> None:
        """End the innermost calls of a track, as if they had on_return."""
        for _ in range(count):
            self._leave(track, None)

    def hand_over(self) -> Forked:
        """The tracks of this thread, which is the only one in a forked child."""
        return Forked(self._own_track(), self._state.switched_to, self._track())

    def take_over(self, forked: Forked, inherit: Callable[[Track, Call], None]) -> None:
        """Go on with the tracks of this thread; its open calls are handed to ``inherit``."""
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

    # CallStacks

    def _push(self, track: Track, info: CodeInfo) -> None:
        if track.is_suspended:
            self._resume(track)
        call = Call(info)
        self._sink.enter(track, call)
        track.stack.append(call)

    def _pop(self, track: Track, info: CodeInfo, failure: bytes | None) -> None:
        """The innermost call of ``info`` ends; what is open in it has, without telling."""
        stack = track.stack
        if not stack or stack[-1].info is not info:
            inner = _count_inner_calls(stack, info)
            if inner < 0:
                return
            self.leave_all(track, inner)
        if track.is_suspended:
            self._resume(track)
        self._leave(track, failure)

    def _leave(self, track: Track, failure: bytes | None) -> None:
        # As long as its exit is not told the call is open.
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
        """Whether it is to the event loop that a coroutine yields."""
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
        """Call back without recording; None current_origin functrace's own code fails."""
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
    """How many calls are open in the innermost one of a function; -1 if it has none."""
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
