"""Per-track chunk writer: stores the words of a track in a chunk that no other track uses.

Between checking the remaining space of the chunk and storing a word nothing is called, so that no
other code of the thread can run in between.
"""

from __future__ import annotations

from typing import NamedTuple

from functrace.runtime import BUILTINS
from functrace.runtime.call_stacks import Call, Track
from functrace.runtime.exception_text import MAX_TEXT_BYTES
from functrace.runtime.system import clock
from functrace.runtime.trace_file import (
    HEAD_WORDS,
    MAX_CHUNK_BYTES,
    Head,
    Segment,
    TraceFile,
    put_record,
)

globals()["__builtins__"] = BUILTINS

_ENTRY, _EXIT, _RECORD = 1, 2, 3
_BASE, _TRACK, _PANIC, _OPEN, _LOST, _SUSPENDED, _RESUMED, _INHERITED = 1, 2, 4, 5, 6, 7, 8, 9
_CUT = 1
_FUNCTION_SHIFT, _TYPE_SHIFT, _TIME_SHIFT, _VALUE_SHIFT = 2, 2, 22, 24
_MAX_TICKS = 1 << 40  # relative to the base: the largest time that a word can hold
_MIN_CHUNK_BYTES = 512
_MAX_OPEN_RECORDS = 1 << 11  # open calls listed per chunk
_MAX_NAME_BYTES = 200
_BASE_WORDS, _LOST_WORDS, _OPEN_WORDS = 2, 1, 3

_NOTHING = memoryview(b"").cast("Q")


class _Pending(NamedTuple):
    """Word that is written once the call it belongs to exceeds the minimum duration."""

    ticks: int
    word: int
    shift: int  # position of the time in the word
    call: Call | None  # the call whose entry it is


