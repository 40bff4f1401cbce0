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
from functrace.runtime.failures import describe, is_own, is_told
from functrace.runtime.known import KNOWN, MAIN, Known, new_track_number

globals()["__builtins__"] = BUILTINS

THREAD = 2
TASK = 3

Parent = tuple[int, int, int, int]

_CLASS_NAME: Any = type.__dict__["__name__"]  # past what a metaclass says


class Call:
    """An open call; ``is_written`` and ``entered`` are for whoever records it."""

    __slots__ = ("entered", "is_asleep", "is_inherited", "is_written", "known")

    def __init__(self, known: Known) -> None:
        self.known = known
        self.entered = 0
        self.is_asleep = False  # its event loop has not come back to it
        self.is_inherited = False  # the process that was forked counts it
        self.is_written = False


class Track:
    """A thread, a task, or what else goes its own way; ``room`` is the sink's."""

    __slots__ = (
        "__weakref__",
        "asleep",
        "id",
        "is_waiting",
        "kind",
        "name",
        "parent",
        "room",
        "stack",
    )

    def __init__(self, number: int, kind: int, name: str, parent: Parent | None) -> None:
        self.id = number
        self.kind = kind
        self.name = name
        self.parent = parent
        self.stack: list[Call] = []
        self.asleep = 0  # how many of these are
        self.is_waiting = False
        self.room: Any = None


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

    def number(self, known: Known) -> int:
        """The function's number, 0 for none."""

    def now(self) -> int:
        """Ticks."""


class _Here(_local):
    """What is known of the thread that asks."""

    own: Track | None = None
    chosen: Track | None = None  # by switch
    is_muted = False


class Forked(NamedTuple):
    """The tracks that the forking thread has in the child."""

    own: Track
    chosen: Track | None
    current: Track


AboutThread = Callable[[], "tuple[bool, str, Parent | None]"]


