"""Programs at random, and which spans their calls are: worked out call by call, from the words of
docs/otlp.md and docs/trace-format.md, with nothing of functrace."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.tracefile import writer as w
from tests.tracefile.writers import Writers

STARTED = 1_700_000_000_000_000_000
NAMES = (
    "main.main",
    "example.com/shop/store.(*Store).Get",
    "main.serve",
    "main.work",
    "main.price",
)
FILES = ("/srv/main.go", "store.go", "", "work.go", "price.go")


@dataclass(eq=False)
class Call:
    """What the program did, and what the recorder said."""

    track: int
    function: str
    start: int
    above: Call | None
    """on its track, or on the one that started that"""
    same_track: bool
    end: int = -1
    error: str = ""
    panic: str = ""
    goexit: bool = False

    @property
    def unfinished(self) -> bool:
        return self.end < 0

    @property
    def failed(self) -> bool:
        return bool(self.error or self.panic)

    def up(self) -> Iterator[Call]:
        """The call, and all above it."""
        call: Call | None = self
        while call is not None:
            yield call
            call = call.above


@dataclass
class Track:
    number: int
    below: Call | None
    open: list[Call] = field(default_factory=list)
    begun: list[Call] = field(default_factory=list)


class Program:
    """Steps drawn at random; its clock goes on by at least a nanosecond with each."""

    def __init__(self, seed: int, steps: int) -> None:
        self._random = random.Random(seed)
        self._now = 0
        self._last = 0
        self._tracks: list[Track] = []
        self._writers = Writers(random.Random(seed))
        self.calls: list[Call] = []
        self._begin(None)
        for _ in range(steps):
            self._step()

    @property
    def end(self) -> int:
        """When the last event was."""
        return self._last

    def _step(self) -> None:
        chance = self._random.random()
        track = self._random.choice(self._tracks)
        if chance < 0.1:
            self._begin(track)  # perhaps at the very tick of the parent's last event
            return
        self._now += self._random.randint(1, 40)
        if chance < 0.6:
            self._enter(track, self._random.choice(NAMES))
        elif track.open:
            self._leave(track)

    def _begin(self, parent: Track | None) -> None:
        number = len(self._tracks) + 1
        starter = self._random.choice(NAMES)
        record = w.track(
            number,
            1000 + self._now,
            kind=1 if number % 3 else 2,
            parent=parent.number if parent else 0,
            starter=NAMES.index(starter) + 1,
            name="" if number % 3 else f"worker {number}",
        )
        below = self._place(parent, starter) if parent else None
        self._tracks.append(Track(number, below))
        self._now += self._random.choice((1, 25))
        self._enter(self._tracks[-1], self._random.choice(NAMES), record)

    def _place(self, parent: Track, starter: str) -> Call | None:
        of_starter = [call for call in parent.open if call.function == starter]
        before = [call for call in parent.begun if call.function == starter]
        found = of_starter[-1:] or before[-1:] or parent.open[-1:]
        return found[0] if found else parent.below

    def _enter(self, track: Track, function: str, record: bytes = b"") -> None:
        above = track.open[-1] if track.open else track.below
        call = Call(track.number, function, self._now, above, bool(track.open))
        self._write(track, w.enter(NAMES.index(function) + 1, self._now), record)
        track.open.append(call)
        track.begun.append(call)
        self.calls.append(call)
        self._last = self._now

    def _leave(self, track: Track) -> None:
        call = track.open[-1]
        call.end = self._now
        failure = b""
        chance = self._random.random()
        if chance < 0.1:
            call.error = self._random.choice(("item 13 is locked", "Grund: ü", "a\nb"))
            failure = w.error(call.error)
        elif chance < 0.15:
            call.panic = "index out of range"
            failure = w.panic(call.panic)
        elif chance < 0.2:
            call.goexit = True
            failure = w.panic(value=2)
        self._write(track, failure + w.leave(NAMES.index(call.function) + 1, self._now))
        track.open.pop()
        self._last = self._now

    def _write(self, track: Track, words: bytes, record: bytes = b"") -> None:
        opened = [
            w.opened(1000 + call.start, NAMES.index(call.function) + 1) for call in track.open
        ]
        self._writers.put(track.number, words, opened, record)

    def written(self) -> bytes:
        functions = [
            w.function(number, name, FILES[number - 1], 10 * number)
            for number, name in enumerate(NAMES, 1)
        ]
        process = w.process(
            '{"argv": ["./bin/shop", "-v"], "host": "web1", "executable": "/srv/bin/shop",'
            ' "runtime": "go1.27.3 linux/amd64"}'
        )
        header = w.header(version=2, flags=0)
        return header + w.facts(1, process, *functions) + self._writers.written()


@dataclass
class Expected:
    """A span that is to come."""

    call: Call
    parent: Call | None
    """None: it is a root"""
    root: Call
    """of its OpenTelemetry trace"""
    link: Call | None
    """of a root"""


def expected(
    program: Program,
    *,
    roots: frozenset[str] | None = None,
    wanted: Callable[[Call], bool] = lambda _: True,
) -> dict[int, Expected]:
    """By when it starts, each span."""
    kept = {
        call for wanted_call in program.calls if wanted(wanted_call) for call in wanted_call.up()
    }
    root_of = {call: root for call in program.calls if (root := _root(call, roots))}
    found = {}
    for call in kept & root_of.keys():
        root = root_of[call]
        is_root = root is call
        link = call.above if is_root and call.above in root_of else None
        found[call.start] = Expected(call, None if is_root else call.above, root, link)
    return found


def _root(call: Call, roots: frozenset[str] | None) -> Call | None:
    """Without roots the outermost call of its track, with some the outermost of them above it."""
    if roots is not None:
        return ([each for each in call.up() if each.function in roots] or [None])[-1]
    return next(each for each in call.up() if not each.same_track)
