"""Trigger on the number of goroutines, threads and tasks that are running."""

from __future__ import annotations

from dataclasses import dataclass

from functrace import units
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
class TracksSettings(ResourceSettings):
    """Keys of the trigger ``tracks``; values are numbers of tracks."""

    min: float = key("min", number, 500, MIN)
    diff: float | None = key("diff", percentage, "100%", DIFF)
    above: float | None = key("above", number, None, ABOVE)
    abs: float | None = key("abs", number, 100000, ABS)
    windows: int = key("windows", count, 3, WINDOWS)


def tracks(settings: TracksSettings) -> ResourceTrigger:
    """Return the trigger for one process."""
    resource = Resource(
        name="live tracks",
        unit="tracks",
        key="live_tracks",
        measure=lambda figures: figures.live_tracks,
        show=lambda value: units.count(round(value)),
        reason="the ring has none",
        is_counted=True,
    )
    return ResourceTrigger(resource, settings)
