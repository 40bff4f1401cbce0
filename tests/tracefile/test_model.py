"""Random programs: what they do is known, so are the calls and chains that must be read."""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from functrace.analysis import calls
from functrace.tracefile import open_trace
from tests.tracefile import writer as w
from tests.tracefile.meaning import IMPLEMENTATIONS, both, implementation
from tests.tracefile.writers import Writers

Chain = tuple[tuple[int, bool], ...]


@dataclass
class Call:
    function: int
    start: int
    chain: Chain
    waited: int = 0
    is_inherited: bool = False


@dataclass
class Goroutine:
    """One track: its words so far, and everything that a naive reader would keep."""

    number: int
    below: Chain
    words: list[bytes]
    open: list[Call] = field(default_factory=list)
    begun: list[Call] = field(default_factory=list)
    chunks: list[tuple[int, list[bytes]]] = field(default_factory=list)
    opened: int = 0
    waiting_since: int = -1
    record: bytes = b""
    """the track record, until a word follows it"""

    def place(self, starter: int) -> Chain:
        of_starter = [call for call in self.open if call.function == starter]
        before = [call for call in self.begun if call.function == starter]
        found = of_starter[-1:] or before[-1:] or self.open[-1:]
        return found[0].chain if found else self.below

    def wait_until(self, now: int) -> None:
        """What is open now has waited."""
        for call in self.open if self.waiting_since >= 0 else ():
            call.waited += now - self.waiting_since
        self.waiting_since = -1

    def cut(self) -> None:
        if self.words:
            self.chunks.append((self.opened, self.words))
        self.words, self.opened = [], len(self.open)


class Program:
    def __init__(self, seed: int) -> None:
        self.writers = Writers(Random(seed))
        self.now = self.last = 0
        self.tracks: list[Goroutine] = []
        self.expected: list[tuple[Any, ...]] = []
        self.in_inherited: Counter[Chain] = Counter()  # time inside inherited calls, by their chain

    def begin(self, parent: Goroutine | None, starter: int, inherited: int = 0) -> None:
        number = len(self.tracks) + 1
        above = parent.number if parent else 0
        record = w.track(number, 1000 + self.now, parent=above, starter=starter)
        below = parent.place(starter) if parent else ()
        self.tracks.append(Goroutine(number, below, [record], record=record))
        for function in range(1, 1 + inherited):
            self.inherit(self.tracks[-1], function)
        self.enter(self.tracks[-1], 4)

    def inherit(self, track: Goroutine, function: int) -> None:
        above = track.open[-1].chain if track.open else track.below
        chain = (*above, (function, not track.open and bool(above)))
        track.open.append(Call(function, self.now, chain, is_inherited=True))
        track.begun.append(track.open[-1])
        self.write(track, w.inherited(1000 + self.now, function), len(track.open) - 1)

    def suspend(self, track: Goroutine) -> None:
        track.wait_until(self.now)
        track.waiting_since = self.now
        self.write(track, w.suspended(self.now), len(track.open))
        self.last = self.now

    def resume(self, track: Goroutine) -> None:
        track.wait_until(self.now)
        self.write(track, w.resumed(self.now), len(track.open))
        self.last = self.now

    def enter(self, track: Goroutine, function: int) -> None:
        track.wait_until(self.now)
        self.last = self.now
        above = track.open[-1].chain if track.open else track.below
        started = not track.open and bool(above)
        call = Call(function, self.now, (*above, (function, started)))
        track.open.append(call)
        track.begun.append(call)
        self.write(track, w.enter(function, self.now), len(track.open) - 1)

    def leave(self, track: Goroutine, text: str) -> None:
        if track.open:
            track.wait_until(self.now)
            self.last = self.now
            if text:
                self.write(track, w.error(text), len(track.open))
            call = track.open.pop()
            self.write(track, w.leave(call.function, self.now), len(track.open) + 1)
            self.note(track, call, self.now, text, len(track.open), False)

    def write(self, track: Goroutine, word: bytes, opened: int) -> None:
        """Write a word; so many calls are open before it."""
        track.words.append(word)
        self.writers.put(track.number, word, [b""] * opened, track.record)
        track.record = b""

    def note(
        self, track: Goroutine, call: Call, end: int, text: str, depth: int, unfinished: bool
    ) -> None:
        if call.is_inherited:
            return
        if depth and track.open[depth - 1].is_inherited:
            self.in_inherited[call.chain[:-1]] += end - call.start - call.waited
        times = call.start, end - call.start, call.waited
        self.expected.append((track.number, *times, call.chain, depth, text, unfinished))

    def end(self, version: int = 1) -> bytes:
        last = self.last
        for track in self.tracks:
            track.wait_until(last)
            for depth, call in enumerate(track.open):
                self.note(track, call, last, "", depth, True)
            track.cut()
        if version > 1:
            return w.header(version=version) + w.FUNCTIONS + self.writers.written()
        return self.written()

    def written(self) -> bytes:
        sequence = 1
        out = [w.header(), w.FUNCTIONS]
        for track in self.tracks:
            for number, (opened, words) in enumerate(track.chunks):
                sequence += 1
                head = {"track": track.number if number else 0, "opened": opened}
                out.append(w.events(sequence, *words, **head))
        return b"".join(out[:2] + out[2:][::-1])


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["enter", "enter", "leave", "leave", "begin", "cut", "suspend", "resume"]),
        st.integers(0, 30),
        st.integers(1, 4),
        st.sampled_from(["", "", "", "no", "Grund: ü"]),
    ),
    max_size=60,
)


