"""Inbound calls of wsgiref, and so of Django's development server."""

from __future__ import annotations

from functrace.runtime import BUILTINS
from functrace.runtime.requests.parts import (
    current_inbound,
    get_attribute,
    note_status,
    wsgi_request,
)
from functrace.runtime.requests.patching import replace

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from typing import Any

    from functrace.runtime.requests.tracker import Tracker

globals()["__builtins__"] = BUILTINS


def install(tracker: Tracker, module: Any) -> None:
    """Hook the handler of requests."""

    def begin(handler: Any, _result: object, error: BaseException | None) -> None:
        environ = get_attribute(handler, "environ")
        request = wsgi_request(environ) if error is None else None
        if request is not None:
            inbound = tracker.begin_inbound(request, environ)
            if inbound is not None:
                inbound.owner = handler

    def end(handler: Any, _result: object, _error: BaseException | None) -> None:
        inbound = current_inbound()
        if inbound is not None and inbound.owner is handler:
            tracker.end_inbound(inbound)

    def note_error(_handler: Any, exc_info: Any) -> None:
        if type(exc_info) is tuple:
            tracker.note("error", exc_info[1])

    handler = module.BaseHandler
    replace(handler, "setup_environ", tracker.around(after=begin, begins=True))
    replace(handler, "close", tracker.around(note_status, begins=True))
    replace(handler, "log_exception", tracker.around(note_error, begins=True))
    replace(handler, "run", tracker.around(after=end))
