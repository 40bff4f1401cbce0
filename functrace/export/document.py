"""JSON document of processes, tracks, functions and chains. Times are in nanoseconds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO

from functrace.analysis import Chains, fold
from functrace.analysis.columns import SUMS
from functrace.analysis.merge import merge_functions
from functrace.analysis.totals import Totals, part_of, totals
from functrace.tracefile import Trace

_EXTREMES = ("min", "max")
_PERCENTILES = {"p50": 50, "p90": 90, "p99": 99}


def write(traces: Sequence[Trace], out: BinaryIO) -> None:
    """Write the document; each item of its lists is one line."""
    out.writelines(piece.encode() for piece in _document(traces))


def _document(traces: Sequence[Trace]) -> Iterator[str]:
    chains = [fold(trace) for trace in traces]
    found = totals(traces, [part_of(each) for each in chains])
    _, index_of = merge_functions(traces)
    yield '{"version": 1,\n"processes": '
    yield from _list(map(_process, chains))
    yield ',\n"functions": '
    yield from _list(_function(found, index) for index in range(len(found)))
    yield ',\n"tracks": '
    yield from _list(
        row
        for process, trace in enumerate(traces)
        for row in _tracks(process, trace, index_of[process].tolist())
    )
    yield ',\n"chains": '
    firsts = [0]
    for each in chains:
        firsts.append(firsts[-1] + len(each))
    yield from _list(
        row
        for process, each in enumerate(chains)
        for row in _chains(process, each, index_of[process].tolist(), firsts[process])
    )
    yield "}\n"


def _list(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    separator = "["
    for row in rows:
        yield f"{separator}\n{json.dumps(row, ensure_ascii=False)}"
        separator = ","
    yield "[]" if separator == "[" else "]"


def _process(chains: Chains) -> dict[str, Any]:
    trace = chains.trace
    return {
        "pid": trace.pid,
        "language": trace.language,
        "started": trace.started,
        "span": list(trace.span),
        "ended_cleanly": trace.ended_cleanly,
        "full": trace.full,
        "overwritten": trace.overwritten,
        "write_failed": trace.write_failed,
        "lost": trace.lost,
        "lost_unknown": trace.lost is None,
        "damage": list(chains.damage),
        "process": trace.process,
    }


def _function(found: Totals, index: int) -> dict[str, Any]:
    """Return the row of ``report --json``; figures that need a finished call may be null."""
    function = found.functions[index]
    place = {"name": function.name, "file": function.file, "line": function.line}
    sums = {name: int(getattr(found, name)[index]) for name in (*SUMS, "mean")}
    if found.calls[index] == found.unfinished[index]:
        return place | sums | dict.fromkeys((*_EXTREMES, *_PERCENTILES))
    extremes = {name: int(getattr(found, name)[index]) for name in _EXTREMES}
    percentiles = {name: found.percentile(index, p) for name, p in _PERCENTILES.items()}
    return place | sums | extremes | percentiles


def _tracks(process: int, trace: Trace, functions: list[int]) -> Iterator[dict[str, Any]]:
    for track in trace.tracks:
        yield {
            "process": process,
            "track": track.id,
            "kind": track.kind,
            "name": track.name,
            "parent": track.parent_id or None,
            "starter": functions[track.starter] if track.starter >= 0 else None,
            "line": track.line or None,
            "start": track.start,
        }


def _chains(
    process: int, chains: Chains, functions: list[int], first: int
) -> Iterator[dict[str, Any]]:
    """Yield rows; chain numbers count through the whole document from 0."""
    parents, of_node = chains.parent.tolist(), chains.function.tolist()
    started, recursive = chains.started.tolist(), chains.recursive.tolist()
    counts = {name: getattr(chains, name).tolist() for name in (*SUMS, *_EXTREMES)}
    for node, parent in enumerate(parents):
        row = {
            "chain": first + node,
            "parent": first + parent if parent >= 0 else None,
            "process": process,
            "function": functions[of_node[node]],
            "started": started[node],
            "recursive": recursive[node],
            **{name: values[node] for name, values in counts.items()},
        }
        if row["calls"] == row["unfinished"]:
            row |= dict.fromkeys(_EXTREMES)
        yield row | ({"error": chains.failure(node)} if chains.failed_track[node] >= 0 else {})
