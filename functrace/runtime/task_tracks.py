"""Which track work_tracks: the tracks of asyncio's and trio's tasks and of greenlets, and what made
them, threads, and the work of executors.

Nothing is patched. A few functions of the libraries are watched; a library that is not loaded by
the program is not loaded by us.
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

TYPE_CHECKING = False  # what is not needed is not waited for
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
_get_main_thread_ident: Any = getattr(_thread, "_get_main_thread_ident", None)  # from 3.13 on


class Recorder(Protocol):
    """What is asked of a recorder here."""

    def watch(
        self,
        code: CodeType,
        started: Callable[[object], None] | None,
        returned: Callable[[object], None] | None,
    ) -> None:
        """Call back at each call of a code object."""

    def current_origin(self) -> Origin:
        """Where this thread is."""

    def new_track(self, kind: int, name: str, parent: Origin | None) -> int:
        """The number of a new track."""

    def release_track(self, track: int) -> None:
        """Let go of a track."""

    def switch_track(self, track: int) -> int:
        """Go on in another track."""


class TaskTracks:
    """The tracks that are no threads'. ``attach`` comes before anything else."""

    def __init__(self) -> None:
        self._recorder: Recorder | None = None
        self._numbers = WeakIdentityMap(self._release)
        self._parents = WeakIdentityMap()
        self._creators: dict[int, list[Origin]] = {}  # by thread: who makes a task just now
        self._work_tracks: dict[int, list[int]] = {}  # by thread: the tracks behind pieces of work
        self._task_getters: tuple[_TaskGetter, ...] = ()
        self._inherited_origins: dict[int, Origin] = {}  # by track
        self._unseen_libraries = dict(_LIBRARIES)
        self._modules = 0  # how many there were at the last watch_libraries
        self._main = get_ident()

    def attach(self, recorder: Recorder) -> None:
        """Work with this recorder from here on; what is watched stays so."""
        self._recorder = recorder
        self.watch_libraries()

    def watch_libraries(self) -> None:
        """Watch what has been loaded since the last watch_libraries."""
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
        """The number of the track of the task that work_tracks in this thread, 0 for none."""
        if len(MODULES) != self._modules:
            self.watch_libraries()
        for get_task in self._task_getters:
            task = get_task()
            if task is not None:
                number: int = self._numbers.get(task) or self._new(task)
                return number
        return 0

    def describe_thread(self) -> tuple[bool, str, Origin | None]:
        """Describe this thread: whether it is the main one, its name, and what started it."""
        self.watch_libraries()
        ident = get_ident()
        threading = MODULES.get("threading")
        if threading is None or is_loading(threading):
            is_main = ident == self._main
            return is_main, "MainThread" if is_main else "", None
        stored = get_dict(threading)
        # current_thread() would make a thread object for one that has none.
        active = stored.get("_active")
        thread = active.get(ident) if type(active) is dict else None
        is_main = ident == _main_ident(stored.get("_main_thread"), self._main)
        name = exact_str(get_attribute(thread, "_name")) or ("MainThread" if is_main else "")
        return is_main, name, self._parents.get(thread)

    def _new(self, task: Any) -> int:
        """A track for a task that is seen for the first time."""
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
        """Where this thread is; of a task that has nothing open, current_origin that was made."""
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

    # What is watched

    def add_task_getter(self, get_task: _TaskGetter) -> None:
        """Ask this, too, for the task that work_tracks in this thread."""
        self._task_getters = (*self._task_getters, get_task)

    def watch_factory(self, function: Any) -> None:
        """A function that returns a new task."""
        self._watch(function, self._before_creation, self._after_creation)

    def watch(
        self,
        function: Any,
        started: Callable[[Any], None] | None,
        returned: Callable[[Any], None] | None = None,
    ) -> None:
        """A function whose calls are to be told."""
        self._watch(function, started, returned)

    def _watch(self, function: Any, started: Any, returned: Any) -> None:
        function = unwrap_function(function)
        if function is not None and self._recorder is not None:
            self._recorder.watch(function.__code__, started, returned)

    def _before_creation(self, _first: object) -> None:
        # A task may run before it is returned: asyncio's eager ones.
        if self._recorder is not None:
            self._creators.setdefault(get_ident(), []).append(self._current_origin())

    def _after_creation(self, task: object) -> None:
        creators = self._creators.get(get_ident())
        parent = creators.pop() if creators else None
        if task is not None and parent is not None and self._parents.get(task) is None:
            self._parents.put(task, parent)

    def record_start(self, thread: object) -> None:
        """A thread, or a piece of work, is handed over here."""
        if self._recorder is not None:
            self._parents.put(thread, self._current_origin())

    def begin_work(self, work: Any) -> None:
        """A piece of work is begun by this thread."""
        recorder = self._recorder
        if recorder is not None:
            parent = self._parents.get(work)
            number = recorder.new_track(TASK, _work_name(work), parent)
            if parent is not None:
                self._inherited_origins[number] = parent
            self._work_tracks.setdefault(get_ident(), []).append(number)
            recorder.switch_track(number)

    def end_work(self, _result: object) -> None:
        """The piece of work is done."""
        recorder, work_tracks = self._recorder, self._work_tracks.get(get_ident())
        if recorder is not None and work_tracks:
            number = work_tracks.pop()
            recorder.switch_track(work_tracks[-1] if work_tracks else 0)
            if not work_tracks:
                del self._work_tracks[get_ident()]
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
        name, coroutine = asyncio.get_name(task), asyncio.get_coro(task)  # the methods in C
    else:
        name = get_attribute(task, "_name") or get_attribute(task, "name")
        coroutine = get_attribute(task, "_coro")
    return " ".join(part for part in (exact_str(name), get_qualname(coroutine)) if part)


