"""Sums of the figures of several nodes."""

from __future__ import annotations

from dataclasses import dataclass

from functrace.analysis.columns import SUMS, Figures


@dataclass(kw_only=True)
class Sums:
    """Sums of the figures of a forest's nodes. Times are nanoseconds."""

    calls: int = 0
    total: int = 0
    self: int = 0
    suspended: int = 0
    """part of total in which tracks were suspended"""
    errors: int = 0
    panics: int = 0
    unfinished: int = 0
    partial: int = 0
    """calls whose chains lack callers that were overwritten"""

    @property
    def failed(self) -> int:
        """Number of calls that returned an error or panicked."""
        return min(self.errors + self.panics, self.calls)

    def add(self, nodes: Figures, node: int, *, inner: bool = False) -> None:
        """Add a node. If ``inner``, omit the time that enclosing calls already include."""
        for name in SUMS:
            if not (inner and name in ("total", "suspended")):
                setattr(self, name, getattr(self, name) + int(getattr(nodes, name)[node]))
