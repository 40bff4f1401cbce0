"""Requests by gRPC, with threads and with asyncio."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.python_runtime import decoder
from tests.python_runtime.conftest import Runtime
from tests.python_runtime.requests.conftest import SPAN_ID, TRACE_ID, TRACEPARENT, run_client

_HANDLERS = """
    import grpc
    @trace
    def check(request):
        if request == b"fail":
            raise ValueError("no stock")
        return request
    def get(request, context):
        seen.append(dict(context.invocation_metadata()))
        if request == b"missing":
            context.abort(grpc.StatusCode.NOT_FOUND, "no such thing")
        if request == b"down":
            context.abort(grpc.StatusCode.UNAVAILABLE, "down")
        return check(request)
    def watch(request, context):
        for _ in range(3):
            yield check(request)
    seen = []
    def handlers(get, watch):
        return grpc.method_handlers_generic_handler("store.Store", {
            "Get": grpc.unary_unary_rpc_method_handler(get),
            "Watch": grpc.unary_stream_rpc_method_handler(watch),
        })
"""
_BLOCKING = (
    _HANDLERS
    + """
    from concurrent import futures
    server = grpc.server(futures.ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((handlers(get, watch),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    check(b"")
    channel = grpc.insecure_channel(f"127.0.0.1:{port}")
    call = channel.unary_unary("/store.Store/Get")
    stream = channel.unary_stream("/store.Store/Watch")
    def ask(request, metadata=None):
        try:
            return call(request, metadata=metadata)
        except grpc.RpcError as error:
            return error.code()
    def asks(*requests):
        return [ask(request) for request in requests]
    def watched(request):
        return list(stream(request))
    def finish():
        channel.close()
        server.stop(None).wait()
    """
)
_ASYNC = (
    _HANDLERS
    + """
    import asyncio
    async def get_async(request, context):
        seen.append(dict(context.invocation_metadata()))
        await asyncio.sleep(0)
        if request == b"missing":
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such thing")
        if request == b"down":
            await context.abort(grpc.StatusCode.UNAVAILABLE, "down")
        return check(request)
    async def watch_async(request, context):
        for _ in range(3):
            yield check(request)
    check(b"")
    loop = asyncio.new_event_loop()
    async def begin():
        global server, channel, call, stream
        server = grpc.aio.server()
        server.add_generic_rpc_handlers((handlers(get_async, watch_async),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
        call = channel.unary_unary("/store.Store/Get")
        stream = channel.unary_stream("/store.Store/Watch")
    loop.run_until_complete(begin())
    async def ask_async(request, metadata=None):
        try:
            return await call(request, metadata=metadata)
        except grpc.RpcError as error:
            return error.code()
    def ask(request, metadata=None):
        return loop.run_until_complete(ask_async(request, metadata))
    def asks(*requests):
        async def all_of_them():
            return await asyncio.gather(*map(ask_async, requests))
        return loop.run_until_complete(all_of_them())
    def watched(request):
        async def all_of_them():
            return [response async for response in stream(request)]
        return loop.run_until_complete(all_of_them())
    def finish():
        async def end():
            await channel.close()
            await server.stop(None)
        loop.run_until_complete(end())
    """
)
_NAME = "grpc store.Store/Get"


@pytest.fixture(params=["threads", "asyncio"])
def library(request: pytest.FixtureRequest) -> str:
    return {"threads": _BLOCKING, "asyncio": _ASYNC}[request.param]


def _requests(trace: decoder.Trace, direction: str) -> list[list[str]]:
    """The events of each request, from behind the entry to the exit."""
    found = []
    for track in trace.tracks:
        events = [event for event in track.events if event not in ("wait", "run")]
        for at, event in enumerate(events):
            if event.startswith("? ") and f" {direction} grpc" in event:
                end = events.index(events[at - 1].replace(">", "<"), at)
                found.append(events[at + 1 : end])
    return found


def _run(runtime: Runtime, folder: Path, program: str, **variables: str) -> decoder.Trace:
    (trace,) = run_client(runtime, folder, program + "\n    finish()\n", **variables)
    return trace


def test_calls(runtime: Runtime, library: str, tmp_path: Path) -> None:
    program = """
    assert asks(b"1", b"missing", b"fail", b"down") == [
        b"1", grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNKNOWN, grpc.StatusCode.UNAVAILABLE]
    """
    trace = _run(runtime, tmp_path, library + program)
    assert sorted(_requests(trace, "out")) == [
        ["= grpc 0"],
        ["= grpc 14", "error UNAVAILABLE"],
        ["= grpc 2", "error UNKNOWN"],
        ["= grpc 5", "error NOT_FOUND"],
    ]
    served = sorted(events[-2:] for events in _requests(trace, "in"))
    assert served[0] == ["< check", "= grpc 0"]
    assert ["= grpc 14", "error UNAVAILABLE"] in served
    assert ["= grpc 2", "error ValueError: no stock"] in served
    assert ["= grpc 5"] in served


def test_stream(runtime: Runtime, library: str, tmp_path: Path) -> None:
    trace = _run(runtime, tmp_path, library + '\n    assert watched(b"x") == [b"x"] * 3\n')
    assert _requests(trace, "out") == [["= grpc 0"]]
    (served,) = _requests(trace, "in")
    assert served == ["> check", "< check"] * 3 + ["= grpc 0"]


def test_forward(runtime: Runtime, library: str, tmp_path: Path) -> None:
    program = f"""
    tracker = functrace._get_control()._requests._get_tracker()
    inbound = tracker.begin_inbound(("POST", "/pay"), [("traceparent", "{TRACEPARENT}")])
    ask(b"1")
    print(seen[0])
    tracker.end_inbound(inbound)
    assert seen[0]["traceparent"] == "{TRACEPARENT}"
    key = functrace._get_control()._process_key
    assert seen[0]["tracestate"] == f"ft={{key}}:2"
    ask(b"2", (("traceparent", "00-{"1" * 32}-{"2" * 16}-00"),))
    assert "tracestate" not in seen[1]
    """
    trace = _run(runtime, tmp_path, library + program, FUNCTRACE_PROPAGATE="forward")
    events = [event for track in trace.tracks for event in track.events if event[0] == "?"]
    assert f"? 2 out grpc of=1 ids={TRACE_ID}-{SPAN_ID} sampled" in events
    key = trace.process["process_key"]
    (served,) = [event for event in events if f"ft={key}:2" in event]
    assert re.match(rf"\? \d in grpc ids={TRACE_ID}-{SPAN_ID} sampled", served)


def test_observe(runtime: Runtime, library: str, tmp_path: Path) -> None:
    program = """
    ask(b"1")
    assert not {"traceparent", "tracestate", "b3"} & set(seen[0])
    """
    _run(runtime, tmp_path, library + program)


_SYNCHRONOUS = (
    _ASYNC.replace("handlers(get_async, watch_async)", "handlers(get, watch)")
    .replace("grpc.aio.server()", "grpc.aio.server(futures.ThreadPoolExecutor(1))")
    .replace("import asyncio\n", "import asyncio\n    from concurrent import futures\n", 1)
)


def test_synchronous_handlers_of_an_asyncio_server(runtime: Runtime, tmp_path: Path) -> None:
    """Their steps run in threads: a function's is recorded, a generator's are not."""
    program = """
    assert asks(b"1", b"missing", b"fail") == [
        b"1", grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNKNOWN]
    assert watched(b"x") == [b"x"] * 3
    """
    trace = _run(runtime, tmp_path, _SYNCHRONOUS + program)
    served = sorted(events[-2:] for events in _requests(trace, "in"))
    # The library does not tell the code that such a function answers with.
    assert served == [[], ["= grpc 2", "error ValueError: no stock"], ["> check", "< check"]]


def test_generator_that_is_closed_early(runtime: Runtime, tmp_path: Path) -> None:
    """The program's generator ends with the call that runs it, and so does the inbound call."""
    program = """
    ended = []
    async def watch_async(request, context):
        try:
            while True:
                yield check(request)
                await asyncio.sleep(0.01)
        finally:
            ended.append(request)
    loop.run_until_complete(begin())
    async def cancel():
        responses = stream(b"x")
        await responses.read()
        responses.cancel()
        while not ended:
            await asyncio.sleep(0.01)
    loop.run_until_complete(cancel())
    """
    trace = _run(runtime, tmp_path, _ASYNC + program)
    (served,) = _requests(trace, "in")
    assert served[:2] == ["> check", "< check"]
