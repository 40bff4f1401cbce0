"""Random programs: what they do is known, so are the calls and chains that must be read."""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from functrace.analysis import calls
from functrace.trace import open_trace
from tests.trace import writer as w
from tests.trace.meaning import both, twin

Chain = tuple[tuple[int, bool], ...]


@dataclass
class Call:
    function: int
    start: int
    chain: Chain


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

    def place(self, starter: int) -> Chain:
        of_starter = [call for call in self.open if call.function == starter]
        before = [call for call in self.begun if call.function == starter]
        found = of_starter[-1:] or before[-1:] or self.open[-1:]
        return found[0].chain if found else ()

    def cut(self) -> None:
        if self.words:
            self.chunks.append((self.opened, self.words))
        self.words, self.opened = [], len(self.open)


class Program:
    def __init__(self) -> None:
        self.now = 0
        self.tracks: list[Goroutine] = []
        self.expected: list[tuple[Any, ...]] = []

    def begin(self, parent: Goroutine | None, starter: int) -> None:
        number = len(self.tracks) + 1
        above = parent.number if parent else 0
        record = w.track(number, 1000 + self.now, parent=above, starter=starter)
        below = parent.place(starter) if parent else ()
        self.tracks.append(Goroutine(number, below, [record]))
        self.enter(self.tracks[-1], 4)

    def enter(self, track: Goroutine, function: int) -> None:
        above = track.open[-1].chain if track.open else track.below
        started = not track.open and bool(above)
        call = Call(function, self.now, (*above, (function, started)))
        track.open.append(call)
        track.begun.append(call)
        track.words.append(w.enter(function, self.now))

    def leave(self, track: Goroutine, text: str) -> None:
        if track.open:
            if text:
                track.words.append(w.error(text))
            call = track.open.pop()
            track.words.append(w.leave(call.function, self.now))
            self.note(track, call, self.now, text, len(track.open), False)

    def note(
        self, track: Goroutine, call: Call, end: int, text: str, depth: int, unfinished: bool
    ) -> None:
        times = call.start, end - call.start
        self.expected.append((track.number, *times, call.chain, depth, text, unfinished))

    def end(self) -> bytes:
        last = self.now
        for track in self.tracks:
            for depth, call in enumerate(track.open):
                self.note(track, call, last, "", depth, True)
            track.cut()
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
        st.sampled_from(["enter", "enter", "leave", "leave", "begin", "cut"]),
        st.integers(0, 30),
        st.integers(1, 4),
        st.sampled_from(["", "", "", "no", "Grund: ü"]),
    ),
    max_size=60,
)


def run(steps: list[tuple[str, int, int, str]]) -> Program:
    program = Program()
    program.begin(None, 0)
    for what, which, function, text in steps:
        program.now += 1 + which
        track = program.tracks[which % len(program.tracks)]
        if what == "enter":
            program.enter(track, function)
        elif what == "leave":
            program.leave(track, text)
        elif what == "begin":
            program.begin(track, function)
        else:
            track.cut()
    return program


def last_event(program: Program) -> int:
    """The last step may have been no event: end at what was one."""
    times = [call.start for track in program.tracks for call in track.begun]
    ends = [start + took for _, start, took, *_ in program.expected]
    return max(times + ends)


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_what_was_done_is_what_is_read(steps: list[tuple[str, int, int, str]]) -> None:
    program = run(steps)
    program.now = last_event(program)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random.ftrace"
        path.write_bytes(program.end())
        found = both(path)
        assert found["damage"] == ()
        assert found["same"]
        for name in ("native", "python"):
            with twin(name):
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
            chain(int(listed.node[i])),
            int(listed.depth[i]),
            listed.text(i),
            bool(listed.unfinished[i]),
        )
        for i in range(len(listed))
    ]


def totals(chains: dict[str, list[int]]) -> Counter[tuple[int, ...]]:
    names = ("calls", "total", "min", "max", "errors", "unfinished")
    return Counter(zip(chains["function"], *(chains[name] for name in names), strict=True))


def expected_totals(program: Program) -> Counter[tuple[int, ...]]:
    by_chain = defaultdict(list)
    for _, _, took, chain, _, text, unfinished in program.expected:
        by_chain[chain].append((took, text, unfinished))
    return Counter(
        (
            chain[-1][0] - 1,
            len(of_chain),
            sum(took for took, _, _ in of_chain),
            min((took for took, _, unfinished in of_chain if not unfinished), default=0),
            max((took for took, _, unfinished in of_chain if not unfinished), default=0),
            sum(bool(text) for _, text, _ in of_chain),
            sum(unfinished for _, _, unfinished in of_chain),
        )
        for chain, of_chain in by_chain.items()
    )
