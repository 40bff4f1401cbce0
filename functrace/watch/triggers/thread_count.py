"""Trigger on the number of threads of a process."""

from __future__ import annotations

from dataclasses import dataclass

from functrace import units
from functrace.watch.config_keys import count, duration_s, key, number, percentage
from functrace.watch.triggers.finding import COOLDOWN
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
class ThreadsSettings(ResourceSettings):
    """Keys of the trigger ``threads``; values are numbers of threads."""

    min: float = key("min", number, 100, MIN)
    diff: float | None = key("diff", percentage, "100%", DIFF)
    above: float | None = key("above", number, None, ABOVE)
    abs: float | None = key("abs", number, 5000, ABS)
    windows: int = key("windows", count, 3, WINDOWS)
    cooldown_s: float = key("cooldown", duration_s, "1h", COOLDOWN)


def threads(settings: ThreadsSettings) -> ResourceTrigger:
    """Return the trigger for one process."""
    resource = Resource(
        name="threads",
        unit="threads",
        key="threads",
        measure=lambda figures: figures.threads,
        show=lambda value: units.count(round(value)),
        reason="its threads cannot be counted",
    )
    return ResourceTrigger(resource, settings)
