"""Rings and firings to save bundles of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from functrace.watch.figures import RingProcess
from functrace.watch.firing import Firing
from tests.cli import faulty

AT = 1_700_000_000.25
NAME = "shop-4711-20231114T221320.250Z-failure-rate"


def ring(folder: Path) -> Path:
    """Write the ring of a program in which something of each kind is wrong."""
    folder.mkdir(exist_ok=True)
    return faulty.faulty(folder / "shop-4711-815.ftrace")


def firing(path: Path, **changes: Any) -> Firing:
    """Return a firing of the process with this ring."""
    process = RingProcess(name="shop", pid=4711, start="815", ring=path, language="go")
    values: dict[str, Any] = {
        "trigger": "failure-rate",
        "kind": "failure_rate",
        "process": process,
        "at": AT,
        "summary": "store.(*Store).Get failed in 5.1% of its calls, limit 2%",
        "values": {"failed": 3, "calls": 59, "max_share": 0.02},
        "chain": ("main.main", "main.serve", "example.com/shop/store.(*Store).Get"),
        "function": "example.com/shop/store.(*Store).Get",
        "file": "store/store.go",
    }
    return Firing(**{**values, **changes})
