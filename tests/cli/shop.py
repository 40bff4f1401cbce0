"""Traces for tests of reports: two runs of a shop's service, the second one killed."""

from __future__ import annotations

from pathlib import Path

from tests.analysis.recorded import Goroutine, Recorded

FUNCTIONS = (
    "main.main",
    "main.serve",
    "main.invoice",
    "main.walk",
    "example.com/shop/store.(*Store).Get",
    "example.com/shop/store.open",
)
GET = FUNCTIONS[4]


def monday(folder: Path) -> Path:
    program = Recorded(*FUNCTIONS)
    first = program.goroutine(1)
    with first.inside("main.main"):
        first.call("example.com/shop/store.open", took=500)
        first.call(GET, times=2)
        second = program.goroutine(7, parent=1, starter="main.main", line=14)
        _serve(second)
        with first.inside("main.walk"), first.inside("main.walk"), first.inside("main.walk"):
            first.call(GET, took=3000)
        with first.inside("main.walk"):
            first.call(GET, took=2000)
    return program.write(folder / "monday.ftrace")


def _serve(goroutine: Goroutine) -> None:
    with goroutine.inside("main.serve"), goroutine.inside("main.invoice"):
        goroutine.call(GET, times=3)
        goroutine.call(GET, error="item 13 is locked")
        goroutine.call(GET, error="item 14 is locked", took=9000)
        goroutine.call(GET, error="timeout")
        goroutine.call(GET, panic="nil map")


def tuesday(folder: Path) -> Path:
    """Killed in the middle; its function numbers differ from those of the first run."""
    program = Recorded(*reversed(FUNCTIONS), flags=0)
    first = program.goroutine(1)
    first.enter("main.main")
    first.call(GET, times=2, took=20_000)
    second = program.goroutine(5, parent=1, starter="main.main", line=14)
    second.enter("main.serve")
    second.enter("main.invoice")
    second.enter(GET)
    first.call(GET)
    return program.write(folder / "tuesday.ftrace")
