"""What _native/fold.c does, in Python: the same results, some hundred times slower."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from functrace.analysis.request import Counters, Request, Result, Rows
from functrace.analysis.tables import (
    BLOCK,
    BUCKETS,
    CUT,
    ERROR,
    GOEXIT,
    NODE,
    PANIC,
    ROW,
    UNFINISHED,
)
from functrace.trace import format as fmt

_WORD = fmt.WORD.unpack_from
_LATEST = 1 << 62


def fold(ask: Request) -> Result:
    """Fold the words of every track that is wanted into nodes, histograms and rows."""
    tree = _Tree(ask)
    places = _Places(ask)
    for track in _needed(ask):
        _TrackFold(ask, tree, places, track).fold()
    kept = _drop_empty(tree.nodes)
    nodes = [node for node, new in zip(tree.nodes, kept, strict=True) if new >= 0]
    for node in nodes:
        node.parent = kept[node.parent] if node.parent >= 0 else -1
    _mark_recursive(nodes)
    return Result(
        np.array([node.row() for node in nodes], NODE),
        _blocks(tree.blocks, kept),
        np.array([row.row(kept) for row in tree.rows], ROW),
        tree.counters,
    )


def _add_time(total: int, more: int) -> int:
    return min(total + more, 2 * fmt.TIME_LIMIT)


@dataclass
class _Node:
    parent: int
    function: int
    started: bool
    calls: int = 0
    total: int = 0
    self: int = 0
    suspended: int = 0
    min: int = -1
    max: int = 0
    errors: int = 0
    panics: int = 0
    unfinished: int = 0
    slowest_start: int = 0
    failed_start: int = 0
    failed_text: int = 0
    last: int = 0
    slowest_track: int = -1
    failed_track: int = -1
    failed_length: int = 0
    histogram: int = -1
    recursive: bool = False

    def row(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in NODE.names or ())


@dataclass
class _Row:
    start: int
    duration: int
    suspended: int
    text: int
    text_length: int
    flags: int
    node: int
    function: int
    track: int
    depth: int
    parent: int = -1

    def row(self, kept: list[int]) -> tuple[int, ...]:
        return (
            self.start,
            self.duration,
            self.suspended,
            self.text,
            self.text_length,
            self.flags,
            kept[self.node],
            self.function,
            self.track,
            self.depth,
            self.parent,
            0,
        )


class _Ended:
    """Rows of calls that have ended in one that may be listed and is open."""

    def __init__(self, before: int) -> None:
        self.rows: list[_Row] = []
        """those whose parent it will be"""
        self.before: deque[_Row] = deque(maxlen=before)
        """those that will be listed if a call that is asked for comes next"""
        self.wanted = False
        """whether the call is to be listed for what was in it"""


@dataclass
class _Call:
    """A call that is open. inside is how long the calls in it ran."""

    start: int
    waited: int
    node: int
    function: int
    listed: bool
    ended: _Ended
    inside: int = 0


@dataclass
class _Failure:
    flags: int = 0
    text: int = 0
    length: int = 0


class _Tree:
    """What is collected over all tracks."""

    def __init__(self, ask: Request) -> None:
        self._ask = ask
        self._children: dict[tuple[int, int, bool], int] = {}
        self._histograms: dict[int, int] = {}
        self.nodes: list[_Node] = []
        self.blocks: dict[tuple[int, int], list[int]] = {}
        self.rows: list[_Row] = []
        self.counters = Counters()

    def child(self, parent: int, function: int, started: bool) -> int:
        """Beyond the limit a chain that is new begins at its last function."""
        key = (parent, function, started)
        if key in self._children:
            return self._children[key]
        if parent >= 0 and len(self.nodes) >= self._ask.node_limit:
            self.counters.overflow += 1
            return self.child(-1, function, False)
        self.nodes.append(_Node(parent, function, started))
        return self._children.setdefault(key, len(self.nodes) - 1)

    def count(self, track: int, call: _Call, end: int, waited: int, failure: _Failure) -> None:
        duration = end - call.start
        node = self.nodes[call.node]
        node.calls += 1
        node.total = _add_time(node.total, duration)
        node.suspended = _add_time(node.suspended, waited)
        node.self = _add_time(node.self, max(duration - waited - call.inside, 0))
        if failure.flags & UNFINISHED:
            node.unfinished += 1
            node.last = max(node.last, call.start)
        else:
            self._finished(track, node, call, duration)
        if failure.flags & (ERROR | PANIC):
            _note_failure(node, track, call, failure)

    def _finished(self, track: int, node: _Node, call: _Call, duration: int) -> None:
        node.min = duration if node.min < 0 else min(node.min, duration)
        if node.slowest_track < 0 or duration > node.max:
            node.max = duration
            node.slowest_track = track
            node.slowest_start = call.start
        node.last = max(node.last, call.start + duration)
        self._note_duration(call.function, duration)
        if self._ask.histogram_of is not None and self._ask.histogram_of[call.function]:
            self._note_duration(~call.node, duration)
            node.histogram = self._histograms[~call.node]

    def _note_duration(self, owner: int, duration: int) -> None:
        self._histograms.setdefault(owner, len(self._histograms))
        exponent, bucket = 0, duration
        if duration >= BUCKETS:
            high = duration.bit_length() - 1
            exponent = high - 4
            bucket = duration >> (high - 5) & BUCKETS - 1
        self.blocks.setdefault((owner, exponent), [0] * BUCKETS)[bucket] += 1


def _note_failure(node: _Node, track: int, call: _Call, failure: _Failure) -> None:
    node.errors += bool(failure.flags & ERROR)
    node.panics += bool(failure.flags & PANIC)
    if node.failed_track >= 0 and node.failed_start <= call.start:
        return
    node.failed_track = track
    node.failed_start = call.start
    node.failed_text = failure.text
    node.failed_length = failure.length


class _Places:
    """Below which node each track's chain goes on."""

    def __init__(self, ask: Request) -> None:
        self.node = [-1] * len(ask.tracks)
        self.children: list[list[int]] = [[] for _ in self.node]
        for track, parent in enumerate(ask.tracks["parent"].tolist()):
            if parent >= 0:
                self.children[parent].append(track)


