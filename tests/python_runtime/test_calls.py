"""Calls of functions, generators and coroutines, as docs/python.md defines them."""

from __future__ import annotations

import pytest

from tests.python_runtime.conftest import Runner, Runtime


def test_functions_methods_and_lambdas(run: Runner) -> None:
    trace = run("""
        @trace
        def countdown(n):
            return n and countdown(n - 1)

        class Shop:
            @staticmethod
            @trace
            def fixed(): pass

            @classmethod
            @trace
            def of_class(cls): cls.fixed()

            @property
            @trace
            def price(self): self.of_class()

            @trace
            def __init__(self):
                @trace
                def inside(): pass
                inside()

        countdown(2)
        Shop().price
        trace(lambda: 1)()
    """).trace
    main = trace.track("MainThread")
    assert main.calls == (
        ">countdown >countdown >countdown <countdown <countdown <countdown"
        " >Shop.__init__ >Shop.__init__.<locals>.inside"
        " <Shop.__init__.<locals>.inside <Shop.__init__"
        " >Shop.price >Shop.of_class >Shop.fixed <Shop.fixed <Shop.of_class <Shop.price"
        " ><lambda> <<lambda>"
    )
    assert (main.id, main.kind, main.parent) == (1, 2, 0)
    file, line = trace.places["countdown"]
    assert file.endswith("/program.py")
    assert (file[0], line) == ("/", 4)
    assert trace.flags == 1


def test_exceptions(run: Runner, runtime: Runtime) -> None:
    trace = run("""
        class Refused(Exception):
            def __str__(self):
                print("asked")
                return "no"

        class Odd(ValueError):
            pass

        class Http(Exception):
            def __init__(self, status, detail=None):
                self._kept = 1
                self.status, self.detail, self.headers, self.by = status, detail, None, object()

            __str__ = __repr__ = Refused.__str__

        class Hidden(Http):
            @property
            def __dict__(self):
                print("asked")

        class Mute(Exception):
            def __init__(self, *, item):
                self.item = item

        class Strange(str):
            __str__ = __repr__ = Refused.__str__

        strange = UnicodeDecodeError("utf-8", b"ab", 0, 1, Strange("why"))

        @trace
        def fail(error):
            raise error

        @trace
        def outer(error):
            try:
                fail(error)
            finally:
                inner()

        @trace
        def inner(): pass

        @trace
        def caught(error):
            try:
                fail(error)
            except BaseException:
                pass

        for error in (Odd("low", 3), Refused(), Odd(object()), ValueError("ä" * 300),
                      KeyError("k"), OSError(2, "gone", "a.txt"), SystemExit(3),
                      StopIteration(1), UnicodeDecodeError("utf-8", b"\\xffa", 0, 1, "why"),
                      strange, Http(404, "gone"), Http(status=404, detail="gone"),
                      Hidden(status=1), Mute(item=b"13"), Mute(item=Strange("13"))):
            caught(error)
        try:
            outer(Odd())
        except Odd as error:
            frames = []
            traceback = error.__traceback__
            while traceback:
                frames.append(traceback.tb_frame.f_code.co_name)
                traceback = traceback.tb_next
            assert frames == ["<module>", "outer", "fail"], frames
    """)
    assert trace.stdout == ""
    failures = [line for line in trace.trace.tracks[0].events if line.startswith("!")]
    texts = [
        "Odd: ('low', 3)",
        "Refused",
        "Odd",
        "ValueError: " + "ä" * 94 + "…",
        "KeyError: 'k'",
        "FileNotFoundError: [Errno 2] gone: 'a.txt'",
        "SystemExit: 3",
        "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff in position 0: why",
        "UnicodeDecodeError",
        "Http: (404, 'gone')",
        "Http: status=404, detail='gone'",
        "Hidden: status=1",
        "Mute: item=b'13'",
        "Mute",
        "Odd",
        "Odd",
    ]
    if runtime.records_exceptions:
        assert failures == [f"! {text}" for text in texts]
    else:
        # StopIteration, too: it cannot be distinguished.
        assert failures == ["! "] * (len(texts) + 1)
    assert trace.trace.tracks[0].calls.endswith(
        f">outer >fail {runtime.failed('Odd')} <fail >inner <inner {runtime.failed('Odd')} <outer"
    )


def test_generator_has_one_call_per_step(run: Runner) -> None:
    trace = run("""
        @trace
        def inner():
            got = yield 1
            assert got == "sent", got
            return "result"

        @trace
        def steps():
            try:
                yield 0
            except KeyError:
                helper()
            result = yield from inner()
            assert result == "result"
            return 7

        @trace
        def helper(): pass

        generator = steps()
        assert next(generator) == 0
        assert generator.throw(KeyError) == 1
        try:
            generator.send("sent")
        except StopIteration as end:
            assert end.value == 7
    """).trace
    assert trace.tracks[0].calls == (
        ">steps <steps >steps >helper <helper >inner <inner <steps >steps >inner <inner <steps"
    )