def run(steps: list[tuple[str, int, int, str]], seed: int = 0) -> Program:
    program = Program(seed)
    program.begin(None, 0)
    for what, which, function, text in steps:
        program.now += 1 + which
        track = program.tracks[which % len(program.tracks)]
        if what == "enter":
            program.enter(track, function)
        elif what == "leave":
            program.leave(track, text)
        elif what == "begin":
            program.begin(track, function, inherited=which % 3)
        elif what == "suspend":
            program.suspend(track)
        elif what == "resume":
            program.resume(track)
        else:
            track.cut()
    return program


@settings(max_examples=150, deadline=None)
@given(STEPS, st.sampled_from([1, 2]), st.integers(0, 1000))
def test_what_was_done_is_what_is_read(
    steps: list[tuple[str, int, int, str]], version: int, seed: int
) -> None:
    program = run(steps, seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random.ftrace"
        path.write_bytes(program.end(version))
        found = both(path)
        assert found["damage"] == ()
        assert found["same"]
        for name in IMPLEMENTATIONS:
            with implementation(name):
                assert sorted(read_calls(path)) == sorted(program.expected)
        assert totals(found["chains"]) == expected_totals(program)


def read_calls(path: Path) -> list[tuple[Any, ...]]:
    trace = open_trace(path)
    listed = calls(trace)
    chains = listed.chains

    def chain(node: int) -> Chain:
        return tuple(
            (trace.functions[chains.function[at]].number, bool(chains.started[at]))
            for at in chains.chain(node)
        )

    return [
        (
            trace.tracks[int(listed.track[i])].id,
            int(listed.start[i]),
            int(listed.duration[i]),
            int(listed.suspended[i]),
            chain(int(listed.node[i])),
            int(listed.depth[i]),
            listed.text(i),
            bool(listed.unfinished[i]),
        )
        for i in range(len(listed))
    ]


def totals(chains: dict[str, list[int]]) -> Counter[tuple[int, ...]]:
    names = ("calls", "total", "self", "suspended", "min", "max", "errors", "unfinished")
    rows = zip(chains["function"], *(chains[name] for name in names), strict=True)
    return Counter(row for row in rows if row[1])  # others are around inherited calls' callees


def expected_totals(program: Program) -> Counter[tuple[int, ...]]:
    by_chain = defaultdict(list)
    inside = Counter({chain: -time for chain, time in program.in_inherited.items()})
    for _, _, took, waited, chain, depth, text, unfinished in program.expected:
        by_chain[chain].append((took, waited, text, unfinished))
        if depth:
            inside[chain[:-1]] += took - waited
    return Counter(
        (
            chain[-1][0] - 1,
            len(of_chain),
            sum(took for took, *_ in of_chain),
            sum(took - waited for took, waited, *_ in of_chain) - inside[chain],
            sum(waited for _, waited, *_ in of_chain),
            min((took for took, *_, unfinished in of_chain if not unfinished), default=0),
            max((took for took, *_, unfinished in of_chain if not unfinished), default=0),
            sum(bool(text) for _, _, text, _ in of_chain),
            sum(unfinished for *_, unfinished in of_chain),
        )
        for chain, of_chain in by_chain.items()
    )
