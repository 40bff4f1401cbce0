"""Follows a trace file: round by round, what is new in it becomes calls and spans."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from functrace.export.otlp.frames import Span
from functrace.export.otlp.options import Options
from functrace.live.calls import Calls, LiveProcess
from functrace.live.chunks import Chunk, ChunkFile
from functrace.live.words import EventWords, read_words
from functrace.trace import format as fmt

_NEVER = 1 << 63
_WORDS = 1 << 19  # read in a round; more are left in the file


class Follower:
    """Tells of calls as they end.

    Args:
        path: the trace.
        options: which calls; roots are said by the next.
        roots: globs over the functions whose outermost calls begin an OpenTelemetry trace each;
            none: a track's outermost calls do.
        tell: gets the spans.

    Raises:
        OSError: the file cannot be read.
        FunctraceError: it is no trace.
    """

    def __init__(
        self,
        path: Path,
        options: Options,
        roots: Sequence[str],
        tell: Callable[[Iterable[Span]], None],
    ) -> None:
        self._file = ChunkFile(path)
        header = self._file.header()
        self._calls = Calls(path, header, options, roots, tell)
        self._facts: list[Chunk] = []
        self._events: list[EventWords] = []  # by sequence number
        self._latest: dict[int, EventWords] = {}  # by track: the chunk that it writes into
        self._sequence = 0
        self._largest = 0  # bytes of the largest chunk of events that was seen
        self._missing = 0  # chunks that were overwritten before they were seen
        self._lost = 0  # words in others
        self._last = 0
        self.ended_cleanly = False
        """the program says that it has ended"""

    @property
    def process(self) -> LiveProcess:
        """Whose calls these are."""
        return self._calls.process

    @property
    def overwritten(self) -> int:
        """Events overwritten before they were read, at most.

        Chunks that were never seen count as full, and as large as the largest that was seen.
        """
        words = (self._largest - fmt.CHUNK.size) // fmt.WORD.size if self._largest else 0
        return self._lost + self._missing * words

    @property
    def dropped(self) -> int:
        """Calls that are not sent, as their ends were overwritten before they were read."""
        return self._calls.dropped

    def round(self) -> int:
        """Read what is new, and go through what was before the last round; returns how much it was.

        Threads may store late what they have read the clock for. So only what is older than
        something that was there one round ago is certainly whole, on all tracks.
        """
        header = self._file.header()
        self.ended_cleanly = bool(header.flags & fmt.ENDED_CLEANLY)
        self._calls.tick(header.ticks_per_second)
        until = self._last
        found = self._file.find()
        self._count(found)
        self._facts += [chunk for chunk in found if chunk.kind == fmt.FACTS]
        self._learn()  # of the process, before there are ids that tell it from others
        self._begin(chunk for chunk in found if chunk.kind == fmt.EVENTS)
        count, unread = self._read()
        self._calls.go_through(min(until, unread - 1))
        return count + len(found)

    def finish(self) -> None:
        """The program has ended: go through all that is left."""
        while self.round():
            pass
        self._calls.go_through(_NEVER)
        self._calls.end(self._last)
        self._file.close()

    def _count(self, found: Iterable[Chunk]) -> None:
        for chunk in found:
            missing = chunk.sequence - self._sequence - 1
            if missing > 0:
                self._calls.misses_chunks = True
                self._missing += missing
            self._sequence = max(self._sequence, chunk.sequence)
            if chunk.kind == fmt.EVENTS:
                self._largest = max(self._largest, chunk.end - chunk.offset)

    def _begin(self, found: Iterable[Chunk]) -> None:
        for chunk in found:
            self._events.append(EventWords(chunk, self._calls))
            if chunk.track in self._latest:
                self._latest[chunk.track].has_successor = True

    def _learn(self) -> None:
        for chunk in self._facts:
            _, words = read_words(self._file, chunk)
            chunk.at += self._calls.learn(words)
        self._facts = [c for c in self._facts if c.at < c.end and not c.is_gone]

    def _read(self) -> tuple[int, int]:
        """How many words were new, and a time before which nothing is unread."""
        count = 0
        unread = _NEVER
        kept = []
        for events in self._events:
            if count < _WORDS:
                count += self._read_chunk(events)
            else:
                unread = min(unread, max(events.begun, events.last))
            if not events.is_done:
                kept.append(events)
            elif events.track is not None and self._latest.get(events.track.id) is events:
                del self._latest[events.track.id]
        self._events = kept
        return count, unread

    def _read_chunk(self, events: EventWords) -> int:
        chunk = events.chunk
        count = 0 if chunk.is_gone else events.read(self._file)
        self._last = max(self._last, events.last)
        if chunk.is_gone:
            # Where all was read before, more may have come, or not: mostly not.
            unread = 0 if events.is_read else (chunk.end - chunk.at) // fmt.WORD.size
            self._lost += count or unread
            events.miss(is_sure=count + unread > 0)
        if events.track is not None:
            self._latest[events.track.id] = events
        return count