def _work_name(work: Any) -> str:
    """Return the name of the function that a piece of work calls."""
    task = get_attribute(work, "task")  # from Python 3.14 on: function, arguments, keywords
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
        function = arguments[0]  # asyncio.to_thread's
    return get_qualname(function)


def _threading(tasks: TaskTracks, threading: dict[str, Any]) -> None:
    tasks.watch(get_class_attribute(threading.get("Thread"), "start"), tasks.record_start)


def _futures(tasks: TaskTracks, base: dict[str, Any]) -> None:
    # What submits work may have loaded just before what does it: a Future is the first it makes.
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
        tasks.add_task_getter(_running_task(in_c))
    tasks.watch_factory(get_class_attribute(base.get("BaseEventLoop"), "create_task"))
    # Of loops that are none of the standard library's.
    tasks.watch_factory(in_python.get("create_task"))
    tasks.watch_factory(in_python.get("ensure_future"))
    tasks.watch_factory(in_python.get("_ensure_future"))  # gather's, to Python 3.12


def _running_task(asyncio: dict[str, Any]) -> _TaskGetter:
    get_loop: Any = asyncio.get("_get_running_loop")
    get_task: Any = asyncio.get("current_task")
    running: Any = asyncio.get("_current_tasks")

    def current() -> Any:
        loop = get_loop()
        return None if loop is None else get_task(loop)

    def current_to_313() -> Any:
        loop = get_loop()
        if loop is None:
            return None
        # To watch_libraries the loop up would hash it, which may run code of the program.
        return next((task for at, task in list(running.items()) if at is loop), None)

    return current if running is None else current_to_313


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


# By the module whose being loaded says that all is there.
_LIBRARIES: dict[str, Callable[[TaskTracks, dict[str, Any]], None]] = {
    "threading": _threading,
    "concurrent.futures._base": _futures,
    "concurrent.futures.thread": _executors,
    "asyncio.base_events": _asyncio,
    "asyncio.taskgroups": _task_groups,
    "trio._core._run": _trio,
    "greenlet": _greenlet,
}
