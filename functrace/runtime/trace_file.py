"""Trace file writer: header, chunks and metadata (docs/trace-format.md), mapped into memory.

A number is stored by one assignment to a word of the mapping, so that the process may end between
any two steps. Chunks are allocated under a lock that is held briefly and never acquired twice by a
thread: code that a signal handler or the garbage collector runs meanwhile gets no chunk.
"""

from __future__ import annotations

import errno
import itertools
import sys
from _thread import RLock
from collections.abc import Callable
from typing import Protocol, TypeVar

from functrace.runtime import BUILTINS
from functrace.runtime.descriptors import OwnFile, new_file_mode
from functrace.runtime.mapping import Mapping
from functrace.runtime.system import TICKS_PER_SECOND, clock, os, time

globals()["__builtins__"] = BUILTINS

_T = TypeVar("_T")

_VERSION, _LANGUAGE = 2, 2
_MAGIC = 0x0A0D454341525446  # FTRACE\r\n
_HEADER_BYTES = 4096
_CHUNK_MAGIC = 0x4B4E4843  # CHNK
FACTS, EVENTS = 1, 2
HEAD_WORDS = 5
_CHUNK_STEP = 512
_MAX_CHUNK_BYTES = 64 << 10
_MIN_CHUNKS = 128  # if old chunks are overwritten, all are small compared with the file
_FACTS_BYTES = 32 << 10
_MIN_SEGMENT_BYTES, _MAX_SEGMENT_BYTES = 64 << 10, 2 << 20
_MIN_TRACE_BYTES = _HEADER_BYTES + _FACTS_BYTES + 4 * _MIN_SEGMENT_BYTES
_PAGE = 4096

_CLEAN, _FULL, _OVERWRITES, _WRITE_FAILED = 1, 2, 4, 8
_FLAGS, _LOST, _CALIBRATIONS, _OVERWRITTEN, _LAST_OVERWRITTEN = (
    6,
    7,
    8,
    17,
    18,
)  # words of the header

_FUNCTION, _PROCESS, _DEMOTION, _REQUEST_NAME = 16, 17, 18, 19
_MAX_FUNCTIONS = (1 << 20) - 1
_MAX_FACTS_BYTES = 30_000
_MAX_NAME_BYTES = 8 << 10

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_LOCK_TIMEOUT_S = 0.1  # holders for longer may be waiting for this thread


def check_size(max_size: int) -> None:
    """Raise ValueError if ``max_size`` is too small for a trace."""
    if max_size < _MIN_TRACE_BYTES:
        raise ValueError("FUNCTRACE_MAX_SIZE is too small for a trace: set it to 1M or more")


class Writer(Protocol):
    """Writer of chunks of events."""

    is_revoked: bool
    number: int
    position: int
    segment: Segment | None

    def revoke(self) -> None:
        """Leave the chunk before the next word."""


class Segment:
    """Part of the file that was allocated in one step."""

    __slots__ = ("bytes", "last", "mapping")

    def __init__(self, mapping: Mapping, size: int) -> None:
        self.mapping = mapping
        self.bytes = size
        self.last = 0  # sequence number of its last chunk, once it has been left


