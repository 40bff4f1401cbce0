"""Tracks that share chunks: rings with many tasks, runs, and the count of overwritten events."""

from __future__ import annotations

from pathlib import Path

import pytest

from functrace.analysis import calls
from functrace.tracefile import open_trace
from tests.python_runtime import decoder
from tests.python_runtime.conftest import Runner, Runtime

# Every task makes its calls within open calls of its own.
_TASKS = """
import asyncio

@trace
def leaf(): pass

@trace
async def request(turns):
    for _ in range(turns):
        for _ in range({calls}): leaf()
        await asyncio.sleep(0)

@trace
async def worker(turns):
    await request(turns)

async def main():
    await asyncio.gather(*(worker({turns}) for _ in range({tasks})))

asyncio.run(main())
"""


def test_many_tasks_in_a_small_ring(run: Runner, runtime: Runtime) -> None:
    tasks, turns, leaves = (300, 100, 2) if runtime.is_native else (100, 100, 3)
    result = run(
        _TASKS.format(tasks=tasks, turns=turns, calls=leaves),
        FUNCTRACE_MAX_SIZE="512K",
        FUNCTRACE_FULL="overwrite",
    )
    trace = result.trace
    assert trace.lost == 0
    recorded = 2 * tasks * (turns * leaves + 2)
    assert _events(trace) + trace.overwritten == recorded
    assert _events(trace) > 10_000  # about 300 KB, where each task has a turn of 4 to 6 events
    lists = [r.listed for track in trace.tracks for r in track.runs if r.listed is not None]
    assert lists
    _have_whole_chains(result.folder)


def _events(trace: decoder.Trace) -> int:
    return sum(event[0] in "<>" for track in trace.tracks for event in track.events)


def _have_whole_chains(folder: Path) -> None:
    """Check the calls in the newest half of the file."""
    (path,) = folder.glob("*.ftrace")
    listed = calls(open_trace(path))
    leaf = [f.name for f in listed.chains.trace.functions].index("__main__.leaf")
    newest = listed.function[len(listed) // 2 :] == leaf
    assert newest.any()
    assert set(listed.depth[len(listed) // 2 :][newest]) == {2}


def test_list_of_a_track_that_seldom_runs(run: Runner) -> None:
    result = run(
        """
        import threading

        @trace
        def leaf(): pass

        @trace
        def outer(): inner()

        @trace
        def inner():
            for _ in range(60):
                turn.wait(); turn.clear()
                leaf()
                done.set()

        @trace
        def busy():
            for _ in range(60):
                for _ in range(500): leaf()
                turn.set(); done.wait(); done.clear()

        turn, done = threading.Event(), threading.Event()
        thread = threading.Thread(target=outer, name="slow")
        thread.start()
        busy()
        thread.join()
        """,
        FUNCTRACE_MAX_SIZE="400K",
        FUNCTRACE_FULL="overwrite",
    )
    slow = result.trace.track("slow")
    lists = [run.listed for run in slow.runs if run.listed is not None]
    assert lists == [["outer", "inner"]] * len(lists)
    assert len(lists) > 1
    assert slow.events[-4:] == ["> leaf", "< leaf", "< inner", "< outer"]
    assert _events(result.trace) + result.trace.overwritten == 2 * (60 * 500 + 60 + 3)


def test_task_on_two_threads(run: Runner, runtime: Runtime) -> None:
    """An event loop that two threads run in turn."""
    result = run("""
        import asyncio, threading

        @trace
        def leaf(): pass

        @trace
        def own(): pass

        @trace
        async def visit():
            for _ in range(100):
                leaf()
                await asyncio.sleep(0)

        def run_in_turn(parity):
            for number in range(parity, 102, 2):
                turns[number].acquire()
                own()
                loop.call_soon(loop.stop)
                loop.run_forever()
                own()
                turns[number + 1].release()

        loop = asyncio.new_event_loop()
        task = loop.create_task(visit(), name="moved")
        turns = [threading.Semaphore(0) for _ in range(103)]
        turns[0].release()
        threads = [threading.Thread(target=run_in_turn, args=(parity,)) for parity in range(2)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        loop.close()
    """)
    moved = result.trace.track("moved visit")
    turn = ["> leaf", "< leaf", "wait", "run"]
    assert moved.events == ["> visit", *turn * 100, "< visit"]
    assert [run.number for run in moved.runs] == list(range(len(moved.runs)))
    assert len(moved.runs) > 100
    assert {run.opened for run in moved.runs[1:]} <= {1, 2}
    assert len({run.writer for run in moved.runs}) == (1 if runtime.is_native else 2)
    own = [track.events for track in result.trace.tracks if track is not moved]
    assert own == [["> own", "< own"] * 102] * 2


def test_entries_that_are_written_late(run: Runner) -> None:
    """Their times are earlier than those of other tracks' words in the chunk."""
    result = run(
        """
        import asyncio, time

        @trace
        async def outer(order):
            for ready in order: await ready.wait()
            time.sleep(0.02)
            inner()

        @trace
        def inner(): time.sleep(0.02)

        @trace
        def short(): pass

        async def main():
            ready = asyncio.Event()
            tasks = [asyncio.create_task(outer([ready]), name=str(i)) for i in range(3)]
            await asyncio.sleep(0)
            ready.set()
            await asyncio.gather(*tasks)
            short()

        asyncio.run(main())
        """,
        FUNCTRACE_MIN_DURATION="20ms",
    )
    tracks = [result.trace.track(f"{number} outer") for number in range(3)]
    timed = [[e for e in track.events if e[0] in "<>"] for track in tracks]
    assert timed == [["> outer", "> inner", "< inner", "< outer"]] * 3
    first = [track.ticks[0] for track in tracks]
    assert first == sorted(first)
    assert max(first) < min(track.ticks[-1] for track in tracks)


def test_chunks_of_ended_threads_are_continued(run: Runner) -> None:
    result = run("""
        import threading

        @trace
        def leaf(): pass

        for _ in range(300):
            thread = threading.Thread(target=leaf)
            thread.start(); thread.join()
    """)
    assert [track.events for track in result.trace.tracks] == [["> leaf", "< leaf"]] * 300
    (path,) = result.folder.glob("*.ftrace")
    assert path.stat().st_size < 110_000  # header and facts are 37 KB, a thread 80 bytes


@pytest.mark.parametrize(("leaves", "max_bytes"), [(8, 24), (1, 64)])
def test_bytes_of_a_call(run: Runner, leaves: int, max_bytes: int) -> None:
    """Many tasks take turns, in each of which they make a number of calls."""
    result = run(_TASKS.format(tasks=100, turns=30, calls=leaves))
    (path,) = result.folder.glob("*.ftrace")
    facts = 4096 + (32 << 10)
    tracks = 100 * (5 + 6) * 8  # their records, and their outer calls
    last_chunk = 64 << 10
    assert path.stat().st_size - facts - tracks - last_chunk < max_bytes * 100 * 30 * leaves