def _needed(ask: Request) -> list[int]:
    """Tracks that are wanted and their parents, from which their places come."""
    if ask.wanted is None:
        return list(range(len(ask.tracks)))
    needed = ask.wanted.tolist()
    parents = ask.tracks["parent"].tolist()
    for track in reversed(range(len(needed))):
        if needed[track] and parents[track] >= 0:
            needed[parents[track]] = 1
    return [track for track, yes in enumerate(needed) if yes]


class _TrackFold:
    """One track's words, folded into the tree."""

    def __init__(self, ask: Request, tree: _Tree, places: _Places, track: int) -> None:
        self._ask = ask
        self._tree = tree
        self._counters = tree.counters
        self._places = places
        self._track = track
        self._data = ask.data
        self._functions = ask.function_of.tolist()
        self._children = places.children[track]
        self._placed = 0
        self._calls: list[_Call] = []
        self._open: dict[int, list[int]] = {}
        """by function: the indices of its open calls"""
        self._last: dict[int, int] = {}
        """by function: the node of its last call"""
        self._time = 0
        self._waited = 0
        self._suspended = False
        self._ended = _Ended(ask.rows_before)
        self._asked_open = 0
        self._failure = _Failure()
        self._tolerant = False
        self._reopening = False
        self._reopened = 0
        self._counted = ask.wanted is None or bool(ask.wanted[track])

    def fold(self) -> None:
        first, end = self._ask.piece_of[self._track : self._track + 2]
        for piece in self._ask.pieces[first:end].tolist():
            _, offset, base, _, words, opened, begins, _ = piece
            self._piece(offset, offset + words * 8, base, opened, bool(begins))
        self._place_children(_LATEST)
        self._pass_time(max(self._time, self._ask.end))
        self._abandon(0, self._time)

    def _piece(self, at: int, end: int, base: int, opened: int, begins: bool) -> None:
        self._reopening = begins
        self._reopened = 0
        while at < end:
            (word,) = _WORD(self._data, at)
            kind = word & 3
            if kind in (fmt.ENTRY, fmt.EXIT):
                self._settle(opened)
                self._event(word, base)
            elif kind == fmt.RECORD:
                if fmt.record_size(word) > end - at:
                    break
                base = self._record(opened, at, word, base)
                at += fmt.record_size(word) - 8
            at += 8
        self._settle(opened)

    def _record(self, opened: int, at: int, word: int, base: int) -> int:
        kind, size = fmt.record_type(word), fmt.record_bytes(word)
        if kind == fmt.BASE and size >= fmt.WORD.size:
            (base,) = _WORD(self._data, at + 8)
        elif kind in (fmt.ERROR, fmt.PANIC):
            self._settle(opened)
            self._fail(kind, word >> 24, at + 8, size)
        elif kind == fmt.OPEN and self._reopening and size >= fmt.OPEN_PAYLOAD.size:
            self._reopen(*fmt.OPEN_PAYLOAD.unpack_from(self._data, at + 8))
        elif kind == fmt.LOST:
            self._counters.lost += word >> 24
            self._tolerant = True
            self._suspended = False
        elif kind in (fmt.SUSPENDED, fmt.RESUMED):
            self._settle(opened)
            self._move_time(base + (word >> 24))
            self._suspended = kind == fmt.SUSPENDED
        return base

    def _event(self, word: int, base: int) -> None:
        function = self._function(word >> 2 & 0xFFFFF)
        time = self._move_time(base + (word >> 22))
        if word & 3 == fmt.EXIT:
            if function >= 0:
                self._exit(function, time)
            self._failure = _Failure()
        elif function >= 0:
            self._push(function, time)

    def _function(self, number: int) -> int:
        function = self._functions[number] if number < len(self._functions) else -1
        self._counters.unknown += function < 0
        return int(function)

    def _pass_time(self, until: int) -> None:
        if self._suspended:
            self._waited += until - self._time
        self._time = until

    def _move_time(self, ticks: int) -> int:
        """Whatever the track does now, it runs; one suspended once more says so after this."""
        time = fmt.ticks_since(ticks, self._ask.start)
        self._counters.backwards += time < self._time
        self._pass_time(max(time, self._time))
        self._suspended = False
        self._place_children(self._time)
        return self._time

    def _exit(self, function: int, time: int) -> None:
        if not self._open.get(function):
            self._counters.orphans += not self._tolerant
            return
        index = self._open[function][-1]
        if index + 1 < len(self._calls):
            if not self._tolerant:
                self._counters.skipped += len(self._calls) - index - 1
            self._abandon(index + 1, time)
        self._pop(time, self._failure)

    def _fail(self, kind: int, value: int, text: int, length: int) -> None:
        flag = ERROR
        if kind == fmt.PANIC:
            flag = GOEXIT if value == fmt.GOEXIT else PANIC
        flag |= CUT if value == fmt.CUT else 0
        self._failure = _Failure(self._failure.flags | flag, text, length)

    def _reopen(self, ticks: int, number: int) -> None:
        """A call open where the chunk begins: known already, or the track's calls are not these."""
        start = fmt.ticks_since(ticks, self._ask.start)
        function = self._function(number)
        if function < 0:
            return
        index = self._reopened
        self._reopened += 1
        if index < len(self._calls):
            call = self._calls[index]
            if call.function == function and call.start == start:
                return
        self._abandon(index, self._time)
        if index:
            start = max(start, self._calls[index - 1].start)
        self._place_children(start)
        self._pass_time(max(self._time, start))
        self._push(function, start)

    def _settle(self, opened: int) -> None:
        """Where a chunk's first event comes, the calls that it says are open should be."""
        if not self._reopening:
            return
        self._reopening = False
        expected = self._reopened or opened
        if len(self._calls) == expected:
            return
        self._counters.differing += not self._reopened and not self._tolerant
        self._abandon(expected, self._time)

    def _push(self, function: int, start: int) -> None:
        around = self._calls[-1].node if self._calls else self._places.node[self._track]
        node = self._tree.child(around, function, not self._calls and around >= 0)
        self._open.setdefault(function, []).append(len(self._calls))
        self._last[function] = node
        ask = self._ask
        listed = ask.row_of is None or bool(ask.row_of[function])
        self._calls.append(
            _Call(start, self._waited, node, function, listed, _Ended(ask.rows_before))
        )
        self._asked_open += self._is_asked(function)

    def _pop(self, end: int, failure: _Failure) -> None:
        call = self._calls.pop()
        self._open[call.function].pop()
        self._asked_open -= self._is_asked(call.function)
        waited = self._waited - call.waited
        if self._is_counted(call.start, end):
            self._tree.count(self._track, call, end, waited, failure)
        if self._calls:
            around = self._calls[-1]
            around.inside = _add_time(around.inside, end - call.start - waited)
        listed = (outer.ended for outer in reversed(self._calls) if outer.listed)
        ended = next(listed, self._ended)
        if call.listed and end - call.start >= self._ask.row_duration and self._ask.row_limit:
            row = self._row(call, end - call.start, waited, failure)
            self._list(call, row, ended)
        ended.rows += call.ended.rows
        ended.wanted |= call.ended.wanted

    def _abandon(self, depth: int, end: int) -> None:
        while len(self._calls) > depth:
            self._pop(end, _Failure(UNFINISHED))

    def _row(self, call: _Call, duration: int, waited: int, failure: _Failure) -> _Row:
        return _Row(
            call.start,
            duration,
            waited,
            failure.text,
            failure.length,
            failure.flags,
            call.node,
            call.function,
            self._track,
            len(self._calls),
        )

    def _list(self, call: _Call, row: _Row, around: _Ended) -> None:
        """around is what has ended in the call around this one."""
        ask = self._ask
        if row.start + row.duration < ask.asked_since or row.start > ask.asked_until:
            return
        if self._is_asked(call.function) and not self._asked_open:
            self._list_before(around)
        if self._is_wanted(call, row.flags):
            call.ended.wanted = True
            if self._is_counted(row.start, row.start + row.duration):
                self._add_row(row, call.ended)
        else:
            around.before.append(row)

    def _is_counted(self, start: int, end: int) -> bool:
        return self._counted and start <= self._ask.until and end >= self._ask.since

    def _list_before(self, around: _Ended) -> None:
        for row in around.before:
            own = _Ended(0)
            if self._is_counted(row.start, row.start + row.duration):
                self._add_row(row, own)
            around.rows += own.rows
        around.before.clear()

    def _add_row(self, row: _Row, own: _Ended) -> None:
        """The row becomes the parent of its call's own, and what waits for a parent instead."""
        rows = self._tree.rows
        if len(rows) >= self._ask.row_limit:
            self._counters.truncated = 1
            return
        for inner in own.rows:
            inner.parent = len(rows)
        own.rows = [row]
        rows.append(row)

    def _is_asked(self, function: int) -> bool:
        return self._ask.asked is not None and bool(self._ask.asked[function])

    def _is_wanted(self, call: _Call, flags: int) -> bool:
        if self._ask.rows_around and call.ended.wanted:
            return True
        if self._ask.asked is not None:
            return self._asked_open > 0 or self._is_asked(call.function)
        return not self._ask.rows_failed_only or bool(flags & (ERROR | PANIC))

    def _place_children(self, before: int) -> None:
        """Children that begin before the time given go on in what is open now."""
        while self._placed < len(self._children):
            child = self._children[self._placed]
            start, _parent, starter = self._ask.tracks[child].tolist()
            if start >= before:
                return
            self._places.node[child] = self._place(starter)
            self._placed += 1

    def _place(self, starter: int) -> int:
        if self._open.get(starter):
            return self._calls[self._open[starter][-1]].node
        if starter in self._last:
            return self._last[starter]
        return self._calls[-1].node if self._calls else self._places.node[self._track]


