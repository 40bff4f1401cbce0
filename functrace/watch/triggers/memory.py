"""Trigger on the memory of a process, as a share of the limit of its cgroup."""

from __future__ import annotations

from dataclasses import dataclass

from functrace import units
from functrace.watch.config_keys import count, key, percentage, share
from functrace.watch.figures import Figures
from functrace.watch.triggers.moving_average import (
    ABOVE,
    ABS,
    DIFF,
    MIN,
    WINDOWS,
    Resource,
    ResourceSettings,
    ResourceTrigger,
)


@dataclass(frozen=True)
class MemorySettings(ResourceSettings):
    """Keys of the trigger ``memory``; values are shares of the limit."""

    min: float = key("min", share, "50%", MIN)
    diff: float | None = key("diff", percentage, "100%", DIFF)
    above: float | None = key("above", share, "90%", ABOVE)
    abs: float | None = key("abs", share, None, ABS)
    windows: int = key("windows", count, 2, WINDOWS)


def memory(settings: MemorySettings) -> ResourceTrigger:
    """Return the trigger for one process."""
    resource = Resource(
        name="memory",
        unit="share",
        key="memory_share",
        measure=_share,
        show=lambda value: f"{units.share(value, 1)} of the limit",
        reason="its memory has no limit, or cannot be read",
    )
    return ResourceTrigger(resource, settings)


def _share(figures: Figures) -> float | None:
    if figures.rss_bytes is None or not figures.memory_limit_bytes:
        return None
    return figures.rss_bytes / figures.memory_limit_bytes
