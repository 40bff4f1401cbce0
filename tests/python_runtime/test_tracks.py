"""Tracks of threads, tasks and executors, and the calls that they are parented to."""

from __future__ import annotations

import pytest

from tests.python_runtime.conftest import Runner, Runtime


def test_threads(run: Runner, runtime: Runtime) -> None:
    trace = run("""
        import _thread, threading, time

        @trace
        def work(): inside()

        @trace
        def inside(): pass

        @trace
        def main():
            first = threading.Thread(target=work, name="first")
            first.start(); first.join()
            second = threading.Thread(target=start_third, name="second")
            second.start(); second.join()
            done = _thread.allocate_lock()
            done.acquire()
            _thread.start_new_thread(lambda: (work(), done.release()), ())
            done.acquire()

        @trace
        def start_third():
            third = threading.Thread(target=work, name="third")
            third.start(); third.join()

        main()
    """).trace
    assert trace.track("MainThread").calls == ">main <main"
    assert trace.track("first").calls == ">work >inside <inside <work"
    assert trace.track("second").calls == ">start_third <start_third"
    assert trace.origin(trace.track("first")) == "MainThread main: first.start(); first.join()"
    assert trace.origin(trace.track("third")) == "second start_third: third.start(); third.join()"
    named = {"MainThread", "first", "second", "third"}
    others = [track for track in trace.tracks if track.name not in named]
    bare = (">work >inside <inside <work", 0, 2)
    # sys.setprofile reaches the threads of threading only.
    expected = [bare] if runtime.records_exceptions else []
    assert [(track.calls, track.parent, track.kind) for track in others] == expected
    assert len({track.id for track in trace.tracks}) == len(trace.tracks)


def test_suspended_tasks(run: Runner, runtime: Runtime) -> None:
    trace = run("""
        import asyncio

        @trace
        def price(): pass

        @trace
        async def ask():
            await asyncio.sleep(0)
            price()

        @trace
        async def order(fails):
            await ask()
            price()
            await asyncio.sleep(0)
            if fails:
                raise LookupError("sold out")

        @trace
        async def serve():
            orders = [asyncio.create_task(order(i), name=f"order {i}") for i in range(2)]
            return await asyncio.gather(*orders, return_exceptions=True)

        @trace
        def main():
            asyncio.run(serve())

        main()
    """).trace
    good = ">order >ask wait run >price <price <ask >price <price wait run"
    assert trace.track("MainThread").calls == ">main <main"
    assert trace.track("order 0 order").calls == f"{good} <order"
    failed = runtime.failed("LookupError: sold out")
    assert trace.track("order 1 order").calls == f"{good} {failed} <order"
    (serve,) = [track for track in trace.tracks if track.name.endswith(" serve")]
    assert serve.calls == ">serve wait run <serve"
    assert serve.kind == 3
    assert trace.origin(serve) == "MainThread main: asyncio.run(serve())"
    assert trace.origin(trace.track("order 0 order")).startswith(f"{serve.name} serve: orders = ")
    assert serve.start < trace.track("order 0 order").start <= trace.track("order 0 order").ticks[0]


def test_cancelled_tasks(run: Runner, runtime: Runtime) -> None:
    trace = run("""
        import asyncio

        @trace
        def clean(): pass

        @trace
        async def inner():
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                clean()
                await asyncio.sleep(0)
                clean()
                raise

        @trace
        async def outer():
            await inner()

        @trace
        async def stubborn():
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                clean()
            await asyncio.sleep(0)

        async def main():
            tasks = [asyncio.create_task(outer(), name="a")]
            tasks.append(asyncio.create_task(stubborn(), name="b"))
            await asyncio.sleep(0)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

        asyncio.run(main())
    """).trace
    cancelled = runtime.failed("asyncio.exceptions.CancelledError")
    assert trace.track("a outer").calls == (
        ">outer >inner wait run >clean <clean wait run >clean <clean"
        f" {cancelled} <inner {cancelled} <outer"
    )
    assert trace.track("b stubborn").calls == ">stubborn wait run >clean <clean wait run <stubborn"


def test_async_generator_has_one_call_per_value(run: Runner) -> None:
    trace = run("""
        import asyncio, contextlib

        @trace
        async def values():
            try:
                yield 1
                await asyncio.sleep(0)
                yield 2
            finally:
                await asyncio.sleep(0)

        @contextlib.asynccontextmanager
        @trace
        async def managed():
            yield 1

        @trace
        async def consume():
            async for _ in values():
                pass
            generator = values()
            await generator.__anext__()
            await generator.aclose()
            async with managed():
                pass
            return [v async for v in values()]

        asyncio.run(consume())
    """).trace
    steps = ">values <values >values wait run <values >values wait run <values"
    (task,) = trace.tracks
    assert task.calls.replace("! <values", "<values") == (
        f">consume {steps} >values <values >values wait run <values"
        f" >managed <managed >managed <managed {steps} <consume"
    )


def test_abandoned_tasks(run: Runner, runtime: Runtime) -> None:
    """Their clean-up is recorded on the track that the garbage collector runs on."""
    if runtime.python.release == (3, 10) and not runtime.is_native:
        pytest.skip("sys.setprofile of Python 3.10 keeps objects alive that were locals")
    trace = run("""
        import asyncio, gc

        @trace
        def clean(): pass

        @trace
        async def forever():
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                clean()

        @trace
        async def bystander():
            import weakref
            task = asyncio.create_task(forever(), name="lost")
            await asyncio.sleep(0)
            coroutine = task.get_coro()
            dead = weakref.ref(coroutine)
            task._log_destroy_pending = False
            del task, coroutine
            gc.collect()
            assert dead() is None
            clean()
            await asyncio.sleep(0)

        asyncio.run(bystander(), debug=False)
    """).trace
    lost = trace.track("lost forever")
    assert lost.calls == ">forever wait"
    (other,) = [track for track in trace.tracks if track is not lost]
    assert other.calls.replace("! <forever", "<forever") == (
        ">bystander wait run >forever >clean <clean <forever >clean <clean wait run <bystander"
    )


