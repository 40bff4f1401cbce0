"""Consistent copy of a trace that its process is writing and overwriting."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from functrace.errors import FunctraceError
from functrace.tracefile import format as fmt
from functrace.tracefile.header import Header, latest_calibration, parse_header
from functrace.tracefile.scan import Rows, find_chunks, find_pieces

_Bytes = npt.NDArray[np.uint8]
_STEP = 1 << 20
_MAX_ATTEMPTS = 5
_EVENTS_MAGIC = int.from_bytes(fmt.CHUNK_MAGIC, "little") | fmt.EVENTS << 32
_HEAD_WORDS = fmt.CHUNK.size // fmt.WORD.size


def copy_ring(path: Path) -> memoryview:
    """Return a copy of the trace at one instant. Its process is not stopped.

    The file is read twice. The copy is the second reading up to the latest time of the first one:
    what was recorded until then is complete in it. Chunks that the process began to overwrite
    before the end of the second reading are left out. If none is left, it is read again, once, up
    to the latest calibration.

    Raises:
        FunctraceError: the file cannot be read, is no trace, or is overwritten too fast.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise FunctraceError(f"{path}: {error.strerror}") from None
    try:
        for attempt in range(_MAX_ATTEMPTS):
            copy = _copy(path, file, is_hurried=attempt > 0)
            if copy is not None:
                return copy
    except OSError as error:
        raise FunctraceError(f"{path}: {error.strerror}") from None
    finally:
        os.close(file)
    raise FunctraceError(
        f"{path}: the program overwrites its calls faster than they can be copied; run it with a"
        " larger FUNCTRACE_MAX_SIZE"
    )


def _copy(path: Path, file: int, *, is_hurried: bool) -> memoryview | None:
    """Return a copy; None if all calls in it were overwritten meanwhile.

    If it is hurried, the file is read once, and the copy ends with the latest calibration.
    """
    until = _calibrated(path, file) if is_hurried else _latest(path, file)
    data = _read(file)
    head = _read_header(file)
    data[: len(head)] = np.frombuffer(head, np.uint8)
    end = _restrict(path, data, until)
    return None if end is None else data[:end].data


def _latest(path: Path, file: int) -> int:
    """Return the latest time in a file, in ticks after the start.

    It is not before the latest calibration: the newest chunks may be overwritten while they are
    searched for.
    """
    calibrated = _calibrated(path, file)
    newest = _newest_chunks(file)
    header = parse_header(path, memoryview(_read_header(file)))
    parts = [
        os.pread(file, size, offset)
        for sequence, offset, size in newest
        if sequence > header.last_overwritten
    ]
    data = memoryview(b"".join([bytes(fmt.HEADER_BYTES), *parts]))
    chunks = find_chunks(data, header.is_overwriting).rows
    begun = chunks["base"].max(initial=header.start)  # a chunk may have no words yet
    begun_at = fmt.ticks_since(int(begun), header.start)
    return max(_last(data, header, chunks), begun_at, calibrated)


def _calibrated(path: Path, file: int) -> int:
    """Return the time of the latest calibration, in ticks after the start."""
    head = memoryview(_read_header(file))
    ticks, _ = latest_calibration(head)
    start = parse_header(path, head).start
    return fmt.ticks_since(max(ticks, start), start)


