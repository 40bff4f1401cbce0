"""Inbound calls of werkzeug's server."""

from __future__ import annotations

from functrace.runtime import BUILTINS
from functrace.runtime.raw_attributes import exact_str
from functrace.runtime.requests.parts import get_attribute, to_status
from functrace.runtime.requests.patching import replace, replace_inherited

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from typing import Any

    from functrace._native._recorder import Inbound
    from functrace.runtime.requests.tracker import Tracker

globals()["__builtins__"] = BUILTINS


def install(tracker: Tracker, module: Any) -> None:
    """Hook the handler of requests."""

    def begin(handler: Any) -> Any:
        headers = get_attribute(get_attribute(handler, "headers"), "_headers")
        method = exact_str(get_attribute(handler, "command"))
        target = exact_str(get_attribute(handler, "path"))
        return tracker.begin_inbound((method, target), headers)

    def end(inbound: Inbound, _result: object, error: BaseException | None) -> None:
        inbound.error = error
        tracker.end_inbound(inbound)

    def note_status(_handler: Any, code: Any, *_arguments: Any, **_options: Any) -> None:
        tracker.note("status", to_status(code))

    handler = module.WSGIRequestHandler
    replace(handler, "run_wsgi", tracker.around(begin, end, begins=True))
    replace_inherited(handler, "send_response", tracker.around(note_status))