def _drop_empty(nodes: list[_Node]) -> list[int]:
    """The new index of each node; -1 where nothing was counted for it or below it."""
    kept = [node.calls > 0 for node in nodes]
    for index in reversed(range(len(nodes))):
        if kept[index] and nodes[index].parent >= 0:
            kept[nodes[index].parent] = True
    indices = iter(range(len(nodes)))
    return [next(indices) if yes else -1 for yes in kept]


def _mark_recursive(nodes: list[_Node]) -> None:
    children: list[list[int]] = [[] for _ in nodes]
    for index, node in enumerate(nodes):
        if node.parent >= 0:
            children[node.parent].append(index)
    above: dict[int, int] = {}
    walk = [index for index, node in enumerate(nodes) if node.parent < 0]
    while walk:
        index = walk.pop()
        if index < 0:
            above[nodes[~index].function] -= 1
            continue
        node = nodes[index]
        node.recursive = above.get(node.function, 0) > 0
        above[node.function] = above.get(node.function, 0) + 1
        walk.append(~index)
        walk += children[index]


def _blocks(blocks: dict[tuple[int, int], list[int]], kept: list[int]) -> Rows:
    rows = [
        (owner if owner >= 0 else ~kept[~owner], exponent, counts)
        for (owner, exponent), counts in blocks.items()
    ]
    return np.array(rows, BLOCK)
