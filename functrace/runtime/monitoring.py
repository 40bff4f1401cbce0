"""Call events from sys.monitoring, for instrumented code objects only."""

from __future__ import annotations

import sys
from _functools import partial  # type: ignore[import-not-found]  # functools takes long to load
from collections.abc import Callable
from types import CodeType
from typing import Any

from functrace.runtime import BUILTINS
from functrace.runtime.call_stacks import CallStacks
from functrace.runtime.code_info import CODE_INFOS, SILENT

globals()["__builtins__"] = BUILTINS

_monitoring: Any = getattr(sys, "monitoring", None)

# Last those that other tools are most likely to use.
_TOOLS = (5, 4, 3, 2, 1, 0)
_NO_TOOL_ID = "sys.monitoring has no tool id left"
_USE, _FREE = "use_tool_id", ("free_tool_id", "clear_tool_id")


class Monitoring:
    """Event source that uses sys.monitoring.

    A program that requests the tool id in use receives it.
    """

    def __init__(self, stacks: CallStacks, fail: Callable[[str], None]) -> None:
        self._stacks = stacks
        self._fail = fail
        self._tool = -1
        self._replaced: dict[str, Any] = {}
        self._replacements: dict[str, Any] = {}

    def add(self, code: CodeType) -> None:
        """Enable the events that a code object needs, of which it has none once it is silent."""
        if self._tool >= 0:
            info = CODE_INFOS.get(id(code))
            events = 0 if info is not None and info.state == SILENT else _local_mask()
            _monitoring.set_local_events(self._tool, code, events)

    def start(self) -> None:
        """Enable events. Raises RuntimeError if no tool id is free."""
        self._listen(_free_tool())
        self._watch_tools()

    def _listen(self, tool: int) -> None:
        _monitoring.use_tool_id(tool, "functrace")
        self._tool = tool
        events, stacks = _monitoring.events, self._stacks
        for event, callback in (
            (events.PY_START, stacks.start),
            (events.PY_RESUME, stacks.resume),
            (events.PY_YIELD, stacks.yield_),
            (events.PY_RETURN, stacks.return_),
            (events.PY_UNWIND, stacks.unwind),
            (events.PY_THROW, stacks.throw),
            (events.EXCEPTION_HANDLED, stacks.handle),
        ):
            _monitoring.register_callback(self._tool, event, callback)
        for code in _codes():
            self.add(code)
        _monitoring.set_events(self._tool, sum(_global_events()))

    def stop(self) -> None:
        """Disable events."""
        self._unwatch_tools()
        self._release()

    def _release(self) -> None:
        tool, self._tool = self._tool, -1
        if tool < 0 or _monitoring.get_tool(tool) != "functrace":
            return
        _monitoring.set_events(tool, 0)
        for code in _codes():
            _monitoring.set_local_events(tool, code, 0)
        for event in (*_local_events(), *_global_events()):
            _monitoring.register_callback(tool, event, None)
        _monitoring.free_tool_id(tool)

    # The program's own tools

    def _watch_tools(self) -> None:
        """Replace the functions that use and free tool ids, because they raise no events."""
        for name in (_USE, *_FREE):
            function = getattr(_monitoring, name, None)
            if function is not None:
                self._replaced[name] = function
                self._replacements[name] = partial(self._before, name, function)
                setattr(_monitoring, name, self._replacements[name])

    def _unwatch_tools(self) -> None:
        for name, function in self._replaced.items():
            if getattr(_monitoring, name) is self._replacements[name]:
                setattr(_monitoring, name, function)
        self._replaced.clear()

    def _before(self, name: str, function: Any, *arguments: Any) -> Any:
        if arguments and type(arguments[0]) is int and arguments[0] == self._tool:
            if name in _FREE:
                return None  # the program sees the id as unused
            self._move()
        return function(*arguments)

    def _move(self) -> None:
        """Change to another tool id."""
        try:
            tool = _free_tool()
        except RuntimeError:
            self._fail(_NO_TOOL_ID)
            return
        self._unwatch_tools()
        self._release()
        self._listen(tool)
        self._watch_tools()


def _codes() -> list[CodeType]:
    codes = [info.code() for info in list(CODE_INFOS.values())]
    return [code for code in codes if code is not None]


def _local_events() -> tuple[int, ...]:
    events = _monitoring.events
    return events.PY_START, events.PY_RESUME, events.PY_YIELD, events.PY_RETURN


def _global_events() -> tuple[int, ...]:
    events = _monitoring.events
    return events.PY_UNWIND, events.PY_THROW, events.EXCEPTION_HANDLED


def _local_mask() -> int:
    return sum(_local_events())


def _free_tool() -> int:
    for tool in _TOOLS:
        if _monitoring.get_tool(tool) is None:
            return tool
    raise RuntimeError(_NO_TOOL_ID)
