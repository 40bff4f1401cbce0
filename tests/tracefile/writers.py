"""Several writers of one trace: what a program does, put into chunks that its tracks share."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from tests.tracefile import writer as w

_HEAD = 40


@dataclass
class _Writer:
    number: int
    content: bytearray = field(default_factory=bytearray)
    size: int = 0
    sequence: int = 0
    current: int = 0
    """track of the latest words"""


@dataclass
class _Track:
    writer: int
    run: int = 0
    listed: int = 0
    """sequence number of the chunk with its description"""


class Writers:
    """Chunks of events, in version 2. Times count from 1000.

    Args:
        random: which of them a track comes to is drawn from it.
        count: the writers.
        ring: the chunks in the file, where old ones are overwritten; 0: none are.
    """

    def __init__(self, random: Random, count: int = 3, ring: int = 0) -> None:
        self._random = random
        self._ring = ring
        self._writers = [_Writer(number) for number in range(1, count + 1)]
        self._tracks: dict[int, _Track] = {}
        self._sequence = 1
        self._chunks: dict[int, bytes] = {}
        self._changed: set[int] = set()

    def put(
        self,
        track: int,
        words: bytes,
        opened: list[bytes],
        record: bytes = b"",
        listed: bytes = b"",
    ) -> None:
        """Write words of a track.

        Args:
            track: its id.
            words: at most 300 bytes.
            opened: its open calls as records.
            record: its track record, if it begins.
            listed: its track record that repeats the description.
        """
        state = self._tracks.get(track)
        writer = self._writer_of(state)
        if self._ring and self._sequence - writer.sequence >= self._ring // 8:
            writer.size = 0
        is_full = len(writer.content) + len(words) > writer.size - _HEAD
        is_other = writer.current != track or state is None or state.writer != writer.number
        if is_full or is_other or record:
            self._begin_run(writer, track, words, opened, record, listed)
        writer.content += words
        self._keep(writer)

    def _writer_of(self, state: _Track | None) -> _Writer:
        if state is None or self._random.random() < 0.2:
            return self._random.choice(self._writers)
        return self._writers[state.writer - 1]

    def _begin_run(
        self,
        writer: _Writer,
        track: int,
        words: bytes,
        opened: list[bytes],
        record: bytes,
        listed: bytes,
    ) -> None:
        state = self._tracks.setdefault(track, _Track(writer.number, listed=self._sequence))
        state.writer = writer.number
        preface = record
        if not record:
            state.run += 1
            preface = w.switch(track, state.run, opened=len(opened))
            if self._ring and self._sequence - state.listed >= self._ring // 4:
                preface += listed + b"".join(opened)
                state.listed = self._sequence
        if len(writer.content) + len(preface) + len(words) > writer.size - _HEAD:
            self._sequence += 1
            writer.sequence, writer.content = self._sequence, bytearray()
            need = -(-(_HEAD + len(preface) + len(words)) // 512) * 512
            writer.size = max(need, self._random.choice((512, 512, 1024)))
        writer.content += preface
        writer.current = track

    def _keep(self, writer: _Writer) -> None:
        head = {"track": writer.number, "size": writer.size}
        self._chunks[writer.sequence] = w.events(writer.sequence, bytes(writer.content), **head)
        self._changed.add(writer.sequence)

    def written(self) -> bytes:
        """Return all chunks, in the order in which they began."""
        return b"".join(self._chunks[sequence] for sequence in sorted(self._chunks))

    def drain(self) -> list[tuple[int, bytes]]:
        """Return the chunks that have changed since the last time, by sequence number."""
        changed = sorted(self._changed)
        self._changed.clear()
        return [(sequence, self._chunks[sequence]) for sequence in changed]
