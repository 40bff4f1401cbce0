"""Firing of a trigger: what the watcher saves a bundle for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from functrace.watch.figures import RingProcess

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"


@dataclass(frozen=True)
class Firing:
    """One firing of a trigger.

    Attributes:
        trigger: name of the trigger, such as ``failure-rate``; letters, digits and hyphens.
        kind: kind of the trigger, a module of functrace.watch.triggers.
        process: the process whose figures fired it.
        at: Unix time in seconds.
        summary: one sentence with the figures.
        values: figures of the window and thresholds, with units in the names.
        chain: the guilty chain, outermost function first; empty if there is none.
        function: the guilty function; None if there is none.
        file: its source file, as in the trace; None if it is unknown.
        also_true: sentences about other triggers that fired in the same window.
    """

    trigger: str
    kind: str
    process: RingProcess
    at: float
    summary: str
    values: Mapping[str, JSON] = field(default_factory=dict)
    chain: tuple[str, ...] = ()
    function: str | None = None
    file: str | None = None
    also_true: tuple[str, ...] = ()


def to_json(firing: Firing) -> dict[str, Any]:
    """Return a firing as JSON."""
    process = firing.process
    return {
        "trigger": firing.trigger,
        "kind": firing.kind,
        "process": {
            "name": process.name,
            "pid": process.pid,
            "start": process.start,
            "ring": str(process.ring),
            "language": process.language,
        },
        "at": firing.at,
        "summary": firing.summary,
        "values": dict(firing.values),
        "chain": list(firing.chain),
        "function": firing.function,
        "file": firing.file,
        "also_true": list(firing.also_true),
    }


def from_json(found: Any) -> Firing:
    """Return the firing that :func:`to_json` made JSON of.

    Raises:
        ValueError: it is not such JSON.
    """
    try:
        process = {**found["process"], "ring": Path(found["process"]["ring"])}
        lists = {name: tuple(map(str, found[name])) for name in ("chain", "also_true")}
        return Firing(**{**found, **lists, "process": RingProcess(**process)})
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a firing: {error}") from None
