"""Options that select the calls to export."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from functrace.tracefile import Trace


@dataclass(frozen=True)
class Options:
    """Selection of the calls to export; by default all calls."""

    roots: Callable[[Trace], Collection[int]] | None = None
    """indices of the functions whose outermost calls each begin an OpenTelemetry trace; calls
    outside these traces are not sent. None: the outermost calls of each track begin one"""
    rate: float = 1.0
    """share of OpenTelemetry traces that are sent, above 0 and at most 1"""
    errors: bool = False
    """whether to send only failed calls and their callers"""
    min_duration_ns: int | None = None
    """minimum duration in nanoseconds of calls to send, besides their callers; with `errors`, calls
    that match either are sent"""

    @property
    def selects_calls(self) -> bool:
        """Whether calls are selected individually."""
        return self.errors or self.min_duration_ns is not None


ALL_CALLS = Options()
