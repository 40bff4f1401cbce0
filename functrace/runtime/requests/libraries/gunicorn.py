"""Inbound calls of gunicorn's workers of WSGI: sync, gthread, and those of greenlets."""

from __future__ import annotations

from functrace.runtime import BUILTINS
from functrace.runtime.raw_attributes import exact_str
from functrace.runtime.requests.parts import get_attribute, to_status
from functrace.runtime.requests.patching import replace

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from typing import Any

    from functrace._native._recorder import Inbound
    from functrace.runtime.requests.tracker import Tracker

globals()["__builtins__"] = BUILTINS


def install(tracker: Tracker, module: Any) -> None:
    """Hook the worker of a module, or the class of responses."""

    def begin_of_listener(_worker: Any, _listener: Any, request: Any, *_others: Any) -> Any:
        return begin(request)

    def begin_of_worker(_worker: Any, request: Any, *_others: Any) -> Any:
        return begin(request)

    def begin(request: Any) -> Any:
        headers = get_attribute(request, "headers")
        method, target = (exact_str(get_attribute(request, name)) for name in ("method", "uri"))
        return tracker.begin_inbound((method, target), headers)

    def end(inbound: Inbound, _result: object, error: BaseException | None) -> None:
        if not issubclass(type(error), (type(None), StopIteration)):  # the end of a connection
            inbound.error = error
        tracker.end_inbound(inbound)

    def note_status(_response: Any, status: Any, *_others: Any, **_options: Any) -> None:
        tracker.note("status", to_status(status))

    classes = vars(module)
    for name, function in (
        ("SyncWorker", begin_of_listener),
        ("AsyncWorker", begin_of_listener),
        ("ThreadWorker", begin_of_worker),
    ):
        if name in classes:
            replace(classes[name], "handle_request", tracker.around(function, end, begins=True))
    if "Response" in classes:
        replace(classes["Response"], "start_response", tracker.around(note_status))
