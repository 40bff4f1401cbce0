"""Perfetto trace: one process per trace, one track per track, one slice per call.

Packets are encoded block by block. Each block begins with the interned names that its packets refer
to, so that no state is kept between blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

import numpy as np

from functrace._native.row_types import (
    CUT,
    ENTERED,
    ERROR,
    GOEXIT,
    LEFT,
    LOST,
    PANIC,
    RESUMED,
    SUSPENDED,
    UNFINISHED,
)
from functrace.analysis.columns import Int64s
from functrace.analysis.requests import has_requests, joined
from functrace.export import process_names
from functrace.export import protobuf as pb
from functrace.export.events import Events, events
from functrace.tracefile import Function, Trace, Track, programs

# Fields of trace_packet.proto and what it includes.
_PACKET = 1
_CLOCK_SNAPSHOT, _TIMESTAMP, _SEQUENCE, _EVENT, _INTERNED, _FLAGS, _DESCRIPTOR = (
    6,
    8,
    10,
    11,
    12,
    13,
    60,
)
_CATEGORY_IIDS, _ANNOTATIONS, _TYPE, _NAME_IID, _TRACK, _NAME, _SOURCE_IID = 3, 4, 9, 10, 11, 23, 34
_CATEGORIES, _FLOWS, _ENDING_FLOWS = 22, 47, 48
_BEGIN, _END, _INSTANT = 1, 2, 3
_CLEARED, _NEEDED = 1, 2
_REALTIME, _BOOTTIME = 1, 6
_EXPLICIT = 3

_FIRST_REQUEST_FLOW = 1 << 48
_CALL, _WAIT = 1, 2  # numbers of categories
_SUSPENDED_NAME, _LOST_NAME, _FIRST_NAME = 1, 2, 3  # numbers of names; functions come last
_ANNOTATION_NAMES = ("error", "panic", "goexit", "unfinished", "cut")
_ANNOTATION = {name: number for number, name in enumerate(_ANNOTATION_NAMES, 1)}


def write(traces: Sequence[Trace], out: BinaryIO) -> None:
    """Write all traces on one time axis, with arrows between the two ends of requests."""
    traces, flows = _follow(traces)
    began = min(trace.started for trace in traces)
    out.write(_clocks(began))
    uuid = 1
    pids = process_names.distinct_pids(traces)
    for number, (trace, pid) in enumerate(zip(traces, pids, strict=True), 1):
        process = _Process(trace, number, pid, uuid, trace.started - began)
        process.flow_of_call = flows[number - 1]
        out.writelines(process.packets())
        uuid += 1 + len(trace.tracks)


def _follow(traces: Sequence[Trace]) -> tuple[Sequence[Trace], list[dict[int, bytes]]]:
    """Return the traces with aligned clocks, and the flows of the calls of each that are requests.

    An arrow leads from an outbound call to the inbound call that is joined to it.
    """
    flows: list[dict[int, bytes]] = [{} for _ in traces]
    if not has_requests(traces):
        return traces, flows
    found = joined(traces)
    inner = np.flatnonzero(found.joins.outbound >= 0)
    for receiver, sender in zip(inner.tolist(), found.joins.outbound[inner].tolist(), strict=True):
        for row, field in ((sender, _FLOWS), (receiver, _ENDING_FLOWS)):
            trace, own = found.place(row)
            call = int(found.tables[trace].call[own])
            if call >= 0:
                flows[trace][call] = pb.fixed64(field, _FIRST_REQUEST_FLOW + sender)
    return found.traces_with_origins, flows


def _clocks(began: int) -> bytes:
    """Return a clock snapshot: the time of day at the start of the time axis."""
    clocks = ((_BOOTTIME, 0), (_REALTIME, began))
    snapshot = b"".join(
        pb.data(1, pb.number(1, clock) + pb.number(2, time)) for clock, time in clocks
    )
    return pb.data(_PACKET, pb.number(_TIMESTAMP, 0) + pb.data(_CLOCK_SNAPSHOT, snapshot))


class _Process:
    def __init__(self, trace: Trace, sequence: int, pid: int, uuid: int, offset: int) -> None:
        self._trace = trace
        self._pid = pid
        self._uuid = uuid
        self._offset = offset
        self._sequence = pb.number(_SEQUENCE, sequence)
        self._names = [_interned_function(i, f) for i, f in enumerate(trace.functions)]
        self._begins = [_begin(index + _FIRST_NAME) for index in range(len(trace.functions))]
        self._last_track = -1
        self._calls = 0
        self.flow_of_call: dict[int, bytes] = {}
        """flows that begin or end at calls, by the number of the call"""

    def packets(self) -> Iterator[bytes]:
        yield self._process()
        for track in self._trace.tracks:
            yield self._track(track)
        for block in events(self._trace):
            yield from self._block(block)
        for track in self._trace.tracks:
            if track.parent >= 0:
                yield self._start(track)

    def _process(self) -> bytes:
        process = pb.number(1, self._pid) + pb.text(6, process_names.title(self._trace))
        process += b"".join(pb.text(2, each) for each in programs.arguments(self._trace))
        fields = pb.number(1, self._uuid) + pb.data(3, process) + pb.number(11, _EXPLICIT)
        return self._packet(pb.data(_DESCRIPTOR, fields))

    def _track(self, track: Track) -> bytes:
        fields = pb.number(1, self._track_uuid(track.index)) + pb.number(5, self._uuid)
        fields += pb.text(2, process_names.track_name(track)) + pb.number(12, track.index)
        return self._packet(pb.data(_DESCRIPTOR, fields))

    def _start(self, track: Track) -> bytes:
        """Return the parent track's event, the start of the arrow to the track's first call."""
        event = pb.number(_TYPE, _INSTANT) + pb.number(_TRACK, self._track_uuid(track.parent))
        event += pb.text(_NAME, f"starts {process_names.track_name(track)}")
        event += pb.text(_CATEGORIES, "start")
        event += pb.fixed64(_FLOWS, self._track_uuid(track.index))
        if track.starter >= 0:
            starter = self._trace.functions[track.starter]
            source = pb.text(2, starter.file) + pb.text(3, starter.name) + pb.number(4, track.line)
            event += pb.data(33, source)
        time = pb.number(_TIMESTAMP, self._offset + track.start)
        return self._packet(time + pb.data(_EVENT, event))

    def _track_uuid(self, index: int) -> int:
        return self._uuid + 1 + index

    def _packet(self, fields: bytes) -> bytes:
        return pb.data(_PACKET, self._sequence + fields)

    def _block(self, block: Events) -> Iterator[bytes]:
        endings = _Endings(self._trace)
        tails = [*self._begins, *_FIXED_TAILS]
        chosen = self._tails(block, endings, len(tails))
        tails += endings.tails
        used = np.unique(block.function[block.kind == ENTERED]).tolist()
        yield self._interned([self._names[function] for function in used], endings)
        event = pb.Rows(len(block))
        event.add_choice(tails, chosen)
        event.add(pb.tag(_TRACK))
        event.add_varints(block.track.astype(np.int64) + self._uuid + 1)
        event.add_choice(*self._flows(block))
        packet = pb.Rows(len(block))
        packet.add(self._sequence + pb.number(_FLAGS, _NEEDED) + pb.tag(_TIMESTAMP))
        packet.add_varints(block.time + self._offset)
        packet.add_message(_EVENT, event)
        trace = pb.Rows(len(block))
        trace.add_message(_PACKET, packet)
        yield trace.encode()

    def _tails(self, block: Events, endings: _Endings, first: int) -> Int64s:
        """Return for each event the index of its tail, the fields after its track."""
        fixed = len(self._begins)
        place = np.zeros(LOST + 1, np.int64)
        place[[LEFT, SUSPENDED, RESUMED]] = fixed, fixed + 1, fixed
        chosen = np.where(block.kind == ENTERED, block.function, place[block.kind])
        special = np.flatnonzero(((block.kind == LEFT) & (block.flags > 0)) | (block.kind == LOST))
        rows = zip(
            block.kind[special].tolist(),
            block.flags[special].tolist(),
            block.text_at[special].tolist(),
            block.text_bytes[special].tolist(),
            strict=True,
        )
        chosen[special] = [first + endings.number(*row) for row in rows]
        return chosen

    def _flows(self, block: Events) -> tuple[list[bytes], Int64s]:
        """Return for each event the flows that begin or end there.

        They end at the first call of a started track, and at both ends of requests.
        """
        before = np.concatenate([[self._last_track], block.track[:-1]])
        self._last_track = int(block.track[-1])
        entered = block.kind == ENTERED
        is_first = (block.track != before) & entered
        at = np.flatnonzero(is_first & (self._trace.tracks.parent[block.track] >= 0))
        flows = {
            place: pb.fixed64(_ENDING_FLOWS, self._track_uuid(track))
            for place, track in zip(at.tolist(), block.track[at].tolist(), strict=True)
        }
        self._add_requests(flows, np.flatnonzero(entered))
        chosen = np.zeros(len(block), np.int64)
        chosen[list(flows)] = np.arange(1, len(flows) + 1)
        return [b"", *flows.values()], chosen

    def _add_requests(self, flows: dict[int, bytes], entries: Int64s) -> None:
        first = self._calls
        self._calls += len(entries)
        if self.flow_of_call:
            calls = np.array(list(self.flow_of_call), np.int64)
            for call in calls[(calls >= first) & (calls < self._calls)].tolist():
                place = int(entries[call - first])
                flows[place] = flows.get(place, b"") + self.flow_of_call[call]

    def _interned(self, functions: Sequence[bytes], endings: _Endings) -> bytes:
        data = b"".join([_FIXED_NAMES, *functions, *endings.texts])
        flags = pb.number(_FLAGS, _CLEARED)
        return self._packet(flags + pb.data(_INTERNED, data))


class _Endings:
    """Distinct tails of a block's lost-event records and calls that did not simply return."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._index_of: dict[tuple[int, int, str], int] = {}
        self._iid_of: dict[str, int] = {}
        self.tails: list[bytes] = []
        self.texts: list[bytes] = []
        """interned strings, encoded"""

    def number(self, kind: int, flags: int, at: int, size: int) -> int:
        """Return the index in ``tails``; add the tail if it is new."""
        key = (kind, at, "") if kind == LOST else (kind, flags, self._trace.text(at, size))
        if key not in self._index_of:
            self._index_of[key] = len(self.tails)
            self.tails.append(_lost(at) if kind == LOST else self._tail(flags, key[2]))
        return self._index_of[key]

    def _tail(self, flags: int, text: str) -> bytes:
        tail = pb.number(_TYPE, _END)
        for flag, name in ((ERROR, "error"), (PANIC, "panic")):
            if flags & flag:
                tail += _annotation(name, pb.number(17, self._text(text)))
        for flag, name in ((GOEXIT, "goexit"), (UNFINISHED, "unfinished"), (CUT, "cut")):
            if flags & flag:
                tail += _annotation(name, pb.number(2, 1))
        return tail

    def _text(self, text: str) -> int:
        if text not in self._iid_of:
            self._iid_of[text] = len(self._iid_of) + 1
            self.texts.append(_interned(29, self._iid_of[text], text))
        return self._iid_of[text]


