"""The edit buffer: the one way in which bytes of a source change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Edit:
    """Replace ``source[start:end]`` by ``text``; offsets are bytes of the original."""

    start: int
    end: int
    text: bytes


def insert(at: int, text: bytes) -> Edit:
    """The edit that puts ``text`` before the byte at ``at``."""
    return Edit(at, at, text)


def delete(start: int, end: int) -> Edit:
    """The edit that takes ``source[start:end]`` out."""
    return Edit(start, end, b"")


def apply(source: bytes, edits: Iterable[Edit]) -> bytes:
    """Return ``source`` with all ``edits`` made; those at one offset keep their order.

    Raises:
        ValueError: two edits overlap, or one lies outside the source. Both are
            faults of the caller.
    """
    parts: list[bytes] = []
    done = 0
    for edit in sorted(edits, key=lambda e: e.start):
        if not done <= edit.start <= edit.end <= len(source):
            raise ValueError(f"edit {edit} overlaps another or leaves the source")
        parts += (source[done : edit.start], edit.text)
        done = edit.end
    parts.append(source[done:])
    return b"".join(parts)
