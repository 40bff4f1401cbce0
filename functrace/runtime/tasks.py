"""Which track runs: the tracks of asyncio's and trio's tasks and of greenlets, and what made
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
from functrace.runtime.stored import (
    attribute,
    class_attribute,
    is_loading,
    python_function,
    qualname,
    text,
    values,
)
from functrace.runtime.weakly import Weakly

TYPE_CHECKING = False  # what is not needed is not waited for
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any, Protocol

    Parent = tuple[int, int, int, int]
    _Source = Callable[[], Any]
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

    def where(self) -> Parent:
        """Where this thread is."""

    def track(self, kind: int, name: str, parent: Parent | None) -> int:
        """The number of a new track."""

    def forget(self, track: int) -> None:
        """Let go of a track."""

    def switch(self, track: int) -> int:
        """Go on in another track."""


class Tasks:
    """The tracks that are no threads'. ``attach`` comes before anything else."""

    def __init__(self) -> None:
        self._recorder: Recorder | None = None
        self._numbers = Weakly(self._forget)
        self._parents = Weakly()
        self._makers: dict[int, list[Parent]] = {}  # by thread: who makes a task just now
        self._runs: dict[int, list[int]] = {}  # by thread: the tracks behind pieces of work
        self._sources: tuple[_Source, ...] = ()
        self._passed_on: dict[int, Parent] = {}  # by track
        self._unseen = dict(_LIBRARIES)
        self._modules = 0  # how many there were at the last look
        self._main = get_ident()

    def attach(self, recorder: Recorder) -> None:
        """Work with this recorder from here on; what is watched stays so."""
        self._recorder = recorder
        self.look()

    def look(self) -> None:
        """Watch what has been loaded since the last look."""
        if len(MODULES) == self._modules:
            return
        self._modules = len(MODULES)
        for name in list(self._unseen):
            module = MODULES.get(name)
            if module is None:
                continue
            if is_loading(module):
                self._modules = 0
            elif (setup := self._unseen.pop(name, None)) is not None:
                setup(self, values(module))

    def current(self) -> int:
        """The number of the track of the task that runs in this thread, 0 for none."""
        if len(MODULES) != self._modules:
            self.look()
        for source in self._sources:
            task = source()
            if task is not None:
                number: int = self._numbers.get(task) or self._new(task)
                return number
        return 0

    def thread(self) -> tuple[bool, str, Parent | None]:
        """Describe this thread: whether it is the main one, its name, and what started it."""
        self.look()
        ident = get_ident()
        threading = MODULES.get("threading")
        if threading is None or is_loading(threading):
            is_main = ident == self._main
            return is_main, "MainThread" if is_main else "", None
        stored = values(threading)
        # current_thread() would make a thread object for one that has none.
        active = stored.get("_active")
        thread = active.get(ident) if type(active) is dict else None
        is_main = ident == _main_ident(stored.get("_main_thread"), self._main)
        name = text(attribute(thread, "_name")) or ("MainThread" if is_main else "")
        return is_main, name, self._parents.get(thread)

    def _new(self, task: Any) -> int:
        """A track for a task that is seen for the first time."""
        recorder = self._recorder
        assert recorder is not None
        making = self._makers.get(get_ident())
        parent = self._parents.get(task) or (making[-1] if making else None)
        number = recorder.track(TASK, _task_name(task), parent)
        if not self._numbers.put(task, number):
            return 0
        if parent is not None:
            self._passed_on[number] = parent
        return number

    def _where(self) -> Parent:
        """Where this thread is; of a task that has nothing open, where that was made."""
        assert self._recorder is not None
        where = self._recorder.where()
        return where if where[1] else self._passed_on.get(where[0], where)

    def _forget(self, number: int) -> None:
        self._passed_on.pop(number, None)
        if self._recorder is not None:
            self._recorder.forget(number)

    # What is watched

    def add_source(self, source: _Source) -> None:
        """Ask this, too, for the task that runs in this thread."""
        self._sources = (*self._sources, source)

    def watch_maker(self, function: Any) -> None:
        """A function that returns a new task."""
        self._watch(function, self._making, self._made)

    def watch(
        self,
        function: Any,
        started: Callable[[Any], None] | None,
        returned: Callable[[Any], None] | None = None,
    ) -> None:
        """A function whose calls are to be told."""
        self._watch(function, started, returned)

    def _watch(self, function: Any, started: Any, returned: Any) -> None:
        function = python_function(function)
        if function is not None and self._recorder is not None:
            self._recorder.watch(function.__code__, started, returned)

    def _making(self, _first: object) -> None:
        # A task may run before it is returned: asyncio's eager ones.
        if self._recorder is not None:
            self._makers.setdefault(get_ident(), []).append(self._where())

    def _made(self, task: object) -> None:
        making = self._makers.get(get_ident())
        parent = making.pop() if making else None
        if task is not None and parent is not None and self._parents.get(task) is None:
            self._parents.put(task, parent)

    def starts(self, thread: object) -> None:
        """A thread, or a piece of work, is handed over here."""
        if self._recorder is not None:
            self._parents.put(thread, self._where())

    def begins(self, work: Any) -> None:
        """A piece of work is begun by this thread."""
        recorder = self._recorder
        if recorder is not None:
            parent = self._parents.get(work)
            number = recorder.track(TASK, _work_name(work), parent)
            if parent is not None:
                self._passed_on[number] = parent
            self._runs.setdefault(get_ident(), []).append(number)
            recorder.switch(number)

    def ends(self, _result: object) -> None:
        """The piece of work is done."""
        recorder, runs = self._recorder, self._runs.get(get_ident())
        if recorder is not None and runs:
            number = runs.pop()
            recorder.switch(runs[-1] if runs else 0)
            if not runs:
                del self._runs[get_ident()]
            self._forget(number)


