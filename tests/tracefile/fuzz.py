"""Mutates the vectors, reads them with the engine and the reference, draws and follows them.

    python -m tests.tracefile.fuzz [seconds seed [binary]]

Not run by pytest. The third argument is another build of the engine; make fuzz-reader passes one
with sanitizers.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from contextlib import suppress
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from unittest.mock import patch

import numpy as np

from functrace import _native
from functrace.analysis import Listing, Selection
from functrace.errors import FunctraceError
from functrace.rollup.followed import FollowedRollups
from functrace.tracefile import open_trace
from functrace.tracefile.chain_follower import ChainFollower
from functrace.tracefile.follower import Follower
from functrace.view import index
from functrace.view.call_query import ORDERS, CallQuery
from functrace.view.timeline import Timeline
from tests.tracefile import writer as w
from tests.tracefile.meaning import both
from tests.tracefile.vectors import VECTORS, VERSION_1
from tests.view.contract import check_window

_HEADER = 4096


def load(binary: str) -> None:
    """Make another build of the engine the one that is used."""
    loader = ExtensionFileLoader("functrace._native._reader", binary)
    spec = spec_from_file_location(loader.name, binary, loader=loader)
    assert spec is not None
    module = sys.modules[loader.name] = module_from_spec(spec)
    loader.exec_module(module)
    _native._reader = module  # type: ignore[assignment,attr-defined]


def fuzz(seconds: float, seed: int) -> int:
    chance = random.Random(seed)
    end = time.monotonic() + seconds
    runs = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fuzz.ftrace"
        while time.monotonic() < end:
            content = mutated(chance)
            path.write_bytes(content)
            try:
                with suppress(FunctraceError):
                    both(path, *_question(chance))
                with suppress(FunctraceError):
                    view(path, chance)
                with suppress(FunctraceError):
                    _follow(path, chance)
            except BaseException:
                Path("build/fuzz.ftrace").write_bytes(content)
                raise
            runs += 1
    return runs


def view(path: Path, chance: random.Random) -> None:
    """Draw windows of the trace from an index with short strips."""
    trace = open_trace(path)
    with patch.object(index, "STRIP_WORDS", chance.choice([1, 2, 5, 20])):
        timeline = Timeline.open(trace)
    tracks = [track for track in range(len(trace.tracks)) if chance.random() < 0.8]
    for _ in range(4):
        since = chance.choice([0, chance.randrange(100)])
        until = since + chance.choice([chance.randrange(100), 1 << chance.randrange(62)])
        depth = chance.randrange(1, 9)
        window = timeline.window(tracks, since, until, chance.randrange(1, 50), depth)
        check_window(trace, window, tracks, depth)
    with suppress(ValueError):
        _use(Timeline(trace, _damaged(timeline.index, chance)), tracks, chance)


def _damaged(intact: index.TraceIndex, chance: random.Random) -> index.TraceIndex:
    arrays = {name: getattr(intact, name).copy() for name in index.ROW_TYPES}
    octets = arrays[chance.choice(list(arrays))].view(np.uint8)
    for _ in range(chance.randrange(1, 4) if len(octets) else 0):
        octets[chance.randrange(len(octets))] = chance.choice([0, 1, 0x7F, 0x80, 0xFF])
    return index.TraceIndex(**arrays)


def _use(timeline: Timeline, tracks: list[int], chance: random.Random) -> None:
    since = chance.randrange(100)
    timeline.window(tracks, since, since + chance.randrange(1000), chance.randrange(1, 2000))
    order = chance.choice(ORDERS)
    timeline.calls_in(CallQuery(since, min_duration_ns=chance.randrange(2), order=order, limit=3))


def _follow(path: Path, chance: random.Random) -> None:
    """Read the trace as one that grows, while other chunks take the place of its own."""
    if chance.random() < 0.5:
        follower: Follower = Follower(path)
        rollups = None
    else:
        follower = folding = ChainFollower(path, 1 + chance.randrange(9))
        rollups = FollowedRollups(folding, 3600 * 10**9, chance.choice((0, 100)))
    for _ in range(chance.randrange(4)):
        _query(follower, rollups)
        content = mutated(chance)
        with path.open("r+b") as file:
            file.seek(_HEADER)
            file.write(content[_HEADER:])
    while _query(follower, rollups):
        pass
    follower.finish()
    _drain(follower, rollups)


def _query(follower: Follower, rollups: FollowedRollups | None) -> int:
    count = follower.advance()
    if isinstance(follower, ChainFollower) and count % 3 == 0:
        follower.drop_unread()
    _drain(follower, rollups)
    return count


def _drain(follower: Follower, rollups: FollowedRollups | None) -> None:
    if isinstance(follower, ChainFollower) and rollups is not None:
        found = follower.window()
        assert len(found.new_chains) <= 10
        assert (found.figures["failed"] <= found.figures["calls"]).all()
        assert (found.failures["calls"] > 0).all()
        age_ns = follower.clock.nanosecond(follower.last_ticks)
        rollups.add(found, age_ns)
        for rollup in rollups.pop_all(age_ns):
            assert sum(row.calls for row in rollup.figures.values()) <= found.figures["calls"].sum()
    else:
        follower.drain()
    follower.open_calls()


def _question(chance: random.Random) -> tuple[Selection, Listing]:
    if chance.random() < 0.5:
        return Selection(), Listing()
    tracks = None if chance.random() < 0.5 else chance.sample(range(4), 2)
    since = chance.randrange(1000)
    selection = Selection(since, since + chance.randrange(100), tracks)
    if chance.random() < 0.5:
        return selection, Listing(
            chance.randrange(5),
            None,
            chance.randrange(20),
            chance.random() < 0.2,
            usual_factor=chance.randrange(3),
        )
    some = None if chance.random() < 0.5 else chance.sample(range(4), 3)
    return chance.choice([selection, Selection(tracks=tracks)]), Listing(
        limit=chance.choice([5, 1000]),
        functions=some,
        min_duration_ns=chance.choice([0, 10]),
        failed_only=True,
        focus=None if chance.random() < 0.3 else chance.sample(range(4), 1),
        include_callers=True,
        preceding_calls=chance.randrange(4),
        window=chance.choice([None, Selection(), Selection(since - 30, since + 50)]),
    )


def mutated(chance: random.Random) -> bytes:
    vectors = VECTORS if chance.random() < 0.8 else VERSION_1
    content = bytearray(chance.choice(list(vectors.values())))
    if chance.random() < 0.5:
        requests = chance.random() < 0.4
        content = bytearray(generated(chance, forks=True, requests=requests))
    mutate(chance, content)
    return bytes(content)


def mutate(chance: random.Random, content: bytearray) -> None:
    """Change up to seven places of a trace."""
    for _ in range(chance.randrange(8)):
        chance.choice(_MUTATIONS)(chance, content)


def generated(
    chance: random.Random, *, forks: bool = False, cycles: bool = True, requests: bool = False
) -> bytes:
    """Words that are well-formed each, and make little sense together.

    The chunks are those of several writers, so that a track's runs are in any order. With `forks`,
    tracks are started by inherited calls, which may be later than their own calls. With `cycles`,
    tracks may be parents of each other. With `requests`, some functions stand for requests.
    """
    chunks = [w.REQUEST_FUNCTIONS if requests else w.FUNCTIONS]
    sequences = list(range(2, 2 + chance.randrange(6)))
    chance.shuffle(sequences)
    runs = dict.fromkeys(range(1, 7), chance.choice([0, (1 << 24) - 4]))
    for sequence in sequences:
        words = []
        for _ in range(chance.randrange(1, 8)):
            words += _run(chance, runs, cycles)
            words += [_word(chance, cycles) for _ in range(1, chance.randrange(2, 12))]
            words += _request(chance) if requests else []
        if forks and chance.random() < 0.3:
            words = _forked(chance) + words
        chunks.append(w.events(sequence, *words, track=chance.randrange(4)))
    chance.shuffle(chunks)
    return w.header(version=2, flags=chance.choice([1, 4])) + b"".join(chunks)


def _parent(chance: random.Random, track: int, cycles: bool) -> int:
    return chance.randrange(6 if cycles else max(track, 1))


def _begun(chance: random.Random, ticks: int, cycles: bool) -> bytes:
    track = chance.randrange(6)
    parent = _parent(chance, track, cycles)
    return w.track(track, ticks, parent=parent, starter=chance.randrange(6))


def _run(chance: random.Random, runs: dict[int, int], cycles: bool) -> list[bytes]:
    """Return what begins a run of a track, perhaps with a list, perhaps after a gap."""
    track = chance.randrange(1, 7)
    runs[track] += chance.choice([1] * 9 + [3])
    listed = []
    if chance.random() < 0.2:
        listed = [w.track(track, 1000, parent=_parent(chance, track, cycles), again=True)]
        listed += [w.opened(1000 + chance.randrange(100), function) for function in range(1, 4)]
    opened = chance.choice([0, 0, 1, 2, 3, 50])
    return [w.switch(track, runs[track], opened=opened), *listed, w.lost(1)]


def _forked(chance: random.Random) -> list[bytes]:
    """Inherited calls, at equal ticks too, and a track that they may have started."""
    track, ticks = chance.randrange(1, 5), chance.randrange(20)
    calls = [
        w.inherited(1000 + ticks, chance.randrange(1, 5)) for _ in range(chance.randrange(1, 4))
    ]
    starter = chance.randrange(6)
    child = w.track(chance.randrange(1, 7), 1000 + ticks, parent=track, starter=starter)
    parent = w.track(track, 1000 + ticks, parent=chance.randrange(5), starter=starter)
    return [parent, *calls, w.enter(chance.randrange(1, 5), ticks), child]


def _request(chance: random.Random) -> list[bytes]:
    """A request that may contain a call, with some of its records missing or of another request."""
    function, begin, end = chance.randrange(1, 5), chance.randrange(60), chance.randrange(40, 100)
    inner = [w.enter(4, begin), w.leave(4, end)]
    words = [
        *([_request_record(chance), _status(chance)] if chance.random() < 0.1 else []),
        w.enter(function, begin),
        *(_request_record(chance) for _ in range(chance.choice([0, 1, 1, 1, 2]))),
        *(inner if chance.random() < 0.4 else []),
        *([_status(chance)] if chance.random() < 0.7 else []),
        *([w.error("503")] if chance.random() < 0.3 else []),
        *([w.leave(function, end)] if chance.random() < 0.7 else []),
    ]
    return words if chance.random() < 0.8 else words[chance.randrange(3) :]


def _request_record(chance: random.Random) -> bytes:
    if chance.random() < 0.1:
        return w.record(11, b"r" * chance.randrange(60), chance.randrange(1 << 12))
    is_inbound = chance.random() < 0.6
    return w.request(
        chance.choice([0, 1, 2, 3, 4, 9, (1 << 64) - 1]),
        inbound=None if is_inbound else chance.choice([0, 1, 2, 3, (1 << 64) - 1]),
        protocol=chance.randrange(16),
        ids=chance.choice([None, (32 * "a", 16 * "f")]),
        sampled=chance.random() < 0.5,
        ft=(chance.choice([1, (1 << 64) - 1]), 3) if is_inbound and chance.random() < 0.3 else None,
    )


def _status(chance: random.Random) -> bytes:
    route = chance.choice([0, 1, 2, 7, (1 << 20) - 1])
    return w.status(chance.randrange(1 << 16), grpc=chance.random() < 0.5, route=route)


def _word(chance: random.Random, cycles: bool) -> bytes:
    ticks = chance.choice([chance.randrange(100), chance.randrange(1 << 42)])
    function = chance.randrange(6)
    makers = [
        lambda: w.enter(function, ticks),
        lambda: w.leave(function, ticks),
        lambda: w.enter(chance.randrange(1, 5), chance.randrange(100)),
        lambda: w.leave(chance.randrange(1, 5), chance.randrange(100)),
        lambda: w.base(chance.choice([ticks, (1 << 64) - 1 - ticks])),
        lambda: w.error("e" * chance.randrange(20), chance.randrange(3)),
        lambda: w.panic("p" * chance.randrange(20), chance.randrange(3)),
        lambda: w.opened(1000 + ticks, function, chance.randrange(2)),
        lambda: w.inherited(1000 + chance.randrange(100), chance.randrange(1, 5)),
        lambda: w.lost(1 + chance.randrange(9)),
        lambda: w.suspended(chance.choice([ticks & (1 << 40) - 1, chance.randrange(100)])),
        lambda: w.resumed(chance.choice([ticks & (1 << 40) - 1, chance.randrange(100)])),
        lambda: _begun(chance, ticks, cycles) + w.enter(function, ticks),
        lambda: w.record(chance.randrange(64), b"?" * chance.randrange(40), ticks & 0xFF),
    ]
    weights = [4, 4, 8, 8, 1, 1, 1, 2, 2, 0.3, 2, 2, 1, 1]
    return chance.choices(makers, weights)[0]()


def _flip(chance: random.Random, content: bytearray) -> None:
    if len(content) > _HEADER:
        content[chance.randrange(_HEADER, len(content))] ^= 1 << chance.randrange(8)


def _overwrite(chance: random.Random, content: bytearray) -> None:
    if len(content) >= _HEADER + 8:
        at = chance.randrange(_HEADER // 8, len(content) // 8) * 8
        value = chance.choice([0, 1, 2, 3, 0xFF, 1 << 31, 1 << 63, (1 << 64) - 1])
        content[at : at + 8] = value.to_bytes(8, "little")


def _truncate(chance: random.Random, content: bytearray) -> None:
    del content[chance.randrange(_HEADER, len(content) + 1) :]


def _copy(chance: random.Random, content: bytearray) -> None:
    if len(content) > _HEADER + 512:
        source = chance.randrange(_HEADER // 512, len(content) // 512) * 512
        target = chance.randrange(_HEADER // 512, len(content) // 512 + 1) * 512
        content[target : target + 512] = content[source : source + 512]


_MUTATIONS = [_flip, _flip, _overwrite, _truncate, _copy]


if __name__ == "__main__":
    seconds, seed = (float(sys.argv[1]), int(sys.argv[2])) if len(sys.argv) > 2 else (60.0, 1)
    if len(sys.argv) > 3:
        load(sys.argv[3])
    sys.stdout.write(f"{fuzz(seconds, seed)} runs\n")
