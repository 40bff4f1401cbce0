"""Reader that follows a trace file while it is being written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from functrace._native.engine import array, engine
from functrace._native.row_types import BEGUN, CALL, FED_STATUS, FED_TRACK, REQUEST
from functrace.errors import FunctraceError
from functrace.tracefile import format as fmt
from functrace.tracefile.chunks import Chunk, ChunkFile
from functrace.tracefile.demotions import Demotion, find_demotions
from functrace.tracefile.ending import Ending
from functrace.tracefile.facts import FactsReader, Function, decode
from functrace.tracefile.header import Header
from functrace.tracefile.reader import Clock
from functrace.tracefile.scan import Rows

_NO_LIMIT = (1 << 63) - 1
_ROUND_WORDS = 1 << 19  # soft limit per round; further words are read in later rounds


class Limits(NamedTuple):
    """Limits on the state that the engine retains."""

    recent_calls: int
    """calls that may be the parents of tracks that begin later"""
    idle_tracks: int
    """tracks without open calls"""
    eviction_interval: int
    """words processed before old calls and tracks are evicted"""
    chains: int
    """chains into which calls are folded; 0: calls are listed"""


# The limits of a follower that lists calls. The Go sender has the same.
_MAX_RECENT_CALLS = 100_000
_MAX_IDLE_TRACKS = 20_000
_EVICTION_INTERVAL = 50_000


@dataclass(frozen=True, eq=False)
class Progress:
    """Changes since the last query. Times are ticks after the start of the trace."""

    tracks: Rows
    """rows of FED_TRACK: tracks that were found, described or evicted"""
    begun: Rows
    """rows of BEGUN: calls that began, each caller before its callees"""
    finished: Rows
    """rows of CALL: calls that ended, as in SpanReader, with offsets into `texts`"""
    requests: Rows
    """rows of REQUEST: records of calls in `begun`, by `call`; a call may have several or none, and
    its function need not be one of requests"""
    statuses: Rows
    """rows of FED_STATUS: status records of calls in `finished`"""
    released: npt.NDArray[np.int64]
    """calls that no later row refers to"""
    texts: memoryview

    def text(self, at: int, size: int) -> str:
        """Return the string at an offset from a row."""
        return decode(self.texts[at : at + size])


class Follower:
    """Incremental reader of a trace file that a program is writing.

    Args:
        path: the trace file.
        limits: limits on the engine's state; None: those of a follower that lists calls.

    Raises:
        OSError: the file cannot be read.
        FunctraceError: the file is not a trace of this version of the format.
    """

    def __init__(self, path: Path, limits: Limits | None = None) -> None:
        self.path = path
        self._file = ChunkFile(path)
        try:
            self.header = _current_header(self._file)
        except FunctraceError:
            self._file.close()
            raise
        self.clock = Clock(self.header.ticks_per_second)
        self.ended_cleanly = False
        """whether the header marks the trace as complete"""
        self.ending: Ending | None = None
        """how the process ended, if its parent recorded that"""
        if limits is None:
            limits = Limits(_MAX_RECENT_CALLS, _MAX_IDLE_TRACKS, _EVICTION_INTERVAL, 0)
        self._feed: Any = engine().Feed(self.header.start, *limits)
        self._facts_reader = FactsReader()
        self._function_of = np.full(1, -1, np.int32)
        self._mapped_count = 0  # function numbers already in _function_of
        self._facts: list[Chunk] = []
        self._events: list[_EventChunk] = []  # in the order of sequence numbers
        self._newest: dict[int, _EventChunk] = {}  # by writer, if it may still write to the chunk
        self._last_sequence = 0
        self._max_chunk_bytes = 0  # bytes of the largest event chunk found
        self._last_overwritten = 0  # highest sequence number of overwritten chunks
        self._found_overwritten = 0  # chunks found up to it
        self._found_sequences: list[int] = []  # heap of the sequence numbers of the others
        self._lost_words = 0  # words overwritten in chunks that were found
        self._found_bytes = 0  # bytes of the event chunks found
        self._last_ticks = 0
        self._walked_ticks = -1
        self._first_ticks = _NO_LIMIT

    @property
    def process(self) -> dict[str, Any]:
        """Process metadata; empty if none has been read."""
        return self._facts_reader.process

    @property
    def functions(self) -> Sequence[Function]:
        """Functions read so far."""
        return self._facts_reader.functions

    def name_of(self, number: int) -> str:
        """Return the name of the function with a number; empty if it has not been read."""
        return self._facts_reader.name_of(number) or ""

    @property
    def demotions(self) -> list[Demotion]:
        """Spans in which functions were not recorded because of FUNCTRACE_BUDGET, read so far."""
        facts, start = self._facts_reader, self.header.start
        found, _unknown = find_demotions(
            facts.demotions,
            facts.name_of,
            lambda ticks: self.clock.nanosecond(fmt.ticks_since(ticks, start)),
        )
        return found

    @property
    def last_ticks(self) -> int:
        """Ticks from the start of the trace to the last event that was read."""
        return self._last_ticks

    @property
    def first_ticks(self) -> int:
        """Ticks from the start of the trace to the first chunk of events that was found."""
        return min(self._first_ticks, self._last_ticks)

    @property
    def walked_ticks(self) -> int:
        """Ticks up to which events were processed; -1 for none."""
        return self._walked_ticks

    @property
    def lost(self) -> int:
        """Number of events that the program did not record."""
        return self.header.lost

    @property
    def overwritten(self) -> int:
        """Upper bound on the number of events overwritten before they were read.

        Chunks that were never found count as full and as large as the largest chunk found.
        """
        if not self.header.flags & fmt.OVERWRITTEN:
            return 0
        words = max(self._max_chunk_bytes - fmt.CHUNK.size, 0) // fmt.WORD.size
        return self._lost_words + self._missing_chunks * words

    def advance(self) -> int:
        """Read new data, process older events, and return the amount of new data.

        A thread may store an event some time after it reads the clock, so later events of other
        threads may be read first. Events are processed up to the latest time of the last round.
        """
        self.header = header = self._file.header()
        self.ended_cleanly = bool(header.flags & fmt.ENDED_CLEANLY)
        self.ending = header.ending
        self._last_overwritten = header.last_overwritten
        self.clock = Clock(header.ticks_per_second)
        until = self._last_ticks
        found = self._file.find_new()
        self._count_missing(found)
        self._facts += [chunk for chunk in found if chunk.kind == fmt.FACTS]
        self._read_facts()  # first: call ids depend on the process metadata
        self._register(chunk for chunk in found if chunk.kind == fmt.EVENTS)
        count, unread = self._read_events()
        until = min(until, unread - 1)
        self._feed.advance(until)
        self._walked_ticks = max(until, self._walked_ticks)
        return count + len(found)

    def drop_unread(self) -> None:
        """Give up the unread events in all chunks but the latest of each writer."""
        kept = []
        for events in self._events:
            if events.has_successor:
                unread = (events.chunk.end - events.chunk.position) // fmt.WORD.size
                self._lost_words += unread
                self._feed.miss(events.number, unread > 0)
                self._feed.end_chunk(events.number)
            else:
                kept.append(events)
        self._events = kept

    def flush(self) -> None:
        """Process the remaining events when advance() finds nothing."""
        self._feed.advance(_NO_LIMIT)
        self._walked_ticks = max(self._last_ticks, self._walked_ticks)

    def finish(self) -> None:
        """End the open calls and close the file, after advance() finds nothing more."""
        self.end_calls()
        self.close()

    def end_calls(self) -> None:
        """End the open calls after the program has ended and advance() finds nothing."""
        self.flush()
        self._feed.end(self._last_ticks)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def drain(self) -> Progress:
        """Return the changes since the last call."""
        tracks, begun, finished, requests, statuses, released, texts = self._feed.drain()
        return Progress(
            np.frombuffer(tracks, FED_TRACK),
            np.frombuffer(begun, BEGUN),
            np.frombuffer(finished, CALL),
            np.frombuffer(requests, REQUEST),
            np.frombuffer(statuses, FED_STATUS),
            np.frombuffer(released, np.int64),
            memoryview(texts),
        )

    def open_calls(self) -> Rows:
        """Return the open calls as rows of BEGUN."""
        return np.frombuffer(self._feed.open_calls(), BEGUN)

    @property
    def _missing_chunks(self) -> int:
        """Chunks overwritten before they were found.

        A chunk behind the last one that was overwritten may have been reserved and never begun.
        """
        return max(min(self._last_overwritten, self._last_sequence) - self._found_overwritten, 0)

    def _count_missing(self, found: Iterable[Chunk]) -> None:
        for chunk in found:
            self._last_sequence = max(self._last_sequence, chunk.sequence)
            heappush(self._found_sequences, chunk.sequence)
            if chunk.kind == fmt.EVENTS:
                self._max_chunk_bytes = max(self._max_chunk_bytes, chunk.end - chunk.offset)
        while self._found_sequences and self._found_sequences[0] <= self._last_overwritten:
            heappop(self._found_sequences)
            self._found_overwritten += 1
        if self.header.flags & fmt.OVERWRITTEN and self._missing_chunks:
            self._feed.miss_chunks()

    def _register(self, found: Iterable[Chunk]) -> None:
        for chunk in found:
            number = self._feed.begin(chunk.base, chunk.sequence)
            start = fmt.ticks_since(chunk.base, self.header.start)
            self._first_ticks = min(self._first_ticks, start)
            events = _EventChunk(chunk, number, start)
            self._found_bytes += chunk.end - chunk.offset
            events.found_bytes = self._found_bytes
            self._events.append(events)
            if chunk.writer in self._newest:
                self._newest[chunk.writer].has_successor = True
            self._newest[chunk.writer] = events

    def _read_facts(self) -> None:
        count = 0
        for chunk in self._facts:
            _, words = read_new(self._file, chunk)
            size = self._facts_reader.read(memoryview(words))
            chunk.position += size
            count += size
        self._facts = [c for c in self._facts if c.position < c.end and not c.is_overwritten]
        if count:
            self._set_functions()

    def _set_functions(self) -> None:
        index_of = self._facts_reader.index_of
        for number, index in islice(index_of.items(), self._mapped_count, None):
            if number >= len(self._function_of):
                more = np.full(2 * number + 1 - len(self._function_of), -1, np.int32)
                self._function_of = np.concatenate([self._function_of, more])
            self._function_of[number] = index
        self._mapped_count = len(index_of)
        is_request = np.array([function.direction > 0 for function in self.functions], np.uint8)
        self._feed.functions(array(self._function_of), array(is_request))

    def _read_events(self) -> tuple[int, int]:
        """Return the number of new words, and a time before which no event is unread."""
        count = 0
        unread = _NO_LIMIT
        unfinished = []
        for events in self._events:
            if count >= _ROUND_WORDS:
                unread = min(unread, max(events.start, events.last))
                unfinished.append(events)
                continue
            count += self._read_chunk(events)
            if not events.is_done:
                unfinished.append(events)
                continue
            self._feed.end_chunk(events.number)
            if self._newest.get(events.chunk.writer) is events:
                del self._newest[events.chunk.writer]
        self._events = unfinished
        return count, unread

    def _read_chunk(self, events: _EventChunk) -> int:
        chunk = events.chunk
        count = 0 if chunk.is_overwritten else self._read_words(events)
        self._last_ticks = max(self._last_ticks, events.last)
        if chunk.is_overwritten:
            self._note_overwritten(events, count)
        else:
            events.age_bytes = self._found_bytes - events.found_bytes
        is_full = chunk.end - chunk.position < fmt.WORD.size
        was_left = events.has_successor and not count
        events.is_done = chunk.is_overwritten or is_full or was_left
        return count

    def _note_overwritten(self, events: _EventChunk, lost: int) -> None:
        chunk = events.chunk
        # A fully read chunk may have received more words, but rarely does: count none.
        unread = 0 if events.is_read else (chunk.end - chunk.position) // fmt.WORD.size
        self._lost_words += lost or unread
        # A writer leaves its chunk when an eighth of the file was allocated since the chunk began.
        was_left = events.age_bytes * 4 >= self._file.size
        if lost or unread or not was_left:
            self._feed.miss(events.number, lost + unread > 0)

    def _read_words(self, events: _EventChunk) -> int:
        """Feed the new words of a chunk to the engine, and return their number.

        If the chunk was overwritten meanwhile, `is_overwritten` is set and the words were lost.
        """
        chunk = events.chunk
        words, payloads = read_new(self._file, chunk)
        if words and not self._file.is_intact(chunk):
            return _count_words(words)
        count, last, is_damaged = self._feed.read(events.number, words, payloads)
        events.is_read = True
        events.last = max(events.last, last)
        if is_damaged:
            chunk.position = chunk.end
            return 0
        chunk.position += fmt.WORD.size * count
        return int(count)


class _EventChunk:
    """Event chunk that is being read.

    Args:
        chunk: the chunk.
        number: its number in the feed.
        start: ticks at its beginning.
    """

    def __init__(self, chunk: Chunk, number: int, start: int) -> None:
        self.chunk = chunk
        self.number = number
        self.start = start
        self.is_read = False
        """whether all words stored so far were read at least once"""
        self.is_done = False
        """whether no more words can be read"""
        self.has_successor = False
        """whether its writer has begun another chunk"""
        self.found_bytes = 0
        """bytes of the chunks found before, and of this one"""
        self.age_bytes = 0
        """bytes of the chunks found after it when it was last read"""
        self.last = -1
        """ticks at its last event"""


def _current_header(file: ChunkFile) -> Header:
    """Return the header. Raises FunctraceError if the format is not the current version."""
    header = file.header()
    if header.version != fmt.VERSION:
        raise FunctraceError(
            f"{file.path}: cannot follow a trace of format version {header.version},"
            f" only of version {fmt.VERSION}; use a program and a functrace of the same release"
        )
    return header


def read_new(file: ChunkFile, chunk: Chunk) -> tuple[bytes, bytes]:
    """Read the unread part of a chunk twice, and return both copies; empty if there is nothing new.

    A word is stored after its payload, so words are taken from the first copy and payloads from
    the second.
    """
    if not any(file.read(chunk.position, fmt.WORD.size)):
        return b"", b""
    words = file.read(chunk.position, chunk.end - chunk.position)
    payloads = file.read(chunk.position, len(words))
    size = min(len(words), len(payloads)) // fmt.WORD.size * fmt.WORD.size
    return words[:size], payloads[:size]


def _count_words(words: bytes) -> int:
    """Return an upper bound on the number of stored words; all that fit if they were zeroed.

    A zero word marks the end of a chunk's words, but payloads may also contain zeros.
    """
    stored = np.flatnonzero(np.frombuffer(words, "<u8"))
    return int(stored[-1]) + 1 if len(stored) else len(words) // fmt.WORD.size
