"""Routes of Django, read when it has found one."""

from __future__ import annotations

from functrace.runtime import BUILTINS
from functrace.runtime.raw_attributes import exact_str
from functrace.runtime.requests.parts import get_attribute
from functrace.runtime.requests.patching import replace

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from typing import Any

    from functrace.runtime.requests.tracker import Tracker

globals()["__builtins__"] = BUILTINS


def install(tracker: Tracker, module: Any) -> None:
    """Hook the handler of requests, which that of ASGI shares."""

    def note_route(_handler: Any, match: Any, _error: BaseException | None) -> None:
        route = exact_str(get_attribute(match, "route"))
        if match is not None:
            tracker.note("route", f"/{route}")

    replace(module.BaseHandler, "resolve_request", tracker.around(after=note_route, begins=True))
