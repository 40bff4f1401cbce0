"""Events and own time by function in the first words of a chunk, for the budget."""

from __future__ import annotations

from functrace.runtime import BUILTINS
from functrace.runtime.trace_file import HEAD_WORDS

globals()["__builtins__"] = BUILTINS

_MAX_WORDS = 1024  # enough for shares; more would take long
_ENTRY, _RECORD = 1, 3
_BASE, _TRACK, _OPEN, _SUSPENDED, _RESUMED, _SWITCH = 1, 2, 5, 7, 8, 10
_AGAIN = 1 << 8
_CHUNK_BASE = 4  # word of a chunk's head
_MAX_FUNCTION = (1 << 20) - 1


class FunctionTally:
    """What a chunk contains of a function."""

    __slots__ = "entries", "events", "own_ticks"

    def __init__(self) -> None:
        self.events = self.entries = self.own_ticks = 0


class ChunkTally:
    """Counts of the first words of a chunk.

    Attributes:
        functions: by function number.
        events, words: that were counted.
        ticks: the time that these cover.
    """

    def __init__(self, words: memoryview, used: int) -> None:
        self.functions: dict[int, FunctionTally] = {}
        self.events = 0
        self._base = self._previous = words[_CHUNK_BASE]
        self._open: list[int] = []  # numbers of the known open calls
        self._is_running = False  # the time since _previous belongs to the innermost call
        self.words = min(used, _MAX_WORDS) - HEAD_WORDS
        at, end, begin = HEAD_WORDS, HEAD_WORDS + self.words, self._previous
        while at < end:
            word = words[at]
            if word & 3 == _RECORD:
                size = (word >> 8 & 0xFFFF) + 7 >> 3
                self._read_record(word, words[at + 1 : at + 1 + size])
                at += size
            else:
                self._count_event(word)
            at += 1
        self.ticks = self._previous - begin

    def _count_event(self, word: int) -> None:
        number = word >> 2 & _MAX_FUNCTION
        is_entry = word & 3 == _ENTRY
        # An exit shows which call was the innermost one.
        self._add_time(self._base + (word >> 22), self._innermost() if is_entry else number)
        self._is_running = True
        tally = self._tally_of(number)
        tally.events += 1
        self.events += 1
        if is_entry:
            tally.entries += 1
            self._open.append(number)
        elif self._open:
            self._open.pop()

    def _read_record(self, word: int, payload: memoryview) -> None:
        kind, value = word >> 2 & 63, word >> 24
        if kind == _BASE:
            self._base = payload[0]
        elif kind == _SWITCH or (kind == _TRACK and not value & _AGAIN):
            self._open.clear()
            self._is_running = False
        elif kind == _OPEN:
            self._open.append(payload[1])
        elif kind in (_SUSPENDED, _RESUMED):
            self._add_time(self._base + value, self._innermost())
            self._is_running = kind == _RESUMED

    def _add_time(self, now: int, number: int) -> None:
        if self._is_running and number:
            self._tally_of(number).own_ticks += max(0, now - self._previous)
        self._previous = now

    def _innermost(self) -> int:
        return self._open[-1] if self._open else 0

    def _tally_of(self, number: int) -> FunctionTally:
        found = self.functions.get(number)
        if found is None:
            found = self.functions[number] = FunctionTally()
        return found
