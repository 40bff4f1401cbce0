"""A program's debuggers, profilers and monitoring tools see nothing of functrace."""

from __future__ import annotations

import pytest

from tests.python_runtime.conftest import Runner, Runtime

_WORK = """
    import asyncio, gc, os, sys, threading

    seen = set()

    def note(code, what):
        if f"{os.sep}functrace{os.sep}" in code.co_filename:
            seen.add((what, code.co_filename, code.co_name))

    @trace
    def leaf(n): return n + 1

    @trace
    async def job():
        await asyncio.sleep(0)
        return leaf(1)

    @trace
    async def main():
        task = asyncio.create_task(job())
        await asyncio.to_thread(leaf, 2)
        return await task

    def work():
        leaf(1)
        asyncio.run(main())
        thread = threading.Thread(target=leaf, args=(1,))
        thread.start()
        thread.join()

        @trace
        def inner(): pass

        inner()
        del inner
        gc.collect()
        leaf(1)
"""
_TRACE = """
    def tracer(frame, event, arg):
        note(frame.f_code, event)
        return tracer

    threading.settrace(tracer)
    sys.settrace(tracer)
    work()
    sys.settrace(None)
    print(seen)
"""
_PROFILE = """
    def profiler(frame, event, arg):
        note(frame.f_code, event)

    threading.setprofile(profiler)
    sys.setprofile(profiler)
    work()
    sys.setprofile(None)
    print(seen)
"""
_CPROFILE = """
    import cProfile, pstats

    with cProfile.Profile() as profiler:
        work()
    for file, _, name in pstats.Stats(profiler).stats:
        note(type("", (), {"co_filename": file, "co_name": name}), "cProfile")
    print(seen)
"""
_MONITORING = """
    events = sys.monitoring.events
    sys.monitoring.use_tool_id(1, "test")
    for event in (events.PY_START, events.PY_RETURN, events.LINE, events.CALL):
        sys.monitoring.register_callback(1, event, lambda code, *_: note(code, "event"))
    sys.monitoring.set_events(1, events.PY_START | events.PY_RETURN | events.LINE | events.CALL)
    work()
    sys.monitoring.set_events(1, 0)
    print(seen)
"""


@pytest.mark.parametrize(
    ("tracer", "mode"),
    [
        (_TRACE, "record"),
        (_TRACE, "text"),
        (_PROFILE, "record"),
        (_CPROFILE, "record"),
        (_MONITORING, "record"),
    ],
    ids=["settrace", "settrace-text", "setprofile", "cProfile", "monitoring"],
)
def test_program_sees_no_frame_of_functrace(
    run: Runner, runtime: Runtime, tracer: str, mode: str
) -> None:
    if not runtime.is_native or (mode == "text" and runtime.python.release < (3, 12)):
        pytest.skip("Python's callbacks are seen by Python's tracers")
    if tracer is _MONITORING and runtime.python.release < (3, 12):
        pytest.skip("there is no sys.monitoring")
    done = run(_WORK + tracer, FUNCTRACE=mode, FUNCTRACE_OUT="" if mode == "record" else "calls")
    assert (done.stdout, done.stderr) == ("set()\n", "")
    if mode == "record":
        assert sum(track.events.count("> leaf") for track in done.trace.tracks) == 5


def test_debugger_steps_through_program_code_only(run: Runner, runtime: Runtime) -> None:
    if not runtime.is_native:
        pytest.skip("Python's callbacks are seen by Python's tracers")
    done = run("""
        import io, pdb

        @trace
        def leaf(n):
            return n + 1

        @trace
        def work():
            @trace
            def inner():
                return leaf(1)
            return inner()

        lines = io.StringIO()
        debugger = pdb.Pdb(stdin=io.StringIO("s\\n" * 14 + "c\\n"), stdout=lines, nosigint=True)
        debugger.runcall(work)
        stops = [line for line in lines.getvalue().splitlines() if line.startswith("> ")]
        print([stop.partition("(")[0].split("/")[-1] for stop in stops if "functrace" in stop])
        print(any("leaf" in stop or "inner" in stop for stop in stops))
    """)
    assert done.stdout.splitlines() == ["[]", "True"]
    assert done.stderr == ""


def test_program_trace_functions_are_not_recorded(run: Runner, runtime: Runtime) -> None:
    """Nor the functions that they call: sys.monitoring suppresses these; so must the eval hook."""
    trace = run(
        """
        import sys

        @trace
        def helper(): pass

        @trace
        def tracer(frame, event, arg):
            helper()
            return tracer

        @trace
        def leaf(): pass

        sys.settrace(tracer)
        leaf()
        sys.settrace(None)
        if PROFILE:
            sys.setprofile(tracer)
            leaf()
            sys.setprofile(None)
        leaf()
        tracer(None, None, None)
    """.replace("PROFILE", str(runtime.records_exceptions))
    ).trace
    leaves = ">leaf <leaf " * (3 if runtime.records_exceptions else 2)
    assert trace.tracks[0].calls == f"{leaves}>tracer >helper <helper <tracer"
