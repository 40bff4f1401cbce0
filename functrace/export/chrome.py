"""Chrome Trace Event JSON, for chrome://tracing and other viewers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO

from functrace._native.row_types import (
    CUT,
    ENTERED,
    ERROR,
    GOEXIT,
    LEFT,
    LOST,
    PANIC,
    SUSPENDED,
    UNFINISHED,
)
from functrace.export import process_names
from functrace.export.events import Events, events
from functrace.tracefile import Trace, Track

_ENDS = {GOEXIT: "goexit", UNFINISHED: "unfinished", CUT: "cut"}


def write(traces: Sequence[Trace], out: BinaryIO) -> None:
    """Write all traces on one time axis, one event per line."""
    began = min(trace.started for trace in traces)
    out.write(b'{"displayTimeUnit":"ns","traceEvents":[\n')
    for trace, pid in zip(traces, process_names.distinct_pids(traces), strict=True):
        for lines in _Process(trace, pid, trace.started - began).lines():
            out.write("".join(lines).encode())
    # An empty last event: every other event can end with a comma.
    out.write(b'{"ph":"M","pid":0,"tid":0,"name":"functrace","args":{}}\n]}\n')


class _Process:
    def __init__(self, trace: Trace, pid: int, offset: int) -> None:
        self._trace = trace
        self._pid = pid
        self._offset = offset
        # End events need no name, but some viewers require one.
        self._names = [f'"name":{json.dumps(f.name)},"cat":"call"' for f in trace.functions]
        self._last_track = -1

    def lines(self) -> Iterator[list[str]]:
        """Yield the lines of the events, in batches."""
        yield [self._metadata("process_name", 0, {"name": process_names.title(self._trace)})]
        for track in self._trace.tracks:
            name = {"name": process_names.track_name(track)}
            place = {"sort_index": track.index}
            yield [
                self._metadata("thread_name", track.id, name),
                self._metadata("thread_sort_index", track.id, place),
            ]
            if track.parent >= 0:
                yield [self._start(track)]
        for block in events(self._trace):
            yield list(self._block(block))

    def _metadata(self, name: str, tid: int, args: Mapping[str, object]) -> str:
        return f'{{"ph":"M",{self._at(tid)},"name":"{name}","args":{json.dumps(args)}}},\n'

    def _at(self, tid: int) -> str:
        return f'"pid":{self._pid},"tid":{tid}'

    def _time(self, nanoseconds: int) -> str:
        """Return the timestamp field: microseconds with three decimals."""
        micros, rest = divmod(nanoseconds + self._offset, 1000)
        return f'"ts":{micros}.{rest:03}'

    def _start(self, track: Track) -> str:
        """Return the flow event that starts the arrow to a track's first call."""
        at = self._at(self._trace.tracks[track.parent].id)
        flow = f'"id":"{self._pid}-{track.id}","name":"starts","cat":"start"'
        return f'{{"ph":"s",{at},{self._time(track.start)},{flow}}},\n'

    def _block(self, block: Events) -> Iterator[str]:
        ids = [self._at(tid) for tid in self._trace.tracks.id[block.track].tolist()]
        columns = (block.kind, block.time, block.function, block.track, block.flags)
        rows = zip(ids, *(column.tolist() for column in columns), strict=True)
        for index, (at, kind, time, function, track, flags) in enumerate(rows):
            place = f"{at},{self._time(time)}"
            if kind == ENTERED:
                if track != self._last_track:
                    yield from self._arrow(track, place)
                yield f'{{"ph":"B",{place},{self._names[function]}}},\n'
            elif kind == LEFT:
                end = f',"args":{self._end(block, index, flags)}' if flags else ""
                yield f'{{"ph":"E",{place},{self._names[function]}{end}}},\n'
            elif kind == LOST:
                count = f'"args":{{"count":{int(block.text_at[index])}}}'
                yield f'{{"ph":"i","s":"t",{place},"name":"events lost",{count}}},\n'
            else:
                phase = "B" if kind == SUSPENDED else "E"
                yield f'{{"ph":"{phase}",{place},"name":"suspended","cat":"wait"}},\n'
            self._last_track = track

    def _arrow(self, track: int, place: str) -> Iterator[str]:
        if self._trace.tracks.parent[track] >= 0:
            flow = f'"id":"{self._pid}-{self._trace.tracks.id[track]}","name":"starts"'
            yield f'{{"ph":"f","bp":"e",{place},{flow},"cat":"start"}},\n'

    def _end(self, block: Events, index: int, flags: int) -> str:
        args: dict[str, object] = {name: True for flag, name in _ENDS.items() if flags & flag}
        text = self._trace.text(int(block.text_at[index]), int(block.text_bytes[index]))
        args |= {name: text for flag, name in ((ERROR, "error"), (PANIC, "panic")) if flags & flag}
        return json.dumps(args)
