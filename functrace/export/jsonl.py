"""JSON Lines: the process, its tracks and its calls, one object per line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO

from functrace.analysis.stream import Call, stream
from functrace.export import demotion_rows
from functrace.tracefile import Function, Trace, Track
from functrace.tracefile.facts import encodable


def write(traces: Sequence[Trace], out: BinaryIO) -> None:
    """Write all traces, one after the other."""
    for trace in traces:
        out.writelines(pieces(trace))


def pieces(trace: Trace, calls: Iterable[Call] | None = None) -> Iterator[bytes]:
    """Yield the lines: track by track, each call after its callers.

    Args:
        trace: the trace.
        calls: some of its calls, in this order; default: all.
    """
    yield _line(_process(trace))
    for track in trace.tracks:
        yield _line(_track(trace, track))
    functions = [_function(function) for function in trace.functions]
    ids = trace.tracks.id.tolist()
    outer: list[int] = []
    """numbers of the calls that enclose the next one"""
    for number, call in enumerate(stream(trace) if calls is None else calls):
        del outer[call.level - 1 :]
        parent = outer[-1] if outer else "null"
        outer.append(number)
        yield (
            f'{{"type": "call", "call": {number}, "parent": {parent}, "track": {ids[call.track]}, '
            f'"level": {call.level}, {functions[call.function]}, "start_ns": {call.start}, '
            f'"duration_ns": {call.duration}{_suspended(call)}{_end(trace, call)}}}\n'
        ).encode()


def _line(value: dict[str, Any]) -> bytes:
    return (_json(value) + "\n").encode()


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _process(trace: Trace) -> dict[str, Any]:
    return {
        "type": "trace",
        "version": 2,
        "trace": encodable(str(trace.path)),
        "pid": trace.pid,
        "language": trace.language,
        "started_ns": trace.started,
        "ended_cleanly": trace.ended_cleanly,
        "full": trace.full,
        "overwritten": trace.overwritten,
        "overwritten_chunks": trace.overwritten_chunks,
        "overwritten_events": trace.overwritten_events,
        "write_failed": trace.write_failed,
        "lost_events": trace.lost,
        "lost_unknown": trace.lost is None,
        "demoted": demotion_rows.of_trace(trace),
        "damage": trace.damage,
        "process_facts": trace.process,
    }


def _track(trace: Trace, track: Track) -> dict[str, Any]:
    return {
        "type": "track",
        "track": track.id,
        "kind": track.kind,
        "name": track.name,
        "parent": track.parent_id or None,
        "starter": trace.functions[track.starter].name if track.starter >= 0 else None,
        "line": track.line or None,
        "start_ns": track.start,
    }


def _function(function: Function) -> str:
    """Return the members that all calls of the function share."""
    place = {"function": function.name, "file": function.file, "line": function.line}
    return _json(place)[1:-1]


def _suspended(call: Call) -> str:
    return f', "suspended_ns": {call.suspended}' if call.suspended else ""


def _end(trace: Trace, call: Call) -> str:
    """Return the members for a call that did not return without an error."""
    if call.unfinished:
        return ', "unfinished": true'
    text = _json(trace.text(call.text_at, call.text_bytes))
    if call.text_cut:
        text += ', "text_cut": true'
    if call.panic:
        return f', "panic": {text}'
    if call.error:
        return f', "error": {text}'
    return ', "goexit": true' if call.goexit else ""
