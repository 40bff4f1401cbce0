"""Calls around, in and before those asked for, of random programs, against what that means."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from functrace.analysis import Calls, Listing, calls
from functrace.tracefile import open_trace
from tests.tracefile.meaning import both
from tests.tracefile.test_model import STEPS, run

QUESTIONS = st.builds(
    Listing,
    functions=st.none() | st.just([1, 2, 3]),
    min_duration_ns=st.sampled_from([0, 0, 15]),
    failed_only=st.booleans(),
    focus=st.none() | st.sets(st.integers(0, 3), min_size=1, max_size=2),
    include_callers=st.just(True),
    preceding_calls=st.integers(0, 3),
)


@settings(max_examples=150, deadline=None)
@given(STEPS, QUESTIONS)
def test_what_is_asked_for_is_what_is_listed(
    steps: list[tuple[str, int, int, str]], question: Listing
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random.ftrace"
        path.write_bytes(run(steps).end())
        both(path, listing=question)
        trace = open_trace(path)
        every = calls(
            trace,
            listing=Listing(functions=question.functions, min_duration_ns=question.min_duration_ns),
        )
        found = calls(trace, listing=question)
        assert _keys(found, range(len(found))) == _keys(every, _expected(every, question))


def _keys(found: Calls, rows: object) -> list[tuple[int, ...]]:
    return sorted(
        (int(found.track[i]), int(found.start[i]), int(found.depth[i]), int(found.function[i]))
        for i in rows  # type: ignore[attr-defined]
    )


def _expected(every: Calls, question: Listing) -> set[int]:
    rows = range(len(every))
    if question.focus is None:
        wanted = {i for i in rows if not question.failed_only or every.error[i]}
        return wanted | {outer for i in wanted for outer in _around(every, i)}
    asked = {i for i in rows if every.function[i] in question.focus}
    functions = question.focus.intersection(question.functions or question.focus)
    inside = {i for i in rows if not functions.isdisjoint(_functions_around(every, i))}
    shown = asked | inside | {outer for i in asked for outer in _around(every, i)}
    before: set[int] = set()
    for i in asked - inside:
        earlier = [
            j
            for j in rows
            if every.parent[j] == every.parent[i]
            and every.track[j] == every.track[i]
            and j not in shown
            and every.start[j] + every.duration[j] <= every.start[i]
        ]
        last_asked = [
            j
            for j in asked
            if j < i and every.parent[j] == every.parent[i] and every.track[j] == every.track[i]
        ]
        since = max(last_asked, default=-1)
        before |= set(
            [j for j in earlier if j > since][-question.preceding_calls :]
            if question.preceding_calls
            else []
        )
    return shown | before


def _functions_around(every: Calls, call: int) -> list[int]:
    """Those of the call's own track, in calls that are listed or inherited."""
    chains, node = every.chains, int(every.node[call])
    found = []
    while not chains.started[node] and chains.parent[node] >= 0:
        node = int(chains.parent[node])
        found.append(int(chains.function[node]))
    return found


def _around(every: Calls, call: int) -> list[int]:
    found = []
    while every.parent[call] >= 0:
        call = int(every.parent[call])
        found.append(call)
    return found
