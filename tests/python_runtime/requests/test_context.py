"""Which inbound call an outbound call belongs to, and that the program sees no difference."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from tests.python_runtime import decoder
from tests.python_runtime.conftest import Runtime
from tests.python_runtime.requests.conftest import SPAN_ID, TRACE_ID, TRACEPARENT, Peer, run_client

_HEAD = """
    import asyncio, contextvars, http.client, threading
    from concurrent.futures import ThreadPoolExecutor
    @trace
    def fetch(name):
        connection = http.client.HTTPConnection("127.0.0.1", PORT)
        connection.request("GET", f"/{name}")
        connection.getresponse().read()
        connection.close()
    fetch("before")
    tracker = functrace._get_control()._requests._get_tracker()
    def begin(name):
        return tracker.begin_inbound(("GET", f"/{name}"), [])
    end = tracker.end_inbound
"""


def _owners(trace: decoder.Trace) -> dict[str, str]:
    """For each outbound call, the name of the inbound call that it belongs to."""
    events = [event for track in trace.tracks for event in track.events]
    inbound, found = {"0": "unknown"}, {}
    for entry, request in itertools.pairwise(events):
        if matched := re.match(r"\? (\d+) in http", request):
            inbound[matched[1]] = entry.rpartition("/")[2]
    for entry, request in itertools.pairwise(events):
        if matched := re.match(r"\? \d+ out http of=(\d+)", request):
            found[entry.rpartition("/")[2]] = inbound[matched[1]]
    return found


def _run(runtime: Runtime, folder: Path, peer: Peer, program: str, **options: str) -> decoder.Trace:
    program = (_HEAD + program).replace("PORT", str(peer.port))
    (trace,) = run_client(runtime, folder, program, **options)
    return trace


def test_thread_pool(runtime: Runtime, peer: Peer, tmp_path: Path) -> None:
    program = """
    pool = ThreadPoolExecutor(1)
    gate = threading.Event()
    first = begin("first")
    pool.submit(fetch, "one").result()
    end(first)
    second = begin("second")
    pool.submit(fetch, "two").result()
    def late():
        gate.wait()
        fetch("late")
    waiting = pool.submit(late)
    end(second)
    gate.set()
    waiting.result()
    pool.submit(fetch, "outside").result()
    """
    assert _owners(_run(runtime, tmp_path, peer, program)) == {
        "before": "unknown",
        "one": "first",
        "two": "second",
        "late": "unknown",
        "outside": "unknown",
    }


def test_pool_that_another_request_started(runtime: Runtime, peer: Peer, tmp_path: Path) -> None:
    program = """
    pool = ThreadPoolExecutor(1)
    first = begin("first")
    pool.submit(fetch, "one").result()
    def other():
        second = begin("second")
        pool.submit(fetch, "two").result()
        end(second)
    contextvars.Context().run(other)
    contextvars.Context().run(lambda: pool.submit(fetch, "three")).result()
    end(first)
    """
    found = _owners(_run(runtime, tmp_path, peer, program))
    assert (found["one"], found["two"]) == ("first", "second")


def test_threads(runtime: Runtime, peer: Peer, tmp_path: Path) -> None:
    program = """
    def run(name):
        thread = threading.Thread(target=fetch, args=(name,))
        thread.start()
        thread.join()
    first = begin("first")
    run("one")
    end(first)
    run("two")
    """
    found = _owners(_run(runtime, tmp_path, peer, program))
    assert (found["one"], found["two"]) == ("first", "unknown")


def test_pool_of_threads_and_a_queue(runtime: Runtime, peer: Peer, tmp_path: Path) -> None:
    program = """
    import queue
    jobs, results = queue.Queue(), queue.Queue()
    def work():
        while (name := jobs.get()) is not None:
            fetch(name)
            results.put(name)
    first = begin("first")
    thread = threading.Thread(target=work)
    thread.start()
    def other():
        second = begin("second")
        jobs.put("two")
        results.get()
        end(second)
    contextvars.Context().run(other)
    fetch("one")
    jobs.put(None)
    thread.join()
    end(first)
    """
    found = _owners(_run(runtime, tmp_path, peer, program))
    assert (found["one"], found["two"]) == ("first", "unknown")


def test_track_without_context(runtime: Runtime, peer: Peer, tmp_path: Path) -> None:
    program = """
    first = begin("first")
    contextvars.Context().run(fetch, "one")
    end(first)
    """
    assert _owners(_run(runtime, tmp_path, peer, program))["one"] == "first"


def test_asyncio(runtime: Runtime, peer: Peer, tmp_path: Path) -> None:
    program = """
    async def serve(name):
        inbound = begin(name)
        await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, fetch, f"{name}-executor")
        await asyncio.to_thread(fetch, f"{name}-thread")
        async def call():
            await asyncio.sleep(0)
            fetch(f"{name}-task")
        await asyncio.create_task(call())
        fetch(f"{name}-itself")
        end(inbound)
    async def main():
        await asyncio.gather(*(serve(f"request{n}") for n in range(20)))
    asyncio.run(main())
    """
    found = _owners(_run(runtime, tmp_path, peer, program))
    assert len(found) == 81
    assert all(owner == name.partition("-")[0] for name, owner in found.items() if "-" in name)


def test_forked_child(runtime: Runtime, peer: Peer, tmp_path: Path) -> None:
    program = """
    import os
    first = begin("first")
    if os.fork() == 0:
        fetch("child")
        end(first)
        os._exit(0)
    os.wait()
    fetch("parent")
    end(first)
    """
    program = (_HEAD + program).replace("PORT", str(peer.port))
    traces = run_client(runtime, tmp_path, program)
    owners = sorted(str(_owners(trace)) for trace in traces)
    assert owners == ["{'before': 'unknown', 'parent': 'first'}", "{'child': 'unknown'}"]


def test_the_program_sees_no_difference(runtime: Runtime, peer: Peer, tmp_path: Path) -> None:
    program = """
    import inspect, pickle, traceback, sys, httpx
    connection = http.client.HTTPConnection
    assert str(inspect.signature(connection.getresponse)) == "(self)"
    assert connection.getresponse.__qualname__ == "HTTPConnection.getresponse"
    assert pickle.loads(pickle.dumps(connection.request)) is connection.request
    assert inspect.iscoroutinefunction(httpx.AsyncHTTPTransport.handle_async_request)
    def failure():
        broken = connection("127.0.0.1", 1)
        try:
            broken.request("GET", "/")
        except OSError as error:
            return [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    names = failure()
    if sys.version_info >= (3, 11):
        assert names[:3] == ["failure", "request", "_send_request"], names
        assert "wrapper" not in names
    first = begin("first")
    assert not [name for name in sys._getframe().f_locals if name.startswith("functrace_")]
    end(first)
    """
    _run(runtime, tmp_path, peer, program)


_OURS = """
    import signal
    from functrace.runtime import BUILTINS
    from functrace.runtime.requests import names
    def ours(function):
        # With builtins of functrace's it is no code of the program.
        return type(function)(function.__code__, {**globals(), "__builtins__": BUILTINS})
    class TimeoutOfProgram(Exception):
        def __str__(self):
            raise SystemExit("a method of the program was called")
    def handle(*_): raise TimeoutOfProgram(404)
    signal.signal(signal.SIGALRM, handle)
"""


def test_failing_hook(runtime: Runtime, peer: Peer, tmp_path: Path) -> None:
    program = f"""{_OURS}
    @ours
    def broken(*_): raise KeyError("broken")
    names.path_shape = broken
    fetch("two")
    fetch("three")
    """
    message = "functrace: requests are not recorded completely: KeyError: 'broken'"
    trace = _run(runtime, tmp_path, peer, program, message=message)
    assert list(_owners(trace)) == ["before"]
    assert len(peer.requests) == 3


def test_hook_that_fails_behind_the_begin_of_a_request(
    runtime: Runtime, peer: Peer, tmp_path: Path
) -> None:
    """A request whose hook fails has ended: the next one is not inside it."""
    program = f"""{_OURS}
    @ours
    def before(path):
        tracker.begin_inbound(("GET", path), [])
        raise MemoryError
    tracker.around(before, lambda *_: None)(lambda path: fetch("in"))("/begin")
    fetch("outside")
    """
    message = "functrace: requests are not recorded completely: MemoryError"
    trace = _run(runtime, tmp_path, peer, program, message=message)
    events = [event for event in trace.tracks[0].events if " GET /" in event]
    assert events == ["> GET /begin", "< GET /begin"]
    owners = _owners(trace)
    assert (owners["in"], owners["outside"]) == ("unknown", "unknown")


def test_signal_during_a_hook(runtime: Runtime, peer: Peer, tmp_path: Path) -> None:
    """What a handler of the program raises meanwhile is the program's, and not of functrace."""
    program = f"""{_OURS}
    import traceback
    @ours
    def interrupted(target):
        signal.raise_signal(signal.SIGALRM)
        return "/" + target
    names.path_shape = interrupted
    try:
        fetch("two")
    except TimeoutOfProgram as error:
        frames = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__)]
        assert not any("functrace/runtime" in name for name in frames) or ALL_FRAMES, frames
    else:
        raise AssertionError("the exception was swallowed")
    """
    program = program.replace("ALL_FRAMES", str(not runtime.is_native))
    trace = _run(runtime, tmp_path, peer, program)
    assert list(_owners(trace)) == ["before"]


def test_signal_behind_the_begin_of_a_request(runtime: Runtime, peer: Peer, tmp_path: Path) -> None:
    """A request whose hook is interrupted has ended: the next one is not inside it."""
    program = f"""{_OURS}
    calls = []
    @ours
    def before(path, when):
        inbound = tracker.begin_inbound(("GET", path), [])
        if when == "begin":
            signal.raise_signal(signal.SIGALRM)
        return inbound, when
    @ours
    def after(state, _result, _error):
        inbound, when = state
        calls.append(when)
        if when == "end" and len(calls) == 1:
            signal.raise_signal(signal.SIGALRM)
        tracker.end_inbound(inbound)
    serve = tracker.around(before, after)(lambda path, when: fetch("in"))
    for path, when in (("/begin", "begin"), ("/end", "end")):
        try:
            serve(path, when)
        except TimeoutOfProgram:
            continue
        raise AssertionError("the exception was swallowed")
    assert calls == ["end", "end"]
    fetch("outside")
    serve("/last", "")
    """
    trace = _run(runtime, tmp_path, peer, program)
    events = [event for event in trace.tracks[0].events if " GET /" in event]
    assert events == [f"{sign} GET {path}" for path in ("/begin", "/end", "/last") for sign in "><"]
    assert _owners(trace)["outside"] == "unknown"


def test_cancelled_requests_are_forgotten(runtime: Runtime, peer: Peer, tmp_path: Path) -> None:
    """A request whose hook fails does not stay in memory."""
    program = f"""{_OURS}
    @ours
    def before(path):
        tracker.begin_inbound(("GET", path), [])
        raise MemoryError
    failing = tracker.around(before, lambda *_: None)(lambda path: None)
    for _ in range(10):
        contextvars.Context().run(failing, "/begin")
    import gc
    kept = [each for each in gc.get_objects() if type(each).__name__ == "Inbound"]
    assert not kept, kept
    """
    message = "functrace: requests are not recorded completely: MemoryError"
    _run(runtime, tmp_path, peer, program, message=message)


def test_request_of_a_signal_handler_during_a_hook(
    runtime: Runtime, peer: Peer, tmp_path: Path
) -> None:
    """A request that the handler itself makes does not hide that of the interrupted hook."""
    program = f"""{_OURS}
    def fetch_and_fail(*_):
        contextvars.Context().run(fetch, "handler")
        raise TimeoutOfProgram(404)
    signal.signal(signal.SIGALRM, fetch_and_fail)
    @ours
    def before(path):
        tracker.begin_inbound(("GET", path), [])
        signal.raise_signal(signal.SIGALRM)
    try:
        tracker.around(before, lambda *_: None)(fetch)("/begin")
    except TimeoutOfProgram: ...
    else: raise AssertionError("the exception was swallowed")
    fetch("outside")
    """
    trace = _run(runtime, tmp_path, peer, program)
    events = [event for event in trace.tracks[0].events if event[1:] == " GET /begin"]
    assert events == ["> GET /begin", "< GET /begin"]
    assert _owners(trace)["outside"] == "unknown"


def test_many_names(runtime: Runtime, peer: Peer, tmp_path: Path) -> None:
    program = """
    for i in range(5000):
        end(begin(f"path-{i}"))
    """
    trace = _run(runtime, tmp_path, peer, program)
    names = {event for event in trace.tracks[0].events if event.startswith("> GET /")}
    assert len(names) == 4095  # and the one of fetch
    assert "> GET (other)" in trace.tracks[0].events


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["observe", "forward", "span"])
@pytest.mark.parametrize("client", ["instrumented", "plain"])
def test_opentelemetry(
    runtime: Runtime, peer: Peer, tmp_path: Path, mode: str, client: str
) -> None:
    program = f"""
    from opentelemetry import trace as api
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
    import requests
    trace(lambda: 1)()
    api.set_tracer_provider(TracerProvider())
    if {client == "instrumented"}:
        from opentelemetry.instrumentation.requests import RequestsInstrumentor
        RequestsInstrumentor().instrument()
    tracker = functrace._get_control()._requests._get_tracker()
    headers = {{"traceparent": "{TRACEPARENT}", "tracestate": "a=1"}}
    first = tracker.begin_inbound(("GET", "/"), list(headers.items()))
    outer = TraceContextTextMapPropagator().extract(headers)
    with api.get_tracer("x").start_as_current_span("serve", context=outer) as span:
        requests.get("http://127.0.0.1:{peer.port}/")
        print(f"{{span.get_span_context().span_id:016x}}", file=open("span", "w"))
    tracker.end_inbound(first)
    """
    (trace,) = run_client(runtime, tmp_path, program, group="frameworks", FUNCTRACE_PROPAGATE=mode)
    events = [event for track in trace.tracks for event in track.events]
    (found,) = [event for event in events if re.match(r"\? 2 out", event)]
    span_id = (tmp_path / "span").read_text().strip()
    headers = peer.headers()
    if client == "instrumented":
        _, trace_id, sent_id, _ = headers["traceparent"].split("-")
        assert trace_id == TRACE_ID
        assert sent_id not in (span_id, SPAN_ID)
        assert headers["tracestate"] == "a=1"
        assert f"ids={TRACE_ID}-{sent_id} sampled" in found
    elif mode == "observe":
        assert "traceparent" not in headers
        assert f"ids={TRACE_ID}-{span_id} sampled" in found
    else:
        sent_id = headers["traceparent"].split("-")[2]
        assert (sent_id == span_id) == (mode == "forward")
        assert headers["tracestate"] == f"ft={trace.process['process_key']}:2,a=1"
        assert f"ids={TRACE_ID}-{sent_id} sampled" in found
