"""Inbound calls of waitress, and so of Pyramid's pserve."""

from __future__ import annotations

from functrace.runtime import BUILTINS
from functrace.runtime.requests.parts import current_inbound, note_status, wsgi_request
from functrace.runtime.requests.patching import replace

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from typing import Any

    from functrace.runtime.requests.tracker import Tracker

globals()["__builtins__"] = BUILTINS


def install(tracker: Tracker, module: Any) -> None:
    """Hook the task of a request that a thread of the pool runs."""

    def begin(task: Any, environ: Any, error: BaseException | None) -> None:
        request = wsgi_request(environ) if error is None else None
        if request is not None:
            inbound = tracker.begin_inbound(request, environ)
            if inbound is not None:
                inbound.owner = task

    def end(task: Any, _result: object, error: BaseException | None) -> None:
        inbound = current_inbound()
        if inbound is not None and inbound.owner is task:
            inbound.error = error
            if error is None:  # else another task answers with 500
                note_status(task)
            tracker.end_inbound(inbound)

    task = module.WSGITask
    replace(task, "get_environment", tracker.around(after=begin, begins=True))
    replace(task, "execute", tracker.around(after=end))