def test_closed_generator_has_no_error(run: Runner, runtime: Runtime) -> None:
    trace = run("""
        @trace
        def endless():
            try:
                while True:
                    yield
            finally:
                helper()

        @trace
        def helper(): pass

        @trace
        def broken():
            yield
            raise ValueError("late")

        generator = endless()
        next(generator)
        generator.close()
        for _ in endless():
            break
        try:
            list(broken())
        except ValueError:
            pass
    """).trace
    closed = ">endless <endless >endless >helper <helper <endless"
    late = runtime.failed("ValueError: late")
    assert trace.tracks[0].calls.replace("! <endless", "<endless") == (
        f"{closed} {closed} >broken <broken >broken {late} <broken"
    )


def test_generator_that_raises_stop_iteration_fails(run: Runner, runtime: Runtime) -> None:
    """The interpreter turns it into a RuntimeError: PEP 479."""
    trace = run(
        """
        import types

        class Stop(StopIteration): pass

        @trace
        def generator(error):
            yield
            raise error

        @trace
        async def coroutine(error):
            raise error

        @trace
        @types.coroutine
        def old_coroutine(error):
            yield
            raise error

        @trace
        async def async_generator(error):
            raise error
            yield

        @trace
        def ends(error):
            yield from ()

        def drive(steps):
            try:
                for _ in range(3):
                    steps.send(None)
            except (RuntimeError, StopIteration):
                pass

        drive(generator(StopIteration()))
        drive(generator(Stop(3)))
        drive(generator(StopAsyncIteration()))
        drive(coroutine(StopIteration()))
        drive(old_coroutine(StopIteration()))
        for error in (StopIteration(), StopAsyncIteration()):
            drive(async_generator(error).asend(None))
        drive(ends(1))
    """.replace("except (RuntimeError", "except (StopAsyncIteration, RuntimeError")
    ).trace

    def failed(kind: str, name: str, stop: str = "StopIteration") -> str:
        return f">{name} {runtime.failed(f'RuntimeError: {kind} raised {stop}')} <{name}"

    step = ">{0} <{0}".format
    untold = f">generator {'' if runtime.records_exceptions else '! '}<generator"
    assert trace.tracks[0].calls == " ".join(
        [
            f"{step('generator')} {failed('generator', 'generator')}",
            f"{step('generator')} {failed('generator', 'generator')}",
            f"{step('generator')} {untold}",
            failed("coroutine", "coroutine"),
            f"{step('old_coroutine')} {failed('generator', 'old_coroutine')}",
            failed("async generator", "async_generator"),
            failed("async generator", "async_generator", "StopAsyncIteration"),
            step("ends"),
        ]
    )


def test_coroutine_driven_by_hand_has_one_call_per_step(run: Runner) -> None:
    trace = run("""
        import types

        @types.coroutine
        def pause():
            yield "pause"

        @trace
        async def leaf():
            await pause()
            return 3

        @trace
        async def root():
            return await leaf()

        @trace
        def drive(coroutine):
            try:
                while True:
                    coroutine.send(None)
            except StopIteration as end:
                return end.value

        assert drive(root()) == 3
    """).trace
    assert trace.tracks[0].calls == ">drive >root >leaf <leaf <root >root >leaf <leaf <root <drive"


def test_exception_leaves_no_call_open(run: Runner, runtime: Runtime) -> None:
    """After recursion errors and signals, the next call has the correct depth."""
    if not runtime.records_exceptions:
        pytest.skip("sys.setprofile ends where its function raises")
    trace = run("""
        import signal, sys, time

        @trace
        def deep(): deep()

        @trace
        def after(): pass

        @trace
        def spin():
            end = time.monotonic() + 0.02
            while time.monotonic() < end:
                after()

        class Alarm(Exception): pass

        @trace
        def handler(*_):
            raise Alarm

        try:
            deep()
        except RecursionError:
            pass
        after()
        signal.signal(signal.SIGALRM, handler)
        @trace
        def shift():
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.003)
                spin()
            except Alarm:
                after()

        for _ in range(20):
            shift()
        print("done")
    """)
    assert trace.stdout == "done\n"
    open_calls, deepest = 0, 0
    for event in trace.trace.tracks[0].events:
        open_calls += {">": 1, "<": -1}.get(event[0], 0)
        deepest = max(deepest, open_calls)
        if event == "> shift":
            assert open_calls == 1
    assert open_calls == 0
    assert deepest > 900
