"""JSON Lines: the process, then its tracks, then its calls, an object on each line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO

from functrace.analysis.stream import Call, stream
from functrace.trace import Function, Trace, Track


def write(traces: Sequence[Trace], out: BinaryIO) -> None:
    """Write all traces, one behind the other."""
    for trace in traces:
        out.writelines(pieces(trace))


def pieces(trace: Trace, calls: Iterable[Call] | None = None) -> Iterator[bytes]:
    """The lines. A call comes behind those around it, tracks one after the other.

    Args:
        trace: what the calls are of.
        calls: some of its calls, in this order; all if not given.
    """
    yield _line(_process(trace))
    for track in trace.tracks:
        yield _line(_track(trace, track))
    functions = [_function(function) for function in trace.functions]
    ids = trace.tracks.id.tolist()
    around: list[int] = []
    """the numbers of the calls around the next one"""
    for number, call in enumerate(stream(trace) if calls is None else calls):
        del around[call.level - 1 :]
        parent = around[-1] if around else "null"
        around.append(number)
        yield (
            f'{{"type": "call", "call": {number}, "parent": {parent}, "track": {ids[call.track]}, '
            f'"depth": {call.level}, {functions[call.function]}, "start_ns": {call.start}, '
            f'"duration_ns": {call.duration}{_waited(call)}{_end(trace, call)}}}\n'
        ).encode()


def _line(value: dict[str, Any]) -> bytes:
    return (_json(value) + "\n").encode()


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _process(trace: Trace) -> dict[str, Any]:
    return {
        "type": "trace",
        "version": 1,
        "pid": trace.pid,
        "language": trace.language,
        "started_ns": trace.started,
        "ended_cleanly": trace.ended_cleanly,
        "full": trace.full,
        "overwritten": trace.overwritten,
        "overwritten_chunks": trace.overwritten_chunks,
        "write_failed": trace.write_failed,
        "lost": trace.lost,
        "lost_unknown": trace.lost is None,
        "damage": trace.damage,
        "process": trace.process,
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
    """The same in all calls of the function."""
    place = {"function": function.name, "file": function.file, "line": function.line}
    return _json(place)[1:-1]


def _waited(call: Call) -> str:
    return f', "suspended_ns": {call.suspended}' if call.suspended else ""


def _end(trace: Trace, call: Call) -> str:
    """How the call ended, if not by returning without an error."""
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
