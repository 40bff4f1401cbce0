"""Tracing changes nothing that a program can observe of its functions."""

from __future__ import annotations

import pytest

from tests.python_runtime.conftest import Runner, Runtime

_PROGRAM = """
    import contextlib, functools, gc, inspect, pickle, sys, traceback, typing, warnings, weakref

    def plain(a, b=1, *, c: "int" = 2) -> "str":
        '''Says what it does.

        >>> plain(1)
        3
        '''
        return a + c

    async def coroutine(): pass
    def generator(): yield 1
    async def async_generator(): yield 1

    kinds = (inspect.isfunction, inspect.isgeneratorfunction, inspect.iscoroutinefunction,
             inspect.isasyncgenfunction)
    for function in (plain, coroutine, generator, async_generator):
        code, kind = function.__code__, [is_(function) for is_ in kinds]
        names = function.__qualname__, function.__module__, code.co_name
        assert trace(function) is function
        assert function.__code__ is code
        assert [is_(function) for is_ in kinds] == kind
        assert names == (function.__qualname__, function.__module__, code.co_name)
    assert str(inspect.signature(plain)) == "(a, b=1, *, c: 'int' = 2) -> 'str'"
    assert typing.get_type_hints(plain) == {"c": int, "return": str}
    assert (plain.__defaults__, plain.__kwdefaults__) == ((1,), {"c": 2})
    assert pickle.loads(pickle.dumps(plain)) is plain
    assert not vars(plain)
    import doctest
    assert doctest.testmod(sys.modules["__main__"]) == (0, 1)

    for other in (len, int, object(), None, 3, "text", print, type, sys.settrace, [].append):
        assert trace(other) is other
    static, of_class = staticmethod(lambda: 1), classmethod(lambda cls: 1)
    partial = functools.partial(lambda: 1)
    for wrapped in (static, of_class, partial):
        assert trace(wrapped) is wrapped
    partial()

    class Base:
        @trace
        def __new__(cls, *args):
            return super().__new__(cls)

        @trace
        def __init_subclass__(cls, **keywords):
            cls.registered = True

        @trace
        def __class_getitem__(cls, item):
            return item

        @trace
        def __eq__(self, other):
            return NotImplemented

        @functools.lru_cache
        @trace
        def cached(self):
            return self

    class Derived(Base):
        pass

    assert Derived.registered and Derived[3] == 3 and isinstance(Derived(), Base)
    assert Base.cached.cache_info().hits == 0

    # No frame comes between.
    @trace
    def who_calls():
        warnings.warn("here", stacklevel=2)
        return sys._getframe(1).f_code.co_name, [frame.function for frame in inspect.stack()]

    @trace
    def caller():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            name, stack = who_calls()
        return name, stack, caught[0].lineno

    name, stack, line = caller()
    assert name == "caller" and stack == ["who_calls", "caller", "<module>"], stack
    assert line == caller.__code__.co_firstlineno + 4

    # Nothing is kept alive.
    class Thing: pass

    @trace
    def take(thing):
        raise ValueError(thing)

    thing = Thing()
    gone = weakref.ref(thing)
    with contextlib.suppress(ValueError):
        take(thing)
    del thing
    assert gone() is None

    # The protocols of generators.
    @trace
    def echo():
        got = None
        while True:
            try:
                got = yield got
            except KeyError as error:
                got = error
            if got == "stop":
                return "end"

    steps = echo()
    next(steps)
    assert steps.send(3) == 3
    assert isinstance(steps.throw(KeyError("k")), KeyError)
    try:
        steps.send("stop")
    except StopIteration as end:
        assert end.value == "end"

    @trace
    async def async_echo():
        got = yield
        while True:
            try:
                got = yield got
            except KeyError:
                got = "caught"

    async def drive():
        values = async_echo()
        await values.asend(None)
        assert await values.asend(1) == 1
        assert await values.athrow(KeyError) == "caught"
        await values.aclose()

    import asyncio
    asyncio.run(drive())

    # Exceptions are what they were.
    @trace
    def reraise():
        try:
            fail()
        except ValueError:
            raise

    @trace
    def fail():
        raise ValueError("x") from KeyError("y")

    try:
        reraise()
    except ValueError as error:
        assert isinstance(error.__cause__, KeyError)
        frames = traceback.extract_tb(error.__traceback__)
        assert [frame.name for frame in frames] == ["<module>", "reraise", "fail"]
    try:
        trace(lambda: sys.exit(4))()
    except SystemExit as error:
        assert error.code == 4

    # A function redefined, and code that is made and thrown away.
    for n in range(3):
        @trace
        def again(): return n
        assert again() == n
    for n in range(50):
        names = {"trace": trace}
        exec("@trace\\ndef made(): return 1", names)
        names["made"]()
    reference = weakref.ref(names["made"].__code__)
    del names
    gc.collect()
    assert reference() is None
    print("same")
"""


