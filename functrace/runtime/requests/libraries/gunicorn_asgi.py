"""Inbound calls of gunicorn's worker of ASGI."""

from __future__ import annotations

from functrace.runtime import BUILTINS
from functrace.runtime.requests.asgi import Scopes
from functrace.runtime.requests.parts import get_attribute
from functrace.runtime.requests.patching import replace

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from typing import Any

    from functrace.runtime.requests.tracker import Tracker

globals()["__builtins__"] = BUILTINS


def install(tracker: Tracker, module: Any) -> None:
    """Hook the worker once it has loaded its application."""
    record = Scopes(tracker).record()

    def loaded(worker: Any, _result: object, _error: BaseException | None) -> None:
        application = get_attribute(worker, "asgi")
        if application is not None:
            worker.asgi = record(application)

    replace(module.ASGIWorker, "load_wsgi", tracker.around(after=loaded))
