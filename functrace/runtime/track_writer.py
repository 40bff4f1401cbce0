"""Per-track writer of events: stores a track's words with the writer of the thread that runs it.

Between checking the remaining space of the chunk and storing a word nothing is called, so that no
other code of the thread can run in between.
"""

from __future__ import annotations

from typing import NamedTuple

from functrace.runtime import BUILTINS
from functrace.runtime.call_stacks import Call, Track
from functrace.runtime.chunk_writer import ChunkWriter, ThreadWriters, words_of
from functrace.runtime.exception_text import MAX_TEXT_BYTES
from functrace.runtime.system import clock
from functrace.runtime.trace_file import TraceFile, put_record

globals()["__builtins__"] = BUILTINS

_ENTRY, _EXIT, _RECORD = 1, 2, 3
_BASE, _TRACK, _ERROR, _PANIC, _OPEN, _LOST = 1, 2, 3, 4, 5, 6
_SUSPENDED, _RESUMED, _INHERITED, _SWITCH, _REQUEST, _STATUS = 7, 8, 9, 10, 11, 12
_CUT = 1
_AGAIN = 1 << 8
_MAX_RUN, _MAX_OPEN_IN_RUN, _OPEN_IN_RUN_SHIFT = (1 << 24) - 1, (1 << 16) - 1, 24
_FUNCTION_SHIFT, _TYPE_SHIFT, _TIME_SHIFT, _VALUE_SHIFT = 2, 2, 22, 24
_MAX_TICKS = 1 << 40  # relative to the base: the largest time that a word can hold
_MAX_OPEN_RECORDS = 1 << 11  # open calls in a list
_MAX_SHORT_LIST = 16  # open calls that a new chunk lists in any case
_MAX_NAME_BYTES = 200
_BASE_WORDS, _LOST_WORDS = 2, 1

_Record = tuple[int, int, bytes]  # type, value, payload


class _Pending(NamedTuple):
    """Word that is written once the call it belongs to exceeds the minimum duration."""

    ticks: int
    word: int
    shift: int  # position of the time in the word
    call: Call | None  # the call whose entry it is