@pytest.mark.parametrize("mode", ["off", "record", "text"])
def test_traced_function_is_unchanged(run: Runner, mode: str) -> None:
    result = run(_PROGRAM, FUNCTRACE=mode, FUNCTRACE_OUT="out.ftrace" if mode != "text" else "out")
    assert result.stdout == "same\n"
    assert result.stderr == ""


def test_lifetime_of_arguments_is_unchanged(run: Runner, runtime: Runtime) -> None:
    """docs/limits.md describes the exception; the fallback has none."""
    if runtime.is_native and runtime.python.release == (3, 11):
        pytest.skip("frame evaluation leaves arguments with the caller until the call returns")
    program = """
        import weakref

        class Big:
            @trace
            def take(self, big):
                return released(big)

        def dies(big):
            reference = weakref.ref(big)
            del big
            return reference() is None

        @trace
        def released(big):
            reference = weakref.ref(big)
            del big
            return reference() is None

        @trace
        def by_name(*, big):
            reference = weakref.ref(big)
            del big
            return reference() is None

        @trace
        def grow(view):
            del view
            try:
                array.append(1)
            except BufferError as error:
                return str(error)

        array = bytearray(10)
        print(dies(Big()), released(Big()), Big().take(Big()), by_name(big=Big()))
        print(grow(memoryview(array)), released(*(Big(),)), released(*[Big()]))
        functrace.stop()
        print(released(Big()))
    """
    assert run(program).stdout == run(program, FUNCTRACE="off").stdout


def test_identical_functions_are_distinguished(run: Runner) -> None:
    """Code objects with equal contents compare equal even if their files differ."""
    (first, second) = (
        run(
            """
        import pathlib, sys
        sys.path.insert(0, "")
        text = "import functrace\\n@functrace.trace\\ndef f(): pass\\n"
        for name in ("one", "two"):
            pathlib.Path(f"{name}.py").write_text(text)
        import one, two
        one.f(); two.f()
    """,
            FUNCTRACE_OUT=name,
        )
        for name in ("x.ftrace", "y.ftrace")
    )
    assert first.trace.tracks[0].calls == ">one.f <one.f >two.f <two.f"
    assert len(second.traces) == 2


def test_deleted_working_directory(run: Runner) -> None:
    """The file of code that exec compiles is a relative path."""
    done = run(
        """
        import os
        trace(lambda: 1)
        os.mkdir("gone")
        os.chdir("gone")
        os.rmdir("../gone")
        exec(compile("@trace\\ndef made(): pass", "made.py", "exec"))
        made()
        """
    )
    assert done.trace.places["made"] == ("made.py", 1)


def test_recursion_limit_is_unchanged(run: Runner, runtime: Runtime) -> None:
    program = """
        import sys
        sys.setrecursionlimit(500)

        @trace
        def deep(n):
            return n and deep(n - 1)

        def deepest():
            n = 0
            try:
                while True:
                    deep(n)
                    n += 1
            except RecursionError:
                return n

        print(deepest())
    """
    off, on = int(run(program, FUNCTRACE="off").stdout), int(run(program).stdout)
    assert off - on <= (0 if runtime.is_native else 10)


def test_subinterpreters_are_not_traced(run: Runner) -> None:
    result = run("""
        try:
            import _interpreters as interpreters
        except ImportError:
            import _xxsubinterpreters as interpreters

        program = '''if True:
            import functrace
            @functrace.trace
            def g(): pass
            g()
            try:
                functrace.start()
            except RuntimeError as error:
                print(error, flush=True)
        '''

        @trace
        def f(): pass

        f()
        other = interpreters.create()
        interpreters.run_string(other, program)
        interpreters.destroy(other)
        f()
    """)
    assert result.stdout == "functrace: only the main interpreter can be traced\n"
    assert result.stderr == ""
    assert result.trace.tracks[0].calls == ">f <f >f <f"


def test_calls_during_shutdown(run: Runner) -> None:
    result = run("""
        import atexit, sys, threading, time, weakref

        @trace
        def work(): pass

        class Late:
            @trace
            def __del__(self):
                work()

        @trace
        def at_exit():
            work()

        late = Late()
        late.itself = late
        sys.late = Late()
        atexit.register(at_exit)

        def forever():
            while True:
                work()
                time.sleep(0.0001)

        @trace
        def generator():
            try:
                yield
            finally:
                work()

        kept = generator()
        next(kept)
        threading.Thread(target=forever, daemon=True).start()
        work()
    """)
    assert result.stderr == ""
    assert result.trace.flags & 1
