"""Follow a trace file that is being written: calls as they begin and end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from functrace._native.reader import array, engine
from functrace._native.tables import BEGUN, CALL, FED_TRACK
from functrace.trace import format as fmt
from functrace.trace.chunks import Chunk, ChunkFile
from functrace.trace.facts import FactsReader, Function, decode
from functrace.trace.header import Header
from functrace.trace.reader import Clock
from functrace.trace.scan import Rows

_LAST = (1 << 63) - 1
_WORDS = 1 << 19  # read in a round; more are left in the file
_AT_ONCE = 50_000  # words walked before some calls and tracks are forgotten
# What is remembered for tracks that begin later: the newest calls, and tracks with no open call.
# The sender for Go has the same limits.
_REMEMBERED_CALLS = 100_000
_REMEMBERED_TRACKS = 20_000
_FULL = 512  # bytes: a chunk with a successor and less than that left gets no more words


@dataclass(frozen=True, eq=False)
class Progress:
    """What has come since the last query. Times are ticks after the trace's start."""

    tracks: Rows
    """of FED_TRACK: tracks that were found, described or forgotten"""
    begun: Rows
    """of BEGUN: calls that began, a caller before its callees"""
    finished: Rows
    """of CALL: calls that ended, as SpanReader has them; their texts are in texts"""
    released: npt.NDArray[np.int64]
    """calls that no row will refer to any more"""
    texts: memoryview

    def text(self, at: int, size: int) -> str:
        """Return a text that a row refers to."""
        return decode(self.texts[at : at + size])


class Follower:
    """A trace file that is followed while a program writes it.

    Args:
        path: the trace.

    Raises:
        OSError: the file cannot be read.
        FunctraceError: it is no trace.
    """

    def __init__(self, path: Path) -> None:
        self._file = ChunkFile(path)
        self.header = self._file.header()
        self.clock = Clock(self.header.ticks_per_second)
        self.ended_cleanly = False
        """the header says that the program has ended"""
        self._feed: Any = engine().Feed(
            self.header.start, _REMEMBERED_CALLS, _REMEMBERED_TRACKS, _AT_ONCE
        )
        self._facts_reader = FactsReader()
        self._function_of = np.full(1, -1, np.int32)
        self._numbers = 0  # in _function_of
        self._facts: list[Chunk] = []
        self._events: list[_EventChunk] = []  # by sequence number
        self._latest: dict[int, _EventChunk] = {}  # by track: the chunk that it writes into
        self._sequence = 0
        self._largest = 0  # bytes of the largest chunk of events that was seen
        self._missing = 0  # chunks that were overwritten before they were seen
        self._lost = 0  # words in others
        self._last = 0

    @property
    def process(self) -> dict[str, Any]:
        """The facts of the process; empty if none were read."""
        return self._facts_reader.process

    @property
    def functions(self) -> Sequence[Function]:
        """Those read so far."""
        return self._facts_reader.functions

    @property
    def overwritten(self) -> int:
        """Events overwritten before they were read, at most.

        Chunks that were never seen count as full, and as large as the largest that was seen.
        """
        words = (self._largest - fmt.CHUNK.size) // fmt.WORD.size if self._largest else 0
        return self._lost + self._missing * words

    def advance(self) -> int:
        """Read what is new, walk what was there one round ago, and return how much was new.

        Threads may store late what they have read the clock for. So only what is older than
        something that was there one round ago is certainly complete, on all tracks.
        """
        header: Header = self._file.header()
        self.ended_cleanly = bool(header.flags & fmt.ENDED_CLEANLY)
        self.clock = Clock(header.ticks_per_second)
        until = self._last
        found = self._file.find()
        self._count(found)
        self._facts += [chunk for chunk in found if chunk.kind == fmt.FACTS]
        self._read_facts()  # first: ids of calls depend on the facts of the process
        self._begin(chunk for chunk in found if chunk.kind == fmt.EVENTS)
        count, unread = self._read()
        self._feed.advance(min(until, unread - 1))
        return count + len(found)

    def finish(self) -> None:
        """Walk all that is left: the program has ended, and advance() finds nothing new."""
        self._feed.advance(_LAST)
        self._feed.end(self._last)
        self._file.close()

    def take(self) -> Progress:
        """Return what has come since the last time."""
        tracks, begun, finished, released, texts = self._feed.take()
        return Progress(
            np.frombuffer(tracks, FED_TRACK),
            np.frombuffer(begun, BEGUN),
            np.frombuffer(finished, CALL),
            np.frombuffer(released, np.int64),
            memoryview(texts),
        )

    def open_calls(self) -> Rows:
        """Return the calls that are open, as rows of BEGUN."""
        return np.frombuffer(self._feed.open_calls(), BEGUN)

    def _count(self, found: Iterable[Chunk]) -> None:
        for chunk in found:
            missing = chunk.sequence - self._sequence - 1
            if missing > 0:
                self._feed.miss_chunks()
                self._missing += missing
            self._sequence = max(self._sequence, chunk.sequence)
            if chunk.kind == fmt.EVENTS:
                self._largest = max(self._largest, chunk.end - chunk.offset)

    def _begin(self, found: Iterable[Chunk]) -> None:
        for chunk in found:
            number = self._feed.begin(chunk.track, chunk.base, chunk.opened)
            begun = fmt.ticks_since(chunk.base, self.header.start)
            self._events.append(_EventChunk(chunk, number, begun))
            if chunk.track in self._latest:
                self._latest[chunk.track].has_successor = True

    def _read_facts(self) -> None:
        for chunk in self._facts:
            _, words = read_new(self._file, chunk)
            chunk.at += self._facts_reader.read(memoryview(words))
        self._facts = [c for c in self._facts if c.at < c.end and not c.is_gone]
        index_of = self._facts_reader.index_of
        if len(index_of) == self._numbers:
            return
        for number, index in islice(index_of.items(), self._numbers, None):
            if number >= len(self._function_of):
                more = np.full(2 * number + 1 - len(self._function_of), -1, np.int32)
                self._function_of = np.concatenate([self._function_of, more])
            self._function_of[number] = index
        self._numbers = len(index_of)
        self._feed.functions(array(self._function_of), len(self.functions))

    def _read(self) -> tuple[int, int]:
        """Return how many words were new, and a time before which nothing is unread."""
        count = 0
        unread = _LAST
        kept = []
        for events in self._events:
            if count < _WORDS:
                count += self._read_chunk(events)
            else:
                unread = min(unread, max(events.begun, events.last))
            if not events.is_done:
                kept.append(events)
                continue
            self._feed.end_chunk(events.number)
            if self._latest.get(events.track) is events:
                del self._latest[events.track]
        self._events = kept
        return count, unread

    def _read_chunk(self, events: _EventChunk) -> int:
        chunk = events.chunk
        count = 0 if chunk.is_gone else self._read_words(events)
        self._last = max(self._last, events.last)
        if chunk.is_gone:
            # Where all was read before, more may have come, or not: mostly not.
            unread = 0 if events.is_read else (chunk.end - chunk.at) // fmt.WORD.size
            self._lost += count or unread
            self._feed.miss(events.number, count + unread > 0)
        self._note_latest(events)
        return count

    def _note_latest(self, events: _EventChunk) -> None:
        """Note the newest chunk of a track: it may have begun in an older one, read after that."""
        latest = self._latest.get(events.track)
        if latest and latest.chunk.sequence > events.chunk.sequence:
            events.has_successor = True
        elif events.track:
            self._latest[events.track] = events

    def _read_words(self, events: _EventChunk) -> int:
        """Feed what is new in a chunk, and return how many words that is.

        If the chunk is overwritten meanwhile, it is_gone then, and the words are what was lost.
        """
        chunk = events.chunk
        words, payloads = read_new(self._file, chunk)
        if words and not self._file.is_there(chunk):
            return _count_words(words)
        count, last, track, is_damaged = self._feed.read(events.number, words, payloads)
        if track != events.track:  # one that began in the room that another left
            events.track, events.has_successor = track, False
        events.is_read = True
        events.last = max(events.last, last)
        if is_damaged:
            chunk.at = chunk.end
            return 0
        chunk.at += fmt.WORD.size * count
        return int(count)


