"""Tracks of tasks: determine which track runs, and its origin.

Covers asyncio and trio tasks, greenlets, threads, and work items of executors. Nothing is patched:
a few functions of these libraries are watched. A library that the program has not loaded is not
loaded here.
"""

from __future__ import annotations

import _thread
from _contextvars import Context
from _functools import partial  # type: ignore[import-not-found]  # functools takes long to load
from _thread import get_ident

from functrace.runtime import BUILTINS, MODULES
from functrace.runtime.raw_attributes import (
    exact_str,
    get_attribute,
    get_class_attribute,
    get_dict,
    get_qualname,
    is_loading,
    unwrap_function,
)
from functrace.runtime.weak_map import WeakIdentityMap

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any, Protocol

    Origin = tuple[int, int, int, int]
    _TaskGetter = Callable[[], Any]
else:
    Protocol = object

globals()["__builtins__"] = BUILTINS

TASK = 3

_BUILTIN: Any = type(len)
_PARTIAL_FUNCTION, _PARTIAL_ARGUMENTS = partial.__dict__["func"], partial.__dict__["args"]
_get_main_thread_ident: Any = getattr(_thread, "_get_main_thread_ident", None)  # since Python 3.13


class Recorder(Protocol):
    """Methods of a recorder that are used here."""

    def watch(
        self,
        code: CodeType,
        started: Callable[[object], None] | None,
        returned: Callable[[object], None] | None,
    ) -> None:
        """Call back at each call of a code object."""

    def current_origin(self) -> Origin:
        """Return this thread's track, innermost function, line and time."""

    def new_track(self, kind: int, name: str, parent: Origin | None) -> int:
        """Create a track and return its number."""

    def release_track(self, track: int) -> None:
        """Release a track."""

    def switch_track(self, track: int) -> int:
        """Switch this thread to another track."""


