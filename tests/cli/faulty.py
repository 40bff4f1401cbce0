"""Traces with one fault of each kind that triage finds, and one without a fault."""

from __future__ import annotations

from pathlib import Path

from tests.analysis.recorded import Goroutine, Recorded

MILLISECOND = 1_000_000
FUNCTIONS = (
    "main.main",
    "main.serve",
    "main.list",
    "main.walk",
    "main.notify",
    "main.work",
    "example.com/shop/store.(*Store).Get",
    "example.com/shop/store.Open",
    "example.com/shop/store.Close",
    "example.com/shop/store.Query",
    "example.com/shop/store.Lock",
)
GET, OPEN, CLOSE, QUERY, LOCK = FUNCTIONS[6:]


def faulty(path: Path, **header: int) -> Path:
    program = Recorded(*FUNCTIONS, **header)
    main = program.goroutine(1)
    main.enter("main.main")
    blocked(program, 8)
    blocked(program, 9)
    failing(main)
    swallowed(program, main)
    slow(main)
    repeated(main)
    deep(main)
    main.leave("main.main")
    return program.write(path)


def healthy(path: Path) -> Path:
    program = Recorded(*FUNCTIONS)
    main = program.goroutine(1)
    with main.inside("main.main"):
        for _ in range(30):
            with main.inside("main.serve"), main.inside("main.list"):
                main.call(QUERY, times=3)
    return program.write(path)


def failing(track: Goroutine) -> None:
    """main.serve returns the error of store.Get, wrapped."""
    for item in (13, 14, 15):
        with track.inside("main.serve"):
            track.call(GET, error=f"item {item} is locked")
            track.fail(f"serve: item {item} is locked")
    track.call(GET)


def swallowed(program: Recorded, track: Goroutine) -> None:
    with track.inside("main.serve"):
        track.call(OPEN, error='open "a.db": timeout')
        track.call(OPEN, error='open "b.db": timeout')
        track.call(CLOSE, panic="nil map")
    program.goroutine(7, parent=1, starter="main.main", line=14).call(
        "main.notify", error="no route to host"
    )


def blocked(program: Recorded, number: int) -> None:
    worker = program.goroutine(number, parent=1, starter="main.main", line=20)
    worker.enter("main.work")
    worker.call(QUERY)
    worker.enter(LOCK)


def slow(track: Goroutine) -> None:
    """main.serve is slow because store.Query is."""
    for turn in range(40):
        with track.inside("main.serve"):
            track.call(QUERY, took=200 * MILLISECOND if turn == 7 else MILLISECOND)


def repeated(track: Goroutine) -> None:
    for rows in (2, 50, 3):
        with track.inside("main.list"):
            track.call(GET, times=rows, took=2000)


def deep(track: Goroutine) -> None:
    for _ in range(150):
        track.enter("main.walk")
    track.fail("too deep")
    for _ in range(150):
        track.leave("main.walk")
