"""What every window, overview and page of a timeline must contain, from a plain list of calls."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from functrace._native import row_types
from functrace.export.events import SpanReader, Spans
from functrace.tracefile import Trace
from functrace.view import window as view
from functrace.view.window import Row, Window

FAILED = row_types.ERROR | row_types.PANIC


def spans_of(trace: Trace) -> Spans:
    """All calls of a trace, in the order of their entries."""
    blocks = list(SpanReader(trace).spans()) or [_no_spans()]
    columns = {
        name: np.concatenate([getattr(block, name) for block in blocks])
        for name in Spans.__dataclass_fields__
    }
    order = np.argsort(columns["call"])
    return Spans(**{name: column[order] for name, column in columns.items()})


def _no_spans() -> Spans:
    return Spans(*(np.empty(0, np.int64) for _ in Spans.__dataclass_fields__))


def check_window(trace: Trace, found: Window, tracks: Sequence[int], depth: int) -> None:
    """Compare a window with the calls that overlap it."""
    spans = spans_of(trace)
    inside = (spans.start <= found.to_ns) & (spans.start + spans.duration >= found.from_ns)
    assert [part.track for part in found.tracks] == list(tracks)
    for part in found.tracks:
        own = inside & (spans.track == part.track) & (spans.depth < depth)
        expected = sorted(set(spans.depth[own].tolist()))
        assert [row.depth for row in part.rows] == expected
        for row in part.rows:
            _check_row(spans, np.flatnonzero(own & (spans.depth == row.depth)), row, found)


def _check_row(spans: Spans, calls: np.ndarray, row: Row, found: Window) -> None:
    assert int(row.calls.sum()) == len(calls)
    ends = row.start + row.duration
    assert (row.start[1:] >= ends[:-1]).all()
    first = 0
    for place, count in enumerate(row.calls.tolist()):
        group = calls[first : first + count]
        first += count
        start, end = spans.start[group], spans.start[group] + spans.duration[group]
        assert (row.start[place], ends[place]) == (start.min(), end.max())
        assert row.flags[place] == _flags(spans, group)
        totals = {
            function: int(spans.duration[group][spans.function[group] == function].sum())
            for function in spans.function[group].tolist()
        }
        assert int(row.function[place]) in totals
        if count > 1:
            assert (spans.duration[group] < found.resolution_ns).all()
            assert row.duration[place] < 2 * found.resolution_ns


def _flags(spans: Spans, group: np.ndarray) -> int:
    flags = int(np.bitwise_or.reduce(spans.flags[group]))
    return (
        view.FAILED * bool(flags & FAILED)
        | view.PANICKED * bool(flags & row_types.PANIC)
        | view.UNFINISHED * bool(flags & row_types.UNFINISHED)
        | view.MERGED * (len(group) > 1)
        | view.SUSPENDED * bool((spans.suspended[group] > 0).any())
    )
