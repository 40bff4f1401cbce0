"""Trigger on a process that did not end cleanly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from functrace import units
from functrace.watch.config_keys import duration_s, key
from functrace.watch.figures import Figures
from functrace.watch.triggers.finding import COOLDOWN, Finding, TriggerSettings
from functrace.watch.triggers.gauge import Gauge


@dataclass(frozen=True)
class DiedSettings(TriggerSettings):
    """Keys of the trigger ``died``."""

    cooldown_s: float = key("cooldown", duration_s, "1m", COOLDOWN)


class Died:
    """Trigger for one process."""

    def __init__(self, _settings: DiedSettings) -> None:
        self.gauge = Gauge("deaths")
        self._last: Figures | None = None

    def observe(self, figures: Figures) -> Iterator[Finding]:
        """Take in the next window."""
        is_dead = figures.ended in ("killed", "died")
        self.gauge.show(int(is_dead), 1, figures.end)
        if is_dead:
            yield self._finding(figures)
        elif figures.rss_bytes is not None:
            self._last = figures

    def _finding(self, figures: Figures) -> Finding:
        last = self._last or figures
        longest = max(figures.open_calls, key=lambda call: call.open_ns, default=None)
        parts = ["the process was killed or crashed: its ring is not marked as ended cleanly"]
        if last.rss_bytes is not None:
            limit = last.memory_limit_bytes
            used = f" ({units.share(last.rss_bytes, limit)} of the limit)" if limit else ""
            parts.append(f"it had {units.size(last.rss_bytes)}{used}")
        if longest is not None:
            parts.append(f"{units.several(len(figures.open_calls), 'chain')} had open calls")
        values = {
            "ended": figures.ended,
            "rss_bytes": last.rss_bytes,
            "memory_limit_bytes": last.memory_limit_bytes,
            "cpu_cores": last.cpu_cores,
            "threads": last.threads,
            "live_tracks": figures.live_tracks,
        }
        return Finding(None, "; ".join(parts), values)
