"""What is sent of the traces."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from functrace.trace import Trace


@dataclass(frozen=True)
class Options:
    """Which calls become spans. Where none is excluded, all do."""

    roots: Callable[[Trace], Collection[int]] | None = None
    """the functions, by index, whose outermost calls begin an OpenTelemetry trace each; only what
    is below them is sent. None: a track's outermost calls do"""
    rate: float = 1.0
    """the share of OpenTelemetry traces that is sent, above 0 and at most 1"""
    errors: bool = False
    """only calls that failed, and those above them"""
    slow: int | None = None
    """only calls that took so many nanoseconds, and those above them; with errors: either"""

    @property
    def chosen(self) -> bool:
        """Whether calls are looked at one by one."""
        return self.errors or self.slow is not None


EVERYTHING = Options()
