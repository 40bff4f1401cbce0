"""The result of a comparison as text lines and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from functrace import units
from functrace.analysis.compare import Comparison, FailureRate, Presence, Timing
from functrace.cli.render import store_changes
from functrace.rollup.comparison.compare import Change, StoreComparison
from functrace.rollup.comparison.difference import KINDS
from functrace.text import coverage
from functrace.text.safe_text import style

if TYPE_CHECKING:
    from functrace.tracefile import Trace

Entry = Presence | Timing | FailureRate | Change
Sections = dict[str, list[Entry]]

_COLOURS = {"slower": "red", "fails more": "red", "faster": "green", "fails less": "green"}


def sections(found: Comparison, *, with_chance: bool) -> Sections:
    """Return the differences by kind; those that may be chance only if ``with_chance``."""
    kinds: Sections = {
        each.name.replace("_", " "): getattr(found, each.name) for each in fields(found)
    }
    return kinds if with_chance else _without_chance(kinds)


def store_sections(found: StoreComparison, *, with_chance: bool) -> Sections:
    """Return the changes of a store by kind, as `sections` does."""
    kinds: Sections = {
        kind.replace("_", " "): [each for each in found.changes if each.kind == kind]
        for kind in KINDS
    }
    return kinds if with_chance else _without_chance(kinds)


def _without_chance(kinds: Sections) -> Sections:
    return {kind: [e for e in entries if not e.by_chance] for kind, entries in kinds.items()}


def has_change(found: Sections) -> bool:
    """Return whether a difference is not chance."""
    return any(not entry.by_chance for entries in found.values() for entry in entries)


def lines(found: Sections, limit: int) -> Iterator[str]:
    """Yield a heading for each kind and lines for its first ``limit`` differences; 0 is all."""
    if not any(found.values()):
        yield "no change beyond chance"
    for kind, entries in found.items():
        if not entries:
            continue
        yield style(kind, fg=_COLOURS.get(kind), bold=True)
        shown = entries[: limit or None]
        for entry in shown:
            yield from _entry(entry)
        if len(shown) < len(entries):
            yield f"  … {units.count(len(entries) - len(shown))} more; --limit 0 shows all"


def _entry(entry: Entry) -> Iterator[str]:
    chance = "  (may be chance)" if entry.by_chance else ""
    if isinstance(entry, Change):
        yield from store_changes.lines(entry, chance)
    elif isinstance(entry, Presence):
        yield from _presence(entry, chance)
    elif isinstance(entry, Timing):
        yield f"  {entry.name}{chance}"
        times = f"p50 {_durations(entry.p50)}, p99 {_durations(entry.p99)}"
        yield f"      {times}, {_calls(entry.calls)}"
        total, self = map(units.signed_duration, (entry.added, entry.added_self))
        yield f"      total {total}, self {self}"
    else:
        rates = " → ".join(
            units.share(*pair) for pair in zip(entry.failed, entry.calls, strict=True)
        )
        yield f"  {entry.name}{chance}"
        yield f"      {rates} of {_calls(entry.calls)}" + (
            f": {_text(entry)}" if entry.text else ""
        )


def _presence(entry: Presence, chance: str) -> Iterator[str]:
    below = f", {units.several(entry.below, 'more function')} below" if entry.below else ""
    amount = f"{units.several(entry.calls, 'call')}, {units.duration(entry.total)}{below}"
    path = _path(entry)
    if entry.is_function:
        yield f"  {entry.chain.name}: {amount}{chance}"
        if entry.chain.parent:
            yield f"      {path}"
    else:
        yield f"  {path}: {amount}{chance}"


def _path(entry: Presence) -> str:
    return " → ".join(entry.chain.names)


def _text(entry: FailureRate) -> str:
    return " ".join(entry.text.split())


def _durations(pair: tuple[int, int]) -> str:
    return " → ".join(map(units.duration, pair))


def _calls(pair: tuple[int, int]) -> str:
    return " → ".join(map(units.count, pair)) + " calls"


def as_json(found: Sections, limit: int, traces: Sequence[Trace]) -> dict[str, Any]:
    """Return the first ``limit`` differences of each kind as JSON values; 0 is all."""
    return {**kinds_as_json(found, limit), **coverage.as_json(traces)}


def kinds_as_json(found: Sections, limit: int) -> dict[str, Any]:
    """Return the first ``limit`` differences of each kind, and the number of the others."""
    kinds = {
        kind.replace(" ", "_"): list(map(_object, entries[: limit or None]))
        for kind, entries in found.items()
    }
    more = sum(max(len(entries) - limit, 0) for entries in found.values()) if limit else 0
    return {**kinds, "more_differences": more}


def _object(entry: Entry) -> dict[str, Any]:
    if isinstance(entry, Change):
        return store_changes.as_json(entry)
    if isinstance(entry, Presence):
        return {
            "function": entry.chain.name,
            "is_function": entry.is_function,
            "steps": [{"function": name} for name in entry.chain.names],
            "calls": entry.calls,
            "total_ns": entry.total,
            "functions_below": entry.below,
            "by_chance": entry.by_chance,
        }
    if isinstance(entry, Timing):
        before, after = (
            {"calls": calls, "p50_ns": p50, "p99_ns": p99}
            for calls, p50, p99 in zip(entry.calls, entry.p50, entry.p99, strict=True)
        )
        return {
            "function": entry.name,
            "before": before,
            "after": after,
            "added_ns": entry.added,
            "added_self_ns": entry.added_self,
            "deviations": entry.deviations,
            "by_chance": entry.by_chance,
        }
    before, after = (
        {"calls": calls, "failed": failed}
        for calls, failed in zip(entry.calls, entry.failed, strict=True)
    )
    return {
        "function": entry.name,
        "before": before,
        "after": after,
        "text": entry.text,
        "by_chance": entry.by_chance,
    }
