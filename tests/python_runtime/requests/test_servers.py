"""Inbound calls of real servers."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.python_runtime import decoder
from tests.python_runtime.requests.conftest import (
    SPAN_ID,
    TRACE_ID,
    TRACEPARENT,
    Peer,
    Service,
    Starter,
)

_WSGI = """
    import sys, http.client
    port = int(sys.argv[1])
    @trace
    def handle(path):
        if path == "/raise":
            raise ValueError("no stock")
        return b"ok"
    def application(environ, start_response):
        path = environ["PATH_INFO"]
        if path == "/status":
            start_response("503 Service Unavailable", [("Content-Type", "text/plain")])
            return [b"down"]
        if path == "/stream":
            start_response("200 OK", [("Content-Type", "text/plain")])
            return stream()
        body = fetch(path) if path.startswith("/fetch") else handle(path)
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]
    def stream():
        for part in (b"a", b"b", b"c"):
            handle("/")
            yield part
    def fetch(path):
        connection = http.client.HTTPConnection("127.0.0.1", int(path.rpartition("/")[2]))
        connection.request("GET", "/inner")
        return connection.getresponse().read()
"""
_ASGI = """
    import sys, asyncio, http.client
    port = int(sys.argv[1])
    @trace
    async def handle(path):
        await asyncio.sleep(0)
        if path == "/raise":
            raise ValueError("no stock")
        return b"ok"
    async def application(scope, receive, send):
        if scope["type"] != "http":
            return
        path, status = scope["path"], 200
        bodies = [b"a", b"b", b"c"] if path == "/stream" else [b"ok"]
        if path == "/status":
            status, bodies = 503, [b"down"]
        elif path.startswith("/fetch"):
            bodies = [await asyncio.to_thread(fetch, path)]
        else:
            await handle(path)
        await send({"type": "http.response.start", "status": status, "headers": []})
        for body in bodies:
            if path == "/stream":
                await handle("/")
            await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    def fetch(path):
        connection = http.client.HTTPConnection("127.0.0.1", int(path.rpartition("/")[2]))
        connection.request("GET", "/inner")
        return connection.getresponse().read()
"""
_GUNICORN = """
    from gunicorn.app.base import BaseApplication
    class Server(BaseApplication):
        def load_config(self):
            self.cfg.set("bind", f"127.0.0.1:{{port}}")
            self.cfg.set("worker_class", "{kind}")
            self.cfg.set("workers", 2)
        def load(self):
            return application
    handle("/start")
    Server().run()
"""
_SERVERS = {
    "wsgiref": _WSGI
    + """
    from wsgiref.simple_server import make_server
    handle("/start")
    make_server("127.0.0.1", port, application).serve_forever()
    """,
    "werkzeug": _WSGI
    + """
    from werkzeug.serving import run_simple
    handle("/start")
    run_simple("127.0.0.1", port, application, threaded=True)
    """,
    "waitress": _WSGI
    + """
    from waitress import serve
    handle("/start")
    serve(application, host="127.0.0.1", port=port)
    """,
    "gunicorn-sync": _WSGI + _GUNICORN.format(kind="sync"),
    "gunicorn-gthread": _WSGI + _GUNICORN.format(kind="gthread"),
    "uvicorn": _ASGI
    + """
    asyncio.run(handle("/start"))
    import uvicorn
    uvicorn.run(application, host="127.0.0.1", port=port, lifespan="off", http="h11")
    """,
}
_SERVERS["aiohttp"] = """
    import sys, asyncio, http.client
    from aiohttp import web
    @trace
    async def handle(path):
        await asyncio.sleep(0)
        if path == "/raise":
            raise ValueError("no stock")
        return web.Response(text="ok")
    async def answer(request):
        path = request.path
        if path == "/status":
            return web.Response(status=503, text="down")
        if path == "/stream":
            response = web.StreamResponse()
            await response.prepare(request)
            for part in (b"a", b"b", b"c"):
                await handle("/")
                await response.write(part)
            return response
        if path.startswith("/fetch"):
            return web.Response(body=await asyncio.to_thread(fetch, path))
        return await handle(path)
    def fetch(path):
        connection = http.client.HTTPConnection("127.0.0.1", int(path.rpartition("/")[2]))
        connection.request("GET", "/inner")
        return connection.getresponse().read()
    app = web.Application()
    app.router.add_route("*", "/{all:.*}", answer)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""