def _annotation(name: str, value: bytes) -> bytes:
    return pb.data(_ANNOTATIONS, pb.number(1, _ANNOTATION[name]) + value)


def _interned(field: int, number: int, text: str) -> bytes:
    return pb.data(field, pb.number(1, number) + pb.text(2, text))


def _interned_function(index: int, function: Function) -> bytes:
    number = index + _FIRST_NAME
    source = pb.number(1, number) + pb.text(2, function.file) + pb.text(3, function.name)
    return _interned(2, number, function.name) + pb.data(4, source + pb.number(4, function.line))


def _begin(name: int) -> bytes:
    event = pb.number(_TYPE, _BEGIN) + pb.number(_CATEGORY_IIDS, _CALL)
    return event + pb.number(_NAME_IID, name) + pb.number(_SOURCE_IID, name)


def _lost(count: int) -> bytes:
    event = pb.number(_TYPE, _INSTANT) + pb.number(_NAME_IID, _LOST_NAME)
    return event + pb.data(_ANNOTATIONS, pb.text(10, "count") + pb.number(3, count))


_FIXED_TAILS = (
    pb.number(_TYPE, _END),
    pb.number(_TYPE, _BEGIN)
    + pb.number(_CATEGORY_IIDS, _WAIT)
    + pb.number(_NAME_IID, _SUSPENDED_NAME),
)
_FIXED_NAMES = b"".join(
    [
        _interned(1, _CALL, "call"),
        _interned(1, _WAIT, "wait"),
        _interned(2, _SUSPENDED_NAME, "suspended"),
        _interned(2, _LOST_NAME, "events lost"),
        *(_interned(3, number, name) for name, number in _ANNOTATION.items()),
    ]
)
