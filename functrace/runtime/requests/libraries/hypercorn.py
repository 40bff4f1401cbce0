"""Inbound calls of hypercorn, for applications of ASGI."""

from __future__ import annotations

from functrace.runtime import BUILTINS
from functrace.runtime.requests.asgi import Scopes
from functrace.runtime.requests.patching import replace

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from typing import Any

    from functrace.runtime.requests.tracker import Tracker

globals()["__builtins__"] = BUILTINS


def install(tracker: Tracker, module: Any) -> None:
    """Hook the object that calls an application."""
    record = Scopes(tracker).record()

    def make(original: Any) -> Any:
        def __init__(self: Any, app: Any) -> None:  # noqa: N807  it replaces that method
            original(self, record(app))

        return __init__

    replace(module.ASGIWrapper, "__init__", make)
