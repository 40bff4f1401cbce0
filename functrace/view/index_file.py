"""Index files, kept beside their traces so that a large trace is indexed once.

A file has a header, then the rows of each array of the index. Its key stands for the trace and for
the layout of the rows. A file with another key, of another user or with a wrong checksum is ignored
and replaced.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import stat
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from itertools import accumulate
from pathlib import Path

import numpy as np

from functrace._native.row_types import OVERVIEW_BINS
from functrace.tracefile import Trace
from functrace.tracefile.format import HEADER_BYTES
from functrace.view.index import ROW_TYPES, STRIP_WORDS, TraceIndex
from functrace.watch.private_files import open_file

_VERSION = 1
_KEY_BYTES = 32
_HEADER = struct.Struct(f"<8s{_KEY_BYTES}sQ{len(ROW_TYPES)}Q")
_MAGIC = b"FTINDEX\n"
_BLOCK = 16 << 20


def index_path(trace: Path) -> Path:
    """Return the path of the index file of a trace."""
    return trace.with_name(f"{trace.name}.index")


def load_index(trace: Trace) -> TraceIndex | None:
    """Return the index of a trace from its file, or None if there is no valid one."""
    try:
        data = _map(index_path(trace.path))
        return _parse(data, _key(trace))
    except (OSError, ValueError):
        return None


def save_index(trace: Trace, index: TraceIndex) -> None:
    """Write the index file of a trace.

    Nothing is written for a trace that still grows or belongs to another user, or into a folder
    that cannot be written to.
    """
    with suppress(OSError):
        if trace.is_running or os.stat(trace.path).st_uid != os.geteuid():
            return
        with open_file(index_path(trace.path)) as file:
            file.write(_header(_key(trace), index))
            for octets in _octets(index):
                file.write(octets)


def _octets(index: TraceIndex) -> Iterator[memoryview]:
    return (getattr(index, name).view(np.uint8).data for name in ROW_TYPES)


def _key(trace: Trace) -> bytes:
    """Return a digest of what the index depends on. Raises OSError if the trace is gone."""
    data, modified = trace.words.data, os.stat(trace.path).st_mtime_ns
    contents = len(data), modified, trace.events, trace.words.last, len(trace.words.pieces)
    digest = hashlib.blake2b(data[:HEADER_BYTES], digest_size=_KEY_BYTES)
    digest.update(repr((_VERSION, STRIP_WORDS, ROW_TYPES, contents)).encode())
    return digest.digest()


def _header(key: bytes, index: TraceIndex) -> bytes:
    checksum = 0
    for octets in _octets(index):
        checksum = zlib.crc32(octets, checksum)
    counts = (len(getattr(index, name)) for name in ROW_TYPES)
    return _HEADER.pack(_MAGIC, key, checksum, *counts)


def _map(path: Path) -> mmap.mmap:
    """Map an index file of this user. Raises OSError or ValueError if there is none."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
            raise ValueError("not a file of this user")
        return mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
    finally:
        os.close(descriptor)


def _parse(mapped: mmap.mmap, key: bytes) -> TraceIndex:
    """Return the index in a file. Raises ValueError if it is not the one with the key."""
    data = memoryview(mapped)
    if len(data) < _HEADER.size:
        raise ValueError("truncated")
    magic, found, checksum, *counts = _HEADER.unpack_from(data)
    sizes = [count * kind.itemsize for count, kind in zip(counts, ROW_TYPES.values(), strict=True)]
    if (magic, found, len(data)) != (_MAGIC, key, _HEADER.size + sum(sizes)):
        raise ValueError("of another trace or version")
    if counts[-2:] != [OVERVIEW_BINS] * 2:
        raise ValueError("bins are missing")
    if _checksum(data[_HEADER.size :]) != checksum:
        raise ValueError("damaged")
    ends = list(accumulate(sizes, initial=_HEADER.size))
    arrays = (
        np.frombuffer(data, kind, count, offset)
        for kind, count, offset in zip(ROW_TYPES.values(), counts, ends[:-1], strict=True)
    )
    return TraceIndex(*arrays, mapped=mapped)


def _checksum(data: memoryview) -> int:
    checksum = 0
    for at in range(0, len(data), _BLOCK):
        checksum = zlib.crc32(data[at : at + _BLOCK], checksum)
    return checksum
