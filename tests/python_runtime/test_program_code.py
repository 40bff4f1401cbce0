"""Recording runs no code of the program: names and texts are read as they are stored."""

from __future__ import annotations

import pytest

from tests.python_runtime.conftest import Runner, Runtime

# Whatever the program's classes define raises, and says so.
_HOSTILE = """
    import asyncio, functools, sys, threading
    from concurrent.futures import ThreadPoolExecutor

    ran = []

    def forbidden(*arguments, **keywords):
        ran.append(sys._getframe(1).f_code.co_name)
        raise KeyError("code of the program ran")

    class Meta(type):
        def __getattribute__(cls, name):
            if name in ("__name__", "__qualname__", "__module__", "__dict__", "__mro__"):
                forbidden()
            return super().__getattribute__(name)
        __instancecheck__ = forbidden
        def __hash__(cls): return unless_by_functrace(1)
        def __subclasscheck__(cls, other): return unless_by_functrace(True)

    def unless_by_functrace(result):
        # The interpreter asks event loops and classes of exceptions for these itself.
        if sys._getframe(2).f_globals["__name__"].startswith("functrace"): forbidden()
        return result

    class Text(str):
        __format__ = encode = __str__ = __repr__ = __getitem__ = startswith = forbidden

    @trace
    def leaf(*_): return 1
"""


def _same(run: Runner, program: str, mode: str = "record") -> list[tuple[str, str]]:
    """Run a program that prints the same, traced or not; return its tracks' names and calls."""
    plain = run(_HOSTILE + program, FUNCTRACE="off")
    traced = run(_HOSTILE + program, FUNCTRACE=mode, FUNCTRACE_OUT="" if mode == "record" else "x")
    assert (traced.stdout, traced.stderr) == (plain.stdout, plain.stderr)
    return [(t.name, t.calls) for t in traced.trace.tracks] if mode == "record" else []


@pytest.mark.parametrize("mode", ["record", "text"])
def test_threads(run: Runner, mode: str) -> None:
    tracks = _same(
        run,
        """
    class Property(threading.Thread):
        name = property(forbidden, lambda self, value: None)
        def run(self): print(leaf())

    class Getattribute(threading.Thread):
        def __getattribute__(self, name):
            if name == "name": forbidden()
            return super().__getattribute__(name)
        __dict__ = __class__ = property(forbidden)
        def run(self): print(leaf())

    class Slot(threading.Thread):
        __slots__ = ("_name",)
        __bool__ = __len__ = forbidden
        def run(self): print(leaf())

    named = threading.Thread(target=leaf)
    named._name = Text("t")
    for thread in (Property(), Getattribute(name="g"), Slot(name="s"), named,
                   threading.Thread(target=leaf, name="\\ud800")):
        thread.start()
        thread.join()

    class Active(dict):
        __getitem__ = get = __contains__ = forbidden

    def late():
        kept, threading._active = threading._active, Active()
        leaf()
        threading._active = kept
        done.release()

    done = threading.Lock()
    done.acquire()
    thread = threading.Thread(target=late, name="not found")
    thread.start()
    done.acquire()
    thread.join()
    print(ran)
    """,
        mode,
    )
    if mode == "record":
        names = ["g", "s", "t", "\\ud800", ""]
        assert tracks[0][0].startswith("Thread-")
        assert [name for name, _ in tracks[1:]] == names
        assert {calls for _, calls in tracks} == {">leaf <leaf"}


def test_tasks(run: Runner) -> None:
    names = _same(
        run,
        """
    class Task(asyncio.Task):
        get_name = get_coro = __getattr__ = forbidden

    class PythonTask(asyncio.tasks._PyTask):
        get_name = get_coro = forbidden

    class Loop(asyncio.SelectorEventLoop):
        def __hash__(self): return unless_by_functrace(1)

    class Coroutine:
        def __init__(self): self.inner = job()
        def send(self, value): return self.inner.send(value)
        def throw(self, *error): return self.inner.throw(*error)
        def close(self): return self.inner.close()
        def __await__(self): return self
        __getattr__ = forbidden

    import collections.abc
    collections.abc.Coroutine.register(Coroutine)

    async def job(): return leaf()

    loop = Loop()
    for make, work in ((Task, job), (PythonTask, job), (Task, Coroutine)):
        loop.set_task_factory(lambda loop, work, **_: make(work, loop=loop))
        task = loop.create_task(work())
        type(task).__mro__[1].set_name(task, "t")
        print(loop.run_until_complete(task))
    job.__qualname__ = Text("renamed")
    print(loop.run_until_complete(job()), ran)
    """,
    )
    assert [calls for _, calls in names] == [">leaf <leaf"] * 4
    assert [name for name, _ in names[:3]] == ["t job", "t job", "t"]
    assert names[3][0].endswith(" renamed")


