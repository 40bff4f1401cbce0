"""Inbound calls of aiohttp's server, and its routes."""

from __future__ import annotations

from functrace.runtime import BUILTINS
from functrace.runtime.raw_attributes import exact_str
from functrace.runtime.requests.parts import get_attribute, to_status
from functrace.runtime.requests.patching import around_async, replace

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from typing import Any

    from functrace._native._recorder import Inbound
    from functrace.runtime.requests.tracker import Tracker

globals()["__builtins__"] = BUILTINS


def install(tracker: Tracker, module: Any) -> None:
    """Hook the handler of a connection."""

    def begin(_handler: Any, request: Any, *_arguments: Any) -> Any:
        message: Any = get_attribute(request, "_message")  # of the library's parser, in C
        if message is None:
            return None
        method, target = exact_str(message.method), exact_str(message.path)
        inbound = tracker.begin_inbound((method, target), message.raw_headers)
        return None if inbound is None else (inbound, request)

    def end(state: tuple[Inbound, Any], result: Any, error: BaseException | None) -> None:
        inbound, request = state
        inbound.error = error if inbound.error is None else inbound.error
        if type(result) is tuple and result:
            inbound.status = to_status(get_attribute(result[0], "_status"))
        inbound.route = _route(get_attribute(request, "_match_info"))
        tracker.end_inbound(inbound)

    def note_error(
        _handler: Any,
        _request: Any,
        status: Any = 500,
        exc: Any = None,
        *_arguments: Any,
        **_options: Any,
    ) -> None:
        if status == 500 and exc is not None:
            tracker.note("error", exc)

    guard, handler = tracker.guard, module.RequestHandler
    replace(handler, "_handle_request", around_async(guard(begin, begins=True), guard(end)))
    replace(handler, "handle_error", tracker.around(note_error))


def _route(match_info: Any) -> str:
    """Return the path of the resource: of one with parameters, the format for them."""
    resource = get_attribute(get_attribute(match_info, "_route"), "_resource")
    formatter = exact_str(get_attribute(resource, "_formatter"))
    return formatter or exact_str(get_attribute(resource, "_path"))
