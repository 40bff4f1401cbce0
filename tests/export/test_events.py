"""The events of a trace agree with calls() and fold(), and with the reference implementation."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from functrace._native.row_types import ENTERED, LEFT, LOST, RESUMED, SUSPENDED
from functrace.analysis import calls, fold
from functrace.errors import FunctraceError
from functrace.export.events import Events, SpanReader, events
from functrace.tracefile import Trace, open_trace
from functrace.tracefile.format import TIME_LIMIT
from tests.tracefile import writer as w
from tests.tracefile.fuzz import mutated
from tests.tracefile.meaning import IMPLEMENTATIONS, implementation
from tests.tracefile.vectors import FOLDER, VECTORS

_OF_CALL = ("track", "start", "duration", "suspended", "function", "depth", "text_at", "text_bytes")
_FLAGS = {"error": 1, "panic": 2, "goexit": 4, "unfinished": 8}


def spans(trace: Trace, block: int = 3) -> tuple[dict[str, np.ndarray[Any, Any]], SpanReader]:
    reader = SpanReader(trace)
    blocks = list(reader.spans(block))
    names = (*_OF_CALL, "call", "parent", "self", "flags")
    none = np.empty(0, np.int64)
    return {n: np.concatenate([none, *(getattr(b, n) for b in blocks)]) for n in names}, reader


def stream_of(trace: Trace, block: int = 3) -> list[tuple[Any, ...]]:
    names = ("kind", "time", "function", "track", "flags", "text_at", "text_bytes")

    def rows(block: Events) -> list[tuple[Any, ...]]:
        return list(zip(*(getattr(block, name).tolist() for name in names), strict=True))

    return [row for block in events(trace, block) for row in rows(block)]


def judge(path: Path) -> list[list[tuple[Any, ...]]]:
    results = []
    for name in IMPLEMENTATIONS:
        with implementation(name):
            trace = open_trace(path)
            found, reader = spans(trace)
            same_calls(trace, found)
            results.append(stream_of(trace))
            nested(results[-1])
            results.append(reader.caller.tolist())
            results.append({key: column.tolist() for key, column in found.items()})
    assert results[:3] == results[3:]
    return results


def same_calls(trace: Trace, found: dict[str, np.ndarray[Any, Any]]) -> None:
    listed = calls(trace)
    expected = zip(
        *(getattr(listed, name).tolist() for name in _OF_CALL),
        sum(getattr(listed, flag) * bit for flag, bit in _FLAGS.items()).tolist(),
        strict=True,
    )
    got = zip(
        *(found[name].tolist() for name in _OF_CALL),
        (found["flags"].astype(np.int64) & 15).tolist(),
        strict=True,
    )
    assert Counter(got) == Counter(expected)
    own = [0] * len(trace.functions)
    for function, time in zip(found["function"].tolist(), found["self"].tolist(), strict=True):
        own[function] += time
    for summed, folded in zip(own, fold(trace).functions().self.tolist(), strict=True):
        # The sum of a chain ends at twice the limit of a time, that of a function beyond.
        assert abs(min(summed, 2 * TIME_LIMIT) - min(folded, 2 * TIME_LIMIT)) <= len(listed)


def nested(rows: list[tuple[Any, ...]]) -> None:
    """Every track's events begin and end inside one another, and none goes back in time."""
    stack: list[Any] = []
    track = now = -1
    for kind, time, function, of_track, *_ in rows:
        if of_track != track:
            assert stack == []
            track, now = of_track, -1
        assert time >= now
        now = time
        if kind in (ENTERED, SUSPENDED):
            stack.append((function, kind))
        elif kind in (LEFT, RESUMED):
            assert stack.pop() == (function, kind - 1 if kind == LEFT else SUSPENDED)
    assert stack == []


@pytest.mark.parametrize("name", VECTORS)
def test_vectors(name: str) -> None:
    judge(FOLDER / f"{name}.ftrace")


def test_call_open_since_before_an_outer_event(tmp_path: Path) -> None:
    path = tmp_path / "x.ftrace"
    before = w.events(2, w.enter(1, 10), w.leave(1, 50), track=1)
    behind = w.events(3, w.opened(1020, 2), w.leave(2, 90), track=1, opened=1)
    path.write_bytes(w.header() + w.FUNCTIONS + before + behind)
    stream = judge(path)[0]
    assert [(kind, time) for kind, time, *_ in stream] == [
        (ENTERED, 10),
        (LEFT, 50),
        (ENTERED, 50),
        (LEFT, 90),
    ]


def test_mutated_traces() -> None:
    chance = random.Random(6)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.ftrace"
        for _ in range(150):
            path.write_bytes(mutated(chance))
            try:
                judge(path)
            except FunctraceError:  # no trace at all
                continue


def test_tracks_are_parented_to_calls() -> None:
    trace = open_trace(FOLDER / "goroutines.ftrace")
    found, reader = spans(trace)
    name_of = dict(zip(found["call"].tolist(), found["function"].tolist(), strict=True))
    callers = {
        int(trace.tracks.id[track]): trace.functions[int(name_of[call])].name
        for track, call in enumerate(reader.caller.tolist())
        if call >= 0
    }
    assert callers == {
        7: "main.(*Shop).Sell",
        8: "main.price",
        9: "main.main",
    }


def test_lost_events_are_reported() -> None:
    trace = open_trace(FOLDER / "lost.ftrace")
    assert [row[5] for row in stream_of(trace) if row[0] == LOST] == [5]
