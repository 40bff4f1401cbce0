"""Cases of chunks that are overwritten before they were read, for the senders in Python and Go.

Run as a module, it writes them to tests/vectors_of_overwriting.json.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from functrace.tracefile import format as fmt
from tests.tracefile import writer as w

FILE = Path(__file__).parents[1] / "vectors_of_overwriting.json"
FIRST = 4096 + 512  # behind the header and the facts
MAIN, SELL, PRICE = "main.main", "main.(*Shop).Sell", "main.price"
BEGUN = (w.track(1, 1010), w.enter(1, 10), w.enter(2, 20))
BEFORE = w.events(2, *BEGUN, track=1)
SPARE = w.events(3, w.track(2, 1015), w.enter(4, 15), w.leave(4, 16), track=2)
HEADER = w.header(version=2, flags=4) + w.FUNCTIONS
START = HEADER + BEFORE + SPARE  # the file before the first round


@dataclass(frozen=True)
class Write:
    """Bytes that the recorder writes."""

    at: int
    content: str
    """in hexadecimal"""


@dataclass(frozen=True)
class Case:
    """Writes between rounds of a sender, and what the sender makes of them."""

    name: str
    writes: Sequence[Write]
    spans: Sequence[str]
    """sorted names, with ` unfinished` behind those of unfinished calls"""
    lost_events: int
    calls_without_end: int
    errors: bool = False
    """whether only failing calls and their callers are sent"""
    rounds: int = 0
    """further rounds before the last write"""


def listed(*calls: tuple[int, int], run: int = 1) -> tuple[bytes, ...]:
    """Return the beginning of a run of track 1 that lists its open calls: ticks and function."""
    again = w.track(1, 1010, again=True)
    return (w.switch(1, run, opened=len(calls)), again, *(w.opened(*call) for call in calls))


def _case(
    name: str,
    chunks: dict[int, bytes],
    spans: Sequence[str],
    lost: tuple[int, int],
    last: int = 0,
    **more: Any,
) -> Case:
    """Return a case; `last` is the highest sequence number of the chunks that are overwritten."""
    writes = [Write(at, content.hex()) for at, content in chunks.items()]
    if last:
        writes.insert(0, Write(fmt.LAST_OVERWRITTEN_AT, last.to_bytes(8, "little").hex()))
    return Case(name, writes, sorted(spans), *lost, **more)


_FAILS_BELOW = w.track(7, 1025, parent=1, starter=2), w.enter(3, 60), w.error("no"), w.leave(3, 70)
_WORDS = (512 - 40) // 8
CASES = [
    _case(
        "all words were read before the chunk was overwritten",
        {
            FIRST: w.events(
                4, *listed((1010, 1), (1020, 2)), w.leave(2, 30), w.leave(1, 40), track=1
            )
        },
        [SELL, MAIN, "main.work"],
        (0, 0),
    ),
    _case(
        "Sell returned between the last round and the end of the overwritten chunk",
        {FIRST: w.events(4, *listed((1010, 1), (1033, 3)), w.leave(3, 50), track=1)},
        [MAIN + " unfinished", PRICE, "main.work"],
        (0, 1),
    ),
    _case(
        "a call fails below a call without an end: only callers with an end are sent",
        {
            FIRST: w.events(4, *listed((1010, 1)), w.leave(1, 5), track=1, base=1050),
            FIRST + 1024: w.events(5, *_FAILS_BELOW, track=2),
        },
        [MAIN, PRICE],
        (0, 1),
        errors=True,
    ),
    _case(
        "chunks were overwritten before they were found",
        {FIRST: w.events(9, *listed((1010, 1)), w.leave(1, 50), track=1)},
        [MAIN, "main.work"],
        (5 * _WORDS, 1),
        last=8,
    ),
    _case(
        "a chunk is reserved and never begun, and no other was overwritten",
        {FIRST + 1024: w.events(5, w.track(3, 1040), w.enter(4, 40), w.leave(4, 45), track=3)},
        [MAIN + " unfinished", SELL + " unfinished", "main.work", "main.work"],
        (0, 0),
    ),
    _case(
        "the open calls are not known before the next list",
        {
            FIRST: w.events(9, w.switch(1, 7, opened=2), w.enter(3, 50), w.leave(3, 55), track=1),
            FIRST + 512: w.events(
                10, *listed((1010, 1), (1020, 2), run=8), w.leave(2, 70), w.leave(1, 80), track=1
            ),
        },
        [SELL, MAIN, PRICE, "main.work"],
        (5 * _WORDS, 2),
        last=8,
        rounds=3,
    ),
    _case(
        "a run without open calls ends those before it",
        {FIRST: w.events(9, w.switch(1, 7), w.enter(3, 50), w.leave(3, 55), track=1)},
        [PRICE, "main.work"],
        (5 * _WORDS, 2),
        last=8,
    ),
    _case(
        "words are missing though the number of the next run follows",
        {FIRST: w.events(4, w.switch(1, 1, opened=2), w.leave(2, 50), track=1)},
        ["main.work"],
        (0, 2),
    ),
    _case(
        "the program ends in calls whose track was overwritten",
        {FIRST: w.events(4, w.track(3, 1040), w.enter(4, 40), w.leave(4, 45), track=3)},
        [MAIN + " unfinished", SELL + " unfinished", "main.work", "main.work"],
        (0, 0),
    ),
]


def as_json() -> str:
    """Return the content of the file."""
    content = {"start": START.hex(), "cases": [asdict(case) for case in CASES]}
    return json.dumps(content, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(as_json())