class Stacks:
    """Turns events into calls on tracks.

    Args:
        sink: is told them.
        thread: tells of this thread whether it is the main one, its name, and its parent.
        current: the number of the track of the task that runs in this thread, 0 for none.
    """

    def __init__(self, sink: Sink, thread: AboutThread, current: Callable[[], int]) -> None:
        self._sink = sink
        self._thread = thread
        self._current = current
        self._here = _Here()
        self._tasks: dict[int, Track] = {}
        self._threads: weakref.WeakSet[Track] = weakref.WeakSet()

    # Events; the signatures of sys.monitoring's callbacks, so that these can be they.

    def start(self, code: CodeType, _offset: int) -> None:
        """A call begins."""
        known = KNOWN.get(id(code))
        if known is None or self._here.is_muted:
            return
        if known.started is not None:
            self._unrecorded(known.started, _first_argument(code))
        if known.is_traced:
            self._push(self._track(), known)

    def resume(self, code: CodeType, _offset: int) -> None:
        """A generator, of any kind, goes on."""
        self._go_on(code, innermost=False)

    def throw(self, code: CodeType, _offset: int, _exception: BaseException) -> None:
        """A generator goes on with an exception."""
        # throw() and close() go past those who await it.
        self._go_on(code, innermost=True)

    def give(self, code: CodeType, _offset: int, value: object) -> None:
        """A generator yields."""
        known = KNOWN.get(id(code))
        if known is None or not known.is_traced or self._here.is_muted:
            return
        track = self._track()
        if known.awaits and self._waits(track, known, value):
            if not track.is_waiting:
                self._sleep(track)
        else:
            self._pop(track, known, None)

    def finish(self, code: CodeType, _offset: int, value: object) -> None:
        """A call returns."""
        known = KNOWN.get(id(code))
        if known is None or self._here.is_muted:
            return
        if known.is_traced:
            self._pop(self._track(), known, None)
        if known.returned is not None:
            self._unrecorded(known.returned, value)

    def unwind(self, code: CodeType, _offset: int, exception: BaseException | None) -> None:
        """An exception, ``None`` if it cannot be told which, passes through a call."""
        known = KNOWN.get(id(code))
        if known is None or self._here.is_muted:
            return
        if known.is_traced:
            self._pop(self._track(), known, _failure(exception))
        if known.returned is not None:
            self._unrecorded(known.returned, None)

    def handle(self, _code: CodeType, _offset: int, _exception: BaseException) -> None:
        """Some code, whether known or not, catches an exception.

        Of a call that it went through nothing was told if the callback, too, was out of stack, or
        was interrupted by a signal's handler that raises.
        """
        here = self._here
        if here.is_muted or here.own is None:
            return
        track = self._track()
        while track.stack and not track.stack[-1].is_asleep:
            if "greenlet" in sys.modules or _frame_of(track.stack[-1].known.code()) is not None:
                return
            self.leave_all(track, 1)

    # Tracks

    def track(self, kind: int, name: str, parent: Parent | None) -> int:
        """The number of a new track that is no thread's."""
        number = new_track_number()
        self._tasks[number] = Track(number, kind, name, parent)
        return number

    def forget(self, number: int) -> Any:
        """Let go of a track. Returns its room, if it has one."""
        track = self._tasks.pop(number, None)
        return track.room if track else None

    def thread(self) -> int:
        """The number of this thread's own track."""
        return self._own().id

    def switch(self, number: int) -> int:
        """Let this thread go on in another track, 0 for its own; returns the one before."""
        before = self._here.chosen
        self._here.chosen = self._known_track(number) if number else None
        return before.id if before else 0

    def where(self) -> Parent:
        """This thread's track, the innermost call's function, the line it is at, ticks."""
        track = self._track()
        if not track.stack:
            return track.id, 0, 0, self._sink.now()
        known = track.stack[-1].known
        return track.id, self._sink.number(known), _line(known.code()), self._sink.now()

    def open_tracks(self) -> list[Track]:
        """All tracks on which something is open."""
        return [t for t in (*self._threads, *self._tasks.values()) if t.stack]

    def leave_all(self, track: Track, count: int) -> None:
        """End the innermost calls of a track, as if they had returned."""
        for _ in range(count):
            self._leave(track, None)

    def hand_over(self) -> Forked:
        """The tracks of this thread, which is the only one in a forked child."""
        return Forked(self._own(), self._here.chosen, self._track())

    def take_over(self, forked: Forked, inherit: Callable[[Track, Call], None]) -> None:
        """Go on with the tracks of this thread; its open calls are handed to ``inherit``."""
        here = self._here
        here.own, here.chosen, _ = forked
        self._threads.add(forked.own)
        forked.own.id, forked.own.parent = MAIN, None
        for track in {t.id: t for t in forked if t is not None}.values():
            if track is not forked.own:
                self._tasks[track.id] = track
            track.room, calls, track.stack, track.asleep = None, track.stack, [], 0
            for call in calls:
                inherited = Call(call.known)
                inherited.is_inherited = True
                inherit(track, inherited)
                track.stack.append(inherited)

    def _track(self) -> Track:
        here = self._here
        number = self._unrecorded(self._current)
        if number:
            return self._tasks.get(number) or self._known_track(number)
        return here.chosen or here.own or self._own()

    def _known_track(self, number: int) -> Track:
        track = self._tasks.get(number)
        if track is None:
            track = self._tasks[number] = Track(number, TASK, "", None)
        return track

    def _own(self) -> Track:
        here = self._here
        if here.own is None:
            is_main, name, parent = self._unrecorded(self._thread) or (False, "", None)
            number = MAIN if is_main else new_track_number()
            here.own = Track(number, THREAD, name, parent)
            self._threads.add(here.own)
        return here.own

    # Stacks

    def _push(self, track: Track, known: Known) -> None:
        if track.is_waiting:
            self._wake(track)
        call = Call(known)
        self._sink.enter(track, call)
        track.stack.append(call)

    def _pop(self, track: Track, known: Known, failure: bytes | None) -> None:
        """The innermost call of ``known`` ends; what is open in it has, without telling."""
        stack = track.stack
        if not stack or stack[-1].known is not known:
            inside = _count_inside(stack, known)
            if inside < 0:
                return
            self.leave_all(track, inside)
        if track.is_waiting:
            self._wake(track)
        self._leave(track, failure)

    def _leave(self, track: Track, failure: bytes | None) -> None:
        # As long as its exit is not told the call is open.
        self._sink.leave(track, track.stack[-1], failure)
        track.asleep -= track.stack.pop().is_asleep

    def _go_on(self, code: CodeType, *, innermost: bool) -> None:
        known = KNOWN.get(id(code))
        if known is None or not known.is_traced or self._here.is_muted:
            return
        track = self._track()
        calls: Iterable[Call] = reversed(track.stack) if innermost else track.stack
        for call in calls if track.asleep else ():
            if call.is_asleep and call.known is known:
                call.is_asleep = False
                track.asleep -= 1
                if track.is_waiting:
                    self._wake(track)
                return
        self._push(track, known)

    def _waits(self, track: Track, known: Known, value: object) -> bool:
        """Whether it is to the event loop that a coroutine yields."""
        if _CLASS_NAME.__get__(type(value)) == "async_generator_wrapped_value":
            return False
        if track.kind != TASK or track is self._here.chosen:
            return False
        inside = _count_inside(track.stack, known)
        outer = track.stack[: len(track.stack) - 1 - inside]
        return inside >= 0 and all(call.known.awaits for call in outer)

    def _sleep(self, track: Track) -> None:
        track.is_waiting = True
        track.asleep = len(track.stack)
        for call in track.stack:
            call.is_asleep = True
        self._sink.suspend(track)

    def _wake(self, track: Track) -> None:
        track.is_waiting = False
        self._sink.resume(track)

    def _unrecorded(self, callback: Callable[..., Any], *arguments: object) -> Any:
        """Call back without recording; None where functrace's own code fails."""
        here = self._here
        was_muted, here.is_muted = here.is_muted, True
        try:
            return callback(*arguments)
        except Exception as error:
            if not is_own(error):
                raise
        finally:
            here.is_muted = was_muted


def _count_inside(stack: list[Call], known: Known) -> int:
    """How many calls are open in the innermost one of a function; -1 if it has none."""
    for inside, call in enumerate(reversed(stack)):
        if call.known is known:
            return inside
    return -1


def _failure(exception: BaseException | None) -> bytes | None:
    if exception is None:
        return b""
    return describe(exception) if is_told(exception) else None


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
