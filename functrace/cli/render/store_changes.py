"""A change between two selections of a store as text lines and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from functrace import units
from functrace.rollup.comparison.compare import Change, Figures, added, added_self


def lines(change: Change, chance: str) -> Iterator[str]:
    """Yield the chain of a change, its figures, and how many chains it affects."""
    yield f"  {' → '.join(change.steps)}{chance}"
    yield f"      {_figures(change)}"
    if change.kind in ("slower", "faster"):
        total, self = map(units.signed_duration, (added(change), added_self(change)))
        yield f"      total {total}, self {self}"
    if change.affected:
        yield f"      {units.several(len(change.affected), 'more chain')} changed because of it"


def _figures(change: Change) -> str:
    before, after = change.before, change.after
    if change.kind in ("slower", "faster"):
        times = ", ".join(
            f"{name} {units.duration(first)} → {units.duration(second)}"
            for name, first, second in (
                ("p50", before.p50, after.p50),
                ("p99", before.p99, after.p99),
            )
        )
        return f"{times}, {_pair(before.calls, after.calls)} calls"
    if change.kind in ("fails_more", "fails_less"):
        rates = " → ".join(units.share(each.failed, each.calls) for each in (before, after))
        text = f": {' '.join(change.text.split())}" if change.text else ""
        return f"{rates} of {_pair(before.calls, after.calls)} calls{text}"
    calls = f"{_pair(before.calls, after.calls)} calls"
    if change.kind in ("appeared", "vanished"):
        total = units.duration(max(before.total, after.total))
        below = f", {units.several(change.chains_below, 'more chain')} below"
        return f"{calls}, {total}{below if change.chains_below else ''}"
    return f"{_rate(before)} → {_rate(after)} per call of {change.steps[-2]}, {calls}"


def _pair(before: int, after: int) -> str:
    return f"{units.count(before)} → {units.count(after)}"


def _rate(figures: Figures) -> str:
    return f"{figures.calls / max(figures.caller_calls, 1):.3g}"


def as_json(change: Change) -> dict[str, Any]:
    """Return a change as JSON values."""
    return {
        "function": change.steps[-1],
        "steps": [{"function": name} for name in change.steps],
        "before": _side(change.before),
        "after": _side(change.after),
        "added_ns": added(change),
        "added_self_ns": added_self(change),
        "text": change.text,
        "affected": [
            {"function": steps[-1], "steps": [{"function": name} for name in steps]}
            for steps in change.affected
        ],
        "chains_below": change.chains_below,
        "p_value": change.p_value,
        "by_chance": change.by_chance,
    }


def _side(figures: Figures) -> dict[str, int]:
    names = {"p50": "p50_ns", "p99": "p99_ns", "total": "total_ns", "self": "self_ns"}
    return {names.get(name, name): value for name, value in asdict(figures).items()}
