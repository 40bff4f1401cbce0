"""Made-up figures of a process, and the decisions that follow from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from functrace._native.row_types import BLOCK
from functrace.tracefile.facts import Function
from functrace.tracefile.reader import Clock
from functrace.watch.config import Config, default_config
from functrace.watch.decider import Decider
from functrace.watch.figures import (
    CHAIN_FIGURES,
    ChainNames,
    ErrorText,
    Figures,
    OpenCall,
    RingProcess,
)
from functrace.watch.firing import Firing
from functrace.watch.triggers import KINDS

START = 1_700_000_000.0
SHOP = RingProcess("shop", 4711, "815", Path("/rings/shop-4711-815.ftrace"), "go")

MAIN, HANDLE, GET, CHECK, LOOP, DIRECT, STARTED = 1, 2, 3, 4, 5, 6, 7
"""Chains of the process. CHECK leads through HANDLE and GET; DIRECT is store.Get in MAIN;
STARTED is main.handle on a track that MAIN started."""

_FUNCTIONS = ["main.main", "main.handle", "store.Get", "store.check", "main.loop"]
NAMES = ChainNames(
    [-1, -1, -1, HANDLE, GET, MAIN, MAIN, MAIN],
    [-1, 0, 1, 2, 3, 4, 2, 1],
    [0, 0, 0, 0, 0, 0, 0, 1],
    [Function(i + 1, name, "shop.go", i + 1) for i, name in enumerate(_FUNCTIONS)],
)
TENTHS = Clock(10)
"""A tick is a tenth of a second, so that durations below 3.2 s are exact in a block."""


@dataclass(frozen=True)
class Calls:
    """Calls of one chain that ended in a window, all of one duration."""

    chain: int
    calls: int
    failed: int = 0
    text: str = "locked"
    panicked: int = 0
    ns: int = 1000


def figures(
    second: float,
    *calls: Calls,
    process: RingProcess = SHOP,
    open_calls: Sequence[OpenCall] = (),
    **others: Any,
) -> Figures:
    """Return the figures of a window that ends so many seconds after START."""
    rows = np.zeros(len(calls), CHAIN_FIGURES)
    blocks = np.zeros(len(calls), BLOCK)
    for row, block, each in zip(rows, blocks, calls, strict=True):
        row["chain"] = block["owner"] = each.chain
        row["calls"], row["failed"], row["panicked"] = each.calls, each.failed, each.panicked
        row["total_ns"], row["max_ns"] = each.calls * each.ns, each.ns
        block["counts"][min(round(each.ns / 1e8), 31)] = each.calls
    texts = [
        ErrorText(each.chain, each.text, each.failed, each.panicked > 0)
        for each in calls
        if each.failed
    ]
    usual: dict[str, Any] = {
        "cpu_cores": 0.1,
        "rss_bytes": 100_000_000,
        "memory_limit_bytes": 1_000_000_000,
        "threads": 8,
        "live_tracks": 20,
        "is_incomplete": False,
        "ended": None,
    }
    return Figures(
        process=process,
        names=NAMES,
        end=START + second,
        seconds=1.0,
        calls=sum(each.calls for each in calls),
        failed=sum(each.failed for each in calls),
        chains=rows,
        durations=blocks,
        clock=TENTHS,
        errors=texts,
        open_calls=open_calls,
        **(usual | others),
    )


@dataclass
class Outcome:
    """What a decider made of several windows."""

    firings: list[Firing] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def triggers(self) -> list[str]:
        """Return the names of the triggers that fired."""
        return [firing.trigger for firing in self.firings]


def decide(decider: Decider, windows: Iterable[Figures]) -> Outcome:
    """Feed windows to a decider."""
    found = Outcome()
    for window in windows:
        decision = decider.decide(window)
        found.firings += [fault.firing() for fault in decision.settled]
        found.notes += decision.notes
    found.firings += [fault.firing() for fault in decider.flush()]
    return found


def configured(only: Sequence[str] = (), **changes: Any) -> Config:
    """Return the default configuration with these triggers alone; all if none is named.

    ``changes`` are keys of the configuration, or settings by the name of a trigger.
    """
    config = default_config()
    triggers = {
        name: replace(settings, enabled=not only or name in only)
        for name, settings in config.triggers.items()
    }
    for name in [name for name in changes if name.replace("_", "-") in KINDS]:
        trigger = name.replace("_", "-")
        triggers[trigger] = replace(triggers[trigger], **changes.pop(name))
    return replace(config, triggers=triggers, **changes)