class _EventChunk:
    """A chunk of events that is being read.

    Args:
        chunk: which.
        number: of it in the feed.
        begun: ticks at its beginning.
    """

    def __init__(self, chunk: Chunk, number: int, begun: int) -> None:
        self.chunk = chunk
        self.number = number
        self.begun = begun
        self.track = chunk.track
        """whose words come next; 0: nobody's"""
        self.is_read = False
        """to its end, or to where nothing was stored yet"""
        self.has_successor = False
        """its track goes on in another chunk"""
        self.last = -1
        """when its last event was"""

    @property
    def is_done(self) -> bool:
        """Whether no word can come any more.

        A chunk with a successor was left as too short for what was to come; or as its track seemed
        to have ended, and then another track may begin in it.
        """
        left = self.chunk.end - self.chunk.at
        return self.chunk.is_gone or left < (_FULL if self.has_successor else fmt.WORD.size)


def read_new(file: ChunkFile, chunk: Chunk) -> tuple[bytes, bytes]:
    """Return what is new in a chunk, up to its end, read twice; nothing if it is overwritten.

    A word is stored after its payload: words are those of the first, payloads of the second.
    """
    if not any(file.read(chunk.at, fmt.WORD.size)):
        return b"", b""
    words = file.read(chunk.at, chunk.end - chunk.at)
    payloads = file.read(chunk.at, len(words))
    size = min(len(words), len(payloads)) // fmt.WORD.size * fmt.WORD.size
    return words[:size], payloads[:size]


def _count_words(words: bytes) -> int:
    """Return how many words were stored, at most: all that fit if they have been zeroed since.

    Zeros end the words of a chunk, but payloads contain zeros as well.
    """
    stored = np.flatnonzero(np.frombuffer(words, "<u8"))
    return int(stored[-1]) + 1 if len(stored) else len(words) // fmt.WORD.size