def test_executors(run: Runner) -> None:
    trace = run("""
        import asyncio, functools
        from concurrent.futures import ThreadPoolExecutor

        @trace
        def square(n):
            return n * n

        @trace
        def submit(pool):
            first = pool.submit(square, 2)
            return first.result() + sum(pool.map(square, [3]))

        @trace
        async def serve():
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(None, functools.partial(square, 1))
            await asyncio.to_thread(square, 1)

        with ThreadPoolExecutor(1) as pool:
            submit(pool)
        asyncio.run(serve())
    """).trace
    work = [track for track in trace.tracks if track.name == "square"]
    assert [track.calls for track in work] == [">square <square"] * 4
    assert {track.kind for track in work} == {3}
    (serve,) = [track for track in trace.tracks if track.name.endswith(" serve")]
    assert [trace.origin(track) for track in work] == [
        "MainThread submit: first = pool.submit(square, 2)",
        "MainThread submit: return first.result() + sum(pool.map(square, [3]))",
        f"{serve.name} serve: await loop.run_in_executor(None, functools.partial(square, 1))",
        f"{serve.name} serve: await asyncio.to_thread(square, 1)",
    ]


def test_task_started_by_untraced_code(run: Runner) -> None:
    """The chain continues through tasks and threads that call no traced function."""
    trace = run("""
        import asyncio, threading

        @trace
        async def leaf(): pass

        async def between():
            await asyncio.gather(leaf())

        @trace
        async def root():
            await asyncio.ensure_future(between())

        asyncio.run(root())
    """).trace
    (leaf,) = [track for track in trace.tracks if track.name.endswith(" leaf")]
    assert trace.origin(leaf).endswith(" root: await asyncio.ensure_future(between())")


def test_task_groups_and_eager_tasks(run: Runner, runtime: Runtime) -> None:
    if runtime.python.release < (3, 12):
        pytest.skip("from Python 3.12 on")
    trace = run("""
        import asyncio

        @trace
        async def eager():
            inside()
            await asyncio.sleep(0)

        @trace
        def inside(): pass

        @trace
        async def root():
            async with asyncio.TaskGroup() as group:
                group.create_task(eager(), name="plain")
            asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
            task = asyncio.create_task(eager())
            inside()
            await task

        asyncio.run(root())
    """).trace
    (root,) = [track for track in trace.tracks if track.name.endswith(" root")]
    assert root.calls == ">root wait run >inside <inside wait run <root"
    plain = trace.track("plain eager")
    (early,) = [track for track in trace.tracks if track not in (root, plain)]
    for track, text in (
        (plain, 'group.create_task(eager(), name="plain")'),
        (early, "task = asyncio.create_task(eager())"),
    ):
        assert track.calls == ">eager >inside <inside wait run <eager"
        assert trace.origin(track) == f"{root.name} root: {text}"


def test_event_loops_in_threads(run: Runner) -> None:
    trace = run("""
        import asyncio, threading

        @trace
        async def remote(n):
            await asyncio.sleep(0)
            return n

        @trace
        def ask(loop):
            return asyncio.run_coroutine_threadsafe(remote(1), loop).result()

        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="loop")
        thread.start()
        ask(loop)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
    """).trace
    (remote,) = [track for track in trace.tracks if track.name.endswith(" remote")]
    assert remote.calls == ">remote wait run <remote"
    assert trace.track("MainThread").calls == ">ask <ask"


def test_ended_tracks_are_released(run: Runner) -> None:
    """The rest of the chunk of an ended track is used by another track."""
    result = run("""
        import asyncio

        @trace
        async def short(): pass

        async def main():
            for _ in range(2000):
                await asyncio.create_task(short(), name="t")

        asyncio.run(main())
    """)
    assert [track.calls for track in result.trace.tracks] == [">short <short"] * 2000
    (file,) = result.folder.glob("*.ftrace")
    assert file.stat().st_size < 500_000


@pytest.mark.parametrize("library", ["trio", "greenlet"])
def test_event_loops_of_other_libraries(run: Runner, library: str) -> None:
    result = run(
        f"""
        import os, sys
        try:
            import {library}
        except ImportError:
            print("absent")
            sys.exit()
        """
        + {
            "trio": """
        @trace
        async def child():
            await trio.sleep(0)

        @trace
        async def parent():
            async with trio.open_nursery() as nursery:
                nursery.start_soon(child)

        trio.run(parent)
        """,
            "greenlet": """
        @trace
        def child():
            main.switch()
            inside()

        @trace
        def inside(): pass

        @trace
        def parent():
            other.switch()
            inside()
            other.switch()

        main = greenlet.getcurrent()
        other = greenlet.greenlet(child)
        parent()
        """,
        }[library]
    )
    if result.stdout == "absent\n":
        pytest.skip(f"{library} is not installed for this Python")
    if library == "trio":
        child = result.trace.track("__main__.child")
        parent = result.trace.track("__main__.parent")
        assert child.calls == ">child wait run <child"
        assert parent.calls == ">parent wait run <parent"
        assert result.trace.origin(child).endswith(" parent: nursery.start_soon(child)")
    else:
        main = result.trace.track("MainThread")
        (other,) = [track for track in result.trace.tracks if track is not main]
        assert main.calls == ">parent >inside <inside <parent"
        assert other.calls == ">child >inside <inside <child"
