"""Calls as lines: entered and left, as the runtime prints them, or one for each with its time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING

from functrace import units
from functrace.cli.render import columns
from functrace.cli.render.terminal import Fit, line, style
from functrace.escaping import escape

if TYPE_CHECKING:
    from functrace.analysis.replaying import Event
    from functrace.analysis.stream import Call
    from functrace.trace import Trace

_LETTERS = {"goroutine": "g", "thread": "t", "task": "t", "unknown": "g"}
_TIME_WIDTH = 8
_RETURNED = Fit()


class Lines:
    """Makes the lines for the calls of one trace.

    There may be millions. So texts are escaped before they are put into lines: names once.
    """

    def __init__(self, trace: Trace, *, colour: bool) -> None:
        self._trace = trace
        self._colour = colour
        self._names = [Fit(escape(function.name)) for function in trace.functions]
        self._panic = columns.panic([trace])
        self._begun: set[int] = set()

    def events(self, events: Iterable[Event]) -> Iterator[Fit]:
        """A line for each beginning and each end: ``g[01]:``, a tab per level, ``->main.main``."""
        for _, entered, call in events:
            if entered:
                yield from self._begin(call)
            yield self._event(entered, call)

    def tree(self, calls: Iterable[Call]) -> Iterator[Fit]:
        """A line for each call, its time in front, two blanks for each level."""
        for call in calls:
            if call.track not in self._begun:
                yield next(self._begin(call), self.label(call.track))
            time = units.duration(call.duration).rjust(_TIME_WIDTH)
            indent = "  " * call.level
            waited = f" ({_waited(call)})" if call.suspended else ""
            name = self._names[call.function]
            yield Fit(f"{time}{indent}{name}{waited}{self._end(call)}")

    @cache  # noqa: B019  # a listing lives as long as its trace is shown
    def label(self, track: int) -> Fit:
        """``g[01]``: a letter for its kind, and the language's id."""
        one = self._trace.tracks[track]
        return Fit(f"{_LETTERS[one.kind]}[{one.id:02d}]")

    def _begin(self, call: Call) -> Iterator[Fit]:
        """Where the track was started, if it was."""
        if call.track in self._begun:
            return
        self._begun.add(call.track)
        track = self._trace.tracks[call.track]
        if track.starter < 0 and track.parent < 0 and not track.name:
            return
        words: list[str] = [self.label(call.track)]
        if track.name:
            words.append(track.name)
        if track.starter >= 0:
            starter = self._trace.functions[track.starter]
            words.append(f"started by {starter.name} {columns.place(starter.file, track.line)}")
        elif track.parent >= 0:
            words.append("started")
        if track.parent >= 0:
            words.append(f"on {self.label(track.parent)}")
        yield self._styled(" ".join(words), dim=True)

    def _event(self, entered: bool, call: Call) -> Fit:
        before = f"{self.label(call.track)}:" + "\t" * call.level
        name = self._names[call.function]
        if entered:
            return Fit(f"{before}->{name}")
        arrow = "--" if call.unfinished else "<-"
        time = units.duration(call.duration)
        waited = f", {_waited(call)}" if call.suspended else ""
        return Fit(f"{before}{arrow}{name} {time}{waited}{self._end(call)}")

    def _end(self, call: Call) -> Fit:
        """How the call ended, if not by returning."""
        if call.unfinished:
            return self._styled(" unfinished", fg="yellow")
        text = self._trace.text(call.text_at, call.text_bytes) if call.text_bytes else ""
        text = " ".join(text.split()) + ("…" if call.text_cut else "")
        for has, word in (
            (call.panic, self._panic),
            (call.error, "error"),
            (call.goexit, "Goexit"),
        ):
            if has:
                return self._styled(f" {word}: {text}" if text else f" {word}", fg="red")
        return _RETURNED

    def _styled(self, text: str, *, fg: str | None = None, dim: bool = False) -> Fit:
        return style(text, fg=fg, dim=dim or None) if self._colour else line(text)


def _waited(call: Call) -> str:
    return f"{units.duration(call.suspended)} waiting"
