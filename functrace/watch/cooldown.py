"""Cooldown of each trigger, and the limit on bundles over all triggers."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from functrace.watch.firing import Firing

_HOUR_S = 3600.0


class Cooldowns:
    """Times of the last firings, by service and trigger.

    Instances of a service share a cooldown, so that one fault of all of them gives one bundle.
    """

    def __init__(self, past: Iterable[Firing] = ()) -> None:
        self._last: dict[tuple[str, str], float] = {}
        self._times: deque[float] = deque()
        for firing in sorted(past, key=lambda firing: firing.at):
            self.start(firing.process.name, firing.trigger, firing.at)
            self._times.append(firing.at)

    def start(self, service: str, trigger: str, now: float) -> None:
        """Start the cooldown of a trigger."""
        self._last[service, trigger] = now

    def end_of(self, service: str, trigger: str, cooldown_s: float, now: float) -> float | None:
        """Return when a trigger's cooldown ends, in Unix seconds; None if it has none now."""
        last = self._last.get((service, trigger))
        if last is None or not last <= now < last + cooldown_s:
            return None
        return last + cooldown_s

    def reserve(self, per_hour: int, now: float) -> bool:
        """Count a bundle; return False if there were ``per_hour`` in the last hour."""
        while self._times and not now - _HOUR_S < self._times[0] <= now:
            self._times.popleft()
        if len(self._times) >= per_hour:
            return False
        self._times.append(now)
        return True
