"""Trigger on the CPU time of a process."""

from __future__ import annotations

from dataclasses import dataclass

from functrace.watch.config_keys import count, key, number, percentage
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
class CpuSettings(ResourceSettings):
    """Keys of the trigger ``cpu``; values are CPU seconds per second."""

    min: float = key("min", number, 0.5, MIN)
    diff: float | None = key("diff", percentage, "100%", DIFF)
    above: float | None = key("above", number, None, ABOVE)
    abs: float | None = key("abs", number, None, ABS)
    windows: int = key("windows", count, 5, WINDOWS)


def cpu(settings: CpuSettings) -> ResourceTrigger:
    """Return the trigger for one process."""
    resource = Resource(
        name="CPU",
        unit="cores",
        key="cpu_cores",
        measure=lambda figures: figures.cpu_cores,
        show=lambda value: f"{value:.2f} cores",
        reason="its CPU time cannot be read",
    )
    return ResourceTrigger(resource, settings)