def test_executors(run: Runner) -> None:
    tracks = _same(
        run,
        """
    class Work(metaclass=Meta):
        def __getattribute__(self, name): forbidden()
        def __call__(self): return leaf()
        def method(self): return leaf()

    class Partial(functools.partial):
        func = args = property(forbidden)

    work = Work()
    with ThreadPoolExecutor(1) as pool:
        for function in (work, functools.partial(work), Partial(leaf, 1), leaf,
                         functools.lru_cache(leaf), functools.partial(Work.method, work)):
            print(pool.submit(function).result())
    print(ran)
    """,
    )
    assert {calls for _, calls in tracks} == {">leaf <leaf"}
    assert [name for name, _ in tracks] == ["", "", "leaf", "leaf", "leaf", "Work.method"]


def test_exceptions(run: Runner, runtime: Runtime) -> None:
    tracks = _same(
        run,
        """
    class Failure(Exception, metaclass=Meta):
        __str__ = __repr__ = forbidden
        args = __traceback__ = property(forbidden)

    @trace
    def fail(): raise Failure(1)

    class Yielded(metaclass=Meta): pass

    @trace
    async def agen():
        try:
            fail()
        except BaseException as error:
            print(type(error) is Failure)
        yield Yielded()

    async def main():
        async for value in agen(): pass

    asyncio.run(main())
    print(ran)
    """,
    )
    failed = runtime.failed("Failure: 1")
    assert tracks[0][1] == f">agen >fail {failed} <fail <agen >agen <agen"


def test_modules(run: Runner) -> None:
    """An attribute access on an object in sys.modules may load a module or warn."""
    tracks = _same(
        run,
        """
    import importlib.util, types

    class Module(types.ModuleType):
        def __getattribute__(self, name): forbidden()
        __dict__ = property(forbidden)

    class NoModule:
        def __getattr__(self, name): forbidden()

    sys.modules["greenlet"] = Module("greenlet")
    sys.modules["trio._core._run"] = NoModule()
    # In Python 3.10, it has no dictionary.
    sys.modules["asyncio.taskgroups"] = types.ModuleType.__new__(types.ModuleType)
    spec = importlib.util.find_spec("concurrent.futures.thread")
    lazy = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = lazy
    importlib.util.LazyLoader(spec.loader).exec_module(lazy)
    leaf()
    print(type(lazy).__name__)
    main, main.__spec__, main.__file__ = sys.modules["__main__"], NoModule(), NoModule()
    sys.argv, sys.orig_argv = NoModule(), [Text("a"), NoModule()]
    sys.executable = sys.version = sys.platform = Text("b")
    sys.modules = NoModule()

    @trace
    def inner(): pass

    inner.__qualname__ = Text("inner")
    inner()
    print(ran)
    """,
    )
    assert tracks == [("MainThread", ">leaf <leaf >inner <inner")]


def test_code_objects_and_functions(run: Runner) -> None:
    tracks = _same(
        run,
        """
    def made(): pass
    made.__qualname__ = Text("made")
    made.__module__ = Text("m")
    made.__code__ = made.__code__.replace(co_filename=Text("/x.py"), co_name=Text("made"))
    trace(made)()
    print(ran)
    """,
    )
    assert tracks == [("MainThread", ">?.made <?.made")]


@pytest.mark.parametrize(
    "stream",
    [
        "Text(sys.stdout.buffer)",
        "io.TextIOWrapper(io.BufferedWriter(Raw(1, 'w')))",
        "sys.__stdout__; sys.stdout = Text(sys.stdout.detach())",
    ],
)
def test_replaced_standard_stream_is_not_flushed(run: Runner, stream: str) -> None:
    done = run(
        f"""
        import io, os, sys

        class Text(io.TextIOWrapper):
            def flush(self):
                os.write(2, b"code of the program ran")

        class Raw(io.FileIO):
            closed = property(Text.flush)

        sys.__stdout__ = {stream}

        @trace
        def leaf(): pass

        leaf()
        os._exit(0)
        """,
        FUNCTRACE="text",
    )
    assert done.stderr == ""
    assert done.stdout == "t[01]:\t->__main__.leaf\nt[01]:\t<-__main__.leaf\n"


def test_exception_of_a_signal_handler_reaches_the_program(run: Runner, runtime: Runtime) -> None:
    """Also if the signal interrupts functrace's own code and the error is an Exception."""
    done = run("""
        import contextvars, signal, sys
        from functrace.runtime import task_tracks

        class Timeout(Exception): pass

        def handle(*_):
            raise Timeout

        signal.signal(signal.SIGUSR1, handle)
        asked = []

        def interrupted():
            # As if the signal came in the midst of it.
            if asked:
                asked.clear()
                signal.raise_signal(signal.SIGUSR1)
            return None

        @trace
        def leaf(): pass

        leaf()
        import functrace
        interrupted = type(interrupted)(
            interrupted.__code__, {**globals(), "__builtins__": task_tracks.BUILTINS}
        )
        functrace._control._tasks.add_task_getter(interrupted)
        asked.append(1)
        contextvars.Context().run(int)
        try:
            leaf()
        except Timeout as error:
            names = []
            at = error.__traceback__
            while at:
                names.append(at.tb_frame.f_code.co_name)
                at = at.tb_next
            print("raised", names[0], names[-1], "current_track" in names)
        leaf()
        print("goes on")
    """)
    seen = not runtime.is_native
    assert done.stdout == f"raised <module> handle {seen}\ngoes on\n"
    assert done.stderr == ""
