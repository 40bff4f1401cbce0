"""Latest value of a trigger and the last time that it came close to its threshold."""

from __future__ import annotations

from dataclasses import dataclass

CLOSE = 0.8
"""Share of the threshold from which on a value is close to it."""


@dataclass
class Gauge:
    """Latest value of a trigger.

    Attributes:
        unit: unit of the values: "cores", "share", "ns", "calls/s", or what is counted.
        value: value in the last window; None if there is none.
        threshold: value from which on the trigger fires; None as long as there is none.
        close_at: Unix time in seconds at which the value was last close to the threshold.
        close_value: that value.
        note: why there is no value or no threshold.
    """

    unit: str
    value: float | None = None
    threshold: float | None = None
    close_at: float | None = None
    close_value: float | None = None
    note: str = ""

    def show(self, value: float, threshold: float | None, at: float, note: str = "") -> None:
        """Take the value of a window."""
        self.value, self.threshold, self.note = value, threshold, note
        if threshold is not None and value > 0 and value >= CLOSE * threshold:
            self.close_at, self.close_value = at, value

    def show_none(self, note: str) -> None:
        """Take a window without a value."""
        self.value, self.threshold, self.note = None, None, note
