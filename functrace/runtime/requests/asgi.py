"""Inbound calls by ASGI: what a scope and its messages say, and applications that are recorded."""

from __future__ import annotations

from functrace.runtime import BUILTINS
from functrace.runtime.raw_attributes import exact_items, exact_str
from functrace.runtime.requests.parts import get_attribute, to_status
from functrace.runtime.requests.patching import remove_frame, to_text

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from functrace._native._recorder import Inbound
    from functrace.runtime.requests.tracker import Tracker

globals()["__builtins__"] = BUILTINS

_FAILED = 500  # the status that servers answer with when an application fails before it does


class Scopes:
    """Inbound calls that have a scope of ASGI."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker

    def begin(self, scope: Any) -> Inbound | None:
        """Begin the inbound call of a scope; None if that is no request of HTTP."""
        items = _items(scope)
        if exact_str(items.get("type")) != "http":
            return None
        request = exact_str(items.get("method")), _target(items)
        inbound = self._tracker.begin_inbound(request, items.get("headers"))
        if inbound is not None:
            inbound.environ = scope
        return inbound

    def end(self, inbound: Inbound, error: BaseException | None = None) -> None:
        """End an inbound call."""
        inbound.route = inbound.route or _route(inbound.environ)
        if error is not None:
            inbound.error = error
            if inbound.status < 0 and issubclass(type(error), Exception):
                inbound.status = _FAILED
        self._tracker.end_inbound(inbound)

    def note_status(self, inbound: Inbound | None, message: Any) -> None:
        """Note the status if a message that the application sends contains it."""
        items = _items(message)
        is_start = exact_str(items.get("type")) == "http.response.start"
        if is_start and inbound is not None and inbound.number:
            inbound.status = to_status(items.get("status"))

    def record(self) -> Callable[[Any], Any]:
        """Return a function that wraps an application, so that its requests are recorded."""
        guard = self._tracker.guard
        begin, end = guard(self.begin, begins=True), guard(self.end)
        note_status = guard(self.note_status, begins=True)

        def make(application: Any) -> Any:
            async def recorded(scope: Any, receive: Any, send: Any) -> Any:
                inbound = begin(scope)
                if inbound is None:
                    return await application(scope, receive, send)

                async def noting_send(message: Any) -> Any:
                    note_status(inbound, message)
                    return await send(message)

                try:
                    result = await application(scope, receive, noting_send)
                except BaseException as error:
                    end(inbound, error)
                    remove_frame(error)
                    raise
                end(inbound)
                return result

            return recorded

        return make


def _items(message: Any) -> dict[str, Any]:
    return exact_items(message) if type(message) is dict else {}


def _target(items: dict[str, Any]) -> str:
    target = to_text(items.get("raw_path")) or exact_str(items.get("path"))
    query = to_text(items.get("query_string"))
    return f"{target}?{query}" if query else target


def _route(scope: Any) -> str:
    """Return the path of the route that the framework has found, as stored in the scope."""
    items = _items(scope)
    path = exact_str(get_attribute(items.get("route"), "path"))
    if path:
        return path
    endpoint = items.get("endpoint")
    routes = get_attribute(items.get("router"), "routes")
    for route in routes if endpoint is not None and type(routes) is list else ():
        if get_attribute(route, "endpoint") is endpoint:
            return exact_str(get_attribute(route, "path"))
    return ""
