"""Inbound calls of uvicorn, and the routes of Starlette and FastAPI."""

from __future__ import annotations

from functrace.runtime import BUILTINS
from functrace.runtime.raw_attributes import exact_str, get_attribute
from functrace.runtime.requests.patching import (
    around_async,
    raw_trace_headers,
    remove_frame,
    replace,
    to_status,
    to_text,
)

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from typing import Any

    from functrace.runtime.requests.tracker import Inbound, Tracker

globals()["__builtins__"] = BUILTINS


def install(tracker: Tracker, module: Any) -> None:
    """Hook the class that runs an application for a request."""

    def begin(cycle: Any) -> Any:
        scope = get_attribute(cycle, "scope")
        if type(scope) is not dict:
            return None
        headers = scope.get("headers")
        pairs = raw_trace_headers(headers) if type(headers) is list else []
        method = exact_str(scope.get("method"))
        inbound = tracker.begin_inbound(method, _target(scope), pairs)
        if inbound is not None:
            inbound.environ = scope
        return inbound

    def end(inbound: Inbound) -> None:
        inbound.route = inbound.route or _route(inbound.environ)
        tracker.end_inbound(inbound)

    def note_status(_cycle: Any, message: Any) -> None:
        if type(message) is dict and message.get("type") == "http.response.start":
            tracker.note("status", to_status(message.get("status")))

    def nothing(*_arguments: Any) -> None:
        return None

    guard, cycle = tracker.guard, module.RequestResponseCycle
    replace(cycle, "run_asgi", _run_asgi(guard(begin), guard(end)))
    replace(cycle, "send", around_async(guard(note_status), nothing))


def _run_asgi(begin: Any, end: Any) -> Any:
    def make(original: Any) -> Any:
        async def run_asgi(self: Any, app: Any) -> Any:
            inbound = begin(self)
            if inbound is None:
                return await original(self, app)

            async def hooked(scope: Any, receive: Any, send: Any) -> Any:
                try:
                    return await app(scope, receive, send)
                except BaseException as error:
                    inbound.error = error
                    remove_frame(error)
                    raise

            try:
                return await original(self, hooked)
            finally:
                end(inbound)

        return run_asgi

    return make


def _target(scope: dict[str, Any]) -> str:
    target = to_text(scope.get("raw_path")) or exact_str(scope.get("path"))
    query = to_text(scope.get("query_string"))
    return f"{target}?{query}" if query else target


def _route(scope: Any) -> str:
    """Return the path of the route that the framework has found, as stored in the scope."""
    if type(scope) is not dict:
        return ""
    path = exact_str(get_attribute(scope.get("route"), "path"))
    if path:
        return path
    endpoint = scope.get("endpoint")
    routes = get_attribute(scope.get("router"), "routes")
    for route in routes if endpoint is not None and type(routes) is list else ():
        if get_attribute(route, "endpoint") is endpoint:
            return exact_str(get_attribute(route, "path"))
    return ""
