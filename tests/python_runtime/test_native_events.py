"""The C recorder copes with the interpreter's code objects, threads and stacks."""

from __future__ import annotations

import pytest

from tests.python_runtime.conftest import Runner, Runtime
from tests.support.pythons import each_python


@pytest.fixture(params=each_python())
def runtime(request: pytest.FixtureRequest) -> Runtime:
    return Runtime(request.param, is_native=True)


# The recorder alone, with callbacks of the test's own.
_RECORDER = """
import sys
from functrace._native import _recorder

def make(path="alone.ftrace", **changes):
    settings = dict(
        max_size=1 << 20, overwrite=False, depth=sys.maxsize, min_duration=0, facts=b"{}",
        budget=0.0, describe_thread=lambda: (True, "MainThread", None),
        current_task_track=lambda: 0, warn=print,
    )
    return _recorder.Recorder(path, **{**settings, **changes})

def add(recorder, *functions):
    for f in functions:
        recorder.add(f.__code__, f.__qualname__, "x.py", f.__code__.co_firstlineno)

def leaf(): pass
"""


def test_freed_code_objects(run: Runner) -> None:
    """The next code object has the same address and a different name, or is not traced."""
    trace = run("""
        def make(name):
            space = {"__name__": "__main__"}
            exec(f"def {name}(): pass", space)
            return space[name]
        for n in range(200):
            trace(make(f"named{n}"))()
            make("nameless")()
    """).trace
    assert trace.tracks[0].events == [f"{s} named{n}" for n in range(200) for s in "><"]


def test_calls_deeper_than_the_c_stack(run: Runner, runtime: Runtime) -> None:
    if runtime.python.release < (3, 11):
        pytest.skip("it ends there without us, too")
    done = run("""
        import sys, threading
        sys.setrecursionlimit(10**6)
        @trace
        def down(n): return n and down(n - 1)
        @trace
        def last(): pass
        down(60_000)
        thread = threading.Thread(target=down, args=(30_000,))
        thread.start()
        thread.join()
        last()
    """)
    assert done.stderr == ""
    for track in done.trace.tracks:
        assert track.events.count("> down") > 3_000
        assert track.events.count("> down") == track.events.count("< down")
    assert done.trace.tracks[0].events[-2:] == ["> last", "< last"]


def test_threads_created_in_c(run: Runner) -> None:
    trace = run("""
        import ctypes, threading
        libc = ctypes.CDLL(None)
        ROUTINE = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)
        class Ends:
            @trace
            def __del__(self): pass
        @trace
        def work():
            threading.local().kept = Ends()
        routine = ROUTINE(lambda _: work())
        for _ in range(50):
            thread = ctypes.c_ulong()
            libc.pthread_create(ctypes.byref(thread), None, routine, None)
            libc.pthread_join(thread, None)
    """).trace
    assert [track.calls for track in trace.tracks] == [
        ">work >Ends.__del__ <Ends.__del__ <work"
    ] * 50


def test_exceptions_raised_in_c(run: Runner) -> None:
    trace = run("""
        @trace
        def fail(what):
            eval(what, {"d": {}, "s": "short"})
        for what in ("d[0]", "int('x')", "s[9]", "s.upper(1)", "1 / 0", "(", "open('no')"):
            try: fail(what)
            except Exception: pass
    """).trace
    failures = [event for event in trace.tracks[0].events if event[0] == "!"]
    assert failures[:3] == [
        "! KeyError: 0",
        "! ValueError: invalid literal for int() with base 10: 'x'",
        "! IndexError: string index out of range",
    ]
    assert all(": " in event for event in failures)
    assert len(failures) == 7


