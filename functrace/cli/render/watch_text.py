"""State of a running watcher as text."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from functrace import units
from functrace.text.safe_text import SafeText, line, style

_WIDTHS = (14, 13, 13)
_MAX_BUNDLES = 5


def status(watcher: Mapping[str, Any]) -> Iterator[SafeText]:
    """Yield the lines for one watcher."""
    processes = watcher["processes"]
    followed = units.several(len(processes), "program")
    yield line(f"{watcher['state']}: {followed} followed at {_clock(watcher['at'])}")
    for process in processes:
        yield style(_process(process), bold=True)
        yield _row("trigger", "value", "threshold", "last close to it")
        for trigger in watcher["triggers"]:
            if (trigger["process"], trigger["pid"]) == (process["name"], process["pid"]):
                yield _trigger(trigger)
    for bundle in watcher["bundles"][-_MAX_BUNDLES:]:
        yield line(_bundle(bundle))


def _process(process: Mapping[str, Any]) -> str:
    parts = [
        f"{process['calls_per_second']:,.0f} calls/s",
        f"{process['failed_per_second']:,.0f} failed/s",
    ]
    if process["cpu_cores"] is not None:
        parts.append(f"{process['cpu_cores']:.2f} cores")
    if process["rss_bytes"] is not None:
        parts.append(units.size(process["rss_bytes"]))
    if process["threads"] is not None:
        parts.append(units.several(process["threads"], "thread"))
    parts.append(units.several(process["live_tracks"], "live track"))
    if process["is_incomplete"]:
        parts.append("incomplete")
    return f"{process['name']} ({process['pid']}): {', '.join(parts)}"


def _trigger(trigger: Mapping[str, Any]) -> SafeText:
    unit, close = trigger["unit"], "never"
    if trigger["close_at"] is not None:
        close = f"{_clock(trigger['close_at'])}, {value_text(trigger['close_value'], unit)}"
    notes = [trigger["note"]] if trigger["note"] else []
    if trigger["cooldown_until"] is not None:
        notes.append(f"cooldown until {_clock(trigger['cooldown_until'])}")
    if trigger["without_bundle"]:
        notes.append(f"{units.several(trigger['without_bundle'], 'time')} true without a bundle")
    close += f" ({'; '.join(notes)})" if notes else ""
    value, threshold = (value_text(trigger[name], unit) for name in ("value", "threshold"))
    return _row(trigger["trigger"], value, threshold, close)


def _row(*cells: str) -> SafeText:
    padded = (cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=False))
    return line(f"  {' '.join(padded)} {cells[-1]}")


def _bundle(bundle: Mapping[str, Any]) -> str:
    firing = bundle["firing"]
    place = f": {bundle['place']}" if bundle["place"] else ""
    return f"{_clock(firing['at'])} {firing['trigger']} {bundle['state']}{place}"


def value_text(value: float | None, unit: str) -> str:
    """Return a value of a trigger as text."""
    if value is None:
        return "-"
    if unit == "ns":
        return units.duration(value)
    if unit == "share":
        return f"{100 * value:.1f}%"
    if unit in ("cores", "calls/s"):
        return f"{value:,.2f} {unit}"
    return units.count(round(value))


def _clock(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))
