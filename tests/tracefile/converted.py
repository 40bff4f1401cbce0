"""Traces of version 1 written again as version 2, with the same meaning."""

from __future__ import annotations

import struct
from collections import defaultdict

from functrace.tracefile import format as fmt
from tests.reference.scan import chunks
from tests.tracefile import writer as w


def as_version_2(content: bytes) -> bytes:
    """Give every chunk of events a switch record, and count 40 events in each overwritten one."""
    runs: dict[int, int] = defaultdict(int)
    rows, _, _ = chunks(memoryview(content), overwritten=True)
    sequences = [row[1] for row in rows]
    last = min((row[1] for row in rows if row[5] == fmt.EVENTS), default=1) - 1
    missing = last - sum(sequence <= last for sequence in sequences)
    header = bytearray(content[: fmt.HEADER_BYTES])
    struct.pack_into("<I", header, 8, 2)
    if header[fmt.FLAGS_AT] & fmt.OVERWRITTEN:
        struct.pack_into("<QQ", header, fmt.OVERWRITTEN_AT, 40 * missing, last)
    out = [bytes(header)]
    switches = {row[0]: _switch(content, row, runs) for row in sorted(rows, key=lambda row: row[1])}
    # Each track is a writer of its own.
    for at, sequence, track, base, size, kind, _, _ in rows:
        words = content[at + fmt.CHUNK.size : at + size]
        if kind == fmt.EVENTS:
            words = switches[at] + words.rstrip(b"\0") + b"\0" * (-len(words.rstrip(b"\0")) % 8)
            writer = track or (_tracks(content, at + fmt.CHUNK.size, at + size) or [1])[0]
            out.append(w.events(sequence, words, track=writer, base=base))
        else:
            out.append(content[at : at + size])
    return b"".join(out)


def _switch(content: bytes, row: tuple[int, ...], runs: dict[int, int]) -> bytes:
    """The switch record that stands for a chunk's head, and count the runs in the chunk."""
    at, _, track, _, size, kind, opened, _ = row
    if kind != fmt.EVENTS:
        return b""
    switch = b""
    if track:
        switch = w.switch(track, runs[track], opened=opened)
        runs[track] += 1
    for begun in _tracks(content, at + fmt.CHUNK.size, at + size):
        runs[begun] += 1
    return switch


def _tracks(content: bytes, at: int, end: int) -> list[int]:
    found = []
    while at + 8 <= end:
        (word,) = fmt.WORD.unpack_from(content, at)
        if word == 0:
            break
        is_record = word & 3 == fmt.RECORD
        if is_record and fmt.record_type(word) == fmt.TRACK:
            found.append(fmt.WORD.unpack_from(content, at + 8)[0])
        at += fmt.record_size(word) if is_record else 8
    return found