class TaskTracks:
    """Tracks other than those of threads. Call ``attach`` before any other method."""

    def __init__(self) -> None:
        self._recorder: Recorder | None = None
        self._numbers = WeakIdentityMap(self._release)
        self._parents = WeakIdentityMap()
        self._creators: dict[int, list[Origin]] = {}  # by thread: tasks being created
        self._work_tracks: dict[int, list[int]] = {}  # by thread: tracks of active work items
        self._task_getters: tuple[_TaskGetter, ...] = ()
        self._current_inbound: Callable[[], Any] | None = None
        self._inbounds = WeakIdentityMap()  # by thread and work item that it started
        self._work_inbounds: dict[int, list[Any]] = {}  # by thread, as work_tracks
        self._inherited_origins: dict[int, Origin] = {}  # origins of tracks, by number
        self._unseen_libraries = dict(_LIBRARIES)
        self._modules = 0  # number of loaded modules at the last check
        self._main = get_ident()

    def attach(self, recorder: Recorder) -> None:
        """Use this recorder from now on; watched functions remain watched."""
        self._recorder = recorder
        self.watch_libraries()

    def watch_libraries(self) -> None:
        """Watch libraries that have been loaded since the last call."""
        if len(MODULES) == self._modules:
            return
        self._modules = len(MODULES)
        for name in list(self._unseen_libraries):
            module = MODULES.get(name)
            if module is None:
                continue
            if is_loading(module):
                self._modules = 0
            elif (setup := self._unseen_libraries.pop(name, None)) is not None:
                setup(self, get_dict(module))

    def current_track(self) -> int:
        """Return the track number of the task that this thread runs, 0 for none."""
        if len(MODULES) != self._modules:
            self.watch_libraries()
        for get_task in self._task_getters:
            task = get_task()
            if task is not None:
                number: int = self._numbers.get(task) or self._create_track(task)
                return number
        return 0

    def describe_thread(self) -> tuple[bool, str, Origin | None]:
        """Return whether this is the main thread, its name, and its origin."""
        self.watch_libraries()
        ident = get_ident()
        threading = MODULES.get("threading")
        if threading is None or is_loading(threading):
            is_main = ident == self._main
            return is_main, "MainThread" if is_main else "", None
        stored = get_dict(threading)
        # current_thread() would create an object for a thread that has none.
        active = stored.get("_active")
        thread = active.get(ident) if type(active) is dict else None
        is_main = ident == _main_ident(stored.get("_main_thread"), self._main)
        name = exact_str(get_attribute(thread, "_name")) or ("MainThread" if is_main else "")
        return is_main, name, self._parents.get(thread)

    def follow_inbound(self, current: Callable[[], Any]) -> None:
        """Keep the inbound call, which ``current`` returns, of what starts threads and work."""
        self._current_inbound = current
        self._unseen_libraries["queue"] = _queues
        self._modules = 0
        self.watch_libraries()

    def leave_inbound(self, _item: object) -> None:
        """Forget which inbound call started this thread: its work is that of a queue."""
        thread = self._thread()
        if thread is not None:
            self._inbounds.put(thread, None)

    def inherited_inbound(self) -> Any:
        """Return the inbound call that started this thread, or the work that it does, or None."""
        works = self._work_inbounds.get(get_ident())
        if works:
            return works[-1]
        return self._inbounds.get(self._thread())

    def _thread(self) -> Any:
        """Return the object of this thread, or None."""
        active = get_dict(MODULES.get("threading")).get("_active")
        return active.get(get_ident()) if type(active) is dict else None

    def new_track_here(self) -> int:
        """Create a track that is parented to the innermost open call; return its number."""
        assert self._recorder is not None
        return self._recorder.new_track(TASK, "", self._current_origin())

    def _create_track(self, task: Any) -> int:
        """Create the track of a task that is seen for the first time."""
        recorder = self._recorder
        assert recorder is not None
        creators = self._creators.get(get_ident())
        parent = self._parents.get(task) or (creators[-1] if creators else None)
        number = recorder.new_track(TASK, _task_name(task), parent)
        if not self._numbers.put(task, number):
            return 0
        if parent is not None:
            self._inherited_origins[number] = parent
        return number

    def _current_origin(self) -> Origin:
        """Return this thread's position; for a task without open calls, the task's origin."""
        assert self._recorder is not None
        current_origin = self._recorder.current_origin()
        return (
            current_origin
            if current_origin[1]
            else self._inherited_origins.get(current_origin[0], current_origin)
        )

    def _release(self, number: int) -> None:
        self._inherited_origins.pop(number, None)
        if self._recorder is not None:
            self._recorder.release_track(number)

    # Watched functions

    def add_task_getter(self, get_task: _TaskGetter) -> None:
        """Also use this function to find the task that this thread runs."""
        self._task_getters = (*self._task_getters, get_task)

    def watch_factory(self, function: Any) -> None:
        """Watch a function that returns a new task."""
        self._watch(function, self._before_creation, self._after_creation)

    def watch(
        self,
        function: Any,
        started: Callable[[Any], None] | None,
        returned: Callable[[Any], None] | None = None,
    ) -> None:
        """Call back at each call of a function."""
        self._watch(function, started, returned)

    def _watch(self, function: Any, started: Any, returned: Any) -> None:
        function = unwrap_function(function)
        if function is not None and self._recorder is not None:
            self._recorder.watch(function.__code__, started, returned)

    def _before_creation(self, _first: object) -> None:
        # A task may run before it is returned, such as asyncio's eager tasks.
        if self._recorder is not None:
            self._creators.setdefault(get_ident(), []).append(self._current_origin())

    def _after_creation(self, task: object) -> None:
        creators = self._creators.get(get_ident())
        parent = creators.pop() if creators else None
        if task is not None and parent is not None and self._parents.get(task) is None:
            self._parents.put(task, parent)

    def record_start(self, thread: object) -> None:
        """Record this position as the origin of a thread or work item."""
        if self._recorder is not None:
            self._parents.put(thread, self._current_origin())
        if self._current_inbound is not None:
            inbound = self._current_inbound() or self.inherited_inbound()
            if inbound is not None:
                self._inbounds.put(thread, inbound)

    def begin_work(self, work: Any) -> None:
        """Switch this thread to a new track for a work item."""
        recorder = self._recorder
        if recorder is not None:
            parent = self._parents.get(work)
            number = recorder.new_track(TASK, _work_name(work), parent)
            if parent is not None:
                self._inherited_origins[number] = parent
            self._work_tracks.setdefault(get_ident(), []).append(number)
            self._work_inbounds.setdefault(get_ident(), []).append(self._inbounds.get(work))
            recorder.switch_track(number)

    def end_work(self, _result: object) -> None:
        """Switch this thread back at the end of a work item."""
        recorder, work_tracks = self._recorder, self._work_tracks.get(get_ident())
        if recorder is not None and work_tracks:
            number = work_tracks.pop()
            recorder.switch_track(work_tracks[-1] if work_tracks else 0)
            self._work_inbounds[get_ident()].pop()
            if not work_tracks:
                del self._work_tracks[get_ident()]
                del self._work_inbounds[get_ident()]
            self._release(number)


def _main_ident(main_thread: Any, default: int) -> int:
    ident = _get_main_thread_ident() if _get_main_thread_ident else None
    if ident is None:
        ident = get_attribute(main_thread, "_ident")
    return ident if type(ident) is int else default


def _task_name(task: Any) -> str:
    """Return a task's name and its coroutine's."""
    asyncio = get_dict(MODULES.get("_asyncio")).get("Task")
    if asyncio is not None and issubclass(type(task), asyncio):
        name, coroutine = (
            asyncio.get_name(task),
            asyncio.get_coro(task),
        )  # methods in C
    else:
        name = get_attribute(task, "_name") or get_attribute(task, "name")
        coroutine = get_attribute(task, "_coro")
    return " ".join(part for part in (exact_str(name), get_qualname(coroutine)) if part)


