"""What a trace means, as plain data to compare and to keep as JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import astuple
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

import functrace.export.events  # noqa: F401  it is replaced
from functrace.analysis import Calls, Chains, Listing, Selection, calls, fold
from functrace.analysis.fold import calls_of_each, fold_requests
from functrace.analysis.origins import Origins
from functrace.tracefile import Trace, open_trace
from functrace.tracefile import format as fmt
from functrace.tracefile.requests import Requests
from tests.reference import events as reference_events
from tests.reference import fold as reference_fold
from tests.reference import scan

IMPLEMENTATIONS = ("engine", "reference")
_REFERENCE = {
    ("functrace.tracefile.reader", "find_chunks"): scan.find_chunks,
    ("functrace.tracefile.reader", "find_pieces"): scan.find_pieces,
    ("functrace.analysis.fold", "_run"): reference_fold.fold,
    ("functrace.export.events", "_walk"): reference_events.walk,
}


@contextmanager
def implementation(name: str) -> Iterator[None]:
    """Read traces with the engine, or with the reference implementation."""
    with ExitStack() as patches:
        for (module, function), replacement in _REFERENCE.items():
            if name == "reference":
                patches.enter_context(patch.object(sys.modules[module], function, replacement))
        yield


def meaning(path: Path) -> dict[str, Any]:
    trace = open_trace(path)
    listed = calls(trace)
    return {
        "language": trace.language,
        "pid": trace.pid,
        "started": trace.started,
        "ticks_per_second": trace.ticks_per_second,
        "ended_cleanly": trace.ended_cleanly,
        "full": trace.full,
        "overwritten": trace.overwritten,
        "write_failed": trace.write_failed,
        "lost": trace.lost,
        "process": trace.process,
        "events": trace.events,
        "span": list(trace.span),
        "functions": [[f.name, f.file, f.line] for f in trace.functions],
        **({"demoted": [list(astuple(d)) for d in trace.demotions]} if trace.demotions else {}),
        "tracks": [_track(trace, listed, index) for index in range(len(trace.tracks))],
        **_requests(*fold_requests(trace)),
        "damage": list(listed.chains.damage),
    }


def _track(trace: Trace, listed: Calls, index: int) -> dict[str, Any]:
    track = trace.tracks[index]
    of_track = [i for i in range(len(listed)) if listed.track[i] == index]
    return {
        "id": track.id,
        "kind": track.kind,
        "parent": trace.tracks[track.parent].id if track.parent >= 0 else track.parent_id,
        "starter": _name(trace, track.starter),
        "line": track.line,
        "start": track.start,
        "name": track.name,
        "below": _below(listed, of_track),
        "calls": [_call(trace, listed, of_track, i) for i in of_track if listed.parent[i] < 0],
    }


def _requests(chains: Chains, requests: Requests) -> dict[str, Any]:
    found = [_request(chains, requests, row) for row in range(len(requests))]
    return {"requests": found} if found else {}


def _request(chains: Chains, requests: Requests, row: int) -> dict[str, Any]:
    trace = chains.trace
    ids = requests.trace_id[row].tobytes().hex(), f"{requests.span_id[row]:016x}"
    caller = f"{requests.ft_process[row]:016x}", int(requests.ft_number[row])
    flags = int(requests.flags[row])
    end = int(requests.end[row])
    return {
        "direction": {1: "inbound", 2: "outbound"}[int(requests.direction[row])],
        "protocol": int(requests.protocol[row]),
        "number": int(requests.number[row]),
        "inbound": int(requests.inbound_number[row]),
        **({"ids": ids} if flags & fmt.HAS_IDS else {}),
        "sampled": bool(flags & fmt.SAMPLED),
        "own_ids": bool(flags & fmt.OWN_IDS),
        **({"caller": caller} if flags & fmt.HAS_CALLER else {}),
        "track": trace.tracks[int(requests.track[row])].id,
        "start": int(requests.start[row]) - trace.started,
        "end": end - trace.started if end >= 0 else None,
        "failed": bool(requests.failed[row]),
        "status": int(requests.status[row]),
        "route": _name(trace, requests.route_function[row]),
        "chain": names(chains, requests.chain[row]),
    }


def _below(listed: Calls, of_track: list[int]) -> list[str]:
    chains = listed.chains
    for call in of_track:
        node = int(listed.node[call])
        if listed.depth[call] == 0 and chains.started[node]:
            return names(chains, chains.parent[node])
    return []


def names(chains: Chains, node: int) -> list[str]:
    return [_name(chains.trace, chains.function[at]) for at in chains.chain(int(node))]


def _call(trace: Trace, listed: Calls, of_track: list[int], call: int) -> dict[str, Any]:
    flags = ("error", "panic", "goexit", "unfinished")
    fields = {flag: True for flag in flags if getattr(listed, flag)[call]}
    if listed.text(call):
        fields["text"] = listed.text(call)  # type: ignore[assignment]
    if listed.text_cut[call]:
        fields["text_cut"] = True
    inside = int(listed.chains.parent[listed.node[call]])
    if listed.parent[call] < 0 and listed.depth[call]:  # calls that are not listed are around it
        fields["inside"] = names(listed.chains, inside)  # type: ignore[assignment]
    waited = {"suspended": int(listed.suspended[call])} if listed.suspended[call] else {}
    return {
        "function": _name(trace, listed.function[call]),
        "start": int(listed.start[call]),
        "duration": int(listed.duration[call]),
        **waited,
        **fields,
        "calls": [_call(trace, listed, of_track, i) for i in of_track if listed.parent[i] == call],
    }


def _name(trace: Trace, function: int) -> str:
    return trace.functions[function].name if function >= 0 else ""


def everything(
    path: Path, selection: Selection | None = None, listing: Listing | None = None
) -> dict[str, Any]:
    """All that a reader can get of a trace, as lists."""
    trace = open_trace(path)
    selected = selection or Selection()
    chosen = range(len(trace.functions))
    chains = fold(trace, selected, histograms_of=chosen)
    listed = calls(trace, selected, listing, histograms_of=chosen)
    tracks = trace.tracks
    origins = Origins(np.arange(5, dtype=np.uint64), np.arange(5, dtype=np.uint32) // 2)
    with_origins, requests = fold_requests(trace, origins, node_limit=40)
    return {
        "trace": (trace.events, trace.span, trace.lost, trace.damage, trace.functions),
        "process": trace.process,
        "demotions": trace.demotions,
        "tracks": [tracks[i] for i in range(len(tracks))],
        "chains": _lists(chains),
        "functions": _lists(chains.functions()),
        "calls": _lists(listed),
        "truncated": listed.truncated,
        "omitted": listed.omitted,
        "listings": _listings(trace, listing),
        "requests": _lists(requests),
        "invalid requests": requests.invalid_records,
        "with origins": _lists(with_origins),
        "damage with origins": with_origins.damage,
        "same": _lists(chains) == _lists(listed.chains),
        "damage": chains.damage,
        "percentiles": [
            chains.functions().percentile(function, percent)
            for function in chosen
            for percent in (0, 50, 95, 100)
        ],
        "of nodes": [chains.percentile(node, 50) for node in range(len(chains))],
    }


def _listings(trace: Trace, listing: Listing | None) -> list[Any]:
    """Return what several listings in one fold are, each of which has to be as in a fold alone."""
    asked = [listing or Listing(), Listing(failed_only=True), Listing(limit=3, usual_factor=1)]
    found = calls_of_each(trace, asked)
    assert [_lists(each) for each in found] == [
        _lists(calls(trace, listing=each)) for each in asked
    ]
    return [(_lists(each), each.truncated, each.omitted) for each in found]


def _lists(columns: Any) -> dict[str, list[Any]]:
    return {name: column.tolist() for name, column in columns.columns().items()}


def both(
    path: Path, selection: Selection | None = None, listing: Listing | None = None
) -> dict[str, Any]:
    """What the engine reads, which has to be what the reference implementation does."""
    with implementation("engine"):
        engine = everything(path, selection, listing)
    with implementation("reference"):
        reference = everything(path, selection, listing)
    assert engine == reference
    return engine
