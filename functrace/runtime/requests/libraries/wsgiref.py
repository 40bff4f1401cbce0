"""Inbound calls of wsgiref, and so of Django's development server."""

from __future__ import annotations

from functrace.runtime import BUILTINS
from functrace.runtime.raw_attributes import exact_str, get_attribute
from functrace.runtime.requests.patching import (
    around,
    remove_frame,
    replace,
    to_status,
    wsgi_trace_headers,
)

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from typing import Any

    from functrace.runtime.requests.tracker import Tracker

globals()["__builtins__"] = BUILTINS


def install(tracker: Tracker, module: Any) -> None:
    """Hook the handler of requests."""

    def begin(environ: Any) -> Any:
        if type(environ) is not dict:
            return None
        method = exact_str(environ.get("REQUEST_METHOD"))
        return tracker.begin_inbound(method, _target(environ), wsgi_trace_headers(environ))

    def note_status(handler: Any) -> None:
        tracker.note("status", to_status(get_attribute(handler, "status")))

    def note_error(_handler: Any, exc_info: Any) -> None:
        if type(exc_info) is tuple:
            tracker.note("error", exc_info[1])

    def nothing(*_arguments: Any) -> None:
        return None

    guard = tracker.guard
    replace(module.BaseHandler, "run", _run(guard(begin), tracker.end_inbound))
    replace(module.BaseHandler, "close", around(guard(note_status), nothing))
    replace(module.BaseHandler, "log_exception", around(guard(note_error), nothing))


def _run(begin: Any, end: Any) -> Any:
    def make(original: Any) -> Any:
        def run(self: Any, application: Any) -> Any:
            began = []

            def hooked(environ: Any, start_response: Any) -> Any:
                began.append(begin(environ))
                try:
                    return application(environ, start_response)
                except BaseException as error:
                    remove_frame(error)
                    raise

            try:
                return original(self, hooked)
            except BaseException as error:
                remove_frame(error)
                raise
            finally:
                for inbound in began:
                    if inbound is not None:
                        end(inbound)

        return run

    return make


def _target(environ: dict[str, Any]) -> str:
    path = exact_str(environ.get("SCRIPT_NAME")) + exact_str(environ.get("PATH_INFO"))
    query = exact_str(environ.get("QUERY_STRING"))
    return f"{path}?{query}" if query else path
