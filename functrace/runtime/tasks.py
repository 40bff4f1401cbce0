"""Which track runs: the tracks of asyncio's and trio's tasks and of greenlets, and what made
them, threads, and the work of executors.

Nothing is patched. A few functions of the libraries are watched; a library that is not loaded by
the program is not loaded by us.
"""

from __future__ import annotations

import sys
from _contextvars import Context
from _functools import partial  # type: ignore[import-not-found]  # functools takes long to load
from _thread import get_ident

from functrace.runtime import BUILTINS
from functrace.runtime.weakly import Weakly

TYPE_CHECKING = False  # what is not needed is not waited for
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, ModuleType
    from typing import Any, Protocol

    Parent = tuple[int, int, int, int]
    _Source = Callable[[], Any]
else:
    Protocol = object

globals()["__builtins__"] = BUILTINS

TASK = 3

_FUNCTION = type(lambda: None)


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
        if len(sys.modules) == self._modules:
            return
        self._modules = len(sys.modules)
        for name in list(self._unseen):
            module = sys.modules.get(name)
            if module is None:
                continue
            if _is_loading(module):
                self._modules = 0
            elif (setup := self._unseen.pop(name, None)) is not None:
                setup(self, module)

    def current(self) -> int:
        """The number of the track of the task that runs in this thread, 0 for none."""
        if len(sys.modules) != self._modules:
            self.look()
        for source in self._sources:
            task = source()
            if task is not None:
                number: int = self._numbers.get(task) or self._new(task)
                return number
        return 0

    def thread(self) -> tuple[bool, str, Parent | None]:
        """Of this thread: whether it is the main one, its name, and what started it."""
        self.look()
        threading: Any = sys.modules.get("threading")
        ident = get_ident()
        if threading is None or _is_loading(threading):
            is_main = ident == self._main
            return is_main, "MainThread" if is_main else "", None
        # current_thread() would make a thread object for one that has none.
        thread = threading._active.get(ident)
        is_main = ident == threading.main_thread().ident
        return is_main, getattr(thread, "name", ""), self._parents.get(thread)

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
        if isinstance(function, _FUNCTION) and self._recorder is not None:
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


def _is_loading(module: ModuleType) -> bool:
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))


def _task_name(task: Any) -> str:
    """A task's name, and its coroutine's."""
    get_name = getattr(task, "get_name", None)
    name = get_name() if get_name is not None else getattr(task, "name", "")
    get_coro = getattr(task, "get_coro", None)
    function = getattr(get_coro() if get_coro is not None else None, "__qualname__", "")
    return " ".join(part for part in (name, function) if isinstance(part, str) and part)


def _work_name(work: Any) -> str:
    """The name of the function that a piece of work calls."""
    task = getattr(work, "task", None)  # from Python 3.14 on: function, arguments, keywords
    if not isinstance(task, tuple):
        task = getattr(work, "fn", None), getattr(work, "args", ())
    function: Any = task[0]
    arguments = task[1]
    while type(function) is partial:
        function, arguments = function.func, (*function.args, *arguments)
    if type(getattr(function, "__self__", None)) is Context and arguments:
        function = arguments[0]  # asyncio.to_thread's
    name = getattr(function, "__qualname__", "")
    return name if isinstance(name, str) else ""


def _threading(tasks: Tasks, threading: Any) -> None:
    tasks.watch(threading.Thread.start, tasks.starts)


def _futures(tasks: Tasks, base: Any) -> None:
    # What submits work may have loaded just before what does it: a Future is the first it makes.
    tasks.watch(base.Future.__init__, lambda _: tasks.look())


def _executors(tasks: Tasks, thread: Any) -> None:
    work = getattr(thread, "_WorkItem", None)
    tasks.watch(getattr(work, "__init__", None), tasks.starts)
    tasks.watch(getattr(work, "run", None), tasks.begins, tasks.ends)


def _asyncio(tasks: Tasks, base: Any) -> None:
    asyncio_tasks = base.tasks
    get_loop, get_task = base.events._get_running_loop, asyncio_tasks.current_task

    def current() -> Any:
        loop = get_loop()
        return None if loop is None else get_task(loop)

    tasks.add_source(current)
    tasks.watch_maker(base.BaseEventLoop.create_task)
    # Of loops that are none of the standard library's.
    tasks.watch_maker(asyncio_tasks.create_task)
    tasks.watch_maker(asyncio_tasks.ensure_future)
    tasks.watch_maker(getattr(asyncio_tasks, "_ensure_future", None))  # gather's, to Python 3.12


def _task_groups(tasks: Tasks, groups: Any) -> None:
    tasks.watch_maker(groups.TaskGroup.create_task)


def _trio(tasks: Tasks, run: Any) -> None:
    context = run.GLOBAL_RUN_CONTEXT
    tasks.add_source(lambda: getattr(context, "task", None))
    tasks.watch_maker(run.Runner.spawn_impl)


def _greenlet(tasks: Tasks, greenlet: Any) -> None:
    get_current = greenlet.getcurrent

    def current() -> Any:
        here = get_current()
        return None if here.parent is None else here

    tasks.add_source(current)


# By the module whose being loaded says that all is there.
_LIBRARIES: dict[str, Callable[[Tasks, Any], None]] = {
    "threading": _threading,
    "concurrent.futures._base": _futures,
    "concurrent.futures.thread": _executors,
    "asyncio.base_events": _asyncio,
    "asyncio.taskgroups": _task_groups,
    "trio._core._run": _trio,
    "greenlet": _greenlet,
}