def _work_name(work: Any) -> str:
    """Return the name of the function that a work item calls."""
    task = get_attribute(work, "task")  # since Python 3.14: function, arguments, keywords
    if type(task) is tuple and len(task) > 1:
        function, arguments = task[:2]
    else:
        function, arguments = get_attribute(work, "fn"), get_attribute(work, "args")
    if type(arguments) is not tuple:
        arguments = ()
    while issubclass(type(function), partial):
        arguments = (*_PARTIAL_ARGUMENTS.__get__(function), *arguments)
        function = _PARTIAL_FUNCTION.__get__(function)
    if type(function) is _BUILTIN and type(function.__self__) is Context and arguments:
        function = arguments[0]  # from asyncio.to_thread
    return get_qualname(function)


def _threading(tasks: TaskTracks, threading: dict[str, Any]) -> None:
    tasks.watch(get_class_attribute(threading.get("Thread"), "start"), tasks.record_start)


def _queues(tasks: TaskTracks, queue: dict[str, Any]) -> None:
    tasks.watch(get_class_attribute(queue.get("Queue"), "get"), None, tasks.leave_inbound)


def _futures(tasks: TaskTracks, base: dict[str, Any]) -> None:
    # The code that submits work may have loaded the executor's module just before. The first object
    # it creates is a Future.
    tasks.watch(
        get_class_attribute(base.get("Future"), "__init__"), lambda _: tasks.watch_libraries()
    )


def _executors(tasks: TaskTracks, thread: dict[str, Any]) -> None:
    work = thread.get("_WorkItem")
    tasks.watch(get_class_attribute(work, "__init__"), tasks.record_start)
    tasks.watch(get_class_attribute(work, "run"), tasks.begin_work, tasks.end_work)


def _asyncio(tasks: TaskTracks, base: dict[str, Any]) -> None:
    in_python = get_dict(base.get("tasks"))
    in_c: dict[str, Any] = get_dict(MODULES.get("_asyncio"))
    if type(in_c.get("_get_running_loop")) is _BUILTIN:
        tasks.add_task_getter(_running_task(in_c, in_python))
    tasks.watch_factory(get_class_attribute(base.get("BaseEventLoop"), "create_task"))
    # For event loops outside the standard library.
    tasks.watch_factory(in_python.get("create_task"))
    tasks.watch_factory(in_python.get("ensure_future"))
    tasks.watch_factory(in_python.get("_ensure_future"))  # used by gather until Python 3.12


def _running_task(in_c: dict[str, Any], in_python: dict[str, Any]) -> _TaskGetter:
    get_loop: Any = in_c.get("_get_running_loop")
    get_task: Any = in_c.get("current_task")
    running: Any = in_python.get("_current_tasks", {})
    # Until Python 3.13 all tasks are in that dictionary, afterwards only those written in Python.
    has_all = "_current_tasks" in in_c

    def current() -> Any:
        loop = get_loop()
        if loop is None:
            return None
        task = None if has_all else get_task(loop)
        if task is not None:
            return task
        # A lookup by key would hash the loop, which may run program code.
        return next((task for at, task in list(running.items()) if at is loop), None)

    return current


def _task_groups(tasks: TaskTracks, groups: dict[str, Any]) -> None:
    tasks.watch_factory(get_class_attribute(groups.get("TaskGroup"), "create_task"))


def _trio(tasks: TaskTracks, run: dict[str, Any]) -> None:
    context = run.get("GLOBAL_RUN_CONTEXT")
    tasks.add_task_getter(lambda: getattr(context, "task", None))
    tasks.watch_factory(get_class_attribute(run.get("Runner"), "spawn_impl"))


def _greenlet(tasks: TaskTracks, greenlet: dict[str, Any]) -> None:
    get_current: Any = greenlet.get("getcurrent")
    get_parent = get_class_attribute(greenlet.get("greenlet"), "parent")
    if type(get_current) is not _BUILTIN or get_parent is None:
        return

    def current() -> Any:
        here = get_current()
        return None if get_parent.__get__(here) is None else here

    tasks.add_task_getter(current)


# Keyed by the module that is loaded last, when the library is complete.
_LIBRARIES: dict[str, Callable[[TaskTracks, dict[str, Any]], None]] = {
    "threading": _threading,
    "concurrent.futures._base": _futures,
    "concurrent.futures.thread": _executors,
    "asyncio.base_events": _asyncio,
    "asyncio.taskgroups": _task_groups,
    "trio._core._run": _trio,
    "greenlet": _greenlet,
}