class TraceFile:
    """Trace file open for writing.

    Args:
        path: the path of a file that does not exist.
        max_size: the size limit in bytes, not counting names.
        overwrite: whether the oldest chunks are overwritten when the file is full.
        facts: the process metadata, as JSON.
        fail: called once with the reason if writing becomes impossible.

    Raises:
        OSError: the file cannot be created.
        ValueError: ``max_size`` is too small, or ``facts`` too long.
    """

    def __init__(
        self,
        path: str,
        *,
        max_size: int,
        overwrite: bool,
        facts: bytes,
        fail: Callable[[str], None],
    ) -> None:
        check_size(max_size)
        if len(facts) > _MAX_FACTS_BYTES:
            raise ValueError(
                f"the facts of the process take {len(facts)} bytes, more than {_MAX_FACTS_BYTES}"
            )
        if sys.byteorder != "little":
            raise OSError("traces can only be recorded on little-endian machines")
        self.failed = False
        self.overwrites = overwrite
        fit = max_size // _MIN_CHUNKS // _CHUNK_STEP * _CHUNK_STEP
        self.max_chunk_bytes = min(fit, _MAX_CHUNK_BYTES) if overwrite else _MAX_CHUNK_BYTES
        self._max_size = max_size
        self._writers: list[Writer] = []
        self._writer_numbers = itertools.count(1)
        self._fail = fail
        self._lock = RLock()
        self._functions = 0
        self._create(path, facts)
        self.path = self._file.path

    def _create(self, path: str, facts: bytes) -> None:
        """Create the file; where the system supports it, it appears once it is a valid trace."""
        try:
            self._create_as(path, facts, is_nameless=True)
        except FileExistsError:
            raise
        except (OSError, AttributeError):  # not supported here, or no os.O_TMPFILE
            self._create_as(path, facts, is_nameless=False)

    def _create_as(self, path: str, facts: bytes, *, is_nameless: bool) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
        self._file = OwnFile(path, flags, is_nameless=is_nameless)
        self._size = 0
        self._sequence = 0
        self._position = 0  # bytes allocated for chunks, overwritten ones included
        self._segments: list[Segment] = []
        self._at = -1  # index of the segment that chunks are allocated from
        self._memory = memoryview(b"").cast("Q")  # its unused part
        self._facts_used = 0
        try:
            self._header = self._grow(_HEADER_BYTES).words
            self._write_header()
            self._facts = self._new_facts()
            self._facts_used = HEAD_WORDS
            self._put_fact(_PROCESS, facts)
            self._file.publish()
        except OSError as error:
            self._file.remove()
            raise OSError(error.errno, error.strerror, path) from None

    def add_writer(self, writer: Writer) -> int:
        """Add a writer of events. Returns its number."""
        self._writers.append(writer)
        return next(self._writer_numbers)

    def is_old(self, position: int) -> bool:
        """Return whether a chunk at that position may soon be overwritten."""
        return self.overwrites and self._position - position > self._max_size // 4

    def new_chunk(self, writer: Writer, min_words: int, size: int, base: int) -> memoryview | None:
        """Return the words of a new chunk of events, or None if there is no space.

        The chunk has ``size`` bytes if possible, and at least ``min_words`` words. Its header is
        filled in, with ``base`` as the ticks that its times count from.
        """
        return self._locked(lambda: self._new_chunk(writer, min_words, size, base))

    def _new_chunk(self, writer: Writer, min_words: int, size: int, base: int) -> memoryview | None:
        if self.failed:
            return None
        min_bytes = _rounded(8 * min_words)
        before = writer.segment
        memory = self._allocate(min_bytes, max(min_bytes, size))
        if before is not None and before is not self._segments[self._at]:
            before.mapping.drop()
        if memory is not None:
            self._put_head(memory, EVENTS, writer.number, base)
            writer.segment = self._segments[self._at]
            writer.position = self._position - 8 * len(memory)
            writer.is_revoked = False
            self._calibrate()
        return memory

    def add_function(self, name: str, file: str, line: int) -> int:
        """Write a function. Returns its number, or 0 if the file accepts no more."""
        return self._locked(lambda: self._add_function(name, file, line)) or 0

    def add_request_function(self, name: str, direction: int, protocol: int) -> int:
        """Write a function that stands for requests, likewise."""

        def add() -> int:
            number = self._add_function(name, "", 0)
            fact = number | direction << 32 | protocol << 40
            is_added = number and self._put_fact(_REQUEST_NAME, fact.to_bytes(8, "little"))
            return number if is_added else 0

        return self._locked(add) or 0

    def _add_function(self, name: str, file: str, line: int) -> int:
        if self.failed or self._functions == _MAX_FUNCTIONS:
            return 0
        number = self._functions + 1
        texts = [_cut(text.encode("utf-8", "backslashreplace")) for text in (name, file)]
        head = number | line << 32, len(texts[0]) | len(texts[1]) << 16
        payload = head[0].to_bytes(8, "little") + bytes(8) + head[1].to_bytes(4, "little")
        if not self._put_fact(_FUNCTION, payload + texts[0] + texts[1]):
            return 0
        self._functions = number
        return number

    def add_demotion(self, function: int, value: int, ticks: int, calls_per_second: int) -> None:
        """Write that a function was demoted or promoted; ``value`` as in the format."""
        numbers = function | calls_per_second << 32
        payload = ticks.to_bytes(8, "little") + numbers.to_bytes(8, "little")
        self._locked(lambda: not self.failed and self._put_fact(_DEMOTION, payload, value))

    def count_lost(self, count: int) -> None:
        """Count events that were not recorded."""
        self._header[_LOST] += count

    def end(self, *, is_clean: bool) -> None:
        """Stop writing. Unused space of a file that ends cleanly is cut off."""
        if is_clean:
            self._header[_FLAGS] |= _CLEAN
            self._calibrate()
            if not self.overwrites and self._file.is_same():
                os.ftruncate(self._file.number(), self._size - 8 * len(self._memory))
        self.failed = True
        self._facts = self._memory = memoryview(b"").cast("Q")
        self._header = memoryview(bytes(_HEADER_BYTES)).cast("Q")
        self._file.close()

    def copy(self, path: str) -> None:
        """Write the trace recorded so far to another file. Raises OSError."""
        self._locked(self._calibrate)
        size = self._size
        with open(self.path, "rb") as source, open(path, "wb", opener=_open_private) as target:
            while size and (piece := source.read(min(size, 1 << 20))):
                target.write(piece)
                size -= len(piece)

    def _write_header(self) -> None:
        """Fill in the header; its first word, stored last, makes the file a trace."""
        header = self._header
        header[1] = _VERSION | _HEADER_BYTES << 32
        header[2] = os.getpid() | _LANGUAGE << 32
        header[3] = TICKS_PER_SECOND
        self._start = header[4] = clock()
        header[5] = time.time_ns()
        header[_FLAGS] = _OVERWRITES if self.overwrites else 0
        header[0] = _MAGIC

    def _calibrate(self) -> None:
        at = _CALIBRATIONS + 4 * (self._sequence & 1)
        now = clock()
        self._header[at] = self._sequence
        self._header[at + 1], self._header[at + 2] = now, now - self._start
        self._header[at + 3] = self._sequence

    def _locked(self, work: Callable[[], _T]) -> _T | None:
        """Return the result of ``work``, or None.

        It is None if this thread already has the lock, or another thread holds it for long.
        """
        lock = self._lock
        if lock._is_owned():  # type: ignore[attr-defined]  # as threading.Condition does
            return None
        try:
            return work() if lock.acquire(True, _LOCK_TIMEOUT_S) else None
        finally:
            # A signal handler may have raised after the lock was acquired and before acquire
            # returned.
            if lock._is_owned():  # type: ignore[attr-defined]
                lock.release()

    # Chunks

    def _allocate(self, min_bytes: int, size: int) -> memoryview | None:
        while len(self._memory) * 8 < min_bytes:
            if self._memory:
                # Fill the rest with an empty chunk of facts: the format permits no gaps.
                self._put_head(self._take(len(self._memory)), FACTS)
            if not self._next_segment(min_bytes):
                return None
        return self._take(min(size, 8 * len(self._memory)) // 8)

    def _take(self, words: int) -> memoryview:
        """Return the next words of the segment."""
        memory, self._memory = self._memory[:words], self._memory[words:]
        self._position += 8 * words
        return memory

    def _put_head(self, memory: memoryview, kind: int, writer: int = 0, base: int = 0) -> None:
        """Write the header of a chunk; its first word, stored last, makes it a chunk."""
        self._sequence += 1
        memory[1] = 8 * len(memory)
        memory[2] = self._sequence
        memory[3] = writer
        memory[4] = base
        memory[0] = _CHUNK_MAGIC | kind << 32

    def _next_segment(self, min_bytes: int) -> bool:
        want = min(2 * self._segments[-1].bytes, _MAX_SEGMENT_BYTES) if self._segments else 0
        want = max(want, _MIN_SEGMENT_BYTES, -(-min_bytes // _PAGE) * _PAGE)
        if self.overwrites:
            want = min(want, max(_MIN_SEGMENT_BYTES, self._max_size // 8 // _PAGE * _PAGE))
        if self._size + want > self._max_size:
            return self._reuse_segment(min_bytes)
        try:
            mapping = self._grow(want)
        except OSError as error:
            if not self._facts_used:  # the file is being created
                raise
            if error.errno in _NO_SPACE and self._can_overwrite():  # with what it has
                self._max_size = sum(segment.bytes for segment in self._segments)
                return self._reuse_segment(min_bytes)
            self._end_early(_WRITE_FAILED, f"cannot write the trace: {error}")
            return False
        self._leave_segment()
        self._segments.append(Segment(mapping, want))
        self._memory = mapping.words
        self._at = len(self._segments) - 1
        if not self.overwrites:
            del self._segments[:-1]
            self._at = 0
        return True

    def _can_overwrite(self) -> bool:
        return self.overwrites and len(self._segments) >= 3

    def _reuse_segment(self, min_bytes: int) -> bool:
        """Reuse the oldest segment, or stop recording if nothing may be overwritten."""
        if not self._can_overwrite():
            self._end_early(_FULL, "the trace has reached FUNCTRACE_MAX_SIZE")
            return False
        self._leave_segment()
        self._at = (self._at + 1) % len(self._segments)
        segment = self._segments[self._at]
        self._header[_LAST_OVERWRITTEN] = segment.last
        self._header[_OVERWRITTEN] += count_events(segment.mapping.words)
        self._memory = segment.mapping.words
        self._memory.cast("B")[:] = bytes(segment.bytes)
        return min_bytes <= segment.bytes

    def _leave_segment(self) -> None:
        """Release the pages of a used segment, so that the program's memory does not grow.

        Chunks that are too old are revoked, long before they are overwritten: a thread that was
        interrupted before storing a word has until then to store it.
        """
        if self._at >= 0:
            self._segments[self._at].mapping.drop()
            self._segments[self._at].last = self._sequence
        for writer in self._writers if self.overwrites else ():
            if self._position - writer.position > self._max_size // 8:
                writer.revoke()

    def _end_early(self, flag: int, why: str) -> None:
        self.failed = True
        self._header[_FLAGS] |= flag
        self._fail(why)

    # The file

    def _grow(self, size: int) -> Mapping:
        """Lengthen the file and map the new part.

        It is written first: with a full disk this raises an error, whereas a store into the mapping
        would raise a signal that ends the program.
        """
        file = self._file.number()
        done = 0
        try:
            while done < size:
                done += os.pwrite(file, bytes(min(size - done, 1 << 20)), self._size + done)
        except OSError:
            os.ftruncate(file, self._size)
            raise
        mapping = Mapping(file, self._size, size)
        self._size += size
        return mapping

    # Facts

    def _new_facts(self) -> memoryview:
        """Return another chunk of metadata, which is never overwritten.

        Raises:
            OSError: there is no space.
        """
        if self.overwrites:
            memory: memoryview | None = self._grow(_FACTS_BYTES).words
        else:
            memory = self._allocate(_FACTS_BYTES, _FACTS_BYTES)
        if memory is None:
            raise OSError("the trace is full")
        self._put_head(memory, FACTS)
        return memory

    def _put_fact(self, kind: int, payload: bytes, value: int = 0) -> bool:
        words = 1 + (len(payload) + 7) // 8
        if self._facts_used + words > len(self._facts):
            try:
                self._facts = self._new_facts()
            except OSError:
                return False
            self._facts_used = HEAD_WORDS
        put_record(self._facts, self._facts_used, kind, value, payload)
        self._facts_used += words
        return True


def put_record(memory: memoryview, at: int, kind: int, value: int, payload: bytes) -> None:
    """Store a record, its first word last."""
    for i in range(0, len(payload), 8):
        memory[at + 1 + i // 8] = int.from_bytes(payload[i : i + 8], "little")
    memory[at] = 3 | kind << 2 | len(payload) << 8 | value << 24


# By the first byte of a word: 1 an entry or exit, 3 a record, 0 the end.
_KINDS = bytes((0, 1, 1, 3) * 64)


def count_events(words: memoryview) -> int:
    """Return the number of entries and exits in chunks that follow each other."""
    count = at = 0
    while at < len(words) and (size := words[at + 1] // 8):
        if words[at] == _CHUNK_MAGIC | EVENTS << 32:
            count += _count_in_chunk(words[at : at + size])
        at += size
    return count


def _count_in_chunk(chunk: memoryview) -> int:
    kinds = chunk.tobytes()[::8].translate(_KINDS) + b"\0"
    count, at = 0, HEAD_WORDS
    while True:
        end, record = kinds.find(0, at), kinds.find(3, at)
        if not 0 <= record < end:
            return count + end - at
        count += record - at
        at = record + 1 + ((chunk[record] >> 8 & 0xFFFF) + 7) // 8


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, new_file_mode(path))


def _rounded(size: int) -> int:
    return -(-size // _CHUNK_STEP) * _CHUNK_STEP


def _cut(text: bytes) -> bytes:
    return text[:_MAX_NAME_BYTES]
