"""Trigger on the use of a resource, against its moving average and against fixed limits."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from functrace.watch.config_keys import count, duration_s, key
from functrace.watch.figures import Figures
from functrace.watch.firing import JSON
from functrace.watch.triggers.finding import COOLDOWN, Finding, TriggerSettings
from functrace.watch.triggers.gauge import Gauge

MIN = "value below which `diff` does not fire"
DIFF = "fires if the value is this much above its moving average in `windows` consecutive windows"
ABOVE = "fires if the value is above this in `windows` consecutive windows"
ABS = "fires if the value is above this in a single window"
WINDOWS = "number of consecutive windows for `diff` and `above`"

_MIN_PAST = 5
"""Windows of the past below which it is no measure."""


@dataclass(frozen=True)
class ResourceSettings(TriggerSettings):
    """Keys of every trigger on a resource."""

    average_s: float = key("average", duration_s, "60s", "length of the moving average")
    learning_s: float = key(
        "learning", duration_s, "30s", "time after a process was found in which `diff` is off"
    )
    cooldown_s: float = key("cooldown", duration_s, "10m", COOLDOWN)
    windows: int = key("windows", count, 3, WINDOWS)
    min: float = 0.0
    diff: float | None = None
    above: float | None = None
    abs: float | None = None


@dataclass(frozen=True)
class Resource:
    """What a trigger measures.

    Attributes:
        name: the resource in a sentence.
        unit: unit of the values.
        key: name of the value in why.json.
        measure: returns the value of a window, or None.
        show: returns a value as text.
        reason: why there may be no value.
        is_counted: whether the ring yields the value, which an incomplete window lacks.
        growth: returns how much more work there is in a window than in the past, at least 1; the
            value may rise as much.
    """

    name: str
    unit: str
    key: str
    measure: Callable[[Figures], float | None]
    show: Callable[[float], str]
    reason: str
    is_counted: bool = False
    growth: Callable[[Figures], float] = lambda _: 1.0


class ResourceTrigger:
    """Trigger on a resource of one process."""

    def __init__(self, resource: Resource, settings: ResourceSettings) -> None:
        self.gauge = Gauge(resource.unit)
        self._resource = resource
        self._settings = settings
        self._first: float | None = None
        self._over = {"diff": 0, "above": 0}
        # The windows that are judged are no part of the average that they are compared with.
        self._past: deque[tuple[float, float]] = deque()
        self._judged: deque[tuple[float, float]] = deque()

    def observe(self, figures: Figures) -> Iterator[Finding]:
        """Take in the next window."""
        if self._first is None:
            self._first = figures.end
        value = self._resource.measure(figures)
        if value is None or (self._resource.is_counted and figures.is_incomplete):
            self.gauge.show_none(
                "incomplete window" if value is not None else self._resource.reason
            )
            return
        average = self._average(figures.end)
        relative = self._relative(average, self._resource.growth(figures), figures.end)
        limits = {
            "diff": relative,
            "above": self._settings.above,
            "abs": self._settings.abs,
        }
        self._show(value, limits, figures.end)
        self._judged.append((figures.end, value))
        if len(self._judged) > self._settings.windows:
            self._past.append(self._judged.popleft())
        exceeded = [name for name, limit in limits.items() if self._is_exceeded(name, value, limit)]
        if exceeded:
            yield self._finding(value, average, exceeded[-1], limits[exceeded[-1]] or 0.0)

    def _average(self, now: float) -> float | None:
        while self._past and self._past[0][0] < now - self._settings.average_s:
            self._past.popleft()
        if len(self._past) < _MIN_PAST:
            return None
        return sum(value for _, value in self._past) / len(self._past)

    def _relative(self, average: float | None, growth: float, now: float) -> float | None:
        """Return the limit that the moving average sets; None while it sets none."""
        settings = self._settings
        is_learning = self._first is not None and now - self._first < settings.learning_s
        if settings.diff is None or average is None or is_learning:
            return None
        return max(settings.min, average * (1 + settings.diff) * growth)

    def _is_exceeded(self, name: str, value: float, limit: float | None) -> bool:
        exceeds = limit is not None and value > limit
        if name == "abs":
            return exceeds
        self._over[name] = self._over[name] + 1 if exceeds else 0
        return self._over[name] >= self._settings.windows

    def _show(self, value: float, limits: dict[str, float | None], now: float) -> None:
        known = [limit for limit in limits.values() if limit is not None]
        note = "" if known else "learning" if self._settings.diff is not None else "no limit"
        self.gauge.show(value, min(known, default=None), now, note)

    def _finding(self, value: float, average: float | None, name: str, limit: float) -> Finding:
        resource, show = self._resource, self._resource.show
        number = 1 if name == "abs" else self._settings.windows
        values: dict[str, JSON] = {
            resource.key: value,
            f"threshold_{resource.key}": limit,
            "rule": name,
            "consecutive_windows": number,
        }
        past = ""
        if average is not None:
            values[f"average_{resource.key}"] = average
            past = f"; the average of the last {self._settings.average_s:.0f}s is {show(average)}"
        times = f" in {number} consecutive windows" if number > 1 else ""
        summary = f"{resource.name}: {show(value)}, above {show(limit)}{times}{past}"
        return Finding(None, summary, values)
