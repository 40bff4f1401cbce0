"""Traces of a service that run over several windows and hours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.tracefile import writer as w

SECOND = 1_000_000_000
STARTED = 1_700_000_000 * SECOND  # 2023-11-14T22:13:20Z
HOUR = "2023-11-14T22"
_FACTS = {"argv": ["./shop"], "host": "web1", "build": {"main": "shop", "version": "v1.2"}}


def write_with_demotion(path: Path) -> Path:
    """Write a trace whose function store.Get is called once, then demoted for most of two hours."""
    minute = 60 * SECOND
    demoted = (w.demotion(2, 1000 + 20 * SECOND), w.promotion(2, 1000 + 80 * minute))
    functions = (w.function(1, "main.main"), w.function(2, "store.Get"))
    words = [w.enter(1, 0), w.enter(2, 10), w.leave(2, 20), w.base(1000 + 120 * minute)]
    path.write_bytes(
        w.header(version=2, started=STARTED, flags=0)
        + w.facts(1, *functions, *demoted)
        + w.events(2, w.track(1, 1000), *words, w.leave(1, 0))
    )
    return path


def write(
    path: Path,
    *,
    seconds: int = 150,
    key: str = "00000000000000aa",
    started: int = STARTED,
    flags: int = 1,
    extra: tuple[bytes, ...] = (),
    **facts: Any,
) -> Path:
    """Write a trace in which main.main calls store.Get each second; each third call fails.

    A goroutine that main.main started calls store.Get once.
    """
    words = [w.enter(1, 0)]
    for second in range(seconds):
        words += [w.base(1000 + second * SECOND), w.enter(2, 10)]
        words += [w.error(f"item {second} is locked")] if second % 3 == 0 else []
        words += [w.leave(2, 10 + 1_000_000 * (second + 1))]
    words += [w.base(1000 + seconds * SECOND), w.leave(1, 0)]
    process = {**_FACTS, "process_key": key, **facts}
    functions = (
        w.process(json.dumps(process)),
        w.function(1, "main.main"),
        w.function(2, "store.Get"),
        *extra,
    )
    path.write_bytes(
        w.header(started=started, flags=flags)
        + w.facts(1, *functions)
        + w.events(2, w.track(1, 1000), *words)
        + w.events(
            3,
            w.track(7, 1000 + SECOND, parent=1, starter=1),
            w.enter(2, SECOND),
            w.leave(2, 2 * SECOND),
        )
    )
    return path
