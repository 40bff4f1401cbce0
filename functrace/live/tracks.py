"""What a track does, word by word: its open calls, and those that others may go on in."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from functrace.analysis.stream import Call
from functrace.export.otlp.frames import Frame, goes_on_in, place_of
from functrace.export.otlp.ids import TrackIds
from functrace.export.otlp.places import NOWHERE, Place
from functrace.trace import format as fmt

if TYPE_CHECKING:
    from functrace.live.calls import Calls

# Beside the format's types of records: what happens to a track where its chunks begin and end.
BEGINS = 0x3F << 2 | fmt.RECORD  # a chunk; with how many calls are open
GOES_ON = 0x3E << 2 | fmt.RECORD  # in the midst of a chunk
MISSES = 0x3D << 2 | fmt.RECORD  # words that were overwritten before they were read
OPEN, ERROR, PANIC, LOST, SUSPENDED, RESUMED, INHERITED = (
    kind << 2 | fmt.RECORD
    for kind in (
        fmt.OPEN,
        fmt.ERROR,
        fmt.PANIC,
        fmt.LOST,
        fmt.SUSPENDED,
        fmt.RESUMED,
        fmt.INHERITED,
    )
)
_FURTHEST = 10_000  # calls that are looked through for a starter's last
_GENERATIONS = 256  # of tracks above one that are kept for its sake

Payload = tuple[int, ...] | tuple[int, int, bool] | tuple[int, bytes]


class OpenCall(Frame):
    """A call, open or ended; times are ticks."""

    __slots__ = ("end", "is_unfinished", "waited")

    end: int
    """-1 while it is open"""
    is_unfinished: bool
    waited: int
    """how long its track had waited when it began"""


class _Failure:
    """With what the call fails whose exit comes next."""

    __slots__ = ("cut", "error", "goexit", "panic", "text")

    def __init__(self) -> None:
        self.error = self.panic = self.goexit = self.cut = False
        self.text = b""

    def note(self, kind: int, value: int, text: bytes) -> None:
        """An error or a panic."""
        if kind == ERROR:
            self.error = True
        elif value == fmt.GOEXIT:
            self.goexit = True
        else:
            self.panic = True
        self.cut |= value == fmt.CUT
        self.text = text


_NO_FAILURE = _Failure()


class LiveTrack:
    """A track.

    Args:
        calls: what it is a part of.
        index: its number among those of this process.
        id: the language's.
        ids: of its calls.
    """

    def __init__(self, calls: Calls, index: int, id: int, ids: TrackIds) -> None:  # noqa: A002
        self.calls = calls
        self.index = index
        self.id = id
        self.ids = ids
        self.kind = fmt.TRACK_KINDS[0]
        self.name = ""
        self.start = fmt.TIME_LIMIT
        self._parent = self._starter = 0
        self.is_known = False
        """its record was read"""
        self.place: Place | None = None
        self.origin: Frame | None = None
        self.generation = 0
        self.open: list[OpenCall] = []
        self._inherited: list[tuple[int, int]] = []
        """calls around these that another process began and sends: function and start of each"""
        self._history: list[OpenCall] = []
        self._forgotten = 0  # items at the beginning of it
        self._last: dict[int, OpenCall] = {}  # by starter
        self.now = 0
        self._waited = 0
        self._is_suspended = False
        self._failure = _NO_FAILURE
        self._reopens = False  # a chunk has begun, and no event of it has come
        self._reopened = self._expected = 0
        self._hidden = 0
        """open calls whose entries were overwritten and that are not listed"""
        self._hidden_index = 0
        """the call that is the first inside them"""
        self._misses = self._misses_for_sure = False
        self.times: list[int] = []
        """when what was read and not gone through yet happened: ascending"""
        self.words: list[int] = []
        """what that is: of an event the lowest bits, of a record its kind"""
        self.payloads: deque[Payload] = deque()
        """of the records that have one"""
        self.read_until = 0

    def know(self, kind: int, start: int, parent: int, starter: int, name: str) -> None:
        """What its record says; the first is right."""
        if not self.is_known:
            self.is_known = True
            self.kind = fmt.TRACK_KINDS[kind if kind < len(fmt.TRACK_KINDS) else 0]
            self.start, self._parent, self._starter, self.name = start, parent, starter, name

    @property
    def is_idle(self) -> bool:
        """Nothing is open on it, and nothing is to be gone through."""
        return not self._depth and not self.times

    def add(self, word: int, payload: Payload | None = None, time: int = 0) -> None:
        """A record was read."""
        self.read_until = max(self.read_until, time)
        self.times.append(self.read_until)
        self.words.append(word)
        if payload is not None:
            self.payloads.append(payload)

    # What was read

    def go_through(self, count: int) -> None:
        """The first so many words."""
        times, words = self.times[:count], self.words[:count]
        del self.times[:count], self.words[:count]
        index_of = self.calls.index_of
        known = len(index_of)
        for time, word in zip(times, words, strict=True):
            kind = word & 3
            if kind == fmt.RECORD:
                self._record(word, time)
                continue
            if self._reopens:
                self._settle()
            number = word >> 2
            function = index_of[number] if number < known else -1
            self._move(time)
            if kind == fmt.ENTRY:
                if function >= 0:
                    self._enter(function, time)
            else:
                self._leave(function, time)

    def end(self, time: int) -> None:
        """Nothing more comes."""
        if self._reopens:
            self._settle()
        self._move(max(self.now, time), suspended=self._is_suspended)
        self._abandon(0, self.now, is_whole=not self._misses_for_sure)

    def _move(self, time: int, *, suspended: bool = False) -> None:
        if self._is_suspended:
            self._waited += time - self.now
        self.now = time
        self._is_suspended = suspended

    def _record(self, word: int, time: int) -> None:
        if word in (BEGINS, GOES_ON):
            if self._reopens:
                self._settle()
            self._reopens = word == BEGINS
            self._reopened = 0
            self._expected = self._number()
        elif word == MISSES:
            self._misses = True
            self._misses_for_sure |= bool(self._number())
        elif word == OPEN:
            self._match_open(*self.payloads.popleft())
        elif word == LOST:
            self._is_suspended = False
        else:
            if self._reopens:
                self._settle()
            if word == INHERITED:
                self._inherit(*self.payloads.popleft())
            elif word in (ERROR, PANIC):
                self._fail(word, *self.payloads.popleft())
            else:
                self._move(time, suspended=word == SUSPENDED)

    def _number(self) -> int:
        """That of a record that has just one."""
        return self.payloads.popleft()[0]

    def _fail(self, word: int, value: int, text: bytes) -> None:
        if self._failure is _NO_FAILURE:
            self._failure = _Failure()
        self._failure.note(word, value, text)

    def _match_open(self, start: int, number: int, is_inherited: bool) -> None:
        """A call open where a chunk begins: known already, or the track's calls are not these."""
        function = self.calls.function(number)
        if not self._reopens or function < 0:
            return
        index = self._reopened
        self._reopened += 1
        if self._hidden and index >= self._hidden_index:
            self._abandon(self._hidden_index, self.now, is_whole=self._is_whole)
            self._hidden = 0
        if index < self._depth and self._at(index) == (function, start):
            return
        self._abandon(index, self.now, is_whole=self._is_whole)
        self._reopen(function, start, is_inherited)

    def _inherit(self, start: int, number: int, is_inherited: bool) -> None:
        """A call that was open where the process began."""
        function = self.calls.function(number)
        if function >= 0:
            self._reopen(function, start, is_inherited)

    def _reopen(self, function: int, start: int, is_inherited: bool) -> None:
        """A call turns out to be open."""
        start = max(start, self.now)  # it did not begin before what happened outside of it
        self._move(start, suspended=self._is_suspended)
        if is_inherited and not self.open:
            self._inherited.append((function, start))
        else:
            self._enter(function, start)

    @property
    def _depth(self) -> int:
        """How many calls are open, inherited ones included."""
        return len(self._inherited) + len(self.open)

    def _at(self, index: int) -> tuple[int, int]:
        """Function and start of an open call."""
        if index < len(self._inherited):
            return self._inherited[index]
        call = self.open[index - len(self._inherited)]
        return call.function, call.start

    @property
    def _is_whole(self) -> bool:
        """Whether it is all read that the track did before a chunk that begins."""
        return not (self._misses or self.calls.misses_chunks)

    def _settle(self) -> None:
        """Where a chunk's first event comes, the calls that it says are open should be."""
        self._reopens = False
        expected = max(self._reopened, self._expected)
        if self._misses or self._depth + self._hidden != expected:
            self._match_depth(expected)
        self._misses = self._misses_for_sure = False

    def _match_depth(self, expected: int) -> None:
        """End calls that are not open any more, hide those that are neither known nor listed."""
        is_known = not self._misses and not self._hidden and self._depth > expected
        depth = self._reopened if self._reopened and not is_known else expected
        self._abandon(depth, self.now, is_whole=self._is_whole)
        self._hidden_index = self._depth
        self._hidden = max(expected - self._depth, 0) if self._reopened else 0

    # Calls

    def _enter(self, function: int, start: int) -> None:
        if self.place is None:
            self._find_place()
        call = OpenCall(self, function, start, self.open[-1] if self.open else None)
        call.end = -1
        call.is_unfinished = False
        call.waited = self._waited
        self.calls.choice.begin(call)
        self.open.append(call)
        self._history.append(call)
        self.calls.remember(self)
        if function in self.calls.starters:
            self._last[function] = call

    def _leave(self, function: int, time: int) -> None:
        failure, self._failure = self._failure, _NO_FAILURE
        index = self._depth - 1
        while index >= 0 and self._at(index)[0] != function:
            index -= 1
        if self._hidden and index < self._hidden_index:
            self._abandon(self._hidden_index, time)
            self._hidden -= 1
            return
        if index < 0:
            return
        self._abandon(index + 1, time)
        if self.open:
            self._finish(self.open.pop(), time, failure)
        else:
            self._inherited.pop()

    def _abandon(self, depth: int, time: int, *, is_whole: bool = True) -> None:
        """Calls end without an exit; where words are missing nobody knows when."""
        if depth < self._hidden_index:
            self._hidden = 0
        while self.open and self._depth > depth:
            call = self.open.pop()
            if is_whole:
                call.is_unfinished = True
                self._finish(call, time, _NO_FAILURE)
            else:
                call.end = time
                call.kept = False
                self.calls.dropped += 1
        del self._inherited[depth:]

    def _finish(self, call: OpenCall, time: int, failure: _Failure) -> None:
        call.end = time
        calls = self.calls
        if not call.kept and calls.sends_everything:
            return
        nanoseconds = calls.nanoseconds
        call.text = failure.text.decode("utf-8", "replace")
        call.call = Call(
            self.index,
            len(self.open) + 1,
            call.function,
            nanoseconds(call.start),
            call.start,
            nanoseconds(time - call.start),
            failure.error,
            failure.panic,
            failure.goexit,
            call.is_unfinished,
            0,
            len(failure.text),
            failure.cut,
            nanoseconds(self._waited - call.waited),
        )
        calls.ended(call)

    # Where chains go on

    def _find_place(self) -> None:
        """In the parent, at the time of this track's start."""
        parent = self.calls.parent(self._parent, self)
        self.place = NOWHERE
        if parent is None:
            return
        call = parent.at(self.start, self.calls.function(self._starter))
        if call is not None:
            self.place = place_of(call).shortened()
        elif parent.place is not None:
            self.place = parent.place
        if not self.calls.sends_everything:
            self.origin = call or parent.origin
            self.generation = parent.generation + 1
            if self.generation % _GENERATIONS == 0:
                self._let_go_of_ancestors()

    def _let_go_of_ancestors(self) -> None:
        """Else tasks that each start the next would all be kept."""
        track: LiveTrack = self
        for _ in range(_GENERATIONS):
            if not isinstance(track.origin, OpenCall):
                return
            track = track.origin.track  # type: ignore[assignment]
        track.origin = None

    def at(self, time: int, starter: int) -> OpenCall | None:
        """The call that a track goes on in which this one started then."""
        self.calls.starters.add(starter)
        index = bisect_right(self._history, time, lo=self._forgotten, key=_start) - 1
        if index >= self._forgotten:
            latest: OpenCall | None = self._history[index]
        else:  # it is long ago; what began before and is still open is known
            latest = next((call for call in reversed(self.open) if call.start <= time), None)
        still_open = [call for call in _upwards(latest) if _is_open(call, time)][::-1]
        last = self._last_of(starter, time, index)
        found = goes_on_in(still_open, starter, last)
        assert found is None or isinstance(found, OpenCall)
        return found

    def _last_of(self, starter: int, time: int, index: int) -> OpenCall | None:
        last = self._last.get(starter)
        if last is not None and last.start <= time:
            return last
        furthest = max(self._forgotten - 1, index - _FURTHEST)
        for at in range(index, furthest, -1):
            if self._history[at].function == starter:
                return self._history[at]
        return None

    def forget_first(self) -> None:
        """Of the calls remembered."""
        self._forgotten += 1
        if self._forgotten > 1000 and 2 * self._forgotten > len(self._history):
            del self._history[: self._forgotten]
            self._forgotten = 0


def _start(call: OpenCall) -> int:
    return call.start


def _upwards(call: OpenCall | None) -> Iterator[OpenCall]:
    while call is not None:
        yield call
        call = call.above  # type: ignore[assignment]


def _is_open(call: OpenCall, time: int) -> bool:
    return call.end < 0 or call.end > time or (call.is_unfinished and call.end == time)
