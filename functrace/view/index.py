"""Index of a trace: places from which narrow windows are read, and summaries for wide ones."""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from functrace._native.engine import engine
from functrace._native.row_types import (
    CROSSING,
    INDEXED_TRACK,
    OVERVIEW_BINS,
    PART,
    STRIP,
    SUMMARY,
)
from functrace.analysis.columns import Int64s
from functrace.analysis.track_words import Source, source_of
from functrace.tracefile import Trace

Rows = npt.NDArray[Any]
Progress = Callable[[float], None]

STRIP_WORDS = 1024
"""words of a strip: as many have to be read again to draw a few calls of it"""
_STEP_WORDS = 4_000_000
_MAX_THREADS = 4


@dataclass(frozen=True, eq=False)
class TraceIndex:
    """Arrays of an index; functrace/_native/reader/index.h describes their rows."""

    tracks: Rows
    strips: Rows
    parts: Rows
    crossings: Rows
    summaries: Rows
    bin_calls: Int64s
    """calls that start in each bin of an overview"""
    bin_failed: Int64s
    mapped: mmap.mmap | None = field(default=None, kw_only=True)
    """the file that the arrays are in, if they are in one"""

    def release_pages(self) -> None:
        """Take the pages that were read out of the memory of this process, if they are a file's."""
        if self.mapped is not None:
            self.mapped.madvise(mmap.MADV_DONTNEED)


ROW_TYPES = {
    "tracks": INDEXED_TRACK,
    "strips": STRIP,
    "parts": PART,
    "crossings": CROSSING,
    "summaries": SUMMARY,
    "bin_calls": np.dtype("<i8"),
    "bin_failed": np.dtype("<i8"),
}
"""types of the rows of each array"""


def bin_shift(trace: Trace) -> int:
    """Return the width of a bin of the overview, as the power of two of ticks."""
    return max((trace.words.last // OVERVIEW_BINS).bit_length(), 0)


def build_index(trace: Trace, progress: Progress | None = None) -> TraceIndex:
    """Build the index of a trace on several threads, in one walk over its tracks.

    Args:
        trace: the trace.
        progress: called now and then, by any thread, with the part that is done.
    """
    source = source_of(trace)
    words = _words_of_tracks(trace)
    steps = _Steps(trace, int(words.sum()), progress)
    ranges = list(_ranges(words))
    with ThreadPoolExecutor(min(os.cpu_count() or 1, _MAX_THREADS)) as threads:
        jobs = [threads.submit(_build, source, part, bin_shift(trace), steps) for part in ranges]
        index = _joined([job.result() for job in jobs])
    if progress:
        progress(1.0)  # the words of records were counted as one each
    return index


class _Steps:
    """Count of the words that all threads have walked."""

    def __init__(self, trace: Trace, total: int, progress: Progress | None) -> None:
        self._trace = trace
        self._total = max(total, 1)
        self._progress = progress
        self._done = 0
        self._lock = Lock()

    def add(self, words: int) -> None:
        """Count words, and report them."""
        with self._lock:
            self._done += words
            self._trace.release_pages()
            if self._progress:
                self._progress(min(self._done / self._total, 1.0))


def _words_of_tracks(trace: Trace) -> Int64s:
    until = np.concatenate([[0], np.cumsum(trace.words.pieces["words"].astype(np.int64))])
    words: Int64s = np.diff(until[trace.words.piece_of])
    return words


def _ranges(words: Int64s) -> Iterator[tuple[int, int]]:
    """Yield ranges of tracks with about as many words as a step."""
    cuts = np.flatnonzero(np.diff(np.cumsum(words) // _STEP_WORDS)) + 1
    bounds = [0, *cuts.tolist(), len(words)]
    yield from pairwise(bounds)


def _build(source: Source, tracks: tuple[int, int], shift: int, steps: _Steps) -> TraceIndex:
    builder = engine().IndexBuilder(source.arguments(), *tracks, STRIP_WORDS, shift, source)
    done, known = False, 0
    while not done:
        done, words = builder.advance(_STEP_WORDS)
        steps.add(words - known)
        known = words
    arrays = zip(builder.arrays(), ROW_TYPES.values(), strict=True)
    return TraceIndex(*(np.frombuffer(rows, kind) for rows, kind in arrays))


def _joined(parts: list[TraceIndex]) -> TraceIndex:
    """Return one index of consecutive ranges of tracks. The parts are used up, to save memory."""
    _relate(parts)
    columns: dict[str, list[Rows]] = {
        name: [getattr(part, name) for part in parts] for name in ROW_TYPES
    }
    parts.clear()
    bins = {name: np.sum(columns.pop(name), axis=0) for name in ("bin_calls", "bin_failed")}
    arrays = {name: np.concatenate(columns.pop(name)) for name in list(columns)} | bins
    return TraceIndex(*(arrays[name] for name in ROW_TYPES))


def _relate(parts: Sequence[TraceIndex]) -> None:
    """Make the indices in the rows of each part those in the whole."""
    first = dict.fromkeys(ROW_TYPES, 0)
    for part in parts:
        part.tracks["strip"] += first["strips"]
        part.tracks["part"] += first["parts"]
        part.strips["crossing"] += first["crossings"]
        part.strips["open"][part.strips["open"] >= 0] += first["crossings"]
        part.crossings["parent"][part.crossings["parent"] >= 0] += first["crossings"]
        part.parts["summary"] += first["summaries"]
        for name in first:
            first[name] += len(getattr(part, name))
