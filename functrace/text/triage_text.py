"""Findings of a triage as text."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functrace import units
from functrace.runtime.escaping import escape
from functrace.text import chain_text, layout
from functrace.text.safe_text import SafeText, line, style
from functrace.text.triage_commands import Commands

if TYPE_CHECKING:
    from functrace.analysis.examples import Example
    from functrace.analysis.merge import Forest
    from functrace.analysis.triage import (
        FailingChain,
        GrowingRecursion,
        Loss,
        NeverEnded,
        RepeatedChain,
        SlowChain,
        SwallowedFailure,
        Triage,
    )

_INDENT = "  "
_HEALTHY = "nothing found, nothing missing"
_SAMPLED = "; only a part of the calls was examined, there were too many"


@dataclass(frozen=True)
class _Entry:
    headline: str
    """escaped"""
    chain: list[str]
    """words of the chain, escaped; empty without one"""
    command: str


@dataclass(frozen=True)
class _Kind:
    name: str
    """name of the list in Triage"""
    title: str
    colour: str
    entry: Callable[[_Entries, Any], _Entry]


def page(found: Triage, paths: Sequence[str], limit: int, width: int) -> Iterator[SafeText]:
    """Yield the lines of the page, with at most ``limit`` entries of each kind; 0 means all.

    Lines other than commands are at most ``width`` wide.
    """
    is_one = len(paths) == 1 or found.forest.is_stored
    where = paths[0] if is_one else units.several(len(found.forest.traces), "trace")
    heading = f"{where}: {amount(found.forest)}"
    if not found.forest.calls.sum():
        heading = f"{where}: no calls were recorded"
    elif found.is_healthy:
        heading += f"; {_HEALTHY}"
    yield style(heading, bold=True)
    entries = _Entries(found, paths)
    for kind in _KINDS:
        yield from _section(found, entries, kind, limit, width)


def first_lines(found: Triage, path: Path, width: int) -> Iterator[SafeText]:
    """Yield the first finding of each kind, without losses, commands and what is there twice."""
    entries = _Entries(found, [path])
    shown = [each.text for each in found.failing[:1]]
    others = [each for each in found.swallowed if not any(text in each.text for text in shown)]
    for kind in _KINDS[1:]:
        findings = others if kind.name == "swallowed" else getattr(found, kind.name)
        if findings:
            entry = kind.entry(entries, findings[0])
            more = f" (1 of {units.count(len(findings))})" if len(findings) > 1 else ""
            title = f"{kind.title.lower()}{more}: "
            yield style(_INDENT + _cut(title + entry.headline, width), fg=kind.colour)
            if kind.name == "failing":
                yield from _chain_lines(entry.chain, width)


def amount(forest: Forest) -> str:
    """Return the numbers of calls and tracks and the time that they cover."""
    if forest.is_stored:
        return units.several(int(forest.calls.sum()), "call")
    traces = forest.traces
    tracks = sum(len(trace.tracks) for trace in traces)
    noun = "goroutine" if all(trace.language == "go" for trace in traces) else "track"
    first = min(trace.started + trace.span[0] for trace in traces)
    last = max(trace.started + trace.span[1] for trace in traces)
    calls = units.several(int(forest.calls.sum()), "call")
    return f"{calls} in {units.duration(last - first)} on {units.several(tracks, noun)}"


def _section(
    found: Triage, entries: _Entries, kind: _Kind, limit: int, width: int
) -> Iterator[SafeText]:
    findings = getattr(found, kind.name)
    if not findings:
        return
    shown = findings[:limit] if limit else findings
    more = len(findings) - len(shown)
    number = f" ({len(shown)} of {units.count(len(findings))}; --limit 0 shows all)" if more else ""
    sampled = _SAMPLED if kind.name in found.sampled else ""
    yield style(f"{kind.title}{number}{sampled}", fg=kind.colour, bold=True)
    for finding in shown:
        entry = kind.entry(entries, finding)
        if not entry.chain:
            yield from map(line, _wrap(entry.headline, entry.command, width))
            continue
        yield line(_INDENT + _cut(entry.headline, width))
        yield from _chain_lines(entry.chain, width)
        yield line(2 * _INDENT, entry.command)


def _chain_lines(words: list[str], width: int) -> Iterator[SafeText]:
    for each in chain_text.lines(chain_text.shorten(words), width - 2 * len(_INDENT)):
        yield line(2 * _INDENT + each)


def _wrap(headline: str, command: str, width: int) -> list[str]:
    """Return the headline and the command on one line, or on several if they are long."""
    one = f"{_INDENT}{headline}: {command}"
    if len(one) <= width:
        return [one]
    lines = textwrap.wrap(headline, width - len(_INDENT))
    return [*(_INDENT + each for each in lines), 2 * _INDENT + command]


def _cut(text: str, width: int) -> str:
    """Shorten a text that is indented by one level."""
    size = width - len(_INDENT)
    return text if len(text) <= size else text[: size - 1] + "…"


class _Entries:
    """Formatter of findings. A number that may be too low is preceded by ≥."""

    def __init__(self, found: Triage, paths: Sequence[str | Path]) -> None:
        self._forest = found.forest
        self._sampled = found.sampled
        self._names = layout.Names(found.forest.functions, found.forest.services)
        self._commands = Commands(found, paths)
        self._is_python = layout.panic_noun(found.forest.traces) == "exception"

    def failing(self, each: FailingChain) -> _Entry:
        """Return an entry such as ``store.Get failed 4x, 1.2% of its 340 calls, …: timeout``."""
        from functrace.analysis.examples import first_failed

        node = each.nodes.most_common(1)[0][0]
        chains = f", in {len(each.nodes)} chains" if len(each.nodes) > 1 else ""
        count, calls = units.count(each.count), units.several(each.calls, "call")
        share = units.share(each.count, each.calls)
        at_least = self._at_least("failing")
        uncaught = f"{at_least}{units.count(each.uncaught)} uncaught, " if each.uncaught else ""
        headline = (
            f"{self._names[each.function]} {self._failed(each.is_panic)} "
            f"{at_least}{count}x, {uncaught}{at_least}{share} of {calls}"
            f"{_period(each, at_least)}{chains}{_text(each.pattern)}"
        )
        chain = self._chain(node, first_failed(self._forest, [node]))
        return _Entry(headline, chain, self._commands.failing(each))

    def swallowed(self, each: SwallowedFailure) -> _Entry:
        """Return an entry such as ``store.Get failed 4x, main.load returned no error: timeout``."""
        caller = self._names[each.caller]
        if each.by_go_statement:
            what = f"dropped by the go statement in {caller}"
        elif each.is_panic and not self._is_python:
            what = f"recovered in {caller}"
        else:
            what = f"{caller} did not fail"
        others = ", and others" if each.has_several_patterns else ""
        headline = (
            f"{self._names[each.function]} {self._failed(each.is_panic)} "
            f"{self._at_least('swallowed')}{units.count(each.count)}x, {what}"
            f"{_text(each.pattern)}{others}"
        )
        chain = self._chain(each.example.node, each.example)
        return _Entry(headline, chain, self._commands.swallowed(each))

    def never_ended(self, each: NeverEnded) -> _Entry:
        """Return an entry such as ``store.Get open for 12.3s on 4 goroutines, blocked``."""
        track = self._forest.traces[each.example.trace].tracks[each.example.track]
        noun = "track" if track.kind == "unknown" else track.kind
        headline = (
            f"{self._name(each.node)} open for {units.duration(each.open_for)}"
            f" on {units.several(each.tracks, noun)}{_state(each)}"
        )
        chain = self._chain(each.node, each.example)
        return _Entry(headline, chain, self._commands.never_ended(each))

    def slow(self, each: SlowChain) -> _Entry:
        """Return an entry such as ``store.Get took 1.2s (p50 1.00ms, p99 2.00ms)``."""
        took = f"took {units.duration(each.max)}"
        if each.count > 1:
            count = f"{self._at_least('slow')}{units.count(each.count)}"
            took = f"took up to {units.duration(each.max)} in {count} calls"
        usual = f"p50 {units.duration(each.p50)}, p99 {units.duration(each.p99)}"
        headline = f"{self._name(each.node)} {took}; {usual}"
        return _Entry(headline, self._chain(each.node, each.example), self._commands.slow(each))

    def repeated(self, each: RepeatedChain) -> _Entry:
        """Return an entry such as ``store.Get called up to 50x in one call of main.list``."""
        caller = self._name(int(self._forest.parent[each.node]))
        mean = each.calls / each.caller_calls
        headline = (
            f"{self._name(each.node)} called up to {units.count(each.max)}x in one call of {caller}"
            f", mean {mean:,.1f}x, {units.share(each.total, each.caller_total)} of its time"
        )
        chain = self._chain(each.node, each.example)
        return _Entry(headline, chain, self._commands.repeated(each))

    def recursion(self, each: GrowingRecursion) -> _Entry:
        """Return an entry such as ``main.walk 1,000 levels deep, where it failed``."""
        end = ", never ended there" if each.unfinished else ""
        end = ", failed there" if each.failed else end
        headline = f"{self._name(each.node)} {units.count(each.levels)} levels deep{end}"
        chain = self._chain(each.node, each.example)
        return _Entry(headline, chain, self._commands.recursion(each))

    def losses(self, each: Loss) -> _Entry:
        """Return an entry without a chain."""
        is_one_of_several = len(self._forest.traces) > 1
        where = f"{escape(str(each.trace.path))}: " if is_one_of_several else ""
        return _Entry(f"{where}{escape(each.reason)}", [], self._commands.losses(each))

    def _at_least(self, kind: str) -> str:
        return "≥" if kind in self._sampled else ""

    def _name(self, node: int) -> str:
        return self._names[int(self._forest.function[node])]

    def _failed(self, is_panic: bool) -> str:
        return "panicked" if is_panic and not self._is_python else "failed"

    def _chain(self, node: int, example: Example | None) -> list[str]:
        from functrace.analysis.call_chains import chains_to

        (chain,) = chains_to(self._forest, [node])
        return chain_text.words(self._forest, self._names, chain, example)


_KINDS = (
    _Kind("losses", "Missing: figures cover only what was recorded", "yellow", _Entries.losses),
    _Kind("failing", "Failing", "red", _Entries.failing),
    _Kind("swallowed", "Not returned by the caller", "red", _Entries.swallowed),
    _Kind("never_ended", "Never ended", "yellow", _Entries.never_ended),
    _Kind("slow", "Slow outliers", "yellow", _Entries.slow),
    _Kind("repeated", "Repeated within one call", "yellow", _Entries.repeated),
    _Kind("recursion", "Growing recursion", "yellow", _Entries.recursion),
)


def _period(each: FailingChain, at_least: str) -> str:
    if each.first is None or each.last is None:
        return ""
    first, last = units.duration(each.first), units.duration(each.last)
    return f", at {first}" if first == last else f", {first} to {at_least}{last}"


def _text(pattern: str) -> str:
    text = " ".join(pattern.split())
    return f": {escape(text)}" if text else ""


def _state(each: NeverEnded) -> str:
    if each.running is None:
        return ""
    if each.running == each.tracks:
        return ", running"
    if each.running:
        return f", {units.count(each.running)} running, the others blocked"
    if each.waiting == each.tracks:
        return ", blocked; tracks that it started have not ended either"
    return ", blocked"