def _newest_chunks(file: int) -> Iterable[tuple[int, int, int]]:
    """Return sequence number, offset and size of the last chunk of each writer.

    The file is read through a small buffer, which takes less time than memory for all of it.
    """
    buffer = np.empty(_STEP, np.uint8)
    newest: dict[int, tuple[int, int, int]] = {}
    at = fmt.HEADER_BYTES
    while (read := os.preadv(file, [buffer.data], at)) >= fmt.CHUNK_STEP:
        places = buffer[: read // fmt.CHUNK_STEP * fmt.CHUNK_STEP].view("<u8")
        heads = places.reshape(-1, fmt.CHUNK_STEP // 8)[:, :_HEAD_WORDS]
        found = np.flatnonzero(heads[:, 0] == _EVENTS_MAGIC)
        for place, (_, size, sequence, writer, _) in zip(
            found.tolist(), heads[found].tolist(), strict=True
        ):
            chunk = sequence, at + place * fmt.CHUNK_STEP, min(size, fmt.CHUNK_LIMIT)
            newest[writer] = max(newest.get(writer, chunk), chunk)
        at += len(places) * 8
    return newest.values()


def _read(file: int) -> _Bytes:
    """Return the contents of a file."""
    size = os.fstat(file).st_size
    memory = mmap.mmap(-1, max(size, 1))
    if hasattr(mmap, "MADV_HUGEPAGE"):  # else most of the time is spent on page faults
        memory.madvise(mmap.MADV_HUGEPAGE)
    done = 0
    while done < size and (read := os.preadv(file, [memoryview(memory)[done:size]], done)):
        done += read
    return np.frombuffer(memory, np.uint8)[:done]


def _read_header(file: int) -> bytes:
    return os.pread(file, fmt.HEADER_BYTES, 0)


def _is_intact(chunks: Rows, header: Header) -> npt.NDArray[np.bool_]:
    intact: npt.NDArray[np.bool_] = (chunks["kind"] == fmt.EVENTS) & (
        chunks["sequence"] > header.last_overwritten
    )
    return intact


def _newest_of_writers(chunks: Rows) -> Rows:
    """Return the last chunk of each writer."""
    newest = np.unique(chunks["track"][::-1], return_index=True)[1]
    return np.ascontiguousarray(chunks[len(chunks) - 1 - newest])


def _last(data: memoryview, header: Header, chunks: Rows) -> int:
    return find_pieces(data, header, chunks).last if len(chunks) else 0


def _restrict(path: Path, data: _Bytes, until: int) -> int | None:
    """Erase overwritten chunks and what came after ``until``. Return the end of what remains.

    None if there were events and none remain.
    """
    header = parse_header(path, data.data)
    chunks = find_chunks(data.data, header.is_overwriting).rows
    base = chunks["base"].astype(np.int64) - header.start
    is_kept = (chunks["kind"] == fmt.FACTS) | (_is_intact(chunks, header) & (base <= until))
    for chunk in chunks[~is_kept]:
        offset = int(chunk["offset"])
        data[offset : offset + int(chunk["size"])] = 0
    kept = chunks[is_kept]
    if (chunks["kind"] == fmt.EVENTS).any() and not (kept["kind"] == fmt.EVENTS).any():
        return None
    for chunk in _newest_of_writers(kept[kept["kind"] == fmt.EVENTS]):
        if _last(data.data, header, np.array([chunk])) > until:
            _cut(data, chunk, header.start + until)
    return int((kept["offset"] + kept["size"]).max(initial=fmt.HEADER_BYTES))


def _cut(data: _Bytes, chunk: Any, until: int) -> None:
    """Erase the words of a chunk from the first one on that is later than ``until``, in ticks."""
    offset = int(chunk["offset"])
    words = data.data[offset : offset + int(chunk["size"]) // 8 * 8].cast("Q")
    base, at = int(chunk["base"]), _HEAD_WORDS
    while at < len(words) and words[at]:
        word = words[at]
        if _time(word, base) > until:
            break
        if word & 3 == fmt.RECORD:
            if fmt.record_type(word) == fmt.BASE and at + 1 < len(words):
                base = words[at + 1]
            at += fmt.record_size(word) // 8
        else:
            at += 1
    data[offset + 8 * at : offset + 8 * len(words)] = 0


def _time(word: int, base: int) -> int:
    """Return the ticks of a word; 0 for a record without a time."""
    if word & 3 != fmt.RECORD:
        return base + (word >> 22)
    has_time = fmt.record_type(word) in (fmt.SUSPENDED, fmt.RESUMED)
    return base + (word >> 24) if has_time else 0
