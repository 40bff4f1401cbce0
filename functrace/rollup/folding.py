"""Folding of a trace into rollups, which are added to a store."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from functrace.analysis.losses import covered
from functrace.errors import FunctraceError
from functrace.object_stores import is_url
from functrace.remote_traces import local_copy
from functrace.rollup.from_trace import rollups_of
from functrace.rollup.labels import labels_of, recording_id
from functrace.rollup.layout import StoredFile
from functrace.rollup.rollup import Rollup
from functrace.rollup.store import Store, contents_of
from functrace.tracefile import Trace, open_trace_file

Files = tuple[tuple[StoredFile, dict[str, bytes]], ...]
"""files of a store with their contents by table"""
_MS = 1_000_000


@dataclass(frozen=True)
class FoldOptions:
    """Labels that replace those of the trace, if they are not empty, and the length of a window."""

    service: str
    release: str
    instance: str
    width_ns: int


@dataclass(frozen=True)
class Folded:
    """What became of a trace.

    Attributes:
        place: path or URL of the trace.
        recording: id of the recording.
        span_ns: time of its last event after its start.
        rows: a description of each rollup.
        notes: what is wrong with the trace.
        error: why it cannot be read; empty if it was.
        has_task_failed: whether `error` is that of a task on the cluster, not of the trace.
        files: the files that have yet to be written to the store, with their contents by table.
    """

    place: str
    recording: str = ""
    span_ns: int = 0
    rows: tuple[dict[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    error: str = ""
    has_task_failed: bool = False
    files: Files = field(default=(), repr=False)


def fold_place(place: str, options: FoldOptions, out: str, written: int) -> Folded:
    """Fold the trace at a path or URL, and write its rollups to a store if that is a URL.

    The result has the files for a store in a folder, which may be on another machine.

    Args:
        place: path or URL of the trace.
        options: labels, and length of a window.
        out: folder or URL of the store.
        written: time at which folding began, nanoseconds since 1970.
    """
    path = Path(place)
    try:
        with local_copy(place) as path:
            trace = open_trace_file(path)
            try:
                return _fold(trace, place, options, out, written)
            finally:
                trace.close()
    except FunctraceError as error:
        return Folded(place, error=str(error).replace(str(path), place))


def _describe(rollup: Rollup, place: str, hour: str) -> dict[str, Any]:
    return {
        "trace": place,
        "service": rollup.labels.service,
        "release": rollup.labels.release,
        "instance": rollup.labels.instance,
        "hour": hour,
        "window_count": len(rollup.coverage),
        "chain_count": len({chain for _, chain in rollup.figures}),
        "calls": sum(figures.calls for figures in rollup.figures.values()),
        "failed": sum(figures.failed for figures in rollup.figures.values()),
    }


def _fold(trace: Trace, place: str, options: FoldOptions, out: str, written: int) -> Folded:
    # Of two traces of a recording the longer one counts, whichever is written first; a task that is
    # repeated writes the same files.
    written += trace.span[1] // _MS
    store = Store(out) if is_url(out) else None
    labels = labels_of(
        trace, service=options.service, release=options.release, instance=options.instance
    )
    rows, files = [], []
    for rollup in rollups_of(trace, labels, options.width_ns, place):
        stored, contents = contents_of(rollup, written)
        rows.append(_describe(rollup, place, stored.partition.hour))
        if store is None:
            files.append((stored, contents))
        else:
            store.replace(stored, contents)
    notes = [*trace.damage, *filter(None, [covered(trace)])]
    return Folded(
        place=place,
        recording=recording_id(trace),
        span_ns=trace.span[1],
        rows=tuple(rows),
        notes=tuple(notes),
        files=tuple(files),
    )
