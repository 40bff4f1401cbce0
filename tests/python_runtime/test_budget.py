"""FUNCTRACE_BUDGET: functions that cost too much are demoted, and their failures still recorded."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.python_runtime import decoder
from tests.python_runtime.conftest import Runner, Runtime

_CALLS = 1_000_000
_LOOP = f"""
    @trace
    def leaf(): pass

    @trace
    def main():
        for _ in range({_CALLS}): leaf()

    main()
"""


@pytest.fixture(autouse=True)
def _has_budget(runtime: Runtime, request: pytest.FixtureRequest) -> None:
    is_everywhere = request.node.get_closest_marker("parametrize") or "message" in request.node.name
    if not (runtime.is_native or runtime.python.release >= (3, 12) or is_everywhere):
        pytest.skip("the fallback cannot disable single functions")


def _counted(track: decoder.Track) -> Counter[str]:
    return Counter(track.events)


def _have_ends(trace: decoder.Trace) -> None:
    """Check that each entry has its exit, and that calls enclose each other."""
    for track in trace.tracks:
        stack: list[str] = []
        for event in track.events:
            sign, _, name = event.partition(" ")
            if sign == ">":
                stack.append(name)
            elif sign == "<":
                assert stack.pop() == name
        assert not stack


def _demoted(trace: decoder.Trace) -> set[str]:
    return {demotion.function for demotion in trace.demotions if demotion.is_demoted}


def test_hot_loop(run: Runner) -> None:
    trace = run(_LOOP, FUNCTRACE_BUDGET="3%").trace
    counted = _counted(trace.tracks[0])
    assert 0 < counted["> leaf"] == counted["< leaf"] < _CALLS / 2
    assert counted["> main"] == counted["< main"] == 1
    assert _demoted(trace) == {"leaf"}
    first = trace.demotions[0]
    assert first.is_demoted
    assert first.calls_per_second > 1000
    assert trace.tracks[0].ticks[0] < first.ticks < trace.tracks[0].ticks[-1]
    assert trace.process["budget_ppm"] == 30_000


def test_all_calls_without_a_budget(run: Runner) -> None:
    trace = run(_LOOP.replace(str(_CALLS), "100_000")).trace
    assert _counted(trace.tracks[0])["> leaf"] == 100_000
    assert trace.demotions == []
    assert "budget_ppm" not in trace.process


def test_functions_that_do_much_stay(run: Runner) -> None:
    trace = run(
        """
        @trace
        def leaf(): pass

        @trace
        def busy(): sum(range(5000))

        @trace
        def main():
            for _ in range(2000):
                busy()
                for _ in range(500): leaf()

        main()
        """,
        FUNCTRACE_BUDGET="3%",
    ).trace
    counted = _counted(trace.tracks[0])
    assert _demoted(trace) == {"leaf"}
    assert counted["> busy"] == 2000
    assert counted["> leaf"] < 500_000
    _have_ends(trace)


def test_default_of_a_ring(run: Runner) -> None:
    trace = run(_LOOP, FUNCTRACE="ring", FUNCTRACE_RING_DIR="rings", FUNCTRACE_OUT="")
    (path,) = trace.folder.glob("rings/*.ftrace")
    ring = decoder.read(path)
    assert ring.process["budget_ppm"] == 30_000
    assert _demoted(ring) == {"leaf"}
    assert _counted(ring.tracks[0])["> leaf"] + ring.overwritten / 2 < _CALLS / 2


def test_ring_without_a_budget(run: Runner) -> None:
    done = run(
        _LOOP,
        FUNCTRACE="ring",
        FUNCTRACE_RING_DIR="rings",
        FUNCTRACE_BUDGET="off",
        FUNCTRACE_OUT="",
    )
    (path,) = done.folder.glob("rings/*.ftrace")
    assert "budget_ppm" not in decoder.read(path).process
    assert decoder.read(path).demotions == []


def test_failures_of_demoted_functions(run: Runner) -> None:
    trace = run(
        f"""
        @trace
        def leaf(n):
            if n % 10_000 == 9_999: raise KeyError(n)

        @trace
        def main():
            for n in range({_CALLS}):
                try: leaf(n)
                except KeyError: pass

        main()
        """,
        FUNCTRACE_BUDGET="3%",
    ).trace
    track = trace.tracks[0]
    counted = _counted(track)
    assert _demoted(trace) == {"leaf"}
    assert counted["> leaf"] < _CALLS / 2
    failed = [event for event in track.events if event.startswith("!")]
    assert failed == [f"! KeyError: {n}" for n in range(9_999, _CALLS, 10_000)]
    _have_ends(trace)
    assert track.events[-4:] == ["> leaf", failed[-1], "< leaf", "< main"]
    assert track.ticks[-3] == track.ticks[-2]


def test_failures_that_exceed_the_budget(run: Runner) -> None:
    trace = run(
        f"""
        @trace
        def leaf(): raise KeyError("no such item")

        @trace
        def main():
            for _ in range({_CALLS // 2}):
                try: leaf()
                except KeyError: pass

        main()
        """,
        FUNCTRACE_BUDGET="3%",
    ).trace
    assert [(d.function, d.is_demoted, d.is_mute) for d in trace.demotions[:2]] == [
        ("leaf", True, False),
        ("leaf", True, True),
    ]
    assert _counted(trace.tracks[0])["> leaf"] < _CALLS / 4
    _have_ends(trace)


def test_recursion(run: Runner) -> None:
    """Calls of the demoted function are open inside each other, and only some are recorded."""
    trace = run(
        """
        @trace
        def walk(depth):
            if depth == 3: bottom()
            if depth: walk(depth - 1); walk(depth - 1)

        @trace
        def bottom(): sum(range(100))

        @trace
        def main():
            walk(18)
            walk(16)

        main()
        """,
        FUNCTRACE_BUDGET="3%",
    ).trace
    track = trace.tracks[0]
    counted = _counted(track)
    assert "walk" in _demoted(trace)
    assert counted["> walk"] < (2 << 18) + (2 << 16) - 2
    _have_ends(trace)
    assert track.events[:2] == ["> main", "> walk"]
    assert track.events[-1] == "< main"
    assert "bottom" in _demoted(trace) or counted["> bottom"] == (1 << 15) + (1 << 13)


def test_generators(run: Runner) -> None:
    trace = run(
        """
        @trace
        def numbers(count):
            for n in range(count): yield n
            if count == 21: raise ValueError("no more")

        @trace
        def sums(turn): return sum(numbers_of(20 + (turn % 1000 == 999)))

        def numbers_of(count):
            try: yield from numbers(count)
            except ValueError: pass

        @trace
        def main():
            for turn in range(20_000): sums(turn)

        main()
        """,
        FUNCTRACE_BUDGET="3%",
    ).trace
    track = trace.tracks[0]
    counted = _counted(track)
    assert "numbers" in _demoted(trace)
    assert counted["> numbers"] < 20_000 * 21 / 2
    assert counted["! ValueError: no more"] == 20
    _have_ends(trace)


def test_tasks_that_wait_while_they_are_demoted(run: Runner) -> None:
    trace = run(
        """
        import asyncio

        @trace
        async def worker(event, turns):
            for _ in range(turns): await step()
            await event.wait()
            last()

        @trace
        async def step(): await asyncio.sleep(0)

        @trace
        def last(): pass

        async def main():
            event = asyncio.Event()
            early = [asyncio.create_task(worker(event, 300), name="early") for _ in range(100)]
            for _ in range(50):
                done = asyncio.Event(); done.set()
                await asyncio.gather(*(worker(done, 0) for _ in range(2000)))
            event.set()
            await asyncio.gather(*early)

        asyncio.run(main())
        """,
        FUNCTRACE_BUDGET="0.1%",
    ).trace
    assert {"step", "worker"} <= _demoted(trace)
    early = [track for track in trace.tracks if track.name == "early worker"]
    assert len(early) == 100
    for track in early:
        assert track.events[0] == "> worker"
        assert track.events[-1] == "< worker"
        assert "wait" in track.events
    _have_ends(trace)


def test_threads(run: Runner) -> None:
    """Each thread has an open call of the function that another one gets demoted."""
    trace = run(
        f"""
        import threading

        @trace
        def either(depth):
            if depth:
                ready.wait()
                for _ in range({_CALLS // 4}): either(0)
                end.wait()

        ready, end = threading.Barrier(4), threading.Barrier(4)
        threads = [threading.Thread(target=either, args=(1,)) for _ in range(4)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        """,
        FUNCTRACE_BUDGET="3%",
    ).trace
    assert _demoted(trace) == {"either"}
    assert len(trace.tracks) == 4
    for track in trace.tracks:
        assert track.events[0] == "> either"
        assert track.events[-1] == "< either"
    assert sum(_counted(track)["> either"] for track in trace.tracks) < _CALLS / 2
    _have_ends(trace)


def test_promotion(run: Runner) -> None:
    """A program that changes: the function is seldom called after a second."""
    trace = run(
        """
        import time

        @trace
        def leaf(): pass

        @trace
        def busy():
            leaf()
            sum(range(3000))

        @trace
        def main():
            for _ in range(200_000): leaf()
            begin = time.perf_counter(), time.process_time()
            while time.perf_counter() < begin[0] + 5 or time.process_time() < begin[1] + 2.5: busy()
            for _ in range(100): busy()

        main()
        """,
        FUNCTRACE_BUDGET="50%",
        FUNCTRACE_MAX_SIZE="100M",
    ).trace
    assert [d.is_demoted for d in trace.demotions][:2] == [True, False]
    demoted, promoted = trace.demotions[:2]
    assert promoted.ticks > demoted.ticks
    track = trace.tracks[0]
    assert track.events[-5:] == ["> busy", "> leaf", "< leaf", "< busy", "< main"]
    _have_ends(trace)


def test_fork(run: Runner) -> None:
    done = run(
        f"""
        import os

        @trace
        def leaf(): pass

        @trace
        def main():
            for _ in range({_CALLS}): leaf()

        main()
        if os.fork() == 0:
            leaf()
            main()
            os._exit(0)
        os.wait()
        """,
        FUNCTRACE_BUDGET="3%",
    )
    assert len(done.traces) == 2
    for trace in done.traces:
        counted = _counted(trace.tracks[0])
        assert _demoted(trace) == {"leaf"}
        assert 0 < counted["> leaf"] < _CALLS / 2
        assert counted["< main"] == 1
        _have_ends(trace)


def test_off_and_on(run: Runner) -> None:
    trace = run(
        f"""
        @trace
        def leaf(n):
            if n == 7: raise ValueError(n)

        @trace
        def other(): pass

        @trace
        def main():
            for _ in range({_CALLS}): leaf(0)
            functrace.stop()
            other(); leaf(0)
            functrace.start()
            other()
            for _ in range(1000): leaf(0)
            try: leaf(7)
            except ValueError: pass

        main()
        """,
        FUNCTRACE_BUDGET="3%",
    ).trace
    track = trace.tracks[0]
    assert track.events[-6:] == [
        "> other", "< other", "> leaf", "! ValueError: 7", "< leaf", "< main"
    ]  # fmt: skip
    _have_ends(trace)


def test_functions_of_one_name_are_demoted_together(run: Runner) -> None:
    trace = run(
        f"""
        def make():
            space = {{"__name__": "__main__", "trace": trace}}
            exec("@trace\\ndef leaf(): pass", space)
            return space["leaf"]

        hot, cold = make(), make()
        cold()

        @trace
        def main():
            for _ in range({_CALLS}): hot()
            for _ in range(1000): cold()

        main()
        """,
        FUNCTRACE_BUDGET="3%",
    ).trace
    assert [d.function for d in trace.demotions[:2]] == ["leaf", "leaf"]
    assert trace.tracks[0].events[-1] == "< main"
    assert _counted(trace.tracks[0])["> leaf"] < _CALLS / 2


def test_exits_of_a_program_that_watches_its_own_frames(run: Runner) -> None:
    """A demoted function is called at another place, in a call that is open meanwhile."""
    trace = run(
        f"""
        @trace
        def leaf(): pass

        @trace
        def middle(count):
            for _ in range(count): leaf()
            return after()

        @trace
        def after(): pass

        for _ in range(3): middle({_CALLS // 3})
        """,
        FUNCTRACE_BUDGET="3%",
    ).trace
    kept = [event for event in trace.tracks[0].events if "leaf" not in event]
    assert kept == ["> middle", "> after", "< after", "< middle"] * 3


@pytest.mark.parametrize(
    "value", ["3", "0%", "101%", "-1%", "x%", "%", "1e1%", ".%", "3 %", "nan%", "0.00001%"]
)
def test_malformed_value(run: Runner, value: str) -> None:
    done = run("print('done')\n@trace\ndef leaf(): pass\n", FUNCTRACE_BUDGET=value)
    assert done.stdout == "done\n"
    assert done.stderr == (
        f"functrace: FUNCTRACE_BUDGET={value} is neither off nor a share such as 3% or 0.5%;"
        " tracing is off\n"
    )


@pytest.mark.parametrize(("value", "ppm"), [("100%", 1_000_000), ("0.25%", 2500), (".5%", 5000)])
def test_valid_value(run: Runner, runtime: Runtime, value: str, ppm: int) -> None:
    trace = run("@trace\ndef leaf(): pass\nleaf()", FUNCTRACE_BUDGET=value).trace
    has_budget = runtime.is_native or runtime.python.release >= (3, 12)
    assert trace.process.get("budget_ppm") == (ppm if has_budget else None)


def test_message_where_the_fallback_has_no_budget(run: Runner, runtime: Runtime) -> None:
    done = run(_LOOP.replace(str(_CALLS), "10"), FUNCTRACE_BUDGET="3%")
    has_budget = runtime.is_native or runtime.python.release >= (3, 12)
    assert done.stderr == (
        ""
        if has_budget
        else "functrace: FUNCTRACE_BUDGET has no effect: before Python 3.12 that takes the recorder"
        " in C, and this is the fallback in Python\n"
    )


def test_no_budget_with_a_minimum_duration(run: Runner) -> None:
    program = "@trace\ndef leaf(): pass\nprint('done')"
    done = run(program, FUNCTRACE_BUDGET="3%", FUNCTRACE_MIN_DURATION="1ms")
    assert done.stdout == "done\n"
    assert done.stderr == (
        "functrace: FUNCTRACE_BUDGET=3% cannot be combined with FUNCTRACE_MIN_DURATION;"
        " set one of them; tracing is off\n"
    )
    ring = run(
        program,
        FUNCTRACE="ring",
        FUNCTRACE_RING_DIR="rings",
        FUNCTRACE_MIN_DURATION="1ms",
        FUNCTRACE_OUT="",
    )
    (path,) = ring.folder.glob("rings/*.ftrace")
    assert "budget_ppm" not in decoder.read(path).process
