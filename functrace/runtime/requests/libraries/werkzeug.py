"""Inbound calls of werkzeug's server."""

from __future__ import annotations

from functrace.runtime import BUILTINS
from functrace.runtime.raw_attributes import exact_str, get_attribute
from functrace.runtime.requests.patching import (
    around,
    raw_trace_headers,
    replace,
    replace_inherited,
    to_status,
)

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from typing import Any

    from functrace.runtime.requests.tracker import Inbound, Tracker

globals()["__builtins__"] = BUILTINS


def install(tracker: Tracker, module: Any) -> None:
    """Hook the handler of requests."""

    def begin(handler: Any) -> Any:
        headers = get_attribute(get_attribute(handler, "headers"), "_headers")
        method = exact_str(get_attribute(handler, "command"))
        target = exact_str(get_attribute(handler, "path"))
        pairs = raw_trace_headers(headers) if type(headers) is list else []
        return tracker.begin_inbound(method, target, pairs)

    def end(inbound: Inbound, _result: object, error: BaseException | None) -> None:
        inbound.error = error
        tracker.end_inbound(inbound)

    def note_status(_handler: Any, code: Any, *_arguments: Any, **_options: Any) -> None:
        tracker.note("status", to_status(code))

    guard, handler = tracker.guard, module.WSGIRequestHandler
    replace(handler, "run_wsgi", around(guard(begin), guard(end)))
    replace_inherited(handler, "send_response", around(guard(note_status), guard(end)))
