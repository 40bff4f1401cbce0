"""The verb ``functrace info``: facts about a trace and its process."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import click

from functrace import units
from functrace.cli import shared_options, trace_arguments
from functrace.cli.render import terminal
from functrace.text import layout

if TYPE_CHECKING:
    from functrace.analysis import Chains
    from functrace.tracefile import Trace
    from functrace.tracefile.requests import Requests


@click.command()
@trace_arguments.argument
@shared_options.as_json
@shared_options.color
def info(traces: tuple[str, ...], as_json: bool) -> None:
    """Show the program, process, times, end and size of each trace."""
    found = _all(traces)
    if as_json:
        terminal.print_json({"traces": [_as_json(*each) for each in found]})
        return
    for number, (trace, chains, requests) in enumerate(found):
        if number:
            terminal.echo()
        terminal.echo(str(trace.path), bold=True)
        lines = list(_lines(trace, chains, requests))
        width = max(len(title) for title, _ in lines)
        for title, text in lines:
            terminal.echo(f"  {title:{width}}  {text}")


def _all(paths: tuple[str, ...]) -> list[tuple[Trace, Chains, Requests]]:
    from functrace.analysis import fold_requests

    opened = trace_arguments.open_all(paths, should_warn=False)
    return [(trace, *fold_requests(trace)) for trace in opened]


def _lines(trace: Trace, chains: Chains, requests: Requests) -> Iterator[tuple[str, str]]:
    from functrace.analysis.demoted import descriptions
    from functrace.tracefile.programs import service_name

    process = trace.process
    argv = process.get("argv")
    if isinstance(argv, list):
        yield "command", shlex.join(map(str, argv))
    if trace.service or len(requests):
        yield "service", service_name(trace)
    yield "process", _process(trace)
    yield "began", _wall_clock(trace.started)
    yield "lasted", f"{units.duration(trace.span[1])} up to the last event"
    yield "ended", "; ".join(_endings(trace))
    yield from _figures(trace, chains, requests)
    if trace.budget_ppm is not None:
        yield "budget", f"{trace.budget_ppm / 10_000:g}% of the program's CPU time"
    for text in descriptions(trace):
        yield "demoted", text
    yield "file", _size(trace, int(chains.calls.sum()))
    yield "clock", _clock(trace)
    for title in ("tool", "fallback", "runtime", "build", "executable"):
        if title in process:
            yield title, _text(process[title])
    if isinstance(process.get("options"), dict):
        # functrace run passes a FUNCTRACE_HOOK of several lines to its child; no user set that.
        options = ((k, _text(v)) for k, v in process["options"].items())
        yield "options", " ".join(f"{k}={v}" for k, v in options if "\n" not in v)
    for sentence in _damage(chains, requests):
        yield "damage", sentence


def _figures(trace: Trace, chains: Chains, requests: Requests) -> Iterator[tuple[str, str]]:
    calls = int(chains.calls.sum())
    yield "calls", f"{units.count(calls)}, {units.count(int(chains.unfinished.sum()))} unfinished"
    errors, panics = int(chains.errors.sum()), int(chains.panics.sum())
    panic = units.several(panics, layout.panic_noun([trace]))
    yield "failed", f"{units.several(errors, 'error')}, {panic}"
    if len(requests):
        yield "requests", _requests(requests)
    if chains.suspended.any():
        yield "suspended", f"{units.duration(_suspended(chains))}, sum of all tracks"
    yield (
        "chains",
        f"{units.count(_chain_count(chains))}, of {units.several(_called(chains), 'function')}",
    )
    yield "tracks", _tracks(trace)
    yield "events", f"{units.count(trace.events)}, {_lost(trace)}"


def _requests(requests: Requests) -> str:
    inbound, outbound = _directions(requests)
    known = int((requests.inbound >= 0).sum())
    outbound_calls = units.several(outbound, "outbound call")
    belong = "belongs" if known == 1 else "belong"
    if outbound:
        outbound_calls += f", {units.count(known)} of which {belong} to a known inbound call"
    return f"{units.several(inbound, 'inbound call')}; {outbound_calls}"


def _directions(requests: Requests) -> tuple[int, int]:
    from functrace.tracefile.format import INBOUND

    inbound = int((requests.direction == INBOUND).sum())
    return inbound, len(requests) - inbound


def _damage(chains: Chains, requests: Requests) -> list[str]:
    from functrace.tracefile.sentences import sentences

    return [
        *chains.damage,
        *sentences(
            [
                (
                    requests.invalid_records,
                    "1 request record is invalid and was ignored",
                    "request records are invalid and were ignored",
                )
            ]
        ),
    ]


def _lost(trace: Trace) -> str:
    if trace.lost is None:
        return "number of lost events unknown"
    return f"{units.count(trace.lost)} lost"


def _process(trace: Trace) -> str:
    host = trace.process.get("host")
    return f"{trace.pid}" + (f" on {_text(host)}" if host else "") + f", {trace.language}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _wall_clock(nanoseconds: int) -> str:
    moment = datetime.fromtimestamp(nanoseconds // 1_000_000_000, timezone.utc)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{nanoseconds // 1_000_000 % 1000:03} UTC"


def _endings(trace: Trace) -> Iterator[str]:
    from functrace.analysis.losses import covered

    if trace.full:
        yield "recording stopped because the file was full"
    if trace.write_failed:
        yield "a write failed"
    if trace.overwritten:
        yield covered(trace) or "nothing was overwritten yet"
    if trace.ending is not None:
        yield str(trace.ending)
    if trace.ended_cleanly:
        yield "cleanly"
    elif trace.ending is not None:
        yield "without closing the trace"
    else:
        yield _NOT_CLOSED[trace.is_running]


_NOT_CLOSED = {
    True: "still running",
    False: "without closing the trace: killed, or ended by os.Exit or similar",
    None: "unknown: the trace is not closed, and the process cannot be checked from here",
}


def _chain_count(chains: Chains) -> int:
    """Return the number of chains with calls; a forked child has inherited chains without any."""
    return int((chains.calls > 0).sum())


def _called(chains: Chains) -> int:
    return len(set(chains.function[chains.calls > 0].tolist()))


def _suspended(chains: Chains) -> int:
    """Return the nanoseconds for which tracks were suspended inside their outermost calls."""
    return sum(chains.suspended[(chains.parent < 0) | chains.started].tolist())


def _tracks(trace: Trace) -> str:
    from collections import Counter

    from functrace.tracefile.format import TRACK_KINDS

    kinds = Counter(TRACK_KINDS[kind] for kind in trace.tracks.kind.tolist())
    parts = ", ".join(units.several(number, *_KINDS[kind]) for kind, number in kinds.items())
    return parts or "none"


_KINDS = {
    "goroutine": ("goroutine",),
    "thread": ("thread",),
    "task": ("task",),
    "unknown": ("track of an unknown kind", "tracks of unknown kinds"),
}


def _size(trace: Trace, calls: int) -> str:
    size = len(trace.words.data)
    each = f", {size / calls:.1f} a call" if calls else ""
    return f"{units.count(size)} bytes{each}"


def _clock(trace: Trace) -> str:
    rate = f"{trace.ticks_per_second / 1e6:,.6g} million ticks a second"
    source = trace.process.get("clock")
    prefix = _text(source) + ", " if source else ""
    return f"{prefix}{rate}, {'calibrated' if _is_calibrated(trace) else 'nominal rate'}"


def _is_calibrated(trace: Trace) -> bool:
    return trace.ticks_per_second != _nominal(trace)


def _nominal(trace: Trace) -> int:
    from functrace.tracefile.format import HEADER

    return int(HEADER.unpack_from(trace.words.data)[5])


def _as_json(trace: Trace, chains: Chains, requests: Requests) -> dict[str, Any]:
    import numpy as np

    from functrace.export import demotion_rows
    from functrace.tracefile.programs import service_name

    calls = int(chains.calls.sum())
    size = len(trace.words.data)
    return {
        "trace": str(trace.path),
        "pid": trace.pid,
        "language": trace.language,
        "started_ns": trace.started,
        "first_event_ns": trace.span[0],
        "last_event_ns": trace.span[1],
        "ended_cleanly": trace.ended_cleanly,
        "exit_status": trace.ending.exit_status if trace.ending else None,
        "signal": trace.ending.signal if trace.ending else None,
        "running": trace.is_running,
        "full": trace.full,
        "overwritten": trace.overwritten,
        "overwritten_chunks": trace.overwritten_chunks,
        "overwritten_events": trace.overwritten_events,
        "write_failed": trace.write_failed,
        "events": trace.events,
        "lost_events": trace.lost,
        "lost_unknown": trace.lost is None,
        "calls": calls,
        "failed": int(np.minimum(chains.errors + chains.panics, chains.calls).sum()),
        "errors": int(chains.errors.sum()),
        "panics": int(chains.panics.sum()),
        "unfinished": int(chains.unfinished.sum()),
        "service": service_name(trace),
        "inbound_calls": _directions(requests)[0],
        "outbound_calls": _directions(requests)[1],
        "suspended_ns": _suspended(chains),
        "chain_count": _chain_count(chains),
        "function_count": _called(chains),
        "track_count": len(trace.tracks),
        "size_bytes": size,
        "bytes_per_call": size / calls if calls else None,
        "ticks_per_second": trace.ticks_per_second,
        "calibrated": _is_calibrated(trace),
        "budget_ppm": trace.budget_ppm,
        "demoted": demotion_rows.of_trace(trace),
        "process_facts": trace.process,
        "damage": _damage(chains, requests),
    }
