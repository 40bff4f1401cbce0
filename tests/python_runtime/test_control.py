"""Tests of start, stop, snapshot, and the signal that switches tracing."""

from __future__ import annotations

from functrace.tracefile import open_trace
from tests.python_runtime.conftest import Runner


def test_start_when_tracing_is_off(run: Runner) -> None:
    result = run(
        """
        @trace
        def early(): pass

        @trace
        def late(): pass

        early()
        functrace.stop()
        functrace.start()
        early()
        late()
        functrace.stop()
        late()
        functrace.start()
        early()
        """,
        FUNCTRACE="",
    )
    assert result.trace.tracks[0].calls == ">early <early >late <late >early <early"
    assert result.trace.flags == 1


def test_stop_removes_all_hooks(run: Runner) -> None:
    result = run("""
        import sys

        @trace
        def f(): pass

        f()
        functrace.stop()
        assert sys.getprofile() is None
        if hasattr(sys, "monitoring"):
            for tool in range(6):
                assert sys.monitoring.get_tool(tool) is None
                sys.monitoring.use_tool_id(tool, "test")
                assert sys.monitoring.get_events(tool) == 0
                assert sys.monitoring.get_local_events(tool, f.__code__) == 0
                sys.monitoring.free_tool_id(tool)
        f()
        functrace.start()
        f()
    """)
    assert result.trace.tracks[0].calls == ">f <f >f <f"


def test_open_calls_at_stop(run: Runner) -> None:
    trace = run("""
        import threading
        go, gone = threading.Event(), threading.Event()

        @trace
        def outer():
            inner()
            functrace.start()
            leaf()

        @trace
        def inner():
            functrace.stop()
            leaf()

        @trace
        def leaf(): pass

        @trace
        def waits():
            gone.set()
            go.wait()

        thread = threading.Thread(target=waits, name="other")
        thread.start()
        gone.wait()
        outer()
        go.set()
        thread.join()
        leaf()
    """).trace
    assert trace.track("MainThread").calls == ">outer >inner <inner >leaf <leaf <outer >leaf <leaf"
    assert trace.track("other").calls == ">waits <waits"


def test_task_continues_after_stop(run: Runner) -> None:
    trace = run("""
        import asyncio

        @trace
        def leaf(): pass

        @trace
        async def inner():
            await asyncio.sleep(0)

        @trace
        async def outer():
            await inner()
            await inner()
            leaf()

        async def main():
            task = asyncio.create_task(outer(), name="t")
            await asyncio.sleep(0)
            functrace.stop()
            await asyncio.sleep(0)
            functrace.start()
            await task

        asyncio.run(main())
    """).trace
    calls = trace.track("t outer").calls
    assert calls.startswith(">outer >inner wait ")
    assert calls.endswith(">leaf <leaf <outer")


def test_snapshots(run: Runner) -> None:
    result = run("""
        @trace
        def f(): pass

        @trace
        def outer():
            f()
            functrace.snapshot("snapshot")
            f()

        outer()
        try:
            functrace.snapshot("no/such/folder")
        except OSError:
            print("refused")
    """)
    snapshot = open_trace(result.folder / "snapshot")
    assert snapshot.events == 3
    assert not snapshot.ended_cleanly
    assert result.trace.tracks[0].calls == ">outer >f <f >f <f <outer"
    assert result.stdout == "refused\n"


def test_snapshot_without_recording_fails(run: Runner) -> None:
    for mode in ("off", "text"):
        result = run(
            """
            trace(lambda: 1)
            try:
                functrace.snapshot("x")
            except RuntimeError as error:
                print(error)
            """,
            FUNCTRACE=mode,
        )
        assert result.stdout == "functrace: nothing is being recorded\n"


def test_signal_stops_and_starts(run: Runner) -> None:
    program = """
        import os, signal

        @trace
        def f(): pass

        signal.signal(signal.SIGUSR1, lambda *_: print("the program's"))
        f()
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGUSR2)
            f()
    """
    on = run(program, FUNCTRACE_SIGNAL="USR2")
    assert on.trace.tracks[0].calls == ">f <f >f <f"
    off = run(program, FUNCTRACE="off", FUNCTRACE_SIGNAL="USR2")
    assert off.traces[-1].tracks[0].calls == ">f <f"


def test_signal_also_reaches_the_program(run: Runner) -> None:
    result = run(
        """
        import os, signal
        signal.signal(signal.SIGUSR1, lambda *_: print("the program's"))
        f = trace(lambda: 1)
        os.kill(os.getpid(), signal.SIGUSR1)
        f()
        """,
        FUNCTRACE_SIGNAL="USR1",
    )
    assert result.stdout == "the program's\n"
    assert result.trace.tracks == []
