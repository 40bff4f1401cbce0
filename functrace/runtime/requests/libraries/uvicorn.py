"""Inbound calls of uvicorn."""

from __future__ import annotations

from functrace.runtime import BUILTINS
from functrace.runtime.requests.asgi import Scopes
from functrace.runtime.requests.parts import current_inbound, get_attribute
from functrace.runtime.requests.patching import around_async, remove_frame, replace

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from typing import Any

    from functrace.runtime.requests.tracker import Tracker

globals()["__builtins__"] = BUILTINS


def install(tracker: Tracker, module: Any) -> None:
    """Hook the class that runs an application for a request."""
    scopes, guard = Scopes(tracker), tracker.guard

    def begin(cycle: Any) -> Any:
        return scopes.begin(get_attribute(cycle, "scope"))

    def note_status(_cycle: Any, message: Any) -> None:
        scopes.note_status(current_inbound(), message)

    def nothing(*_arguments: Any) -> None:
        return None

    cycle = module.RequestResponseCycle
    replace(cycle, "run_asgi", _run_asgi(guard(begin, begins=True), guard(scopes.end)))
    replace(cycle, "send", around_async(guard(note_status, begins=True), nothing))


def _run_asgi(begin: Any, end: Any) -> Any:
    def make(original: Any) -> Any:
        async def run_asgi(self: Any, app: Any) -> Any:
            inbound = begin(self)
            if inbound is None:
                return await original(self, app)

            async def hooked(scope: Any, receive: Any, send: Any) -> Any:
                try:
                    return await app(scope, receive, send)
                except BaseException as error:
                    inbound.error = error
                    remove_frame(error)
                    raise

            try:
                return await original(self, hooked)
            finally:
                end(inbound)

        return run_asgi

    return make
