"""The calls of a program that runs, on all its tracks: what is sent of them, and when."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from functrace.export.otlp.frames import Choice, Span, spans_of, take
from functrace.export.otlp.ids import Identity
from functrace.export.otlp.options import Options
from functrace.globs import matching
from functrace.live.tracks import LiveTrack, OpenCall, Payload
from functrace.trace import Function
from functrace.trace import format as fmt
from functrace.trace.facts import FactsReader
from functrace.trace.header import Header
from functrace.trace.reader import Clock

_AT_ONCE = 50_000  # words, between two looks at what may be forgotten
# What is forgotten: the oldest calls that tracks of later might go on in, and tracks on which
# nothing is open.
_REMEMBERED = 100_000
_TRACKS = 20_000


class LiveProcess:
    """What spans say of the process; see functrace.export.otlp.messages.Source.

    Args:
        path: of its trace.
        header: the trace's.
        facts: those read so far.
    """

    def __init__(self, path: Path, header: Header, facts: FactsReader) -> None:
        self.path = path
        self.pid = header.pid
        self.language = header.language
        self.started = header.started
        self.tracks: dict[int, LiveTrack] = {}
        self._facts = facts

    @property
    def process(self) -> dict[str, Any]:
        """The facts of the process."""
        return self._facts.process

    @property
    def functions(self) -> Sequence[Function]:
        """Those that are known."""
        return self._facts.functions


class Calls:
    """All calls.

    Args:
        path: of the trace.
        header: its header.
        options: which calls are sent; roots are said by the next.
        roots: globs, as ``functrace export --root`` has them.
        tell: gets the spans, each once its call has ended.
    """

    def __init__(
        self,
        path: Path,
        header: Header,
        options: Options,
        roots: Sequence[str],
        tell: Callable[[Iterable[Span]], None],
    ) -> None:
        self.facts = FactsReader()
        self.process = LiveProcess(path, header, self.facts)
        self.start = header.start
        self.index_of: list[int] = [-1]
        self.starters: set[int] = set()
        """functions that have started tracks"""
        self.sends_everything = not options.chosen
        self.misses_chunks = False
        """chunks were overwritten before anything was known of them"""
        self.dropped = 0
        """calls of which it is not known when they ended"""
        self._globs = [matching(glob) for glob in roots]
        self._roots: set[int] = set()
        self._known = 0  # functions that globs were held against
        self._numbers = 0  # that are in index_of
        self.choice = Choice(options, self._roots if roots else None)
        self.nanoseconds = _nanoseconds(header.ticks_per_second)
        self._tell = tell
        self._identity: Identity | None = None
        self._by_id: dict[int, LiveTrack] = {}
        self._count = 0
        self._new: dict[LiveTrack, None] = {}  # those with words to be gone through
        self._remembered: deque[LiveTrack] = deque()

    def learn(self, words: memoryview) -> int:
        """Read facts; returns how many bytes that was."""
        size = self.facts.read(words)
        for number, index in islice(self.facts.index_of.items(), self._numbers, None):
            self.index_of += [-1] * (number + 1 - len(self.index_of))
            self.index_of[number] = index
        self._numbers = len(self.facts.index_of)
        functions = self.facts.functions
        for index in range(self._known, len(functions)):
            if any(is_meant(functions[index].name) for is_meant in self._globs):
                self._roots.add(index)
        self._known = len(functions)
        return size

    def tick(self, ticks_per_second: float) -> None:
        """What ticks are worth, as far as it is known by now."""
        self.nanoseconds = _nanoseconds(ticks_per_second)

    def function(self, number: int) -> int:
        """The index of a function, -1 where it is not known."""
        return self.index_of[number] if number < len(self.index_of) else -1

    def since_start(self, ticks: int) -> int:
        """Ticks after the trace's start."""
        return fmt.ticks_since(ticks, self.start)

    # Tracks

    def track(self, id: int) -> LiveTrack:  # noqa: A002  the language's
        """The track with this id, which may be new."""
        track = self._by_id.get(id)
        if track is None:
            if self._identity is None:
                self._identity = Identity(self.process)
            track = LiveTrack(self, self._count, id, self._identity.track(id))
            self._by_id[id] = self.process.tracks[self._count] = track
            self._count += 1
        return track

    def parent(self, id: int, child: LiveTrack) -> LiveTrack | None:  # noqa: A002
        """The track with this id, if it is one that can have started the other."""
        track = self._by_id.get(id)
        is_older = track is not None and (track.start, track.id) < (child.start, child.id)
        return track if is_older else None

    def add(
        self, track: LiveTrack, word: int, payload: Payload | None = None, time: int = 0
    ) -> None:
        """A track has a new word, which is no event."""
        self.note(track)
        track.add(word, payload, time)

    def note(self, track: LiveTrack) -> None:
        """A track has new words."""
        self._new[track] = None
        if track.index not in self.process.tracks:  # forgotten too early
            self._by_id[track.id] = self.process.tracks[track.index] = track

    def remember(self, track: LiveTrack) -> None:
        """A call has begun on it."""
        self._remembered.append(track)

    # Going through

    def go_through(self, until: int) -> None:
        """Go through what was read, up to some ticks; a parent goes before its children."""
        for bound in self._steps(until):
            for track in sorted(self._new, key=lambda each: (each.start, each.id)):
                count = bisect_right(track.times, bound)
                if count:
                    track.go_through(count)
            self._forget()
        self._new = {track: None for track in self._new if track.times}

    def end(self, time: int) -> None:
        """The program has ended, and all was gone through: what is open has not ended."""
        for track in sorted(self._by_id.values(), key=lambda each: (each.start, each.id)):
            track.end(time)

    def ended(self, call: OpenCall) -> None:
        """A call has ended: it is sent now, or never, or for the sake of one that ends later."""
        if self.sends_everything or call.taken:
            self._tell(spans_of((call,)))
        elif self.choice.wants(call.call):
            self._tell(spans_of(each for each in take(call) if _has_ended(each)))

    def _steps(self, until: int) -> Iterator[int]:
        """Times to go up to, with no more than some words from one to the next."""
        counts = {track: bisect_right(track.times, until) for track in self._new}
        if sum(counts.values()) > _AT_ONCE:
            times = sorted(time for track, n in counts.items() for time in track.times[:n])
            yield from times[_AT_ONCE:-1:_AT_ONCE]
        yield until

    def _forget(self) -> None:
        for _ in range(len(self._remembered) - _REMEMBERED):
            self._remembered.popleft().forget_first()
        if len(self._by_id) > _TRACKS:
            idle = [track for track in self._by_id.values() if track.is_idle]
            idle.sort(key=lambda track: track.now)
            for track in idle[: _TRACKS // 2]:
                del self._by_id[track.id]
                del self.process.tracks[track.index]


def _has_ended(call: Any) -> bool:
    return bool(call.end >= 0)


def _nanoseconds(ticks_per_second: float) -> Callable[[int], int]:
    clock = Clock(ticks_per_second)
    return clock.nanosecond
