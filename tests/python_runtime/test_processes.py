"""Each process has its own trace, however it was started and however it ends."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.python_runtime import decoder
from tests.python_runtime.conftest import HEAD, Runner, Runtime, environment


def test_each_fork_has_its_own_file(run: Runner) -> None:
    result = run("""
        import os

        @trace
        def child():
            inner()
            os._exit(0)

        @trace
        def inner(): pass

        @trace
        def outer():
            pid = os.fork()
            if not pid:
                child()
            os.waitpid(pid, 0)
            inner()

        outer()
    """)
    parent, child = sorted(result.traces, key=lambda trace: trace.flags, reverse=True)
    assert parent.track("MainThread").calls == ">outer >inner <inner <outer"
    assert child.track("MainThread").calls == "^outer >child >inner <inner"
    assert child.track("MainThread").id == 1
    assert child.process["ppid"] == parent.pid
    assert child.flags == 0  # os._exit
    assert result.stderr == ""


def test_forks_of_threads_and_tasks(run: Runner) -> None:
    result = run(
        """
        import asyncio, os, sys, threading, warnings
        warnings.simplefilter("ignore")  # forks of a process that has threads

        @trace
        def leaf(): pass

        @trace
        async def task():
            pid = os.fork()
            leaf()
            if not pid:
                os._exit(0)
            os.waitpid(pid, 0)
            await asyncio.sleep(0)

        @trace
        def work():
            pid = os.fork()
            if not pid:
                leaf()
                os._exit(0)
            os.waitpid(pid, 0)

        thread = threading.Thread(target=work, name="worker")
        thread.start()
        thread.join()
        asyncio.run(task())
        """,
        FUNCTRACE_OUT="x.ftrace",
    )
    assert result.stderr == ""
    children = [trace for trace in result.traces if not trace.flags]
    calls = sorted(track.calls for child in children for track in child.tracks if track.calls)
    # asyncio has no task running in the child any more.
    assert calls == [">leaf <leaf", "^work >leaf <leaf"]


def _of_main_thread(child: decoder.Trace) -> str:
    """The track's events. An inherited call is recorded only if something is called inside it."""
    return child.track("MainThread").calls.replace("^fork <fork ", "")


def test_child_returns_from_inherited_calls(run: Runner, runtime: Runtime) -> None:
    result = run("""
        import os, threading

        @trace
        def leaf(): pass

        @trace
        def fork():
            return os.fork()

        @trace
        def generate():
            if fork():
                yield
                return
            leaf()
            if fork():  # the child's child
                raise KeyError(1)
            thread = threading.Thread(target=leaf, name="worker")
            thread.start()
            thread.join()
            yield

        @trace
        def outer():
            for _ in generate():
                pass

        try:
            outer()
        except KeyError:
            pass
        try:
            os.wait()
        except ChildProcessError:
            pass
    """)
    assert result.stderr == ""
    by_pid = {trace.process["ppid"]: trace for trace in result.traces}
    (parent,) = [trace for trace in result.traces if trace.process["ppid"] == os.getpid()]
    child = by_pid[parent.pid]
    grandchild = by_pid[child.pid]
    resumed = ">generate <generate"
    started = ">outer >generate >fork <fork <generate"
    assert parent.track("MainThread").calls == f"{started} {resumed} <outer"
    error = runtime.failed("KeyError: 1")
    own = ">leaf <leaf >fork <fork"
    assert _of_main_thread(child) == f"^outer ^generate {own} {error} <generate {error} <outer"
    assert _of_main_thread(grandchild) == f"^outer ^generate <generate {resumed} <outer"
    worker = grandchild.track("worker")
    assert worker.calls == ">leaf <leaf"
    assert grandchild.origin(worker) == "MainThread generate: thread.start()"


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(run: Runner, method: str) -> None:
    result = run(f"""
        import multiprocessing

        @trace
        def square(n):
            return n * n

        @trace
        def main():
            context = multiprocessing.get_context({method!r})
            with context.Pool(2) as pool:
                assert pool.map(square, range(20)) == [n * n for n in range(20)]
                pool.close()
                pool.join()

        if __name__ == "__main__":
            main()
    """)
    told_calls = "".join(track.calls for trace in result.traces for track in trace.tracks)
    assert told_calls.replace("__mp_main__.", "").count(">square <square") >= 1
    entries = [e for trace in result.traces for t in trace.tracks for e in t.events]
    assert sum(event.endswith("square") for event in entries) == 40
    (parent,) = [
        trace
        for trace in result.traces
        if any(t.name == "MainThread" and t.calls == ">main <main" for t in trace.tracks)
    ]
    assert parent.flags == 1


