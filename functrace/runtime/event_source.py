"""Source of call events: sys.monitoring, or sys.setprofile before Python 3.12."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import CodeType
from typing import Protocol

from functrace.runtime import BUILTINS
from functrace.runtime.call_stacks import CallStacks

globals()["__builtins__"] = BUILTINS


class EventSource(Protocol):
    """Reporter of events in instrumented code objects while started."""

    def add(self, code: CodeType) -> None:
        """Enable the events of a code object that is new or whose state has changed."""

    def start(self) -> None:
        """Enable events."""

    def stop(self) -> None:
        """Disable events and undo all changes to the interpreter."""


def make_event_source(stacks: CallStacks, fail: Callable[[str], None]) -> EventSource:
    """Return the event source for this interpreter.

    It calls ``fail`` with the reason if it has to end.
    """
    if sys.version_info >= (3, 12):
        from functrace.runtime.monitoring import Monitoring

        return Monitoring(stacks, fail)
    from functrace.runtime.profile import Profile

    return Profile(stacks)
