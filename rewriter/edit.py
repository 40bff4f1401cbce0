"""Edit buffer: the only way in which the bytes of a source change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Edit:
    """Replacement of ``source[start:end]`` by ``text``; offsets are bytes of the original."""

    start: int
    end: int
    text: bytes


def insert(offset: int, text: bytes) -> Edit:
    """Return the edit that inserts ``text`` before the byte at ``offset``."""
    return Edit(offset, offset, text)


def delete(start: int, end: int) -> Edit:
    """Return the edit that deletes ``source[start:end]``."""
    return Edit(start, end, b"")


def apply(source: bytes, edits: Iterable[Edit]) -> bytes:
    """Apply ``edits`` to ``source``; edits at the same offset keep their order.

    Raises:
        ValueError: two edits overlap or one is out of range, which is a bug in the caller.
    """
    parts: list[bytes] = []
    done = 0
    for edit in sorted(edits, key=lambda e: e.start):
        if not done <= edit.start <= edit.end <= len(source):
            raise ValueError(f"{edit} overlaps another edit or is out of range")
        parts += (source[done : edit.start], edit.text)
        done = edit.end
    parts.append(source[done:])
    return b"".join(parts)
