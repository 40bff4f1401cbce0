"""Trigger on the CPU time of a process."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from functrace.watch.config_keys import count, key, number, percentage
from functrace.watch.figures import Figures
from functrace.watch.triggers.by_chain import Sums
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

_MAX_GROWTH = 4.0
_PAST = 60
_MIN_CALLS = 20
"""Calls in the past that a chain must have."""


@dataclass(frozen=True)
class CpuSettings(ResourceSettings):
    """Keys of the trigger ``cpu``; values are CPU seconds per second."""

    min: float = key("min", number, 0.5, MIN)
    diff: float | None = key("diff", percentage, "100%", DIFF)
    above: float | None = key("above", number, None, ABOVE)
    abs: float | None = key("abs", number, None, ABS)
    windows: int = key("windows", count, 10, WINDOWS)


def cpu(settings: CpuSettings) -> ResourceTrigger:
    """Return the trigger for one process."""
    resource = Resource(
        name="CPU",
        unit="cores",
        key="cpu_cores",
        measure=lambda figures: figures.cpu_cores,
        show=lambda value: f"{value:.2f} cores",
        reason="its CPU time cannot be read",
        growth=Work(settings.windows).growth,
    )
    return ResourceTrigger(resource, settings)


class Work:
    """Growth of the work of a process: that of the median chain.

    If requests double, most chains have twice the calls, and twice the CPU time is no fault. A
    loop that spins makes few chains grow.
    """

    def __init__(self, windows: int) -> None:
        self._windows = windows
        self._sums = Sums(windows, _PAST)

    def growth(self, figures: Figures) -> float:
        """Take in a window and return the growth, from 1 to 4."""
        sums = self._sums
        sums.add(figures.chains, len(figures.names))
        known = sums.past_calls >= _MIN_CALLS
        if not known.any():
            return 1.0
        before = sums.past_calls / sums.past_windows
        now = sums.calls / self._windows
        return float(np.clip(np.median(now[known] / before[known]), 1.0, _MAX_GROWTH))
