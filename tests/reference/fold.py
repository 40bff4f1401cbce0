"""The reference implementation of functrace/_native/reader/fold.c."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from functrace._native.row_types import (
    BLOCK,
    BUCKETS,
    ERROR,
    NODE,
    NODE_ORIGIN,
    PANIC,
    PARENT_IS_LOST,
    UNFINISHED,
)
from functrace.analysis.request import Counters, Result, Rows
from functrace.analysis.request import Request as Question
from functrace.tracefile import format as fmt
from tests.reference.listing import Lister, Row
from tests.reference.requests import Request, read_request, request_rows
from tests.reference.track_walk import Call, Failure, TrackWalk, add_time, children_of

_NO_INBOUND = -1
_AS_PARENT = _AS_TRACK = -2


def fold(ask: Question) -> Result:
    """Fold the words of every track that is wanted into nodes, histograms and rows."""
    tree = _Tree(ask)
    places = [-1] * len(ask.source.tracks)
    children = children_of(ask.source)
    for track in _needed(ask):
        _TrackFold(ask, tree, places, track, children[track]).fold()
    kept = _drop_empty(tree.nodes)
    nodes = [node for node, new in zip(tree.nodes, kept, strict=True) if new >= 0]
    for node in nodes:
        node.parent = kept[node.parent] if node.parent >= 0 else -1
    _mark_recursive(nodes)
    return Result(
        np.array([node.row() for node in nodes], NODE),
        _blocks(tree.blocks, kept),
        tuple(lister.listed(kept) for lister in tree.listers),
        np.array([(i, node.origin) for i, node in enumerate(nodes) if node.origin], NODE_ORIGIN),
        request_rows(tree.requests, kept),
        tree.counters,
    )


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
    partial: int = 0
    slowest_start: int = 0
    failed_start: int = 0
    failed_text: int = 0
    last: int = 0
    max_in_caller: int = 0
    caller_calls: int = 0
    slowest_track: int = -1
    failed_track: int = -1
    failed_length: int = 0
    histogram: int = -1
    recursive: bool = False
    origin: int = 0
    window: int = -1
    padding: int = 0
    repeated_in: _Call | None = None
    repetitions: int = 0

    def repeat(self, caller: _Call) -> None:
        if self.repeated_in is not caller:
            self.repeated_in = caller
            self.repetitions = 0
            self.caller_calls += 1
        self.repetitions += 1
        self.max_in_caller = max(self.max_in_caller, self.repetitions)

    def row(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in NODE.names or ())


@dataclass
class _Call(Call):
    """A call by its node."""

    number: int = -1
    """by the calls that are not inherited"""
    request: Request | None = None


class _Tree:
    """What is collected over all tracks."""

    def __init__(self, ask: Question) -> None:
        self._ask = ask
        self._children: dict[tuple[int, int, bool | None], int] = {}
        self._histograms: dict[int, int] = {}
        self.nodes: list[_Node] = []
        self.blocks: dict[tuple[int, int], list[int]] = {}
        functions = ask.source.function_count
        self.listers = [Lister(each, functions, self._usual) for each in ask.listings]
        self.requests: list[Request] = []
        self.counters = Counters()
        self.calls = 0
        self._origins: dict[tuple[int, int], int] = {}
        ids, numbers = ask.origin_ids, ask.origin_numbers
        self.origin_of: dict[int, int] = {}
        self.inbound_of: dict[int, int] = {}
        """by track: the row of the inbound call that it is part of, or -1"""
        self.cut: set[int] = set()
        """tracks whose chains lack callers on the parent tracks"""
        if ids is not None and numbers is not None:
            self.origin_of = dict(zip(numbers.tolist(), ids.tolist(), strict=True))

    def with_origin(self, node: int, origin: int) -> int:
        """Beyond the limit an origin that is new is left out."""
        if (node, origin) in self._origins:
            return self._origins[node, origin]
        if len(self.nodes) >= self._ask.node_limit:
            self.counters.overflow += 1
            return node
        like = self.nodes[node]
        self.nodes.append(_Node(like.parent, like.function, like.started, origin=origin))
        return self._origins.setdefault((node, origin), len(self.nodes) - 1)

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

    def count(self, track: int, call: _Call, end: int, waited: int, failure: Failure) -> None:
        duration = end - call.start
        index = call.id if self._ask.bounds is None else self._in_window(call.id, end)
        node = self.nodes[index]
        node.calls += 1
        node.total = add_time(node.total, duration)
        node.suspended = add_time(node.suspended, waited)
        node.self = add_time(node.self, max(duration - waited - call.inside, 0))
        if failure.flags & UNFINISHED:
            node.unfinished += 1
            node.last = max(node.last, call.start)
        else:
            self._finished(track, index, call, duration)
        if failure.flags & (ERROR | PANIC):
            _note_failure(node, track, call, failure)

    def note_partial(self, call: _Call, end: int, lacks_callers: bool) -> None:
        index = call.id if self._ask.bounds is None else self._in_window(call.id, end)
        self.nodes[index].partial += lacks_callers

    def _in_window(self, parent: int, end: int) -> int:
        """Return the node for the calls of a node that end in the same window."""
        assert self._ask.bounds is not None
        window = int(np.searchsorted(self._ask.bounds, end, "right")) - 1
        key = (parent, window, None)
        if key not in self._children:
            self.nodes.append(_Node(parent, self.nodes[parent].function, False, window=window))
        return self._children.setdefault(key, len(self.nodes) - 1)

    def _finished(self, track: int, index: int, call: _Call, duration: int) -> None:
        node = self.nodes[index]
        node.min = duration if node.min < 0 else min(node.min, duration)
        if node.slowest_track < 0 or duration > node.max:
            node.max = duration
            node.slowest_track = track
            node.slowest_start = call.start
        node.last = max(node.last, call.start + duration)
        self._note_duration(call.function, duration)
        if self._ask.histogram_of is not None and self._ask.histogram_of[call.function]:
            self._note_duration(~index, duration)
            node.histogram = self._histograms[~index]

    def _note_duration(self, owner: int, duration: int) -> None:
        self._histograms.setdefault(owner, len(self._histograms))
        if self._ask.bounds is not None:
            duration = min(int(duration * self._ask.ns_per_tick + 0.5), 2 * fmt.TIME_LIMIT - 1)
        exponent, bucket = 0, duration
        if duration >= BUCKETS:
            high = duration.bit_length() - 1
            exponent = high - 4
            bucket = duration >> (high - 5) & BUCKETS - 1
        self.blocks.setdefault((owner, exponent), [0] * BUCKETS)[bucket] += 1

    def _usual(self, function: int) -> int:
        """The lower bound of the bucket of the 90th percentile."""
        blocks = [
            (exponent, counts)
            for (owner, exponent), counts in self.blocks.items()
            if owner == function
        ]
        total, above = sum(sum(counts) for _, counts in blocks), 0
        for exponent, counts in sorted(blocks, reverse=True):
            for bucket in reversed(range(BUCKETS)):
                above += counts[bucket]
                if above * 10 > total:
                    return (BUCKETS + bucket) << (exponent - 1) if exponent else bucket
        return 0


def _note_failure(node: _Node, track: int, call: _Call, failure: Failure) -> None:
    node.errors += bool(failure.flags & ERROR)
    node.panics += bool(failure.flags & PANIC)
    if node.failed_track >= 0 and node.failed_start <= call.start:
        return
    node.failed_track = track
    node.failed_start = call.start
    node.failed_text = failure.text
    node.failed_length = failure.length


def _needed(ask: Question) -> list[int]:
    """Tracks that are wanted and their parents, from which their places come."""
    if ask.selected_tracks is None:
        return list(range(len(ask.source.tracks)))
    needed = ask.selected_tracks.tolist()
    parents = ask.source.tracks["parent"].tolist()
    for track in reversed(range(len(needed))):
        if needed[track] and parents[track] >= 0:
            needed[parents[track]] = 1
    return [track for track, yes in enumerate(needed) if yes]


class _TrackFold(TrackWalk[_Call]):
    """One track's words, folded into the tree."""

    def __init__(
        self, ask: Question, tree: _Tree, places: list[int], track: int, children: list[int]
    ) -> None:
        super().__init__(ask.source, track, children, places[track], tree.counters)
        self._ask = ask
        self._tree = tree
        self._places = places
        self._level_calls = [0, 0]
        """calls at each of the outer two levels"""
        self._inbound_calls = 0
        self._counted = ask.selected_tracks is None or bool(ask.selected_tracks[track])

    def fold(self) -> None:
        inbound_of, parent = self._tree.inbound_of, int(self._source.tracks["parent"][self._track])
        if inbound_of.get(self._track) == _AS_PARENT:
            inbound_of[self._track] = inbound_of.get(parent, _NO_INBOUND)
        first = len(self._tree.requests)
        for lister in self._tree.listers:
            lister.begin_track()
        deque(self.words(), maxlen=0)
        if not self._is_single():
            inbound_of[self._track] = _NO_INBOUND
        for request in self._tree.requests[first:]:
            if request.ancestor == _AS_TRACK:
                request.ancestor = inbound_of.get(self._track, _NO_INBOUND)

    def _enter(self, function: int, start: int) -> None:
        around = self._calls[-1].id if self._calls else self._outer
        node = self._tree.child(around, function, not self._calls and around >= 0)
        self._push(_Call(node, start, function, self._waited))
        if len(self._calls) <= 2:
            self._level_calls[len(self._calls) - 1] += 1
        self._calls[-1].number = self._tree.calls
        self._tree.calls += 1
        for lister in self._tree.listers:
            lister.enter(function)

    def _leave(self, end: int, failure: Failure) -> None:
        call = self._pop()
        waited = self._waited - call.waited
        if call.request:
            call.request.finish(call.id, end, failure, self._functions)
        counts = self._is_counted(call.start, end)
        if counts:
            self._tree.count(self._track, call, end, waited, failure)
            self._tree.note_partial(call, end, self._lacks_callers())
            if self._calls and self._tree.nodes[call.id].parent == self._calls[-1].id:
                self._tree.nodes[call.id].repeat(self._calls[-1])
        if self._calls:
            around = self._calls[-1]
            around.inside = add_time(around.inside, end - call.start - waited)
        for lister in self._tree.listers:
            row = self._row(call, end - call.start, waited, failure)
            lister.leave(call.function, row, counts=counts)

    def _enter_inherited(self, function: int, start: int) -> None:
        """Inherited calls have nodes, for the chains below them, and no figures."""
        self._enter(function, start)
        self._tree.calls -= 1

    def _leave_inherited(self, end: int) -> None:  # noqa: ARG002
        call = self._pop()
        for lister in self._tree.listers:
            lister.leave(call.function, None)

    def _request(self, value: int, payload: bytes) -> None:
        if self._ask.direction_of is None:
            return
        request = read_request(value, payload, self._track, self._time)
        if request and self._hidden and self._hidden_index == len(self._calls):
            self._tree.requests.append(request)
        elif request and self._is_request(request.direction):
            self._begin_request(self._calls[-1], request)
        else:
            self._tree.counters.invalid_requests += 1

    def _is_request(self, direction: int) -> bool:
        if len(self._calls) == self._inherited or self._calls[-1].request:
            return False
        assert self._ask.direction_of is not None
        return bool(self._ask.direction_of[self._calls[-1].function] == direction)

    def _begin_request(self, call: _Call, request: Request) -> None:
        if request.direction == fmt.OUTBOUND:
            opened = self._open_inbound()
            request.ancestor = opened if opened >= 0 else _AS_TRACK
        self._inbound_calls += request.direction == fmt.INBOUND
        request.begin(call.function, call.start, call.number)
        call.request = request
        self._tree.requests.append(request)
        origin = self._tree.origin_of.get(request.number, 0)
        if not origin or request.direction != fmt.INBOUND:
            return
        node = self._tree.with_origin(call.id, origin)
        if self._last[call.function] == call.id:
            self._last[call.function] = node
        call.id = node

    def _lacks_callers(self) -> bool:
        """Return whether callers of the call that has ended are not known."""
        is_inside_hidden = self._hidden > 0 and len(self._calls) >= self._hidden_index
        return is_inside_hidden or self._is_cut(self._track)

    def _is_cut(self, track: int) -> bool:
        is_lost = self._source.tracks["parent"][track] == PARENT_IS_LOST
        return bool(is_lost) or track in self._tree.cut

    def _is_start_cut(self, child: int, node: int) -> bool:
        if not self._source.is_overwritten:
            return False
        if self._hidden or self._is_cut(self._track):
            return True
        starter = int(self._source.tracks["starter"][child])
        if starter < 0:
            return self._in_gap
        return node < 0 or self._tree.nodes[node].function != starter

    def _put_child(self, child: int, call: int) -> None:
        self._places[child] = call
        if self._is_start_cut(child, call):
            self._tree.cut.add(child)
        self._tree.inbound_of[child] = self._inbound_of_child(child)

    def _inbound_of_child(self, child: int) -> int:
        """Return the row of the inbound call that a track which begins now is part of."""
        opened = self._open_inbound()
        if opened >= 0:
            return opened if self._is_made_in_inbound(child) else _NO_INBOUND
        return _AS_PARENT if self._calls and self._is_single() else _NO_INBOUND

    def _open_inbound(self) -> int:
        """Return the row of the innermost open inbound call, or -1."""
        requests = [call.request for call in self._calls if call.request]
        inbound = [each for each in requests if each.direction == fmt.INBOUND]
        if not inbound:
            return _NO_INBOUND
        return next(i for i, row in enumerate(self._tree.requests) if row is inbound[-1])

    def _is_made_in_inbound(self, child: int) -> bool:
        """Whether a track, which may have been made earlier, was made in the inbound call."""
        if self._ask.starts_are_observed:
            return True
        starter = int(self._source.tracks["starter"][child])
        outside = next(i for i, call in enumerate(self._calls) if call.request)
        opened = self._open.get(starter, [])
        return self._inbound_calls == 1 and bool(opened) and opened[-1] > outside

    def _is_single(self) -> bool:
        """Whether the track has at most one call at each of its outer two levels, and is whole."""
        is_whole = not (self._had_gap or self._tolerant or self._hidden or self._inherited)
        return is_whole and max(self._level_calls) <= 1

    def _row(self, call: _Call, duration: int, waited: int, failure: Failure) -> Row:
        return Row(
            call.start,
            duration,
            waited,
            failure.text,
            failure.length,
            failure.flags,
            call.id,
            call.function,
            self._track,
            len(self._calls),
        )

    def _is_counted(self, start: int, end: int) -> bool:
        bounds = self._ask.bounds
        if bounds is not None and not bounds[0] <= end < bounds[-1]:
            return False
        return self._counted and start <= self._ask.until and end >= self._ask.since


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
