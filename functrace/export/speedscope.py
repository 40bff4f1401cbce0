"""speedscope file: one evented profile per track."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import chain, groupby
from operator import itemgetter
from typing import BinaryIO

import numpy as np

from functrace import __version__
from functrace._native.row_types import ENTERED, LEFT, LOST, SUSPENDED
from functrace.analysis.merge import merge_functions
from functrace.export import process_names
from functrace.export.events import Events, events_by_track
from functrace.tracefile import Trace
from functrace.tracefile.facts import Function

_SCHEMA = "https://www.speedscope.app/file-format-schema.json"


def write(traces: Sequence[Trace], out: BinaryIO) -> None:
    """Write all traces, each on its own time axis; the largest profile is active."""
    functions, index_of = merge_functions(traces)
    head = {
        "$schema": _SCHEMA,
        "exporter": f"functrace {__version__}",
        "name": ", ".join(map(process_names.title, traces)),
        "shared": {"frames": [*map(_frame, functions), {"name": "(suspended)"}]},
    }
    out.write(json.dumps(head)[:-1].encode() + b',"profiles":[')
    sizes: list[int] = []
    for trace, index in zip(traces, index_of, strict=True):
        name = f"{process_names.title(trace)}: " if len(traces) > 1 else ""
        for profile in _profiles(trace, name, [*index.tolist(), len(functions)]):
            out.write(b"," if sizes else b"")
            sizes.append(sum(out.write(piece.encode()) for piece in profile))
    busiest = max(range(len(sizes)), key=sizes.__getitem__, default=0)
    out.write(f'],"activeProfileIndex":{busiest}}}\n'.encode())


def _frame(function: Function) -> dict[str, object]:
    frame: dict[str, object] = {"name": function.name, "file": function.file}
    return frame | ({"line": function.line} if function.line else {})


def _profiles(trace: Trace, process: str, frames: list[int]) -> Iterator[Iterator[str]]:
    """Yield a profile per track with calls; each must be consumed before the next."""
    for track, parts in groupby(events_by_track(trace), key=itemgetter(0)):
        name = process + process_names.track_name(trace.tracks[track])
        yield _profile(name, (part for _, part in parts), frames)


def _profile(name: str, parts: Iterator[Events], frames: list[int]) -> Iterator[str]:
    """Yield the pieces of a profile; its end comes after the events, when it is known."""
    first = next(parts)
    head = {
        "type": "evented",
        "name": name,
        "unit": "nanoseconds",
        "startValue": int(first.time[0]),
    }
    yield "\n" + json.dumps(head)[:-1] + ',"events":['
    end = int(first.time[0])
    separator = ""
    for part in chain([first], parts):
        end = int(part.time[-1])
        lines = list(_events(part, frames))
        yield separator + ",".join(lines) if lines else ""
        separator = separator or ("," if lines else "")
    yield f'],"endValue":{end}}}'


def _events(part: Events, frames: list[int]) -> Iterator[str]:
    opening = np.isin(part.kind, (ENTERED, SUSPENDED))
    frame = np.where(np.isin(part.kind, (ENTERED, LEFT)), part.function, -1)
    written = np.flatnonzero(part.kind != LOST)
    rows = (column[written].tolist() for column in (opening, part.time, frame))
    for is_opening, at, function in zip(*rows, strict=True):
        yield f'{{"type":"{"O" if is_opening else "C"}","frame":{frames[function]},"at":{at}}}'