def _main_ident(main_thread: Any, default: int) -> int:
    ident = _get_main_thread_ident() if _get_main_thread_ident else None
    if ident is None:
        ident = attribute(main_thread, "_ident")
    return ident if type(ident) is int else default


def _task_name(task: Any) -> str:
    """Return a task's name and its coroutine's."""
    asyncio = values(MODULES.get("_asyncio")).get("Task")
    if asyncio is not None and issubclass(type(task), asyncio):
        name, coroutine = asyncio.get_name(task), asyncio.get_coro(task)  # the methods in C
    else:
        name = attribute(task, "_name") or attribute(task, "name")
        coroutine = attribute(task, "_coro")
    return " ".join(part for part in (text(name), qualname(coroutine)) if part)


def _work_name(work: Any) -> str:
    """Return the name of the function that a piece of work calls."""
    task = attribute(work, "task")  # from Python 3.14 on: function, arguments, keywords
    if type(task) is tuple and len(task) > 1:
        function, arguments = task[:2]
    else:
        function, arguments = attribute(work, "fn"), attribute(work, "args")
    if type(arguments) is not tuple:
        arguments = ()
    while issubclass(type(function), partial):
        arguments = (*_PARTIAL_ARGUMENTS.__get__(function), *arguments)
        function = _PARTIAL_FUNCTION.__get__(function)
    if type(function) is _BUILTIN and type(function.__self__) is Context and arguments:
        function = arguments[0]  # asyncio.to_thread's
    return qualname(function)


def _threading(tasks: Tasks, threading: dict[str, Any]) -> None:
    tasks.watch(class_attribute(threading.get("Thread"), "start"), tasks.starts)


def _futures(tasks: Tasks, base: dict[str, Any]) -> None:
    # What submits work may have loaded just before what does it: a Future is the first it makes.
    tasks.watch(class_attribute(base.get("Future"), "__init__"), lambda _: tasks.look())


def _executors(tasks: Tasks, thread: dict[str, Any]) -> None:
    work = thread.get("_WorkItem")
    tasks.watch(class_attribute(work, "__init__"), tasks.starts)
    tasks.watch(class_attribute(work, "run"), tasks.begins, tasks.ends)


def _asyncio(tasks: Tasks, base: dict[str, Any]) -> None:
    in_python = values(base.get("tasks"))
    in_c: dict[str, Any] = values(MODULES.get("_asyncio"))
    if type(in_c.get("_get_running_loop")) is _BUILTIN:
        tasks.add_source(_running_task(in_c))
    tasks.watch_maker(class_attribute(base.get("BaseEventLoop"), "create_task"))
    # Of loops that are none of the standard library's.
    tasks.watch_maker(in_python.get("create_task"))
    tasks.watch_maker(in_python.get("ensure_future"))
    tasks.watch_maker(in_python.get("_ensure_future"))  # gather's, to Python 3.12


def _running_task(asyncio: dict[str, Any]) -> _Source:
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
        # To look the loop up would hash it, which may run code of the program.
        return next((task for at, task in list(running.items()) if at is loop), None)

    return current if running is None else current_to_313


def _task_groups(tasks: Tasks, groups: dict[str, Any]) -> None:
    tasks.watch_maker(class_attribute(groups.get("TaskGroup"), "create_task"))


def _trio(tasks: Tasks, run: dict[str, Any]) -> None:
    context = run.get("GLOBAL_RUN_CONTEXT")
    tasks.add_source(lambda: getattr(context, "task", None))
    tasks.watch_maker(class_attribute(run.get("Runner"), "spawn_impl"))


def _greenlet(tasks: Tasks, greenlet: dict[str, Any]) -> None:
    get_current: Any = greenlet.get("getcurrent")
    get_parent = class_attribute(greenlet.get("greenlet"), "parent")
    if type(get_current) is not _BUILTIN or get_parent is None:
        return

    def current() -> Any:
        here = get_current()
        return None if get_parent.__get__(here) is None else here

    tasks.add_source(current)


# By the module whose being loaded says that all is there.
_LIBRARIES: dict[str, Callable[[Tasks, dict[str, Any]], None]] = {
    "threading": _threading,
    "concurrent.futures._base": _futures,
    "concurrent.futures.thread": _executors,
    "asyncio.base_events": _asyncio,
    "asyncio.taskgroups": _task_groups,
    "trio._core._run": _trio,
    "greenlet": _greenlet,
}
