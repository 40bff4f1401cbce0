"""Windows of a trace, by track, time and resolution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from functrace._native import row_types
from functrace._native.engine import array, engine
from functrace._native.row_types import CALL
from functrace.analysis.selection import flags
from functrace.analysis.track_words import source_of
from functrace.tracefile import Trace
from functrace.tracefile.format import TIME_LIMIT
from functrace.view import window as view
from functrace.view.call_query import CallQuery
from functrace.view.window import CallPage, Overview, Row, TrackFigures, TrackWindow, Window

Rows = npt.NDArray[Any]
Progress = Callable[[float], None]

_BLOCK = 1 << 17
_FAILED = row_types.ERROR | row_types.PANIC


class Timeline:
    """A trace, prepared for windows of any width.

    Threads may use it at the same time. Tracks and functions are indices into the trace's.
    """

    def __init__(self, trace: Trace, calls: Rows) -> None:
        self.trace = trace
        self._calls = calls
        """rows of CALL by track, depth and entry"""

    @classmethod
    def open(cls, trace: Trace, *, progress: Progress | None = None) -> Timeline:
        """Prepare a trace.

        Args:
            trace: the trace, which must not be closed before the timeline is dropped.
            progress: called now and then with the part that is done, between 0 and 1.
        """
        source = source_of(trace)
        caller = np.full(len(source.tracks), -1, np.int64)
        found = engine().Events(source.arguments(), array(caller), True, (source, caller))
        blocks = [np.empty(0, CALL)]
        while rows := found.next(_BLOCK):
            blocks.append(np.frombuffer(rows, CALL))
            if progress:
                progress(min(2 * sum(map(len, blocks)) / max(trace.events, 1), 1.0))
        calls = np.concatenate(blocks)
        return cls(trace, calls[np.lexsort((calls["call"], calls["depth"], calls["track"]))])

    def tracks(self) -> TrackFigures:
        """Return the figures of every track."""
        calls, count = self._calls, len(self.trace.tracks)
        start = self.trace.tracks.start_ticks.copy()
        end = start.copy()
        depth = np.zeros(count, np.int32)
        np.minimum.at(start, calls["track"], calls["start"])
        np.maximum.at(end, calls["track"], calls["start"] + calls["duration"])
        np.maximum.at(depth, calls["track"], calls["depth"] + 1)
        return TrackFigures(
            start=self.trace.clock.nanoseconds(start),
            end=self.trace.clock.nanoseconds(end),
            calls=np.bincount(calls["track"], minlength=count),
            failed=np.bincount(calls["track"][_is_failed(calls)], minlength=count),
            depth=depth,
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
        parts = [self._track_window(track, since, until, pixel, depth) for track in tracks]
        return Window(from_ns, to_ns, clock.nanosecond(pixel), parts)

    def overview(self, px: int) -> Overview:
        """Return bins over the whole trace: at most `px`, a power of two."""
        calls, count = self._calls, 1 << max(px, 1).bit_length() - 1
        width = -(-(self.trace.words.last + 1) // count)
        starts = calls["start"] // width
        figures = self.tracks()
        first, last = (
            np.array([self.trace.clock.ticks(time) // width for time in times.tolist()], np.int64)
            for times in (figures.start, figures.end)
        )
        change = np.zeros(count + 1, np.int64)
        np.add.at(change, np.minimum(first, count - 1), 1)
        np.add.at(change, np.minimum(last, count - 1) + 1, -1)
        return Overview(
            bin_ns=width * 1e9 / self.trace.clock.ticks_per_second,
            calls=np.bincount(starts, minlength=count),
            failed=np.bincount(starts[_is_failed(calls)], minlength=count),
            tracks=np.cumsum(change)[:count],
        )

    def calls_in(self, query: CallQuery) -> CallPage:
        """Return the calls that match a query, in its order, and only the part asked for."""
        calls, clock = self._calls, self.trace.clock
        end = TIME_LIMIT if query.to_ns is None else clock.ticks(query.to_ns)
        chosen = (calls["start"] <= end) & (
            calls["start"] + calls["duration"] >= clock.ticks(query.from_ns)
        )
        chosen &= calls["duration"] >= clock.ticks(query.min_duration_ns)
        if query.failed_only:
            chosen &= _is_failed(calls)
        tracks = flags(query.tracks, len(self.trace.tracks))
        functions = flags(query.functions, len(self.trace.functions))
        if tracks is not None:
            chosen &= tracks[calls["track"]] > 0
        if functions is not None:
            chosen &= functions[calls["function"]] > 0
        rows = np.flatnonzero(chosen)
        key = calls[query.order][rows]
        rows = rows[
            np.lexsort(
                (
                    calls["depth"][rows],
                    calls["track"][rows],
                    calls["start"][rows],
                    -key if query.descending else key,
                )
            )
        ]
        return self._page(rows, query.offset, query.limit)

    def chain(self, track: int, start_ns: int, depth: int) -> CallPage:
        """Return a call and the calls that enclose it on its track, outermost first.

        Empty if no call of this depth starts then.
        """
        calls, clock = self._calls, self.trace.clock
        own = calls["track"] == track
        starts = clock.nanoseconds(calls["start"])
        found = np.flatnonzero(own & (calls["depth"] == depth) & (starts == start_ns))
        rows = found[:1]
        by_call = {int(call): i for i, call in zip(*_ids(calls, own), strict=True)}
        while len(rows) and (parent := by_call.get(int(calls["parent"][rows[0]]))) is not None:
            rows = np.concatenate([[parent], rows])
        return self._page(rows, 0, len(rows))

    def _page(self, rows: npt.NDArray[np.int64], offset: int, limit: int) -> CallPage:
        total, rows = len(rows), rows[max(offset, 0) :][: max(limit, 0)]
        calls, ns = self._calls, self.trace.clock.nanoseconds
        found = calls[rows]
        return CallPage(
            total=total,
            is_exact=True,
            track=found["track"],
            start=ns(found["start"]),
            duration=ns(found["duration"]),
            self=ns(found["self"]),
            suspended=ns(found["suspended"]),
            function=found["function"],
            parent_function=self._functions_of(found["parent"]),
            depth=found["depth"],
            flags=found["flags"],
            text_at=found["text"],
            text_bytes=found["text_length"].astype(np.int64),
        )

    def _functions_of(self, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
        order = np.argsort(self._calls["call"])
        known = self._calls["call"][order]
        if not len(known):
            return np.full(len(ids), -1, np.int32)
        place = np.minimum(np.searchsorted(known, ids), len(known) - 1)
        functions = self._calls["function"][order][place]
        return np.where(known[place] == ids, functions, -1).astype(np.int32)

    def _track_window(
        self, track: int, since: int, until: int, pixel: int, depth: int
    ) -> TrackWindow:
        first, last = np.searchsorted(self._calls["track"], [track, track + 1])
        calls = self._calls[first:last]
        calls = calls[
            (calls["start"] <= until)
            & (calls["start"] + calls["duration"] >= since)
            & (calls["depth"] < depth)
        ]
        rows = [
            self._row(calls[calls["depth"] == level], level, pixel)
            for level in np.unique(calls["depth"]).tolist()
        ]
        return TrackWindow(track, rows)

    def _row(self, calls: Rows, depth: int, pixel: int) -> Row:
        """Merge the narrow calls that start in the same pixel and follow one another."""
        ns = self.trace.clock.nanoseconds
        narrow = calls["duration"] < pixel
        column = calls["start"] // pixel
        joins = narrow[1:] & narrow[:-1] & (column[1:] == column[:-1])
        first = np.flatnonzero(np.concatenate([[True], ~joins]))
        count = np.diff(np.concatenate([first, [len(calls)]]))
        end = np.maximum.reduceat(calls["start"] + calls["duration"], first)
        flag = np.bitwise_or.reduceat(_slice_flags(calls), first)
        return Row(
            depth=depth,
            start=ns(calls["start"][first]),
            duration=ns(end - calls["start"][first]),
            function=_longest(calls, first, count),
            flags=np.where(count > 1, flag | view.MERGED, flag).astype(np.uint8),
            calls=count,
        )


def _ids(calls: Rows, own: npt.NDArray[np.bool_]) -> tuple[list[int], list[int]]:
    rows = np.flatnonzero(own)
    return rows.tolist(), calls["call"][rows].tolist()


def _is_failed(calls: Rows) -> npt.NDArray[np.bool_]:
    is_failed: npt.NDArray[np.bool_] = (calls["flags"] & _FAILED) != 0
    return is_failed


def _slice_flags(calls: Rows) -> npt.NDArray[np.uint8]:
    flags = calls["flags"]
    found = np.where(flags & _FAILED, view.FAILED, 0)
    found |= np.where(flags & row_types.PANIC, view.PANICKED, 0)
    found |= np.where(flags & row_types.UNFINISHED, view.UNFINISHED, 0)
    found |= np.where(calls["suspended"] > 0, view.SUSPENDED, 0)
    return found.astype(np.uint8)


def _longest(
    calls: Rows, first: npt.NDArray[np.int64], count: npt.NDArray[np.int64]
) -> npt.NDArray[np.int32]:
    """Return the function with most time in each group of calls."""
    group = np.repeat(np.arange(len(first)), count)
    keys, place = np.unique(np.stack([group, calls["function"]]), axis=1, return_inverse=True)
    total = np.bincount(place.ravel(), weights=calls["duration"])
    order = np.lexsort((keys[1], -total, keys[0]))
    chosen = order[np.searchsorted(keys[0][order], np.arange(len(first)))]
    functions: npt.NDArray[np.int32] = keys[1][chosen].astype(np.int32)
    return functions
