"""Queries of the replay verb: the calls that its options select."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any, NamedTuple

from functrace import units
from functrace.analysis import Listing, Selection
from functrace.analysis.event_stream import events
from functrace.analysis.function_filter import matching_functions, shown_functions
from functrace.analysis.stream import stream
from functrace.cli.render import budget_note
from functrace.cli.render.call_lines import Lines
from functrace.cli.render.terminal import is_coloured
from functrace.errors import FunctraceError
from functrace.export import jsonl
from functrace.text import similar_names
from functrace.text.safe_text import SafeText, line
from functrace.tracefile import Trace


class _Query(NamedTuple):
    """A trace, and the selection of its calls to show."""

    trace: Trace
    selection: Selection
    listing: Listing


def _queries(opened: list[Trace], flags: dict[str, Any]) -> list[_Query]:
    since, until = (
        units.parse_duration(t) if t else None for t in (flags["since"], flags["until"])
    )
    min_duration_ns = units.parse_duration(flags["min_duration"]) if flags["min_duration"] else 0
    queries = []
    for trace in _with_tracks(opened, flags["ids"]):
        selection = Selection(since, until, _indices(trace, flags["ids"]))
        functions = shown_functions(trace, flags["include"], flags["exclude"])
        focus = (
            matching_functions(trace, [flags["around"]], "--around") if flags["around"] else set()
        )
        if flags["around"] and not focus:
            continue
        listing = Listing(
            functions=functions,
            min_duration_ns=min_duration_ns,
            failed_only=flags["errors"],
            focus=focus or None,
            include_callers=bool(focus) or flags["errors"],
            preceding_calls=flags["context"] if focus else 0,
        )
        queries.append(_Query(trace, selection, listing))
    if not queries:
        raise similar_names.no_function_error(flags["around"], opened)
    return queries


def _with_tracks(opened: list[Trace], ids: tuple[int, ...]) -> list[Trace]:
    """Return the traces with at least one of the tracks; all traces if ``ids`` is empty."""
    for track in ids:
        if all(trace.tracks.index_of(track) < 0 for trace in opened):
            raise FunctraceError(f"--track {track}: no such track")
    return [trace for trace in opened if not ids or _indices(trace, ids)]


def _indices(trace: Trace, ids: tuple[int, ...]) -> set[int] | None:
    return {i for i in map(trace.tracks.index_of, ids) if i >= 0} if ids else None


def lines(opened: list[Trace], flags: dict[str, Any]) -> Iterator[SafeText]:
    """Return the lines for the calls that the options select.

    Raises:
        FunctraceError: a track or function does not exist, or no call matches.
    """
    return _require_some(_lines(_queries(opened, flags), flags), opened, flags)


def json_lines(opened: list[Trace], flags: dict[str, Any]) -> Iterator[bytes]:
    """Yield the same calls as JSON Lines.

    Raises:
        FunctraceError: a track or function does not exist, or no call matches.
    """
    depth = flags["depth"] or sys.maxsize
    held: list[Iterator[bytes]] = []  # until a call matches
    found = False
    for trace, selection, listing in _queries(opened, flags):
        calls = (c for c in stream(trace, selection, listing) if c.level <= depth)
        first = tuple(islice(calls, 1))
        found = found or bool(first)
        held.append(jsonl.pieces(trace, chain(first, calls)))
        if found:
            yield from chain.from_iterable(held)
            held.clear()
    if not found:
        raise FunctraceError(_no_call_message(opened, flags), *budget_note.sentences(opened))


def _require_some(
    lines: Iterator[SafeText], opened: list[Trace], flags: dict[str, Any]
) -> Iterator[SafeText]:
    """Return ``lines``; raise FunctraceError if there is none."""
    first = next(lines, None)
    if first is None:
        raise FunctraceError(_no_call_message(opened, flags), *budget_note.sentences(opened))
    return chain((first,), lines)


def _no_call_message(opened: list[Trace], flags: dict[str, Any]) -> str:
    last = max(trace.span[1] for trace in opened)
    if flags["since"] and units.parse_duration(flags["since"]) > last:
        return f"--from {flags['since']}: the trace ends after {units.duration(last)}"
    return "no calls match the given filters"


def _lines(queries: list[_Query], flags: dict[str, Any]) -> Iterator[SafeText]:
    colour = is_coloured(sys.stdout)
    depth = flags["depth"] or sys.maxsize
    for trace, selection, listing in queries:
        form = Lines(trace, colour=colour)
        if flags["tree"]:
            calls = stream(trace, selection, listing)
            lines = form.tree(c for c in calls if c.level <= depth)
        else:
            found = events(trace, selection, listing, merged=flags["merge"])
            lines = form.events(e for e in found if e.call.level <= depth)
        first = next(lines, None)
        if first is not None:
            if len(queries) > 1:
                yield line(f"{trace.path}:")
            yield first
            yield from lines
