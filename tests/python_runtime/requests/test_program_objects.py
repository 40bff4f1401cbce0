"""Objects of the program, whose methods no hook calls."""

from __future__ import annotations

from pathlib import Path

from tests.python_runtime import decoder
from tests.python_runtime.conftest import Runtime
from tests.python_runtime.requests.conftest import SPAN_ID, TRACE_ID, run_client

_HEAD = """
    import asyncio, contextvars, os, sys, types
    trace(lambda: 1)()
    tracker = functrace._get_control()._requests._get_tracker()
    def called(*_):
        print("a method of the program was called", file=sys.stderr, flush=True)
        os._exit(1)  # an exception might be swallowed
    class Failure(Exception):
        __bool__ = __len__ = __str__ = called
    def module(name, **content):
        made = sys.modules[name] = types.ModuleType(name)
        vars(made).update(content)
        return made
"""


def _events(runtime: Runtime, folder: Path, program: str) -> list[str]:
    """Run a program and return its events, without entries and exits."""
    traces: list[decoder.Trace] = run_client(runtime, folder, _HEAD + program)
    events = [event for trace in traces for track in trace.tracks for event in track.events]
    return [event for event in events if event[0] not in "<>"]


def test_truth_of_an_error(runtime: Runtime, tmp_path: Path) -> None:
    program = """
    inbound = tracker.begin_inbound(("", "shop.Store/Get"), [], 2)
    inbound.error = Failure(1)
    inbound.status = 2
    tracker.end_inbound(inbound)
    """
    assert _events(runtime, tmp_path, program) == ["? 1 in grpc", "= grpc 2", "error Failure: 1"]


def test_truth_of_an_error_behind_another(runtime: Runtime, tmp_path: Path) -> None:
    program = """
    from functrace.runtime.requests.libraries import aiohttp_server, grpc_server
    class Message:
        method, path, raw_headers = "GET", "/", ()
    class Request:
        _message = None
        def __init__(self): self._message = Message
    class RequestHandler:
        async def _handle_request(self, request):
            tracker.note("error", Failure(1))
            raise Failure(2)
        def handle_error(self): ...
    aiohttp_server.install(tracker, module("web", RequestHandler=RequestHandler))
    try:
        asyncio.run(RequestHandler()._handle_request(Request()))
    except Failure as error:
        assert error.args == (2,)
    class Event:
        class call_details: method = "/shop.Store/Get"
        invocation_metadata = ()
    def _unary_response_in_pool(event, state):
        tracker.note("error", Failure(3))
        raise Failure(4)
    server = module("server", _unary_response_in_pool=_unary_response_in_pool)
    grpc_server.install(tracker, server)
    try:
        server._unary_response_in_pool(Event, None)
    except Failure as error:
        assert error.args == (4,)
    """
    errors = [event for event in _events(runtime, tmp_path, program) if event.startswith("error")]
    assert sorted(errors) == ["error Failure: 1", "error Failure: 3"]


def test_truth_of_a_request(runtime: Runtime, tmp_path: Path) -> None:
    program = """
    from functrace.runtime.requests.libraries import flask
    class Rule:
        def __init__(self): self.rule = "/{name}"
    class Request:
        __bool__ = __len__ = called
        def __init__(self): self.url_rule = Rule()
    class RequestContext:
        def __init__(self): self.request = Request()
        def match_request(self): ...
    flask.install(tracker, module("ctx", RequestContext=RequestContext))
    inbound = tracker.begin_inbound(("GET", "/a"), [])
    RequestContext().match_request()
    inbound.status = 200
    tracker.end_inbound(inbound)
    """
    assert _events(runtime, tmp_path, program) == ["? 1 in http", "= 200 GET /{name}"]


_OPENTELEMETRY = f"""
    class SpanContext(tuple):
        __bool__ = __len__ = __eq__ = __getitem__ = called
    class Span:
        def __init__(self):
            self._context = SpanContext((0x{TRACE_ID}, 0x{SPAN_ID}, False, 1))
    variable = contextvars.ContextVar("current")
    class Runtime:
        def __init__(self): self._current_context = variable
    module("opentelemetry.context", _RUNTIME_CONTEXT=Runtime())
    module("opentelemetry.trace.propagation", _SPAN_KEY="current-span")
"""


def test_truth_of_a_span_context(runtime: Runtime, tmp_path: Path) -> None:
    program = f"""{_OPENTELEMETRY}
    variable.set({{"current-span": Span()}})
    tracker.end_outbound(tracker.begin_outbound("GET", "shop", "/", []), 200)
    """
    assert _events(runtime, tmp_path, program) == [
        f"? 1 out http of=0 ids={TRACE_ID}-{SPAN_ID} sampled",
        "= 200",
    ]
