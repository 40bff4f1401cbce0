"""One request over all processes that it passed through, call by call."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np

from functrace.analysis.calls import Calls
from functrace.analysis.columns import Int32s, Int64s
from functrace.analysis.fold import Listing, calls
from functrace.analysis.requests.joined import Joined
from functrace.analysis.requests.rows import UNFINISHED
from functrace.analysis.selection import Selection

MAX_CALLS = 200_000
"""calls of one process that are shown of one request"""


@dataclass(frozen=True)
class Step:
    """Call of a story."""

    trace: int
    listed: Calls
    call: int
    """index in ``listed``"""
    level: int
    """number of calls around it, those in other processes included"""
    at: int
    """nanoseconds since the story began, never before the call around it"""
    is_clamped: bool
    """whether the clocks disagree: by them, it began before the call around it"""
    status: int
    """of a request; -1 if it is unknown or the call is none"""


@dataclass(frozen=True, eq=False)
class Story:
    """Calls of one request, each before the calls inside it."""

    root: int
    """inbound call that came first, or an outbound one that belongs to none"""
    steps: list[Step]
    error: int | None
    """nanoseconds by which times of other processes may be off; None if that is not bounded"""
    is_truncated: bool
    """whether MAX_CALLS left calls out"""

    @property
    def traces(self) -> list[int]:
        """Indices of the traces in the order in which the request reached them."""
        return list(dict.fromkeys(step.trace for step in self.steps))


def find_requests(found: Joined, wanted: str) -> list[int]:
    """Return the requests with a trace id in hexadecimal digits, or ``service:number``."""
    service, colon, number = wanted.rpartition(":")
    if colon:
        return _by_number(found, service, number)
    digits = wanted.lower()
    if len(digits) not in (16, 32) or set(digits) - set("0123456789abcdef"):
        return []
    wanted_id = bytes.fromhex(digits.zfill(32))
    rows = []
    for first, table in zip(found.first.tolist(), found.tables, strict=False):
        ids = np.ascontiguousarray(table.trace_id).view(np.uint8).reshape(-1, 16)
        is_equal = (ids == np.frombuffer(wanted_id, np.uint8)).all(axis=1) & ids.any(axis=1)
        rows += (np.flatnonzero(is_equal) + first).tolist()
    return rows


def _by_number(found: Joined, service: str, number: str) -> list[int]:
    if not number.isdecimal() or not number.isascii() or len(number) > 20:
        return []
    chosen = np.array([name == service for name in found.services], np.bool_)
    is_equal = (found.rows.number == np.uint64(min(int(number), (1 << 64) - 1))) & chosen[
        found.rows.trace
    ]
    rows: list[int] = np.flatnonzero(is_equal).tolist()
    return rows


def find_around(found: Joined, functions: Sequence[Collection[int]]) -> tuple[list[int], int]:
    """Return the requests in which functions were called, and the number of their other calls.

    Args:
        found: the requests.
        functions: indices of the functions in each trace.
    """
    rows: list[int] = []
    others = 0
    for index, (trace, chosen) in enumerate(zip(found.traces, functions, strict=True)):
        if not chosen:
            continue
        listed = calls(trace, listing=Listing(functions=chosen, limit=MAX_CALLS))
        around = _innermost(found, index, listed.track, listed.start + trace.started)
        others += int((around < 0).sum())
        rows += np.unique(around[around >= 0]).tolist()
    return rows, others


def _innermost(found: Joined, index: int, tracks: Int32s, times: Int64s) -> Int64s:
    """Return the innermost request that was open on each track at a time, or -1."""
    rows = found.rows
    own = np.arange(found.first[index], found.first[index + 1])
    order = own[np.lexsort((-rows.end[own], rows.start[own], rows.track[own]))]
    around = _around(rows.track[order].tolist(), rows.end[order].tolist(), rows.start[order])
    # Behind each request in time order, then those asked for, with the last request before each.
    keys = np.concatenate([rows.track[order], tracks])
    every = np.concatenate([rows.start[order], times])
    place = np.lexsort((np.arange(len(keys)), every, keys))
    last = np.maximum.accumulate(np.where(place < len(order), place, -1))
    is_asked = place >= len(order)
    candidates = np.full(len(tracks), -1, np.int64)
    candidates[place[is_asked] - len(order)] = last[is_asked]
    candidates[(candidates >= 0) & (keys[candidates] != tracks)] = -1
    while True:
        is_over = (candidates >= 0) & (rows.end[order[candidates]] < times if len(order) else False)
        if not is_over.any():
            break
        candidates = np.where(is_over, around[candidates], candidates)
    return np.where(candidates >= 0, np.append(order, -1)[candidates], -1)


def _around(tracks: list[int], ends: list[int], starts: Int64s) -> Int64s:
    """Return the request around each one, by their places in the order of tracks and starts."""
    around = np.full(len(tracks), -1, np.int64)
    opened: list[int] = []
    for place, start in enumerate(starts.tolist()):
        while opened and (tracks[opened[-1]] != tracks[place] or ends[opened[-1]] < start):
            opened.pop()
        around[place] = opened[-1] if opened else -1
        opened.append(place)
    return around


def roots(found: Joined, rows: Collection[int]) -> list[int]:
    """Return the requests that came first on the way to each of ``rows``, in order of time."""
    distinct: dict[int, None] = {}
    for row in rows:
        distinct.setdefault(_root(found, row))
    return sorted(distinct, key=lambda row: _aligned(found, row))


def _root(found: Joined, row: int) -> int:
    outbound, inbound = found.joins.outbound, found.inbound
    while True:
        above = int(outbound[row] if found.rows.inbound[row] else inbound[row])
        if above < 0:
            return row
        row = above


def _aligned(found: Joined, row: int) -> int:
    offset = found.offsets[int(found.rows.trace[row])].value
    return int(found.rows.start[row]) + offset


def tell(found: Joined, root: int) -> Story:
    """Return the story of a request that came first."""
    return _Teller(found, root).story()


@dataclass
class _Piece:
    """A call that is to be told, with the calls inside it."""

    trace: int
    listed: Calls
    call: int
    row: int = -1
    inside: list[_Piece] = field(default_factory=list)


class _Teller:
    def __init__(self, found: Joined, root: int) -> None:
        self._found = found
        self._root = root
        self._offsets = found.joins.clocks.offsets(
            int(found.rows.trace[root]), range(len(found.traces))
        )
        self._is_truncated = False
        self._row_of: dict[int, dict[tuple[int, int, int], int]] = {}
        self._received: dict[int, int] = {}
        inner = np.flatnonzero(found.joins.outbound >= 0)
        self._received.update(
            zip(found.joins.outbound[inner].tolist(), inner.tolist(), strict=True)
        )
        self._sent: defaultdict[int, list[int]] = defaultdict(list)
        outer = np.flatnonzero(found.inbound >= 0)
        for row, around in zip(outer.tolist(), found.inbound[outer].tolist(), strict=True):
            self._sent[around].append(row)

    def story(self) -> Story:
        first = self._request(self._root)
        pending = [(first, 0, 0)] if first else []
        steps: list[Step] = []
        began = self._time(first) if first else 0
        while pending:
            piece, level, earliest = pending.pop()
            time = self._time(piece) - began
            at = max(time, earliest)
            status = int(self._found.rows.status[piece.row]) if piece.row >= 0 else -1
            steps.append(
                Step(piece.trace, piece.listed, piece.call, level, at, time < earliest, status)
            )
            inside = sorted(piece.inside, key=self._time)
            if piece.row in self._received:
                received = self._request(self._received[piece.row])
                inside += [received] if received else []
            pending += [(each, level + 1, at) for each in reversed(inside)]
        traces = {step.trace for step in steps}
        errors = [self._offsets[trace].error for trace in traces]
        known = [error for error in errors if error is not None]
        error = max(known, default=0) if len(known) == len(errors) else None
        return Story(self._root, steps, error, self._is_truncated)

    def _time(self, piece: _Piece) -> int:
        trace = self._found.traces[piece.trace]
        start = int(piece.listed.start[piece.call])
        return trace.started + start + self._offsets[piece.trace].value

    def _request(self, row: int) -> _Piece | None:
        """Return an inbound call, or an outbound one that belongs to none, with all inside it."""
        found, (index, _) = self._found, self._found.place(row)
        trace = found.traces[index]
        start = int(found.rows.start[row]) - trace.started
        end = int(found.rows.end[row])
        until = None if end == UNFINISHED else end - trace.started + 1
        track = int(found.rows.track[row])
        pieces = self._pieces(index, [track], start, until)
        made = next((p for p in pieces if p.row == row), None)
        if made is None:
            return None
        self._add_started(made, index, track, start, until)
        told = _rows_inside(made)
        for outer in self._sent.get(row, ()):  # on other tracks, such as those of a pool
            if outer not in told:
                piece = self._request(outer)
                made.inside += [piece] if piece else []
        return made

    def _add_started(
        self, made: _Piece, index: int, track: int, start: int, until: int | None
    ) -> None:
        """Add the first call of each track that was started in a request, if it ended in it.

        A call that outlasts the request may be a worker, whose other calls serve others.
        """
        tracks = self._found.traces[index].tracks
        last = np.iinfo(np.int64).max if until is None else until
        is_inside = (tracks.parent == track) & (tracks.start >= start) & (tracks.start < last)
        children = np.flatnonzero(is_inside).tolist()
        if not children or not self._found.rows.inbound[made.row]:
            return
        firsts: dict[int, _Piece] = {}
        for piece in self._pieces(index, children, start, until):
            if not piece.listed.depth[piece.call]:
                firsts.setdefault(int(piece.listed.track[piece.call]), piece)
        for piece in firsts.values():
            if piece.listed.start[piece.call] + piece.listed.duration[piece.call] > last:
                piece.inside.clear()
            made.inside.append(piece)

    def _pieces(self, index: int, tracks: list[int], start: int, until: int | None) -> list[_Piece]:
        """Return the calls on tracks in a window, each with the calls inside it."""
        trace = self._found.traces[index]
        margin = 2 + int(2e9 / trace.clock.ticks_per_second)
        selection = Selection(
            max(start - margin, 0), None if until is None else until + margin, tracks
        )
        listed = calls(trace, selection, Listing(limit=MAX_CALLS, window=selection))
        self._is_truncated |= listed.truncated
        rows = self._rows_of(index, listed)
        pieces = [_Piece(index, listed, call, rows[call]) for call in range(len(listed))]
        for piece, parent in zip(pieces, listed.parent.tolist(), strict=True):
            if parent >= 0:
                pieces[parent].inside.append(piece)
        return pieces

    def _rows_of(self, index: int, listed: Calls) -> list[int]:
        """Return the request that each call is, or -1."""
        directions = [function.direction for function in self._found.traces[index].functions]
        if index not in self._row_of:
            self._row_of[index] = self._find_rows(index)
        row_of = self._row_of[index]
        columns = (listed.track, listed.start, listed.function)
        keys = zip(*(column.tolist() for column in columns), strict=True)
        return [row_of.get(key, -1) if directions[key[2]] else -1 for key in keys]

    def _find_rows(self, index: int) -> dict[tuple[int, int, int], int]:
        """Return the requests of a trace by track, start and function."""
        table = self._found.tables[index]
        start = table.start - self._found.traces[index].started
        columns = (table.track, start, table.function)
        keys = zip(*(column.tolist() for column in columns), strict=True)
        first = int(self._found.first[index])
        return {key: first + row for row, key in enumerate(keys)}


def _rows_inside(piece: _Piece) -> set[int]:
    rows: set[int] = set()
    pending = [piece]
    while pending:
        each = pending.pop()
        rows.add(each.row)
        pending += each.inside
    return rows
