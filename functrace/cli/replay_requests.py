"""Queries of the replay verb for requests: their calls in all processes, as stories."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from functrace import units
from functrace.analysis.function_filter import function_filter
from functrace.analysis.requests.joined import Joined, joined
from functrace.analysis.requests.story import Step, Story, find_around, find_requests, roots, tell
from functrace.cli.render.terminal import is_coloured
from functrace.errors import FunctraceError
from functrace.runtime.escaping import escape
from functrace.text import layout
from functrace.text.safe_text import SafeText, line, style
from functrace.tracefile import Trace

_MAX_STORIES = 20
_TIME_WIDTH = 9
_GRPC = 2


def stories(opened: Sequence[Trace], wanted: str) -> tuple[Joined, list[Story]]:
    """Return the stories of the requests with a trace id, or of ``service:number``.

    Raises:
        FunctraceError: there is no such request.
    """
    found = joined(opened)
    rows = find_requests(found, wanted)
    if not rows:
        advice = "give a trace id in hexadecimal digits, or service:number"
        raise FunctraceError(f"--request {wanted}: no such request was recorded; {advice}")
    return found, [tell(found, root) for root in roots(found, rows)]


def stories_around(
    opened: Sequence[Trace], function: str
) -> tuple[Joined, list[Story], list[str]] | None:
    """Return the stories of the requests that led to a function, and notes about what is left out.

    None if no request did, or if no request of the traces goes on in another process.
    """
    found = joined(opened)
    if not (found.joins.outbound >= 0).any():
        return None
    matches = function_filter(opened, [function], "--around")
    chosen = [{i for i, f in enumerate(trace.functions) if matches(f)} for trace in opened]
    rows, others = find_around(found, chosen)
    if not rows:
        return None
    every = roots(found, rows)
    notes = []
    if len(every) > _MAX_STORIES:
        more = units.several(len(every) - _MAX_STORIES, "more request")
        notes.append(f"… {more}; --request ID shows one")
    if others:
        notes.append(f"{units.several(others, 'call')} of {function} outside requests left out")
    return found, [tell(found, root) for root in every[:_MAX_STORIES]], notes


def lines(found: Joined, told: Sequence[Story], depth: int | None) -> Iterator[SafeText]:
    """Yield a heading for each story, and a line for each call."""
    form = _Lines(found, depth or sys.maxsize)
    for number, story in enumerate(told):
        if number:
            yield line()
        yield from form.story(story)


class _Lines:
    """Formatter of stories."""

    def __init__(self, found: Joined, depth: int) -> None:
        self._found = found
        self._depth = depth
        self._colour = is_coloured(sys.stdout)
        self._panics = [layout.panic_noun([trace]) for trace in found.traces]

    def story(self, story: Story) -> Iterator[SafeText]:
        yield self._styled(self._heading(story), bold=True)
        for step in story.steps:
            if step.level < self._depth:
                yield self._step(step)
        if story.is_truncated:
            yield self._styled("incomplete: the request has too many calls", fg="yellow")
        if any(step.is_clamped for step in story.steps):
            yield self._styled(
                "~ began before the call around it by the clock of its host; shown at its start",
                fg="yellow",
            )

    def _heading(self, story: Story) -> str:
        services = dict.fromkeys(self._found.services[trace] for trace in story.traces)
        parts = [
            f"request {request_id(self._found, story.root)}",
            f"{units.several(len(story.steps), 'call')} in {' → '.join(services)}",
        ]
        if len(story.traces) > 1:
            parts.append(
                "clocks are not aligned: no bound"
                if story.error is None
                else f"times of other processes ± {units.duration(story.error)}"
            )
        return "; ".join(parts)

    def _step(self, step: Step) -> SafeText:
        trace = self._found.traces[step.trace]
        listed, call = step.listed, step.call
        function = trace.functions[int(listed.function[call])]
        at = ("~" if step.is_clamped else "+") + units.duration(step.at)
        took = units.duration(int(listed.duration[call]))
        before = f"{at.rjust(_TIME_WIDTH)} {took.rjust(_TIME_WIDTH)}  {'  ' * step.level}"
        name = f"{escape(self._found.services[step.trace])}: {escape(function.name)}"
        status = _status(step.status, function.protocol)
        return SafeText(f"{before}{name}{status}{self._end(step)}")

    def _end(self, step: Step) -> SafeText:
        listed, call = step.listed, step.call
        if listed.unfinished[call]:
            return self._styled(" unfinished", fg="yellow")
        text = " ".join(listed.text(call).split())
        for column, word in ((listed.panic, self._panics[step.trace]), (listed.error, "error")):
            if column[call]:
                return self._styled(f" {word}: {text}" if text else f" {word}", fg="red")
        return self._styled(" Goexit", fg="red") if listed.goexit[call] else SafeText()

    def _styled(self, text: str, **how: Any) -> SafeText:
        return style(text, **how) if self._colour else line(text)


def _status(status: int, protocol: int) -> str:
    if status < 0:
        return ""
    return " OK" if protocol == _GRPC and not status else f" {status}"


def request_id(found: Joined, row: int) -> str:
    """Return the argument of ``--request`` that selects a request: its trace id or its number.

    Without an id of its own, it is that of an outbound call inside it.
    """
    for each in (row, *np.flatnonzero(found.inbound == row).tolist()):
        trace, own = found.place(each)
        trace_id = found.tables[trace].trace_id[own].tobytes()
        if any(trace_id):
            return str(trace_id.hex())
    trace, _ = found.place(row)
    return f"{found.services[trace]}:{int(found.rows.number[row])}"


def json_lines(found: Joined, told: Sequence[Story], depth: int | None) -> Iterator[bytes]:
    """Yield a JSON object for each story and each of its calls."""
    limit = depth or sys.maxsize
    for story in told:
        request = request_id(found, story.root)
        yield _line(
            {
                "type": "request",
                "request_id": request,
                "services": [found.services[trace] for trace in story.traces],
                "error_ns": story.error,
                "truncated": story.is_truncated,
            }
        )
        for step in story.steps:
            if step.level < limit:
                yield _line(_call(found, step))


def _call(found: Joined, step: Step) -> dict[str, Any]:
    trace = found.traces[step.trace]
    listed, call = step.listed, step.call
    function = trace.functions[int(listed.function[call])]
    row: dict[str, Any] = {
        "type": "call",
        "service": found.services[step.trace],
        "trace": str(trace.path),
        "track": int(trace.tracks.id[listed.track[call]]),
        "level": step.level + 1,
        "function": function.name,
        "file": function.file,
        "line": function.line,
        "request": {1: "inbound", 2: "outbound"}.get(function.direction),
        "status": step.status if step.status >= 0 else None,
        "start_ns": step.at,
        "duration_ns": int(listed.duration[call]),
    }
    if step.is_clamped:
        row["clamped"] = True
    if listed.unfinished[call]:
        row["unfinished"] = True
    for name, column in (("panic", listed.panic), ("error", listed.error)):
        if column[call]:
            row[name] = listed.text(call)
    return row


def _line(value: dict[str, Any]) -> bytes:
    return (json.dumps(value, ensure_ascii=False) + "\n").encode(errors="backslashreplace")
