"""Where events come from: sys.monitoring, or where there is none, sys.setprofile."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import CodeType
from typing import Protocol

from functrace.runtime import BUILTINS
from functrace.runtime.call_stacks import CallStacks

globals()["__builtins__"] = BUILTINS


class EventSource(Protocol):
    """Tells stacks what happens, while started, in the code objects that are known."""

    def add(self, code: CodeType) -> None:
        """A code object has become known."""

    def start(self) -> None:
        """Tell from here on."""

    def stop(self) -> None:
        """Tell no more, and leave nothing behind."""


def make_event_source(stacks: CallStacks, fail: Callable[[str], None]) -> EventSource:
    """Return the source for this interpreter; it calls ``fail`` where it has to end, saying why."""
    if sys.version_info >= (3, 12):
        from functrace.runtime.monitoring import Monitoring

        return Monitoring(stacks, fail)
    from functrace.runtime.profile import Profile

    return Profile(stacks)
