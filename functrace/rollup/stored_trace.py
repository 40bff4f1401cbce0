"""Trace without events that stands for the processes of a store in reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from functrace._native.row_types import PIECE
from functrace.tracefile import Trace
from functrace.tracefile.facts import Function
from functrace.tracefile.reader import Clock, Words
from functrace.tracefile.tracks import Tracks

Row = Mapping[str, Any]


def trace_of(
    place: str, rows: Sequence[Row], functions: tuple[Function, ...]
) -> tuple[Trace, dict[str, Any]]:
    """Return a trace whose tracks are those of the rows' examples, and columns of Chains.

    The start of an example is in nanoseconds since 1970, since the trace begins then.

    Args:
        place: the store.
        rows: rows of chains.
        functions: the functions.

    Returns:
        The trace, and the columns of Chains about the slowest and the first failed call.
    """
    texts = _Texts()
    has_example = [row.get("example_track") is not None for row in rows]
    failed = [has and bool(row["failed"]) for has, row in zip(has_example, rows, strict=True)]
    slowest = [has and not fails for has, fails in zip(has_example, failed, strict=True)]
    start = np.array([row.get("example_time") or 0 for row in rows], np.int64)
    track = np.arange(len(rows), dtype=np.int32)
    places = [texts.add(_first_text(row)) for row in rows]
    columns = {
        "slowest_track": np.where(slowest, track, -1).astype(np.int32),
        "slowest_start": start,
        "failed_track": np.where(failed, track, -1).astype(np.int32),
        "failed_start": start,
        "failed_text": np.array([at for at, _ in places], np.int64),
        "failed_length": np.array([size for _, size in places], np.int64),
        "example_paths": tuple(row.get("example_trace") or "" for row in rows),
    }
    ids = np.array([row.get("example_track") or 0 for row in rows], np.uint64)
    data = memoryview(bytes(texts.content))
    return _trace(place, functions, _tracks(ids, data), data), columns


class _Texts:
    """Texts of errors, one after the other."""

    def __init__(self) -> None:
        self.content = bytearray()

    def add(self, text: str) -> tuple[int, int]:
        """Add a text, and return its position and size."""
        encoded = text.encode("utf-8", "replace")
        at = len(self.content)
        self.content += encoded
        return at, len(encoded)


def _first_text(row: Row) -> str:
    errors = row.get("errors") or ()
    return str(errors[0]["text"]) if errors else ""


def _tracks(ids: npt.NDArray[np.uint64], data: memoryview) -> Tracks:
    """Return tracks of which only the ids are known."""
    count = len(ids)
    return Tracks(
        id=ids,
        kind=np.zeros(count, np.uint8),
        parent=np.full(count, -1, np.int32),
        parent_id=np.zeros(count, np.uint64),
        starter=np.full(count, -1, np.int32),
        line=np.zeros(count, np.uint32),
        start=np.zeros(count, np.int64),
        start_ticks=np.zeros(count, np.int64),
        name_at=np.zeros(count, np.int64),
        name_bytes=np.zeros(count, np.uint16),
        data=data,
    )


def _trace(place: str, functions: tuple[Function, ...], tracks: Tracks, data: memoryview) -> Trace:
    return Trace(
        path=Path(place),
        pid=0,
        language="unknown",
        started=0,
        ended_cleanly=True,
        ending=None,
        full=False,
        overwritten=False,
        overwritten_chunks=0,
        overwritten_events=None,
        write_failed=False,
        lost=0,
        process={},
        functions=functions,
        demotions=(),
        tracks=tracks,
        events=0,
        span=(0, 0),
        damage=[],
        clock=Clock(1e9),
        words=Words(
            data=data,
            start=0,
            last=0,
            pieces=np.zeros(0, PIECE),
            piece_of=np.zeros(0, np.int64),
            function_of=np.zeros(0, np.int32),
        ),
        store=place,
    )
