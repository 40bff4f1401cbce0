"""What several nodes amount to, added up one by one."""

from __future__ import annotations

from dataclasses import dataclass

from functrace.analysis.columns import SUMS
from functrace.analysis.merge import Forest


@dataclass(kw_only=True)
class Sums:
    """The figures of a forest that add up. Times are nanoseconds."""

    calls: int = 0
    total: int = 0
    self: int = 0
    suspended: int = 0
    """of total, how long tracks waited"""
    errors: int = 0
    panics: int = 0
    unfinished: int = 0

    @property
    def failed(self) -> int:
        """Calls that returned an error or panicked."""
        return min(self.errors + self.panics, self.calls)

    def add(self, forest: Forest, node: int, *, inner: bool = False) -> None:
        """Count a node in; inner: its calls are part of calls that are counted already."""
        for name in SUMS:
            if not (inner and name in ("total", "suspended")):
                setattr(self, name, getattr(self, name) + int(getattr(forest, name)[node]))

    def as_json(self) -> dict[str, int]:
        """All of them by name."""
        return {name: getattr(self, name) for name in SUMS}
