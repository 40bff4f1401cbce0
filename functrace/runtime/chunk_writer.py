"""Per-thread chunk writer: stores the words of all tracks that run on a thread in its chunk."""

from __future__ import annotations

from _thread import _local
from collections.abc import Callable
from typing import Any

from functrace.runtime import BUILTINS
from functrace.runtime.trace_file import HEAD_WORDS, Segment, TraceFile, put_record

globals()["__builtins__"] = BUILTINS

_MIN_CHUNK_BYTES = 512
_GROWTH = 8  # of the chunks of a writer that fills them

# Receives the words of a chunk, and how many of them are used.
CountChunk = Callable[[memoryview, int], None]

_NOTHING = memoryview(b"").cast("Q")


class ChunkWriter:
    """Writer of one thread's events.

    Attributes:
        words: the words of its chunk.
        used: how many of them are used.
        limit: how many may be used before the records that precede a word are checked.
        base: ticks that the times count from.
        latest: ticks of the latest word.
        current: the writer of the track whose words are the latest, or None.
        is_extending: whether such records are being written.
        is_revoked: whether the chunk is too old to be continued.
        number: the writer's number.
        position, segment: of the chunk.
    """

    __slots__ = (
        "_chunk_bytes",
        "_count_chunk",
        "_file",
        "base",
        "current",
        "is_extending",
        "is_revoked",
        "latest",
        "limit",
        "number",
        "position",
        "segment",
        "used",
        "words",
    )

    def __init__(self, file: TraceFile, count_chunk: CountChunk | None) -> None:
        self._file = file
        self._count_chunk = count_chunk
        self._chunk_bytes = _MIN_CHUNK_BYTES
        self.words = _NOTHING
        self.used = self.limit = self.base = self.latest = self.position = 0
        self.current: Any = None
        self.is_extending = self.is_revoked = False
        self.segment: Segment | None = None
        self.number = file.add_writer(self)

    def revoke(self) -> None:
        """Make the thread leave the chunk before its next word."""
        self.is_revoked = True
        self.limit = 0

    def has_space(self, words: int) -> bool:
        """Return whether the chunk can be continued with ``words`` words."""
        if self.is_revoked:  # a writer that does not fill its chunks gets smaller ones
            self.is_revoked = False
            self._chunk_bytes = max(_MIN_CHUNK_BYTES, self._chunk_bytes // _GROWTH)
            self.words, self.used, self.current = _NOTHING, 0, None
        return self.used + words <= len(self.words)

    def begin_chunk(self, now: int, words: int) -> bool:
        """Begin another chunk with space for ``words`` words; False if there is none."""
        if self._count_chunk is not None:
            self._count_chunk(self.words, self.used)
        memory = self._file.new_chunk(self, HEAD_WORDS + words, self._chunk_bytes, now)
        if memory is None:
            return False
        self._chunk_bytes = min(_GROWTH * self._chunk_bytes, self._file.max_chunk_bytes)
        self.words, self.used, self.current = memory, HEAD_WORDS, None
        self.base = self.latest = now
        return True

    def store(self, kind: int, value: int, payload: bytes) -> None:
        """Store a record for which there is space."""
        put_record(self.words, self.used, kind, value, payload)
        self.used += words_of(payload)


class ThreadWriters(_local):
    """The chunk writer of the current thread, as ``writer``.

    A thread that ends leaves its writer in ``idle``, and another thread continues its chunk.
    Writers pass each full chunk to ``count_chunk``.
    """

    def __init__(
        self, file: TraceFile, idle: list[ChunkWriter], count_chunk: CountChunk | None
    ) -> None:
        self._lease = _Lease(file, idle, count_chunk)
        self.writer = self._lease.writer


class _Lease:
    """Use of a writer by a thread, whose end deletes this object."""

    def __init__(
        self, file: TraceFile, idle: list[ChunkWriter], count_chunk: CountChunk | None
    ) -> None:
        self._idle = idle
        try:
            self.writer = idle.pop()
        except IndexError:
            self.writer = ChunkWriter(file, count_chunk)

    def __del__(self) -> None:
        self._idle.append(self.writer)


def words_of(payload: bytes) -> int:
    """Return the size in words of a record with that payload."""
    return 1 + (len(payload) + 7) // 8