_SLOW_SERVERS = {
    "gunicorn-gevent": _WSGI + _GUNICORN.format(kind="gevent"),
    "gunicorn-asgi": _ASGI
    + _GUNICORN.format(kind="asgi").replace('handle("/start")', 'asyncio.run(handle("/start"))'),
    "uvicorn-httptools": _SERVERS["uvicorn"].replace(
        'http="h11"', 'http="httptools", loop="uvloop"'
    ),
    "hypercorn": _ASGI
    + """
    asyncio.run(handle("/start"))
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    asyncio.run(serve(application, config))
    """,
    "daphne": _ASGI
    + """
    asyncio.run(handle("/start"))
    from daphne.server import Server
    Server(application, endpoints=[f"tcp:{port}:interface=127.0.0.1"]).run()
    """,
}


@pytest.fixture(
    params=[*_SERVERS, *(pytest.param(name, marks=pytest.mark.slow) for name in _SLOW_SERVERS)]
)
def server(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def _start(start: Starter, server: str, **variables: str) -> Service:
    if server in _SERVERS:
        return start(_SERVERS[server], **variables)
    return start(_SLOW_SERVERS[server], group="frameworks", **variables)


def _events(traces: list[decoder.Trace]) -> list[str]:
    return [
        event
        for trace in traces
        for track in trace.tracks
        for event in track.events
        if event not in ("wait", "run")
    ]


def _call(traces: list[decoder.Trace], name: str) -> list[str]:
    """The events of the only call of a function, from entry to exit."""
    events = _events(traces)
    (first,), (last,) = (
        [at for at, event in enumerate(events) if event == f"{sign} {name}"] for sign in "><"
    )
    return events[first : last + 1]


def test_requests(server: str, start: Starter) -> None:
    service = _start(start, server)
    assert b" 200 " in service.get(
        "/users/17", f"traceparent: {TRACEPARENT}", "tracestate: ft=0123456789abcdef:1f"
    )
    assert b" 503 " in service.get("/status?secret=1", method="POST")
    traces = service.stop()
    _entry, request, *inside, status, _leave = _call(traces, "GET /users/{id}")
    assert re.fullmatch(
        rf"\? \d in http ids={TRACE_ID}-{SPAN_ID} sampled ft=0123456789abcdef:31", request
    )
    assert inside == ["> handle", "< handle"]
    assert status == ("= 200 GET /{all}" if server == "aiohttp" else "= 200")
    *_, status, error, _ = _call(traces, "POST /status")
    assert (status.removesuffix(" POST /{all}"), error) == (
        "= 503",
        "error 503 Service Unavailable",
    )
    assert "secret" not in "".join(_events(traces))


def test_exception(server: str, start: Starter) -> None:
    service = _start(start, server)
    assert b" 500 " in service.get("/raise")
    call = _call(service.stop(), "GET /raise")
    errors = [event for event in call if event.startswith("error")]
    assert errors in (["error ValueError: no stock"], ["error 500 Internal Server Error"])


def test_stream(server: str, start: Starter) -> None:
    service = _start(start, server)
    assert service.get("/stream").count(b"a") >= 1
    call = _call(service.stop(), "GET /stream")
    assert Counter(call)["> handle"] >= 3
    assert call[-1] == "< GET /stream"
    assert call[-2].startswith("= 200")


def test_outbound_call_belongs_to_the_inbound_call(server: str, start: Starter, peer: Peer) -> None:
    service = _start(start, server, FUNCTRACE_PROPAGATE="forward")
    service.get(f"/fetch/{peer.port}", f"traceparent: {TRACEPARENT}")
    traces = service.stop()
    inbound = _call(traces, "GET /fetch/{id}")[1]
    number = re.match(r"\? (\d+) in http", inbound)
    assert number is not None
    outbound = _call(traces, "GET 127.0.0.1/inner")[1]
    assert f"out http of={number[1]} ids={TRACE_ID}-{SPAN_ID} sampled" in outbound
    assert peer.headers()["traceparent"] == TRACEPARENT
    keys = {trace.process["process_key"] for trace in traces}
    assert len(keys) == len(traces)
    assert peer.headers()["tracestate"][3:19] in keys


def _answers(service: Service) -> list[bytes]:
    paths = "/users/17", "/status", "/stream", "/raise"
    answers = [service.get(path) for path in paths]
    return [re.sub(rb"(?i)\r\ndate: [^\r]*", b"", answer) for answer in answers]


def test_answers_do_not_change(server: str, start: Starter) -> None:
    plain = _answers(_start(start, server, FUNCTRACE="off"))
    for mode in ("observe", "forward"):
        assert _answers(_start(start, server, FUNCTRACE_PROPAGATE=mode)) == plain


def test_hostile_request(server: str, start: Starter) -> None:
    service = _start(start, server)
    headers = [f"traceparent: {'x' * 9000}", "b3: \xff\xfe", "tracestate: " + "a=1," * 500]
    service.get("/users/%00%0a" + "/a" * 50 + "?" + "q" * 3000, *headers)
    service.get("/ok")
    call = _call(service.stop(), "GET /ok")
    assert call[-2].startswith("= 200")


_FLASK = """
    import sys
    import flask
    app = flask.Flask(__name__)
    @app.route("/users/<int:number>/<name>")
    def user(number, name):
        return name
    trace(user)
    app.run(port=int(sys.argv[1]))
"""
_STARLETTE = """
    import sys
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route
    @trace
    async def user(request):
        return PlainTextResponse("ok")
    import uvicorn
    app = Starlette(routes=[Route("/users/{number:int}/{name}", user)])
    uvicorn.run(app, port=int(sys.argv[1]))
"""
_DJANGO = """
    import sys
    import django
    from django.conf import settings
    from django.http import HttpResponse
    from django.urls import path
    def user(request, number, name):
        return HttpResponse(name)
    trace(user)
    urlpatterns = [path("users/<int:number>/<name>", user)]
    settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="x", DEBUG=False)
    django.setup()
"""
_DJANGO_WSGI = """
    from wsgiref.simple_server import make_server
    from django.core.wsgi import get_wsgi_application
    make_server("127.0.0.1", int(sys.argv[1]), get_wsgi_application()).serve_forever()
"""
_DJANGO_ASGI = """
    import uvicorn
    from django.core.asgi import get_asgi_application
    uvicorn.run(get_asgi_application(), port=int(sys.argv[1]), lifespan="off")
"""
_FASTAPI = """
    import sys
    import fastapi
    import uvicorn
    app = fastapi.FastAPI()
    @app.get("/users/{number}/{name}")
    def user(number: int, name: str):
        return name
    trace(user)
    uvicorn.run(app, port=int(sys.argv[1]))
"""
_SLOW_FRAMEWORKS = {
    "django-wsgi": (_DJANGO + _DJANGO_WSGI, "GET /users/<int:number>/<name>", "frameworks"),
    "django-asgi": (_DJANGO + _DJANGO_ASGI, "GET /users/<int:number>/<name>", "frameworks"),
    "fastapi": (_FASTAPI, "GET /users/{number}/{name}", "frameworks"),
}
_FRAMEWORKS = {
    "flask": (_FLASK, "GET /users/<int:number>/<name>", "services"),
    "starlette": (_STARLETTE, "GET /users/{number:int}/{name}", "services"),
}


@pytest.mark.parametrize("framework", _FRAMEWORKS)
def test_route(framework: str, start: Starter) -> None:
    program, route, group = _FRAMEWORKS[framework]
    service = start(program, group=group)
    assert b" 200 " in service.get("/users/7/ann")
    assert b"404" in service.get("/other")
    traces = service.stop()
    assert _call(traces, "GET /users/{id}/ann")[-2] == f"= 200 {route}"
    assert _call(traces, "GET /other")[-2] == "= 404"


@pytest.mark.slow
@pytest.mark.parametrize("framework", _SLOW_FRAMEWORKS)
def test_route_of_large_framework(framework: str, start: Starter) -> None:
    program, route, group = _SLOW_FRAMEWORKS[framework]
    service = start(program, group=group)
    assert b" 200 " in service.get("/users/7/ann")
    call = _call(service.stop(), "GET /users/{id}/ann")
    assert call[-2] == f"= 200 {route}"
