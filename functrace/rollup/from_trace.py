"""Rollups of a trace, hour by hour."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from functrace._native.row_types import PANIC
from functrace.analysis.columns import Int64s
from functrace.analysis.demoted import not_recorded
from functrace.analysis.fold import WindowFold, fold_windows
from functrace.analysis.losses import missing
from functrace.rollup.chain_ids import NO_PARENT, chain_id
from functrace.rollup.error_texts import ErrorText, error_text, summarized
from functrace.rollup.figures import ChainFigures, Example, merged
from functrace.rollup.gaps import demoted_functions
from functrace.rollup.labels import Labels, recording_id
from functrace.rollup.rollup import HOUR_NS, Chain, Coverage, Rollup
from functrace.tracefile import Trace
from functrace.tracefile.facts import encodable

MINUTE_NS = 60_000_000_000
_MAX_HOURS = 24 * 366
_MAX_FAILURES = 1_000_000  # of an hour, beyond which texts are not counted


def rollups_of(
    trace: Trace, labels: Labels, width_ns: int = MINUTE_NS, place: str = ""
) -> Iterator[Rollup]:
    """Yield the rollup of each hour in which calls of a trace ended or functions were demoted.

    Args:
        trace: the trace.
        labels: labels of its process.
        width_ns: length of a window, of which an hour has a whole number.
        place: where examples are said to be; default: the path of the trace.
    """
    place = encodable(place or str(trace.path))
    for hour in _hours(trace):
        yield _HourReader(trace, labels, hour, width_ns, place).rollup()


def _hours(trace: Trace) -> list[int]:
    """Return the starts of the hours that have a rollup; of a longer trace, of its last year."""
    last = (trace.started + trace.span[1]) // HOUR_NS
    first = max((trace.started + trace.span[0]) // HOUR_NS, last - _MAX_HOURS + 1)
    starts = [hour * HOUR_NS for hour in range(first, last + 2)]
    found = fold_windows(trace, _bounds(trace, starts), with_histograms=False)
    used = {starts[window] for window in np.unique(found.window[found.window >= 0]).tolist()}
    used.update(_with_demotions(trace, starts, HOUR_NS))
    return sorted(used)


def _with_demotions(trace: Trace, starts: Iterable[int], width_ns: int) -> Iterator[int]:
    """Yield the starts of the windows up to the end of a trace in which functions were demoted."""
    for start in starts:
        if start <= trace.started + trace.span[1] and _demoted(trace, start, width_ns):
            yield start


def _demoted(trace: Trace, start: int, width_ns: int) -> frozenset[str]:
    begin = start - trace.started
    return demoted_functions(trace.demotions, begin, begin + width_ns)


def _bounds(trace: Trace, times: Sequence[int]) -> list[int]:
    """Return wall-clock times as nanoseconds since the start of the trace, none negative."""
    return [max(time - trace.started, 0) for time in times]


class _HourReader:
    """Reader of one hour of a trace."""

    def __init__(
        self, trace: Trace, labels: Labels, hour_ns: int, width_ns: int, place: str
    ) -> None:
        self._trace = trace
        self._labels = labels
        self._hour = hour_ns
        self._width = width_ns
        self._place = place
        # Nothing ended before the trace began, and its start is the first bound that counts.
        first = max((trace.started - hour_ns) // width_ns, 0)
        self._starts = list(range(hour_ns + first * width_ns, hour_ns + HOUR_NS, width_ns))
        ends = [*self._starts, hour_ns + HOUR_NS]
        self._fold = fold_windows(trace, _bounds(trace, ends), max_failures=_MAX_FAILURES)
        self._ids, self._definitions = _chains(self._fold)

    def rollup(self) -> Rollup:
        """Return the rollup."""
        figures = self._figures()
        windows = {window for window, _ in figures}
        windows.update(_with_demotions(self._trace, self._starts, self._width))
        needed = self._needed({chain for _, chain in figures})
        return Rollup(
            labels=self._labels,
            recording=recording_id(self._trace),
            hour_ns=self._hour,
            width_ns=self._width,
            chains={chain: self._definitions[chain] for chain in needed},
            figures=figures,
            coverage={window: self._coverage(window) for window in sorted(windows)},
        )

    def _needed(self, chains: set[bytes]) -> list[bytes]:
        """Return chains and those of their callers."""
        needed: dict[bytes, None] = {}
        for chain in sorted(chains):
            while chain != NO_PARENT and chain not in needed:
                needed[chain] = None
                chain = self._definitions[chain].parent
        return list(needed)

    def _figures(self) -> dict[tuple[int, bytes], ChainFigures]:
        """Return the figures; functions of the same name have one chain."""
        rows: defaultdict[tuple[int, bytes], list[ChainFigures]] = defaultdict(list)
        columns = _Columns.of(self._fold)
        texts = self._texts()
        parent = self._fold.chains.parent.tolist()
        for node, window in enumerate(self._fold.window.tolist()):
            if window >= 0:
                key = self._starts[window], self._ids[parent[node]]
                errors = texts.get((parent[node], window), {})
                rows[key].append(self._row(columns, node, errors))
        return {key: merged(several) for key, several in rows.items()}

    def _row(self, columns: _Columns, node: int, texts: dict[ErrorText, int]) -> ChainFigures:
        calls, errors, panics = columns.calls[node], columns.errors[node], columns.panics[node]
        failed = min(errors + panics, calls)
        is_finished = calls > columns.unfinished[node]
        return ChainFigures(
            calls=calls,
            failed=failed,
            panicked=min(panics, calls),
            unfinished=columns.unfinished[node],
            total_ns=columns.total[node],
            self_ns=columns.self[node],
            suspended_ns=columns.suspended[node],
            min_ns=columns.min[node] if is_finished else None,
            max_ns=columns.max[node] if is_finished else None,
            buckets=columns.buckets(node),
            errors=summarized(texts, failed),
            example=self._example(node),
        )

    def _example(self, node: int) -> Example | None:
        chains, tracks = self._fold.chains, self._trace.tracks
        if chains.failed_track[node] >= 0:
            track, start = int(chains.failed_track[node]), int(chains.failed_start[node])
        elif chains.slowest_track[node] >= 0:
            track, start = int(chains.slowest_track[node]), int(chains.slowest_start[node])
        else:
            return None
        return Example(self._trace.started + start, self._place, int(tracks.id[track]))

    def _texts(self) -> dict[tuple[int, int], dict[ErrorText, int]]:
        """Return the counts of texts by chain node and window."""
        rows, known = self._fold.failures, {}
        found: defaultdict[tuple[int, int], Counter[ErrorText]] = defaultdict(Counter)
        panicked = (rows["flags"] & PANIC) > 0
        places = zip(
            rows["node"].tolist(),
            self._fold.failure_window.tolist(),
            rows["text"].tolist(),
            rows["text_length"].tolist(),
            panicked.tolist(),
            strict=True,
        )
        for node, window, at, size, is_panic in places:
            text = self._trace.text(at, size)
            if (text, is_panic) not in known:
                known[text, is_panic] = error_text(text, panicked=is_panic)
            found[node, window][known[text, is_panic]] += 1
        return dict(found)

    def _coverage(self, window: int) -> Coverage:
        trace = self._trace
        begin, end = window - trace.started, window - trace.started + self._width
        covered = min(end, trace.span[1]) - max(begin, trace.span[0])
        demoted = _demoted(trace, window, self._width)
        # Demotions have a column of their own.
        sentences = {*missing(trace), *self._fold.chains.damage} - {not_recorded(trace)}
        return Coverage(max(covered, 0) / 1e9, demoted, frozenset(sentences))


@dataclass(frozen=True)
class _Columns:
    """Figures of nodes as lists, which are read one by one."""

    calls: list[int]
    errors: list[int]
    panics: list[int]
    unfinished: list[int]
    total: list[int]
    self: list[int]
    suspended: list[int]
    min: list[int]
    max: list[int]
    first_bucket: Int64s
    """by node: the index of its first bucket"""
    bucket: list[int]
    count: list[int]

    @classmethod
    def of(cls, fold: WindowFold) -> _Columns:
        chains = fold.chains
        names = ("calls", "errors", "panics", "unfinished", "total", "self", "suspended")
        columns = {name: getattr(chains, name).tolist() for name in (*names, "min", "max")}
        owner, bucket, count = chains.node_histograms.buckets()
        first = np.searchsorted(owner, np.arange(len(chains) + 1))
        return cls(**columns, first_bucket=first, bucket=bucket.tolist(), count=count.tolist())

    def buckets(self, node: int) -> tuple[tuple[int, int], ...]:
        part = slice(int(self.first_bucket[node]), int(self.first_bucket[node + 1]))
        return tuple(zip(self.bucket[part], self.count[part], strict=True))


def _chains(fold: WindowFold) -> tuple[list[bytes], dict[bytes, Chain]]:
    """Return the id of each node that is a chain, and the definitions of all ids."""
    names = [encodable(function.name) for function in fold.chains.trace.functions]
    ids: list[bytes] = []
    definitions: dict[bytes, Chain] = {}
    columns = (fold.chains.parent, fold.chains.function, fold.chains.started, fold.window)
    for parent, function, started, window in zip(*(c.tolist() for c in columns), strict=True):
        if window >= 0:
            ids.append(NO_PARENT)
            continue
        outer = ids[parent] if parent >= 0 else NO_PARENT
        found = chain_id(outer, names[function], started=started)
        ids.append(found)
        definitions[found] = Chain(outer, names[function], started)
    return ids, definitions
