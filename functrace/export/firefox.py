"""Processed profile for the Firefox Profiler: one thread per track, samples weighted by time.

There is a sample wherever a call begins or ends; its weight is the time until the next. Failed
calls are also markers. The format requires contiguous columns, so columns are spooled to files.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from itertools import groupby
from operator import itemgetter
from typing import IO, Any, BinaryIO

from functrace import __version__
from functrace._native.row_types import ENTERED, ERROR, LEFT, LOST, PANIC, RESUMED
from functrace.analysis.merge import merge_functions
from functrace.export import process_names
from functrace.export.events import Events, events_by_track
from functrace.tracefile import Trace, Track, programs
from functrace.tracefile.facts import Function

_VERSION = 60
_IN_MEMORY = 1 << 20
_INTERVAL = 1
_CATEGORIES = [
    {"name": "Calls", "color": "blue", "subcategories": ["Other"]},
    {"name": "Suspended", "color": "transparent", "subcategories": ["Other"]},
    {"name": "Failed", "color": "red", "subcategories": ["Other"]},
]
_CALLS, _SUSPENDED, _FAILED = range(3)
_SCHEMA = {
    "name": "failure",
    "display": ["marker-chart", "marker-table", "timeline-overview"],
    "tooltipLabel": "{marker.name}: {marker.data.text}",
    "tableLabel": "{marker.data.text}",
    "fields": [
        {"key": "text", "label": "Text", "format": "string"},
        {"key": "panic", "label": "Panic", "format": "string"},
    ],
}


def write(traces: Sequence[Trace], out: BinaryIO) -> None:
    """Write all traces on one time axis."""
    functions, index_of = merge_functions(traces)
    shared = _Shared(functions)
    began = min(trace.started for trace in traces)
    out.write(f'{{"meta":{json.dumps(_meta(traces, began))},"libs":[],"threads":['.encode())
    separator = b"\n"
    pids = process_names.distinct_pids(traces)
    for trace, index, pid in zip(traces, index_of, pids, strict=True):
        frames = [*index.tolist(), len(functions)]
        for track, parts in groupby(events_by_track(trace), key=itemgetter(0)):
            out.write(separator)
            with _Thread(trace, trace.tracks[track], trace.started - began, shared) as thread:
                thread.add(frames, (part for _, part in parts))
                thread.write(out, pid)
            separator = b",\n"
    out.write(b'],"shared":' + json.dumps(shared.tables()).encode() + b"}\n")


def _meta(traces: Sequence[Trace], began: int) -> dict[str, Any]:
    return {
        "interval": 0.001,
        "startTime": began / 1e6,
        "processType": 0,
        "product": ", ".join(map(programs.program_name, traces)),
        "importedFrom": f"functrace {__version__}",
        "stackwalk": 0,
        "version": 31,
        "preprocessedProfileVersion": _VERSION,
        "symbolicated": True,
        "usesOnlyOneStackType": True,
        "categories": _CATEGORIES,
        "markerSchema": [_SCHEMA],
    }


class _Shared:
    """Tables shared by all threads: strings, functions with one frame each, and stacks."""

    def __init__(self, functions: Sequence[Function]) -> None:
        self._functions = functions
        self._string_of: dict[str, int] = {}
        self._stacks: dict[tuple[int | None, int], int] = {}

    def string(self, text: str) -> int:
        return self._string_of.setdefault(text, len(self._string_of))

    def stack(self, parent: int | None, frame: int) -> int:
        return self._stacks.setdefault((parent, frame), len(self._stacks))

    def name(self, function: int) -> int:
        return self.string(self._functions[function].name)

    def tables(self) -> dict[str, Any]:
        sources = {file: i for i, file in enumerate(dict.fromkeys(f.file for f in self._functions))}
        places = [(f.name, sources[f.file], f.line or None) for f in self._functions]
        rows = [*places, ("(suspended)", None, None)]
        count = len(rows)
        nothing = [None] * count
        categories = [_CALLS] * len(places) + [_SUSPENDED]
        return {
            "stackTable": {
                "prefix": [parent for parent, _ in self._stacks],
                "frame": [frame for _, frame in self._stacks],
                "length": len(self._stacks),
            },
            "frameTable": {
                "address": [-1] * count,
                "inlineDepth": [0] * count,
                "category": categories,
                "subcategory": [0] * count,
                "func": list(range(count)),
                "nativeSymbol": nothing,
                "innerWindowID": nothing,
                "line": nothing,
                "column": nothing,
                "length": count,
            },
            "funcTable": {
                "name": [self.string(name) for name, _, _ in rows],
                "isJS": [False] * count,
                "relevantForJS": [False] * count,
                "resource": [-1] * count,
                "source": [source for _, source, _ in rows],
                "lineNumber": [line for _, _, line in rows],
                "columnNumber": nothing,
                "length": count,
            },
            "resourceTable": _empty("lib", "name", "host", "type"),
            "nativeSymbols": _empty("libIndex", "address", "name", "functionSize"),
            "sources": {
                "uuid": [None] * len(sources),
                "filename": [self.string(file) for file in sources],
                "length": len(sources),
            },
            "stringArray": list(self._string_of),
        }


def _empty(*columns: str) -> dict[str, Any]:
    return {"length": 0, **{column: [] for column in columns}}


class _Thread:
    """Samples and markers of a track, in columns that may exceed memory."""

    def __init__(self, trace: Trace, track: Track, offset: int, shared: _Shared) -> None:
        self._trace = trace
        self._track = track
        self._offset = offset
        self._shared = shared
        self._files = ExitStack()
        self._samples = [self._file() for _ in range(3)]
        self._markers = [self._file() for _ in range(6)]
        self._count = 0
        self._failures = 0
        self._stack: list[tuple[int, int]] = []
        """stack and start time of each open call"""
        self._since = 0

    def __enter__(self) -> _Thread:
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()

    def _file(self) -> IO[bytes]:
        return self._files.enter_context(tempfile.SpooledTemporaryFile(_IN_MEMORY))

    def add(self, frames: Sequence[int], parts: Iterable[Events]) -> None:
        """Add the track's events; ``frames`` maps function indices and ends with suspension."""
        for part in parts:
            samples: list[tuple[str, ...]] = []
            self._add_part(frames, part, samples)
            for file, column in zip(self._samples, zip(*samples, strict=True), strict=False):
                separator = "," if self._count else ""
                file.write((separator + ",".join(column)).encode())
            self._count += len(samples)

    def _add_part(
        self, frames: Sequence[int], part: Events, samples: list[tuple[str, ...]]
    ) -> None:
        columns = (part.kind, part.time, part.function, part.flags)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        for row, (kind, time, function, flags) in enumerate(rows):
            if kind == LOST:
                continue
            if time > self._since and self._stack:
                at = _milliseconds(self._since + self._offset)
                samples.append((str(self._stack[-1][0]), at, _milliseconds(time - self._since)))
            self._since = time
            if kind in (LEFT, RESUMED):
                _, start = self._stack.pop()
                if flags & (ERROR | PANIC):
                    text = self._trace.text(int(part.text_at[row]), int(part.text_bytes[row]))
                    self._mark(frames[function], start, time, text, panic=bool(flags & PANIC))
                continue
            parent = self._stack[-1][0] if self._stack else None
            frame = frames[function] if kind == ENTERED else frames[-1]
            self._stack.append((self._shared.stack(parent, frame), time))

    def _mark(self, function: int, start: int, end: int, text: str, *, panic: bool) -> None:
        times = [_milliseconds(time + self._offset) for time in (start, end)]
        data = {"type": "failure", "text": text, **({"panic": "yes"} if panic else {})}
        name = self._shared.name(function)
        row = (json.dumps(data), str(name), *times, str(_INTERVAL), str(_FAILED))
        for file, value in zip(self._markers, row, strict=True):
            file.write(("," if self._failures else "").encode() + value.encode())
        self._failures += 1

    def write(self, out: BinaryIO, pid: int) -> None:
        """Write the thread object of the profile."""
        head = {
            "processType": "default",
            "processName": process_names.title(self._trace),
            "processStartupTime": self._offset / 1e6,
            "processShutdownTime": None,
            "registerTime": (self._offset + self._track.start) / 1e6,
            "unregisterTime": None,
            "pausedRanges": [],
            "name": process_names.track_name(self._track),
            "isMainThread": self._track.index == 0,
            "showMarkersInTimeline": True,
            "pid": str(pid),
            "tid": self._track.id,
        }
        out.write(json.dumps(head)[:-1].encode() + b',"samples":{"weightType":"tracing-ms",')
        _write_columns(out, ("stack", "time", "weight"), self._samples, self._count)
        out.write(b',"markers":{')
        names = ("data", "name", "startTime", "endTime", "phase", "category")
        _write_columns(out, names, self._markers, self._failures)
        out.write(b"}")


def _write_columns(
    out: BinaryIO, names: Sequence[str], files: Sequence[IO[bytes]], length: int
) -> None:
    for name, file in zip(names, files, strict=True):
        out.write(f'"{name}":['.encode())
        file.seek(0)
        shutil.copyfileobj(file, out)
        out.write(b"],")
    out.write(f'"length":{length}}}'.encode())


def _milliseconds(nanoseconds: int) -> str:
    """Return milliseconds with six decimals."""
    milliseconds, rest = divmod(nanoseconds, 1_000_000)
    return f"{milliseconds}.{rest:06}"