class ChunkWriter:
    """Writer of one track's events."""

    __slots__ = (
        "__weakref__",
        "_base",
        "_chunk_bytes",
        "_file",
        "_is_begun",
        "_is_extending",
        "_last",
        "_limit",
        "_lost",
        "_open",
        "_pending",
        "_track",
        "_used",
        "_words",
        "now",
        "segment",
    )

    def __init__(self, track: Track, file: TraceFile) -> None:
        self._file = file
        self._words = _NOTHING
        self._used = self._base = self._last = 0
        self._chunk_bytes = _MIN_CHUNK_BYTES
        self._is_extending = False
        self.segment: Segment | None = None
        self.now = 0  # if not 0, the time of all events
        self.restart(track)

    def restart(self, track: Track) -> None:
        """Reuse the writer for another track."""
        self._track = track.id, track.kind, track.name, track.parent
        self._open = track.stack
        self._pending: list[_Pending] = []
        self._is_begun = False
        self._limit = 0  # words that may be used without calling _extend
        self._lost = 0

    def revoke(self) -> None:
        """Stop using the chunk, which is about to be overwritten."""
        self._limit = 0
        self._words = _NOTHING

    # Events

    def enter(self, call: Call, number: int, *, is_immediate: bool) -> None:
        """Write the entry of a call, at once if ``is_immediate``."""
        word = number << _FUNCTION_SHIFT | _ENTRY
        now = call.entered = self._now()
        call.is_written = is_immediate
        if is_immediate:
            self._put(now, word, _TIME_SHIFT)
        else:
            self._pending.append(_Pending(now, word, _TIME_SHIFT, call))

    def inherit(self, call: Call) -> None:
        """Write a call that was open when the process was forked."""
        call.entered = self._now()
        call.is_written = True
        self._put_record(call.entered, _INHERITED, 0, _open_payload(call))

    def leave(self, call: Call, failure: bytes | None, min_duration: int) -> None:
        """Write the exit of a call, unless the call is shorter than ``min_duration``."""
        now = self._now()
        if not call.is_written:
            if now - call.entered < min_duration:
                self._drop(call)
                return
            self._put_pending()
        if failure is not None:
            self._put_record(
                now, _PANIC, _CUT if len(failure) > MAX_TEXT_BYTES else 0, failure[:MAX_TEXT_BYTES]
            )
        self._put(now, call.info.number << _FUNCTION_SHIFT | _EXIT, _TIME_SHIFT)

    def suspend(self, min_duration: int) -> None:
        """Write that the track is suspended."""
        self._mark(_SUSPENDED, min_duration)

    def resume(self, min_duration: int) -> None:
        """Write that the track has resumed."""
        self._mark(_RESUMED, min_duration)

    def _mark(self, kind: int, min_duration: int) -> None:
        now = self._now()
        word = kind << _TYPE_SHIFT | _RECORD
        if self._pending and now - self._last_pending() >= min_duration:
            self._put_pending()
        if self._pending:
            self._pending.append(_Pending(now, word, _VALUE_SHIFT, None))
        else:
            self._put(now, word, _VALUE_SHIFT)

    # Pending words

    def _last_pending(self) -> int:
        """Return the time at which the innermost unwritten call began."""
        return next((p.ticks for p in reversed(self._pending) if p.call), self._pending[0].ticks)

    def _put_pending(self) -> None:
        words, self._pending = self._pending, []
        for pending in words:
            if pending.call is not None:
                pending.call.is_written = True
            self._put(pending.ticks, pending.word, pending.shift)

    def _drop(self, call: Call) -> None:
        """Discard a call that was too short; suspensions in it belong to the enclosing calls."""
        kept = [pending for pending in self._pending if pending.call is not call]
        self._pending = kept if kept and kept[0].call else []

    # Words

    def _now(self) -> int:
        # Another event may have been written since the clock was read.
        now = self.now or clock()
        return now if now > self._last else self._last

    def _put(self, now: int, word: int, shift: int) -> None:
        """Store a word with its time."""
        while self._used >= self._limit or now - self._base >= _MAX_TICKS:
            if not self._extend(now, 1):
                return
        now = now if now > self._last else self._last
        used = self._used
        self._used = used + 1
        self._words[used] = now - self._base << shift | word
        self._last = now

    def _put_record(self, now: int, kind: int, value: int, payload: bytes) -> None:
        words = _words_of(payload)
        while self._used + words + 1 > self._limit:  # and the exit that follows
            if not self._extend(now, words + 1):
                return
        at, memory = self._used, self._words
        self._used = at + words
        put_record(memory, at, kind, value, payload)

    def _extend(self, now: int, words: int) -> bool:
        """Make room for ``words`` words, after the records that must precede them."""
        if not self._is_extending:
            self._is_extending = True
            self._limit = 0  # any event that interrupts this must call _extend
            try:
                if self._prepare(now, words):
                    return True
            finally:
                self._is_extending = False
        self._lost += 1
        self._file.count_lost(1)
        return False

    def _prepare(self, now: int, words: int) -> bool:
        start = self._track_payload(now)
        need = words + _words_of(start) + _BASE_WORDS + _LOST_WORDS
        if self._used + need > len(self._words) and not self._new_chunk(now, need):
            return False
        if not self._is_begun:
            self._is_begun = True
            self._store(_TRACK, self._track[1], start)
        if self._lost:
            lost, self._lost = self._lost, 0
            self._store(_LOST, lost, b"")
        if now - self._base >= _MAX_TICKS:
            self._base = now
            self._store(_BASE, 0, now.to_bytes(8, "little"))
        self._limit = len(self._words)
        return True

    def _new_chunk(self, now: int, need: int) -> bool:
        written = [call for call in self._open if call.is_written]
        listed = written[:_MAX_OPEN_RECORDS] if self._file.overwrites else []
        head = Head(self._track[0] if self._is_begun else 0, len(written), now)
        min_words = HEAD_WORDS + need + _OPEN_WORDS * len(listed)
        memory = self._file.new_chunk(self, min_words, self._chunk_bytes, head)
        if memory is None:
            return False
        self._chunk_bytes = min(8 * self._chunk_bytes, MAX_CHUNK_BYTES)
        self._words, self._used, self._base = memory, HEAD_WORDS, now
        for call in listed:
            self._store(_OPEN, int(call.is_inherited), _open_payload(call))
        return True

    def _track_payload(self, now: int) -> bytes:
        """Return the payload of the record that begins the track."""
        if self._is_begun:
            return b""
        number, _kind, name, parent = self._track
        above, starter, line, ticks = parent or (0, 0, 0, now)
        numbers = (number, above, ticks, starter | line << 32)
        text = name.encode("utf-8", "backslashreplace")[:_MAX_NAME_BYTES]
        return b"".join(n.to_bytes(8, "little") for n in numbers) + text

    def _store(self, kind: int, value: int, payload: bytes) -> None:
        """Store a record for which there is space."""
        put_record(self._words, self._used, kind, value, payload)
        self._used += _words_of(payload)


def _open_payload(call: Call) -> bytes:
    return call.entered.to_bytes(8, "little") + call.info.number.to_bytes(8, "little")


def _words_of(payload: bytes) -> int:
    return 1 + (len(payload) + 7) // 8