def test_programs_started_by_programs(run: Runner) -> None:
    result = run("""
        import os, subprocess, sys

        @trace
        def main():
            if len(sys.argv) == 1:
                subprocess.run([sys.executable, __file__, "child"], check=True)
                os.execv(sys.executable, [sys.executable, __file__, "again"])

        main()
    """)
    assert sorted((len(t.process["argv"]), t.tracks[0].calls, t.flags) for t in result.traces) == [
        (2, ">main", 0),
        (3, ">main <main", 1),
        (3, ">main <main", 1),
    ]


@pytest.mark.parametrize(
    "end", ["os._exit(3)", "os.kill(os.getpid(), 9)", "ctypes.string_at(0)", "sys.exit(3)"]
)
def test_stored_events_are_in_the_file(run: Runner, end: str) -> None:
    result = run(
        f"""
        import ctypes, os, sys

        @trace
        def f(n):
            return n

        @trace
        def last():
            {end}

        for n in range(3000):
            f(n)
        last()
        """,
        status=None,
    )
    (track,) = result.trace.tracks
    stored = ["> f", "< f"] * 3000 + ["> last"]
    assert track.events[: len(stored)] == stored
    assert result.trace.flags == (1 if end == "sys.exit(3)" else 0)
    assert (result.status != 0) is True


def test_killed_processes(runtime: Runtime, tmp_path: Path) -> None:
    """At any time the file contains exactly the events that the program has counted."""
    program = tmp_path / "program.py"
    program.write_text(
        HEAD
        + """
import asyncio, os, threading

@trace
def count(n):
    return n

@trace
async def task():
    await asyncio.sleep(0)

def work():
    n = 0
    while True:
        n += 1
        count(n)
        if n % 50 == 0:
            os.write(1, b"%d\\n" % n)

async def tasks():
    while True:
        await asyncio.create_task(task())

threading.Thread(target=lambda: asyncio.run(tasks()), daemon=True).start()
work()
"""
    )
    rng = random.Random(7)
    for attempt in range(3):
        path = tmp_path / f"{attempt}.ftrace"
        variables = {"FUNCTRACE": "record", "FUNCTRACE_OUT": str(path)}
        with (tmp_path / "said").open("wb") as output:
            process = subprocess.Popen(
                [runtime.python.executable, str(program)],
                cwd=tmp_path,
                env=environment(runtime, variables),
                stdout=output,
            )
            while not (tmp_path / "said").stat().st_size and process.poll() is None:
                time.sleep(0.005)
            time.sleep(rng.random() * 0.05)
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
        known = int((tmp_path / "said").read_text().split("\n")[-2])
        trace = decoder.read(path)
        events = trace.track("MainThread").events
        assert trace.flags == 0
        assert known <= events.count("< count") <= known + 50 + 1
        assert events.count("> count") - events.count("< count") in (0, 1)


def test_process_facts(run: Runner, runtime: Runtime) -> None:
    result = run("trace(lambda: 1)()", FUNCTRACE_DEPTH="7")
    facts = result.trace.process
    assert facts["argv"][1:] == ["program.py"]
    assert facts["host"] == os.uname().nodename
    assert facts["tool"] == "functrace 0.1.0"
    assert facts["runtime"].startswith("CPython {}.{}.".format(*runtime.python.release))
    assert facts["runtime"].endswith(sys.platform)
    assert facts["build"]["main"].endswith("program.py")
    assert facts["options"]["FUNCTRACE_DEPTH"] == "7"
    assert facts["ppid"] == os.getpid()
    assert result.trace.language == 2
