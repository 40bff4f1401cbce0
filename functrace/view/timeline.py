"""Windows of a trace, by track, time and resolution."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt

from functrace._native.engine import array, engine
from functrace._native.row_types import LISTED_CALL, OVERVIEW_BINS, SLICE
from functrace.analysis.selection import flags
from functrace.analysis.track_words import source_of
from functrace.tracefile import Trace
from functrace.tracefile.format import TIME_LIMIT
from functrace.view.call_query import ORDERS, CallQuery
from functrace.view.index import STRIP_WORDS, Progress, TraceIndex, bin_shift, build_index
from functrace.view.index_file import load_index, save_index
from functrace.view.window import CallPage, Overview, Row, TrackFigures, TrackWindow, Window

Rows = npt.NDArray[Any]

_MIN_EVENTS_OF_FILE = 2_000_000
_MAX_STRIPS = 1500
_MAX_SLICES = 50_000
_MAX_DEPTHS = 1 << 16
_MAX_STRIPS_OF_PAGE = 50_000
_MAX_CHAIN = 1 << 20
_MAX_MAPPED_BYTES = 256 << 20


class Timeline:
    """A trace, prepared for windows of any width.

    Threads may use it at the same time. Tracks and functions are indices into the trace's.

    Attributes:
        trace: the trace.
        index: its index.
    """

    def __init__(self, trace: Trace, index: TraceIndex) -> None:
        self.trace = trace
        self.index = index
        self._source = source_of(trace)
        self._strips = 0
        """strips that were read since pages were released"""
        rows = (index.tracks, index.strips, index.parts, index.crossings, index.summaries)
        self._queries = engine().Index(
            self._source.arguments(), *map(array, rows), (self._source, index)
        )
        index.release_pages()  # all rows were checked

    @classmethod
    def open(cls, trace: Trace, *, progress: Progress | None = None) -> Timeline:
        """Prepare a trace: read the index beside it, or build it, which is kept for a large trace.

        Args:
            trace: the trace, which must not be closed before the timeline is dropped.
            progress: called now and then with the part that is done, between 0 and 1.
        """
        trace.release_pages()
        if trace.events < _MIN_EVENTS_OF_FILE:
            return cls(trace, build_index(trace, progress))
        index = load_index(trace)
        if index is not None:
            with suppress(ValueError):  # damaged, with a checksum that is right
                return cls(trace, index)
        index = build_index(trace, progress)
        save_index(trace, index)
        return cls(trace, load_index(trace) or index)  # mapped, it takes less memory

    def tracks(self) -> TrackFigures:
        """Return the figures of every track."""
        tracks = self.index.tracks
        return TrackFigures(
            start=self.trace.clock.nanoseconds(tracks["start"]),
            end=self.trace.clock.nanoseconds(tracks["end"]),
            calls=tracks["calls"],
            failed=tracks["failed"],
            depth=tracks["depth"].astype(np.int32),
        )

    def window(
        self, tracks: Sequence[int], from_ns: int, to_ns: int, px: int = 1600, depth: int = 256
    ) -> Window:
        """Return the slices of tracks that overlap a window.

        Args:
            tracks: tracks in the order of the result.
            from_ns: start of the window, nanoseconds after the trace's start.
            to_ns: its end.
            px: number of pixels; calls narrower than one are merged.
            depth: number of outer levels of calls to return.
        """
        clock = self.trace.clock
        since, until = clock.ticks(from_ns), clock.ticks(to_ns)
        pixel = max(-(-(until - since) // max(px, 1)), 1)
        numbers = np.array(tracks, np.int64)
        rows, resolution, strips = self._queries.window(
            array(numbers),
            since,
            until,
            pixel,
            min(max(depth, 0), _MAX_DEPTHS),
            _MAX_STRIPS,
            _MAX_SLICES,
        )
        self._note_reads(strips)
        slices = np.frombuffer(rows, SLICE)
        bounds = np.searchsorted(slices["track"], np.arange(len(tracks) + 1))
        parts = [
            TrackWindow(track, self._rows(slices[first:last]))
            for track, first, last in zip(tracks, bounds[:-1], bounds[1:], strict=True)
        ]
        return Window(from_ns, to_ns, clock.nanosecond(resolution), parts)

    def overview(self, px: int) -> Overview:
        """Return bins over the whole trace: at most `px`."""
        width = 1 << bin_shift(self.trace)
        step = 1
        while self.trace.words.last // (width * step) >= max(px, 1):
            step *= 2
        count = self.trace.words.last // (width * step) + 1
        first = self.index.tracks["start"] // (width * step)
        last = self.index.tracks["end"] // (width * step)
        change = np.zeros(count + 1, np.int64)
        np.add.at(change, np.minimum(first, count - 1), 1)
        np.add.at(change, np.minimum(last, count - 1) + 1, -1)
        bins = np.arange(0, OVERVIEW_BINS, step)
        return Overview(
            bin_ns=width * step * 1e9 / self.trace.clock.ticks_per_second,
            calls=np.add.reduceat(self.index.bin_calls, bins)[:count],
            failed=np.add.reduceat(self.index.bin_failed, bins)[:count],
            tracks=np.cumsum(change)[:count],
        )

    def calls_in(self, query: CallQuery) -> CallPage:
        """Return the calls that match a query, in its order, and only the part asked for.

        The list is not exact if it would take long to read all that it depends on: it is then that
        of the part of the trace that was read.
        """
        tracks = range(len(self.trace.tracks)) if query.tracks is None else sorted(query.tracks)
        first = max(query.offset, 0)
        rows, total, is_exact = self._calls(query, tracks, first + max(query.limit, 0))
        return self._page(rows[first:], total, is_exact)

    def chain(self, track: int, start_ns: int, depth: int) -> CallPage:
        """Return a call and the calls that enclose it on its track, outermost first.

        Empty if no call of this depth starts then.
        """
        clock = self.trace.clock
        margin = 1 + int(1e9 / clock.ticks_per_second)  # covers rounding to nanoseconds
        query = CallQuery(from_ns=max(start_ns - margin, 0), to_ns=start_ns + margin)
        rows, _, _ = self._calls(query, [track], _MAX_CHAIN)
        starts = clock.nanoseconds(rows["start"])
        chain = np.flatnonzero((rows["depth"] == depth) & (starts == start_ns))[:1].tolist()
        while chain and (caller := _caller(rows, rows[chain[0]])) is not None:
            chain.insert(0, caller)
        return self._page(rows[chain], len(chain), True)

    def _calls(self, query: CallQuery, tracks: Sequence[int], limit: int) -> tuple[Rows, int, bool]:
        """Return rows of LISTED_CALL, the number of calls that match, and whether that is exact."""
        clock = self.trace.clock
        numbers = np.array(tracks, np.int64)
        functions = flags(query.functions, len(self.trace.functions))
        rows, total, is_exact, strips = self._queries.calls(
            array(numbers),
            array(functions),
            clock.ticks(query.from_ns),
            TIME_LIMIT if query.to_ns is None else clock.ticks(query.to_ns),
            clock.ticks(query.min_duration_ns),
            query.failed_only,
            ORDERS.index(query.order),
            query.descending,
            limit,
            _MAX_STRIPS_OF_PAGE,
        )
        self._note_reads(strips)
        return np.frombuffer(rows, LISTED_CALL), total, is_exact

    def _note_reads(self, strips: int) -> None:
        """Keep the pages of the trace that queries read from adding up in this process."""
        self._strips += strips
        if self._strips * STRIP_WORDS * 8 > _MAX_MAPPED_BYTES:
            self._strips = 0
            self.trace.release_pages()

    def _page(self, rows: Rows, total: int, is_exact: bool) -> CallPage:
        ns = self.trace.clock.nanoseconds
        return CallPage(
            total=total,
            is_exact=is_exact,
            track=rows["track"],
            start=ns(rows["start"]),
            duration=ns(rows["duration"]),
            self=ns(rows["self"]),
            suspended=ns(rows["suspended"]),
            function=rows["function"],
            parent_function=rows["parent"],
            depth=rows["depth"].astype(np.int32),
            flags=rows["flags"],
            text_at=rows["text"],
            text_bytes=rows["text_length"].astype(np.int64),
        )

    def _rows(self, slices: Rows) -> list[Row]:
        ns = self.trace.clock.nanoseconds
        edges = np.flatnonzero(np.diff(slices["depth"])) + 1
        start, duration = ns(slices["start"]), ns(slices["duration"])
        return [
            Row(
                depth=int(slices["depth"][first]),
                start=start[first:last],
                duration=duration[first:last],
                function=slices["function"][first:last],
                flags=slices["flags"][first:last].astype(np.uint8),
                calls=slices["calls"][first:last],
            )
            for first, last in zip(
                [0, *edges.tolist()], [*edges.tolist(), len(slices)], strict=True
            )
            if first < last
        ]


def _caller(rows: Rows, call: Rows) -> int | None:
    """Return the row of the call that encloses another one directly, or None."""
    encloses = (
        (rows["depth"] + 1 == call["depth"])
        & (rows["function"] == call["parent"])
        & (rows["start"] <= call["start"])
        & (rows["start"] + rows["duration"] >= call["start"] + call["duration"])
    )
    found = np.flatnonzero(encloses)
    return int(found[np.argmax(rows["duration"][found])]) if len(found) else None
