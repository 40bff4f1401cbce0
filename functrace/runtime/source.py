"""Where events come from: sys.monitoring, or where there is none, sys.setprofile."""

from __future__ import annotations

import sys
from types import CodeType
from typing import Protocol

from functrace.runtime import BUILTINS
from functrace.runtime.stacks import Stacks

globals()["__builtins__"] = BUILTINS


class Source(Protocol):
    """Tells stacks what happens, while started, in the code objects that are known."""

    def add(self, code: CodeType) -> None:
        """A code object has become known."""

    def start(self) -> None:
        """Tell from here on."""

    def stop(self) -> None:
        """Tell no more, and leave nothing behind."""


def make_source(stacks: Stacks) -> Source:
    """The source for this interpreter."""
    if sys.version_info >= (3, 12):
        from functrace.runtime.monitoring import Monitoring

        return Monitoring(stacks)
    from functrace.runtime.profile import Profile

    return Profile(stacks)
