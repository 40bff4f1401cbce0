"""JSON document of processes, tracks, functions and chains. Times are in nanoseconds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO

from functrace.analysis import Chains, fold
from functrace.analysis.merge import merge_functions
from functrace.analysis.sums import Sums
from functrace.analysis.totals import part_of, totals
from functrace.export import demotion_rows, figures
from functrace.tracefile import Function, Trace
from functrace.tracefile.facts import encodable


def write(traces: Sequence[Trace], out: BinaryIO) -> None:
    """Write the document; each item of its lists is one line."""
    out.writelines(piece.encode() for piece in _document(traces))


def _document(traces: Sequence[Trace]) -> Iterator[str]:
    chains = [fold(trace) for trace in traces]
    found = totals(traces, [part_of(each) for each in chains])
    functions, index_of = merge_functions(traces)
    yield '{"version": 2,\n"processes": '
    yield from _list(map(_process, range(len(chains)), chains))
    yield ',\n"functions": '
    yield from _list(
        {"function_id": index, **figures.totals(found, index)} for index in range(len(found))
    )
    yield ',\n"tracks": '
    yield from _list(
        row
        for process, trace in enumerate(traces)
        for row in _tracks(process, trace, index_of[process].tolist(), functions)
    )
    yield ',\n"chains": '
    firsts = [0]
    for each in chains:
        firsts.append(firsts[-1] + len(each))
    yield from _list(
        row
        for process, each in enumerate(chains)
        for row in _chains(process, each, index_of[process].tolist(), functions, firsts[process])
    )
    yield "}\n"


def _list(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    separator = "["
    for row in rows:
        yield f"{separator}\n{json.dumps(row, ensure_ascii=False)}"
        separator = ","
    yield "[]" if separator == "[" else "]"


def _process(process: int, chains: Chains) -> dict[str, Any]:
    trace = chains.trace
    return {
        "process": process,
        "trace": encodable(str(trace.path)),
        "pid": trace.pid,
        "language": trace.language,
        "started_ns": trace.started,
        "first_event_ns": trace.span[0],
        "last_event_ns": trace.span[1],
        "ended_cleanly": trace.ended_cleanly,
        "full": trace.full,
        "overwritten": trace.overwritten,
        "write_failed": trace.write_failed,
        "lost_events": trace.lost,
        "lost_unknown": trace.lost is None,
        "demoted": demotion_rows.of_trace(trace),
        "damage": list(chains.damage),
        "process_facts": trace.process,
    }


def _tracks(
    process: int, trace: Trace, index: list[int], functions: Sequence[Function]
) -> Iterator[dict[str, Any]]:
    for track in trace.tracks:
        starter = index[track.starter] if track.starter >= 0 else None
        yield {
            "process": process,
            "track": track.id,
            "kind": track.kind,
            "name": track.name,
            "parent": track.parent_id or None,
            "starter_id": starter,
            "starter": None if starter is None else functions[starter].name,
            "line": track.line or None,
            "start_ns": track.start,
        }


def _chains(
    process: int, chains: Chains, index: list[int], functions: Sequence[Function], first: int
) -> Iterator[dict[str, Any]]:
    """Yield rows; chain numbers count through the whole document from 0."""
    parents, of_node = chains.parent.tolist(), chains.function.tolist()
    started, recursive = chains.started.tolist(), chains.recursive.tolist()
    for node, parent in enumerate(parents):
        sums = Sums()
        sums.add(chains, node)
        has_ended = sums.calls > sums.unfinished
        function = index[of_node[node]]
        yield {
            "chain": first + node,
            "parent": first + parent if parent >= 0 else None,
            "process": process,
            "function_id": function,
            "function": functions[function].name,
            "started": started[node],
            "recursive": recursive[node],
            **figures.sums(sums),
            "min_ns": int(chains.min[node]) if has_ended else None,
            "max_ns": int(chains.max[node]) if has_ended else None,
            "first_failure": chains.failure(node) if chains.failed_track[node] >= 0 else None,
        }
