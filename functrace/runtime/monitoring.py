"""Events from sys.monitoring, of known code objects only."""

from __future__ import annotations

import sys
from types import CodeType
from typing import Any

from functrace.runtime import BUILTINS
from functrace.runtime.known import KNOWN
from functrace.runtime.stacks import Stacks

globals()["__builtins__"] = BUILTINS

_monitoring: Any = getattr(sys, "monitoring", None)

# Those first that sys.monitoring names no use for.
_TOOLS = (3, 4, 5, 2, 1, 0)


class Monitoring:
    """Tells stacks what sys.monitoring tells."""

    def __init__(self, stacks: Stacks) -> None:
        self._stacks = stacks
        self._tool = -1

    def add(self, code: CodeType) -> None:
        """A code object has become known."""
        if self._tool >= 0:
            _monitoring.set_local_events(self._tool, code, _local())

    def start(self) -> None:
        """Tell from here on. Raises RuntimeError where no tool id is left."""
        self._tool = _free_tool()
        _monitoring.use_tool_id(self._tool, "functrace")
        events, stacks = _monitoring.events, self._stacks
        for event, callback in (
            (events.PY_START, stacks.start),
            (events.PY_RESUME, stacks.resume),
            (events.PY_YIELD, stacks.give),
            (events.PY_RETURN, stacks.finish),
            (events.PY_UNWIND, stacks.unwind),
            (events.PY_THROW, stacks.throw),
            (events.EXCEPTION_HANDLED, stacks.handle),
        ):
            _monitoring.register_callback(self._tool, event, callback)
        self._set_local_events(_local())
        _monitoring.set_events(self._tool, sum(_global_events()))

    def stop(self) -> None:
        """Tell no more."""
        tool, self._tool = self._tool, -1
        if tool < 0 or _monitoring.get_tool(tool) != "functrace":
            return
        _monitoring.set_events(tool, 0)
        self._tool = tool
        self._set_local_events(0)
        self._tool = -1
        for event in (*_local_events(), *_global_events()):
            _monitoring.register_callback(tool, event, None)
        _monitoring.free_tool_id(tool)

    def _set_local_events(self, events: int) -> None:
        for one in list(KNOWN.values()):
            code = one.code()
            if code is not None:
                _monitoring.set_local_events(self._tool, code, events)


def _local_events() -> tuple[int, ...]:
    events = _monitoring.events
    return events.PY_START, events.PY_RESUME, events.PY_YIELD, events.PY_RETURN


def _global_events() -> tuple[int, ...]:
    events = _monitoring.events
    return events.PY_UNWIND, events.PY_THROW, events.EXCEPTION_HANDLED


def _local() -> int:
    return sum(_local_events())


def _free_tool() -> int:
    for tool in _TOOLS:
        if _monitoring.get_tool(tool) is None:
            return tool
    raise RuntimeError("sys.monitoring has no tool id left")