class TrackWriter:
    """Writer of one track's events."""

    __slots__ = (
        "_file",
        "_is_begun",
        "_last",
        "_listed_at",
        "_lost",
        "_open",
        "_pending",
        "_run",
        "_threads",
        "_track",
        "_writer",
        "now",
    )

    def __init__(self, track: Track, file: TraceFile, threads: ThreadWriters) -> None:
        self._file = file
        self._threads = threads
        self._track = track.id, track.kind, track.name, track.parent
        self._open = track.stack
        self._pending: list[_Pending] = []
        self._is_begun = False
        self._writer: ChunkWriter | None = None  # of the latest words
        self._run = self._listed_at = self._lost = self._last = 0
        self.now = 0  # if not 0, the time of all events

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

    def put_failed_call(self, call: Call, failure: bytes) -> None:
        """Write the top of the stack, whose entry is unknown, as a call without duration."""
        before, self.now = self.now, self._now()
        self._open.pop()  # a list of open calls must not contain it before its entry
        self.enter(call, call.info.number, is_immediate=True)
        self._open.append(call)
        self.leave(call, failure, 0)
        self.now = before

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

    def enter_request(self, call: Call, number: int, flags: int, payload: bytes) -> None:
        """Write the entry of a request, and directly behind it the record of the request."""
        self._put_pending()
        now = call.entered = self._now()
        call.is_written = True
        entry = number << _FUNCTION_SHIFT | _ENTRY
        self._put_with_records(now, [(_REQUEST, flags, payload)], entry, is_first=True)

    def leave_request(self, call: Call, status: int, failure: bytes | None) -> None:
        """Write the exit of a request, and before it its status and failure."""
        self._put_pending()
        records: list[_Record] = [] if status < 0 else [(_STATUS, status, b"")]
        if failure is not None:
            is_cut = len(failure) > MAX_TEXT_BYTES
            records.append((_ERROR, _CUT if is_cut else 0, failure[:MAX_TEXT_BYTES]))
        word = call.info.number << _FUNCTION_SHIFT | _EXIT
        self._put_with_records(self._now(), records, word, is_first=False)

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
            self._put(pending.ticks, pending.word, pending.shift)
            if pending.call is not None:
                pending.call.is_written = True

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
        writer = self._threads.writer
        while (
            writer.current is not self
            or writer.used >= writer.limit
            or now < writer.latest
            or now - writer.base >= _MAX_TICKS
        ):
            if not self._extend(writer, now, 1):
                return
            now = now if now > self._last else self._last
        used = writer.used
        writer.used = used + 1
        writer.words[used] = now - writer.base << shift | word
        writer.latest = self._last = now

    def _put_with_records(
        self, now: int, records: list[_Record], word: int, *, is_first: bool
    ) -> None:
        """Store a word with its time and records beside it, with nothing between them."""
        writer = self._threads.writer
        words = 1 + _size(records)
        while (
            writer.current is not self
            or writer.used + words > writer.limit
            or now < writer.latest
            or now - writer.base >= _MAX_TICKS
        ):
            if not self._extend(writer, now, words):
                return
            now = now if now > self._last else self._last
        at, memory = writer.used, writer.words
        writer.used = at + words
        timed = now - writer.base << _TIME_SHIFT | word
        if is_first:
            memory[at] = timed
            at += 1
        for kind, value, payload in records:
            put_record(memory, at, kind, value, payload)
            at += words_of(payload)
        if not is_first:
            memory[at] = timed
        writer.latest = self._last = now

    def _put_record(self, now: int, kind: int, value: int, payload: bytes) -> None:
        writer = self._threads.writer
        words = words_of(payload)
        # And the exit that follows.
        while writer.current is not self or writer.used + words + 1 > writer.limit:
            if not self._extend(writer, now, words + 1):
                return
        at, memory = writer.used, writer.words
        writer.used = at + words
        put_record(memory, at, kind, value, payload)

    def _extend(self, writer: ChunkWriter, now: int, words: int) -> bool:
        """Make room for ``words`` words, after the records that must precede them."""
        if not writer.is_extending:
            writer.is_extending = True
            writer.limit = 0  # any event that interrupts this must call _extend
            try:
                if self._prepare(writer, now, words):
                    return True
            finally:
                writer.is_extending = False
        self._lost += 1
        self._file.count_lost(1)
        return False

    def _prepare(self, writer: ChunkWriter, now: int, words: int) -> bool:
        words += _BASE_WORDS + _LOST_WORDS
        preface = [] if writer.current is self else self._preface(now)
        if not writer.has_space(words + _size(preface)):
            preface = self._preface(now, in_new_chunk=True)
            if not writer.begin_chunk(now, words + _size(preface)):
                return False
        for kind, value, payload in preface:
            self._note(writer, kind, value)
            writer.store(kind, value, payload)
        before, self._writer = self._writer, writer
        if before is not None and before is not writer and before.current is self:
            before.current = None  # another thread continues the track
        writer.current = self
        if self._lost:
            lost, self._lost = self._lost, 0
            writer.store(_LOST, lost, b"")
        if now < writer.latest or now - writer.base >= _MAX_TICKS:
            writer.base = writer.latest = now
            writer.store(_BASE, 0, now.to_bytes(8, "little"))
        writer.limit = len(writer.words)
        return True

    def _note(self, writer: ChunkWriter, kind: int, value: int) -> None:
        """Change the track's state as a record of its preface requires."""
        if kind == _TRACK:
            self._is_begun = True
            self._listed_at = writer.position
        elif kind == _SWITCH:
            self._run = value & _MAX_RUN

    # Records that begin a run

    def _preface(self, now: int, *, in_new_chunk: bool = False) -> list[_Record]:
        """Return the records that begin the track, or its next run.

        Open calls are also listed in a new chunk, where they are few beside it: a reader of a trace
        that begins there then knows them.
        """
        number, kind, _name, _parent = self._track
        if not self._is_begun:
            return [(_TRACK, kind, self._description(now))]
        written = [call for call in self._open if call.is_written]
        value = (self._run + 1) & _MAX_RUN | min(len(written), _MAX_OPEN_IN_RUN) << (
            _OPEN_IN_RUN_SHIFT
        )
        switch = _SWITCH, value, number.to_bytes(8, "little")
        is_cheap = in_new_chunk and self._file.overwrites and len(written) <= _MAX_SHORT_LIST
        if not is_cheap and not self._file.is_old(self._listed_at):
            return [switch]
        calls = [
            (_OPEN, int(call.is_inherited), _open_payload(call))
            for call in written[:_MAX_OPEN_RECORDS]
        ]
        return [switch, (_TRACK, kind | _AGAIN, self._description(now)), *calls]

    def _description(self, now: int) -> bytes:
        """Return the payload of a track record."""
        number, kind, name, parent = self._track
        if parent is None:
            parent = 0, 0, 0, now
            self._track = number, kind, name, parent
        above, starter, line, ticks = parent
        numbers = (number, above, ticks, starter | line << 32)
        text = name.encode("utf-8", "backslashreplace")[:_MAX_NAME_BYTES]
        return b"".join(n.to_bytes(8, "little") for n in numbers) + text


def _open_payload(call: Call) -> bytes:
    return call.entered.to_bytes(8, "little") + call.info.number.to_bytes(8, "little")


def _size(records: list[_Record]) -> int:
    """Return the size in words of records."""
    return sum(words_of(payload) for _kind, _value, payload in records)
