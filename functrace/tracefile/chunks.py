"""Chunk index of a trace file that is being written."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from functrace.tracefile import format as fmt
from functrace.tracefile.header import Header, parse_header

_WINDOW = 1 << 20
_SEQUENCE = slice(16, 24)  # bytes of the sequence number in a chunk header
_MAGIC = int.from_bytes(fmt.CHUNK_MAGIC, "little")


class Chunk:
    """Chunk of a trace file, with the read position in it.

    Args:
        offset: file offset of the chunk.
        end: file offset of its end.
        head: kind, size, open calls, sequence number, writer and base.
    """

    __slots__ = (
        "base",
        "end",
        "is_overwritten",
        "kind",
        "offset",
        "position",
        "sequence",
        "writer",
    )

    def __init__(self, offset: int, end: int, head: tuple[int, ...]) -> None:
        self.offset = offset
        self.end = end
        self.kind, _, _, self.sequence, self.writer, self.base = head
        self.position = offset + fmt.CHUNK.size
        """file offset of the next word to read"""
        self.is_overwritten = False
        """whether the chunk was overwritten"""

    @property
    def is_empty(self) -> bool:
        """Whether no word of the chunk has been read."""
        return self.position == self.offset + fmt.CHUNK.size


class ChunkFile:
    """Trace file that is open for reading and indexed by chunk.

    The file is never mapped, because another process may truncate it at any time. Adjacent chunks
    and *holes* (ranges without a known chunk) cover the file.

    Raises:
        OSError: the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._end = fmt.HEADER_BYTES
        self._chunks: dict[int, Chunk] = {}
        self._holes: dict[int, int] = {}
        self._oldest: deque[Chunk] = deque()
        self._postponed: list[Chunk] = []

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def read(self, at: int, size: int) -> bytes:
        """Return up to `size` bytes from offset `at`; fewer at the end of the file."""
        return os.pread(self._file, size, at)

    @property
    def size(self) -> int:
        """Size of the part of the file that was searched for chunks."""
        return self._end

    def header(self) -> Header:
        """Return the current header. Raises FunctraceError if it is invalid."""
        return parse_header(self.path, memoryview(self.read(0, fmt.HEADER_BYTES)))

    def is_intact(self, chunk: Chunk) -> bool:
        """Return whether the chunk is still in the file; update `is_overwritten`."""
        if not chunk.is_overwritten:
            head = self.read(chunk.offset, _SEQUENCE.stop)
            sequence = chunk.sequence.to_bytes(8, "little")
            if head[:4] == fmt.CHUNK_MAGIC and head[_SEQUENCE] == sequence:
                return True
            self._drop(chunk)
            self._holes[chunk.offset] = chunk.end
        return False

    def find_new(self) -> list[Chunk]:
        """Return the chunks begun since the last call, in the order of their sequence numbers.

        A chunk is returned only after all earlier chunks have been returned or overwritten.
        """
        self._drop_overwritten()
        self._add_new_hole()
        found = self._postponed + self._scan()
        if not found:
            return []
        # The first scan may miss a chunk begun behind its position, but find a later chunk.
        last = max(chunk.sequence for chunk in found)
        found += self._scan()
        self._postponed = [chunk for chunk in found if chunk.sequence > last]
        found = [chunk for chunk in found if chunk.sequence <= last]
        found.sort(key=lambda chunk: chunk.sequence)
        self._oldest.extend(found)
        return found

    def _add_new_hole(self) -> None:
        size = os.fstat(self._file).st_size
        if size - self._end >= fmt.CHUNK_STEP:
            end = size - size % fmt.CHUNK_STEP
            self._holes[self._end] = end
            self._end = end

    def _drop_overwritten(self) -> None:
        """Drop overwritten chunks.

        Chunks are overwritten from the oldest on; facts chunks with records are never overwritten.
        """
        while self._oldest:
            chunk = self._oldest[0]
            has_facts = chunk.kind == fmt.FACTS and not chunk.is_empty
            if not chunk.is_overwritten and not has_facts and self.is_intact(chunk):
                return
            self._oldest.popleft()

    def _drop(self, chunk: Chunk) -> None:
        chunk.is_overwritten = True
        del self._chunks[chunk.offset]

    def _scan(self) -> list[Chunk]:
        found: list[Chunk] = []
        for start in sorted(self._holes):
            if start in self._holes:
                found += self._scan_hole(start, self._merge_holes(self._holes.pop(start)))
        return found

    def _scan_hole(self, start: int, end: int) -> Iterator[Chunk]:
        for at, head in self._find_heads(start, end):
            if at < start:
                continue  # inside the previous chunk
            if start < at:
                self._holes[start] = at
            chunk = Chunk(at, min(at + head[1], self._end), head)
            self._drop_overlapped(max(end, at), chunk.end)
            self._chunks[at] = chunk
            start = chunk.end
            yield chunk
        if start < end:
            self._holes[start] = end

    def _find_heads(self, at: int, end: int) -> Iterator[tuple[int, tuple[int, ...]]]:
        while at < end:
            data = self.read(at, min(end - at, _WINDOW))
            firsts = np.frombuffer(data, "<u4", len(data) // fmt.CHUNK_STEP * fmt.CHUNK_STEP // 4)
            for place in np.flatnonzero(firsts[:: fmt.CHUNK_STEP // 4] == _MAGIC).tolist():
                offset = place * fmt.CHUNK_STEP
                head = read_head(memoryview(data)[offset : offset + fmt.CHUNK.size])
                if head is not None:
                    yield at + offset, head
            if len(data) < fmt.CHUNK_STEP:
                return
            at += len(data)

    def _merge_holes(self, end: int) -> int:
        """Return the end of a hole after merging the adjacent holes into it."""
        while True:
            chunk = self._chunks.get(end)
            if end in self._holes:
                end = self._holes.pop(end)
            elif chunk is None or not chunk.is_empty or self.is_intact(chunk):
                return end

    def _drop_overlapped(self, at: int, end: int) -> None:
        """Drop chunks and holes that a new chunk overlaps.

        Args:
            at: end of the hole in which the chunk was found.
            end: end of the new chunk.
        """
        while at < end:
            chunk = self._chunks.get(at)
            if chunk is not None:
                self._drop(chunk)
                until = chunk.end
            elif at in self._holes:
                until = self._holes.pop(at)
            else:
                return
            if until > end:
                self._holes[end] = until
            at = until


def read_head(head: memoryview) -> tuple[int, ...] | None:
    """Return kind, size, open calls, sequence number, writer and base; None if invalid."""
    if len(head) < fmt.CHUNK.size:
        return None
    magic, *rest = fmt.CHUNK.unpack(head)
    kind, size, _, sequence, _writer, _base = rest
    is_valid = (
        magic == fmt.CHUNK_MAGIC
        and kind in (fmt.FACTS, fmt.EVENTS)
        and fmt.CHUNK_STEP <= size <= fmt.CHUNK_LIMIT
        and size % fmt.CHUNK_STEP == 0
        and sequence > 0
    )
    return tuple(rest) if is_valid else None
