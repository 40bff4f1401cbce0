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


_KEYS = """
    class Key(str):
        __hash__ = str.__hash__
        __eq__ = called
    def keyed(**items):
        return {Key(name): value for name, value in items.items()}
"""


def test_keys_of_an_environment(runtime: Runtime, tmp_path: Path) -> None:
    program = f"""{_KEYS}
    from functrace.runtime.requests import parts
    b3 = "{TRACE_ID}-{SPAN_ID}-1"
    names = "REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "HTTP_TRACEPARENT"
    environ = {{**keyed(**dict.fromkeys(names, "x")), "HTTP_B3": b3}}
    request = parts.wsgi_request(environ)
    assert request == ("", ""), request
    tracker.end_inbound(tracker.begin_inbound(request, environ))
    """
    assert _events(runtime, tmp_path, program) == [f"? 1 in http ids={TRACE_ID}-{SPAN_ID} sampled"]


def test_keys_of_a_scope(runtime: Runtime, tmp_path: Path) -> None:
    program = f"""{_KEYS}
    from functrace.runtime.requests.asgi import Scopes
    async def application(scope, receive, send):
        scope.update(keyed(route=1, endpoint=2, router=3))
        await send(keyed(type="http.response.start", status=500))
        await send({{"type": Key("other")}})
        await send({{"type": "http.response.start", "status": 200}})
    async def send(message): ...
    wrapped = Scopes(tracker).record()(application)
    for scope in (
        {{"type": "http", "method": "GET", **keyed(path="/x", raw_path=b"/x", headers=1)}},
        {{**keyed(type="http", path="/x"), "method": "GET"}},
    ):
        asyncio.run(wrapped(scope, None, send))
    """
    assert _events(runtime, tmp_path, program) == ["? 1 in http", "= 200"]


def test_keys_of_attributes(runtime: Runtime, tmp_path: Path) -> None:
    program = f"""{_KEYS}
    from functrace.runtime.requests.parts import get_attribute
    class Plain: ...
    Slotted = type("Slotted", (), {{Key("size"): 1, "__slots__": ("status",)}})
    class Derived(Slotted): ...
    of_instance, of_class, derived = Plain(), Slotted(), Derived()
    of_instance.__dict__.update(keyed(size=1), status=2)
    of_class.status = derived.status = 3
    assert (get_attribute(of_instance, "size"), get_attribute(of_instance, "status")) == (None, 2)
    assert (get_attribute(of_class, "size"), get_attribute(of_class, "status")) == (None, 3)
    assert (get_attribute(derived, "size"), get_attribute(derived, "status")) == (None, 3)
    """
    assert _events(runtime, tmp_path, program) == []


def test_keys_of_a_context_of_opentelemetry(runtime: Runtime, tmp_path: Path) -> None:
    program = f"""{_OPENTELEMETRY}{_KEYS}
    variable.set({{Key("current-span"): Span()}})
    tracker.end_outbound(tracker.begin_outbound("GET", "shop", "/", []), 200)
    """
    assert _events(runtime, tmp_path, program) == ["? 1 out http of=0", "= 200"]


def test_methods_of_headers(runtime: Runtime, tmp_path: Path) -> None:
    program = f"""
    class Pairs(list):
        __iter__ = __len__ = __getitem__ = __bool__ = called
    class Pair(tuple):
        __iter__ = __len__ = __getitem__ = __bool__ = called
    headers = Pairs([Pair(("b3", "{TRACE_ID}-{SPAN_ID}-1")), Pair(("b3",)), "b3"])
    tracker.end_inbound(tracker.begin_inbound(("GET", "/"), headers))
    """
    assert _events(runtime, tmp_path, program) == [f"? 1 in http ids={TRACE_ID}-{SPAN_ID} sampled"]


def test_class_of_an_error(runtime: Runtime, tmp_path: Path) -> None:
    program = """
    from functrace.runtime.requests.asgi import Scopes
    from functrace.runtime.requests.libraries import gunicorn
    class Strange(Exception):
        __class__ = property(called)
        __getattribute__ = called
    async def application(scope, receive, send):
        raise Strange(1)
    class SyncWorker:
        def handle_request(self, listener, request):
            raise Strange(2)
    gunicorn.install(tracker, module("sync", SyncWorker=SyncWorker))
    try:
        Scopes(tracker).record()(application)({"type": "http"}, None, None).send(None)
    except Strange: ...
    try:
        SyncWorker().handle_request(None, None)
    except Strange: ...
    """
    events = _events(runtime, tmp_path, program)
    assert [event for event in events if event[0] in "e="] == [
        "= 500",
        "error Strange: 1",
        "error Strange: 2",
    ]


def test_error_that_is_not_created_yet(runtime: Runtime, tmp_path: Path) -> None:
    """Before Python 3.12, one that another thread raises is created where it is caught."""
    is_late = runtime.is_native and runtime.python.release < (3, 12)
    program = f"""
    import ctypes, threading
    calls = []
    class Late(Exception):
        def __init__(self): calls.append("created")
    def serve(path):
        thread, late = ctypes.c_ulong(threading.get_ident()), ctypes.py_object(Late)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, late)
        for _ in range(1000): ...
    def before(path):
        return tracker.begin_inbound(("GET", path), [])
    def after(inbound, _result, error):
        calls.append("recorded")
        inbound.error = error
        tracker.end_inbound(inbound)
    try:
        tracker.around(before, after)(serve)("/")
    except Late: ...
    assert calls == {["recorded", "created"] if is_late else ["created", "recorded"]}, calls
    """
    assert _events(runtime, tmp_path, program) == ["? 1 in http", "error Late"]
