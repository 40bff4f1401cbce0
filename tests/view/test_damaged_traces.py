"""Every answer over mutated traces is JSON or a sentence, and no figure is negative."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from functrace.errors import FunctraceError
from functrace.tracefile import open_trace
from functrace.view import api
from functrace.view.answers import encode
from functrace.view.query import Query
from functrace.view.saved_answers import SavedAnswers
from functrace.view.session import Session
from tests.cli import hostile, mall
from tests.tracefile.fuzz import mutate, mutated

_SEED = 20
_TRACES = 20
_NEGATIVE = re.compile(rb'"(?!offset_ns)\w+":-\d|\[-\d|,-\d')  # clocks may be behind

Asked = tuple[str, dict[str, str]]


def requests(session: Session) -> Iterator[Asked]:
    """Yield requests to every endpoint with every parameter."""
    end = str(session.duration_ns)
    tracks = ",".join(str(session.track_id(0, i)) for i in range(len(session.traces[0].tracks)))
    for name in api.ENDPOINTS:
        yield name, {}
        yield name, {"from": "1", "to": end, "tracks": tracks, "errors": "1"}
    yield "window", {"tracks": tracks, "px": "9000", "depth": "1000"}
    for column in ("start", "duration", "self"):
        yield "calls", {"sort": column, "order": "desc", "min_duration": "1"}
    for direction in ("callees", "callers"):
        yield "flame", {"direction": direction, "against": "1", "b_from": "5"}
        yield "flame", {"direction": direction, "min_duration": "1", "to": end}
    for function in session.functions[:3]:
        for name in ("chains", "source", "flame"):
            yield name, {"function": function.name}
        yield "calls", {"include": function.name}
    for call in api.ENDPOINTS["calls"](session, Query({"limit": "5"}))["calls"]:
        yield "call", {"track": str(call["track"]), "start": str(call["start_ns"])}


def check(session: Session) -> int:
    """Request every answer and return how many were given."""
    answers = 0
    for name, parameters in requests(session):
        try:
            content = encode(api.ENDPOINTS[name](session, Query(parameters)))
        except FunctraceError:
            continue
        assert not _NEGATIVE.search(content), (name, parameters)
        answers += 1
    assert encode(SavedAnswers(session, 0, max(session.duration_ns, 1)).saved())
    return answers


def test_mutated_traces(tmp_path: Path) -> None:
    chance = random.Random(_SEED)
    path = tmp_path / "a.ftrace"
    answers = 0
    for _ in range(_TRACES):
        content = bytearray(hostile.trace())
        mutate(chance, content)
        path.write_bytes(bytes(content) if chance.random() < 0.3 else mutated(chance))
        try:
            session = Session([open_trace(path)], ["a.ftrace"])
        except FunctraceError:
            continue
        answers += check(session)
    assert answers > 10 * _TRACES


@pytest.mark.parametrize("seed", range(10))
def test_mutated_services(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    paths = sorted(mall.write(tmp_path).iterdir())
    chosen = chance.choice(paths)
    content = bytearray(chosen.read_bytes())
    mutate(chance, content)
    chosen.write_bytes(bytes(content))
    with suppress(FunctraceError):
        open_trace(chosen)
        assert check(Session([open_trace(path) for path in paths], ["mall"])) > 20
