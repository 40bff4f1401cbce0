"""Inbound calls of gunicorn's workers sync and gthread."""

from __future__ import annotations

from functrace.runtime import BUILTINS
from functrace.runtime.raw_attributes import exact_str, get_attribute
from functrace.runtime.requests.patching import around, raw_trace_headers, replace, to_status

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from typing import Any

    from functrace.runtime.requests.tracker import Inbound, Tracker

globals()["__builtins__"] = BUILTINS


def install(tracker: Tracker, module: Any) -> None:
    """Hook the worker of a module, or the class of responses."""

    def begin_sync(_worker: Any, _listener: Any, request: Any, *_others: Any) -> Any:
        return begin(request)

    def begin_gthread(_worker: Any, request: Any, *_others: Any) -> Any:
        return begin(request)

    def begin(request: Any) -> Any:
        headers = get_attribute(request, "headers")
        pairs = raw_trace_headers(headers) if type(headers) is list else []
        method, target = (exact_str(get_attribute(request, name)) for name in ("method", "uri"))
        return tracker.begin_inbound(method, target, pairs)

    def end(inbound: Inbound, _result: object, error: BaseException | None) -> None:
        if error is not None and not isinstance(error, StopIteration):  # the end of a connection
            inbound.error = error
        tracker.end_inbound(inbound)

    def note_status(_response: Any, status: Any, *_others: Any, **_options: Any) -> None:
        tracker.note("status", to_status(status))

    guard, classes = tracker.guard, vars(module)
    for name, function in (("SyncWorker", begin_sync), ("ThreadWorker", begin_gthread)):
        if name in classes:
            replace(classes[name], "handle_request", around(guard(function), guard(end)))
    if "Response" in classes:
        replace(classes["Response"], "start_response", around(guard(note_status), guard(end)))
