"""Routes of Flask, read when it has found one."""

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
    """Hook the context of a request; in new versions, that of the application."""

    def note_route(context: Any, _result: object, _error: BaseException | None) -> None:
        request = get_attribute(context, "request")
        if request is None:
            request = get_attribute(context, "_request")
        rule = exact_str(get_attribute(get_attribute(request, "url_rule"), "rule"))
        if rule:
            tracker.note("route", rule)

    wrap = tracker.around(after=note_route, begins=True)
    for name in ("RequestContext", "AppContext"):
        if isinstance(vars(module).get(name), type):
            replace(vars(module)[name], "match_request", wrap)