def test_failing_callbacks(run: Runner) -> None:
    done = run(
        _RECORDER
        + """
        failing = iter([ValueError("ours"), KeyboardInterrupt("the program's"), None])
        def current():
            failure = next(failing, None)
            if failure: raise failure
            return 0
        import contextvars
        recorder = make(current_task_track=current)
        add(recorder, leaf)
        sys.unraisablehook = lambda about: print("unraisable:", about.exc_value)
        recorder.start()
        leaf()
        contextvars.Context().run(int)  # it is asked again
        try:
            leaf()
        except KeyboardInterrupt as error:
            print("raised:", error)
        leaf()
        recorder.close()
    """.replace("\n        ", "\n"),
        FUNCTRACE="off",
    )
    assert done.stdout == "raised: the program's\n"
    assert done.trace.tracks[0].events.count("> leaf") == 2


def test_watched_functions(run: Runner) -> None:
    done = run(
        _RECORDER
        + """
        def watched(first, fails=False):
            if fails: raise KeyError(first)
            return lambda: first
        recorder = make()
        add(recorder, leaf)
        def started(first):
            leaf()
            print("started", first)
        def returned(result): print("returned", result and result())
        recorder.watch(watched.__code__, started, returned)
        recorder.start()
        watched("one")
        try: watched("two", fails=True)
        except KeyError: pass
        leaf()
        recorder.close()
    """.replace("\n        ", "\n"),
        FUNCTRACE="off",
    )
    assert done.stdout == "started one\nreturned one\nstarted two\nreturned None\n"
    assert done.trace.tracks[0].calls == ">leaf <leaf"


def test_invalid_recorder_arguments(run: Runner) -> None:
    done = run(
        _RECORDER
        + """
        def refused(what, *types):
            try: what()
            except types as error: print(type(error).__name__, error)
        refused(lambda: make(max_size=4096), ValueError)
        refused(lambda: make(facts=b"x" * 30_001), ValueError)
        open("there", "w").close()
        refused(lambda: make("there"), OSError)
        recorder = make()
        refused(make, RuntimeError)
        recorder.close()
        recorder.close()
        recorder.start()
        refused(recorder.current_origin, RuntimeError)
        refused(lambda: recorder.snapshot("copy"), RuntimeError)
        second = make("second.ftrace")
        recorder.stop()
        add(second, leaf)
        second.start()
        leaf()
        second.close()
    """.replace("\n        ", "\n"),
        FUNCTRACE="off",
    )
    assert done.stdout == (
        "ValueError FUNCTRACE_MAX_SIZE is too small for a trace: set it to 1M or more\n"
        "ValueError the facts are too long\n"
        "FileExistsError [Errno 17] File exists: 'there'\n"
        "RuntimeError a recorder is already active\n"
        "RuntimeError the recorder is closed\n"
        "RuntimeError the recorder is closed\n"
    )
    assert [[track.calls for track in trace.tracks] for trace in done.traces] == [
        [],
        [">leaf <leaf"],
    ]


def test_open_calls_when_another_recorder_starts(run: Runner) -> None:
    done = run(
        _RECORDER
        + """
        def outer():
            global recorder
            ended()
            recorder = make("second.ftrace")
            recorder.start()
            leaf()
        def ended(): recorder.close()
        recorder = make()
        add(recorder, leaf, outer, ended)
        recorder.start()
        leaf()
        outer()
        recorder.close()
    """.replace("\n        ", "\n"),
        FUNCTRACE="off",
    )
    assert [trace.tracks[0].calls for trace in done.traces] == [
        ">leaf <leaf >outer >ended",
        "^outer >leaf <leaf <outer",  # it is a call of the first trace
    ]


def test_no_free_tool_id(run: Runner, runtime: Runtime) -> None:
    if runtime.python.release < (3, 12):
        pytest.skip("there is no sys.monitoring")
    done = run("""
        import sys
        for tool in range(6): sys.monitoring.use_tool_id(tool, "other")
        @trace
        def leaf(): return "called"
        print(leaf())
    """)
    assert done.stdout == "called\n"
    assert done.stderr == "functrace: sys.monitoring has no tool id left; tracing is off\n"
