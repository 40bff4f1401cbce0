"""What replay's options ask for, found in the traces."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import chain
from typing import Any, NamedTuple

from functrace import units
from functrace.analysis import Listing, Selection
from functrace.analysis.replaying import events, listed
from functrace.cli import trace_arguments
from functrace.cli.render import columns
from functrace.cli.render.call_lines import Lines
from functrace.cli.render.terminal import Fit, line
from functrace.errors import FunctraceError
from functrace.export import jsonl
from functrace.trace import Trace


class _Question(NamedTuple):
    """What is to be shown of a trace."""

    trace: Trace
    selection: Selection
    listing: Listing


def _questions(opened: list[Trace], flags: dict[str, Any]) -> list[_Question]:
    since, until = (
        units.parse_duration(t) if t else None for t in (flags["since"], flags["until"])
    )
    least = units.parse_duration(flags["min_duration"]) if flags["min_duration"] else 0
    questions = []
    for trace in _with_tracks(opened, flags["ids"]):
        selection = Selection(since, until, _indices(trace, flags["ids"]))
        functions = _functions(trace, flags["include"], flags["exclude"])
        around = trace_arguments.named(trace, flags["around"]) if flags["around"] else set()
        if flags["around"] and not around:
            continue
        listing = Listing(
            functions=functions,
            least=least,
            failed_only=flags["errors"],
            asked=around or None,
            around=bool(around) or flags["errors"],
            before=flags["context"] if around else 0,
        )
        questions.append(_Question(trace, selection, listing))
    if not questions:
        raise columns.nothing(flags["around"], opened)
    return questions


def _with_tracks(opened: list[Trace], ids: tuple[int, ...]) -> list[Trace]:
    """The traces that have one of the tracks."""
    for track in ids:
        if all(trace.tracks.index_of(track) < 0 for trace in opened):
            raise FunctraceError(f"there is no track {track}")
    return [trace for trace in opened if not ids or _indices(trace, ids)]


def _indices(trace: Trace, ids: tuple[int, ...]) -> set[int] | None:
    return {i for i in map(trace.tracks.index_of, ids) if i >= 0} if ids else None


def _functions(trace: Trace, include: tuple[str, ...], exclude: tuple[str, ...]) -> set[int] | None:
    """Those that are shown, by index; None: all."""
    if not include and not exclude:
        return None
    shown = set(range(len(trace.functions)))
    if include:
        shown = set().union(*(trace_arguments.named(trace, glob) for glob in include))
    return shown.difference(*(trace_arguments.named(trace, glob) for glob in exclude))


def lines(opened: list[Trace], flags: dict[str, Any]) -> Iterator[Fit]:
    """The lines that the verb's options ask for.

    Raises:
        FunctraceError: no track or function is called so, or no call is as asked.
    """
    return _some(_lines(_questions(opened, flags), flags), opened, flags)


def json_lines(opened: list[Trace], flags: dict[str, Any]) -> Iterator[bytes]:
    """The same calls as JSON Lines.

    Raises:
        FunctraceError: no track or function is called so.
    """
    for trace, selection, listing in _questions(opened, flags):
        calls = listed(trace, selection, listing)
        yield from jsonl.pieces(trace, (c for c in calls if c.level <= flags["depth"]))


def _some(lines: Iterator[Fit], opened: list[Trace], flags: dict[str, Any]) -> Iterator[Fit]:
    """The lines; it is told if there is none."""
    first = next(lines, None)
    if first is None:
        raise FunctraceError(_none(opened, flags))
    return chain((first,), lines)


def _none(opened: list[Trace], flags: dict[str, Any]) -> str:
    last = max(trace.span[1] for trace in opened)
    if flags["since"] and units.parse_duration(flags["since"]) > last:
        return f"--from {flags['since']}: the trace ends after {units.duration(last)}"
    return "no call is as the options want it"


def _lines(questions: list[_Question], flags: dict[str, Any]) -> Iterator[Fit]:
    colour = sys.stdout.isatty()
    for trace, selection, listing in questions:
        form = Lines(trace, colour=colour)
        if flags["tree"]:
            calls = listed(trace, selection, listing)
            lines = form.tree(c for c in calls if c.level <= flags["depth"])
        else:
            found = events(trace, selection, listing, merged=flags["merge"])
            lines = form.events(e for e in found if e.call.level <= flags["depth"])
        first = next(lines, None)
        if first is not None:
            if len(questions) > 1:
                yield line(f"{trace.path}:")
            yield first
            yield from lines
