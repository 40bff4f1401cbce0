"""Calls as text lines: one for each entry and exit, as the runtime prints them, or one per call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING

from functrace import units
from functrace.runtime.escaping import escape
from functrace.text import layout
from functrace.text.safe_text import SafeText, line, style

if TYPE_CHECKING:
    from functrace.analysis.event_stream import Event
    from functrace.analysis.stream import Call
    from functrace.tracefile import Trace

_LETTERS = {"goroutine": "g", "thread": "t", "task": "t", "unknown": "g"}
_TIME_WIDTH = 8
_RETURNED = SafeText()


class Lines:
    """Formatter for the calls of one trace.

    There may be millions of lines, so each function name is escaped only once.
    """

    def __init__(self, trace: Trace, *, colour: bool) -> None:
        self._trace = trace
        self._colour = colour
        self._names = [SafeText(escape(function.name)) for function in trace.functions]
        self._panic = layout.panic_noun([trace])
        self._announced: set[int] = set()

    def events(self, events: Iterable[Event]) -> Iterator[SafeText]:
        """Yield a line for each entry and exit: ``g[01]:``, a tab per level, ``->main.main``."""
        for _, entered, call in events:
            if entered:
                yield from self._announce(call)
            yield self._event(entered, call)

    def tree(self, calls: Iterable[Call]) -> Iterator[SafeText]:
        """Yield a line for each call: its duration, two spaces per level, its name."""
        for call in calls:
            if call.track not in self._announced:
                yield next(self._announce(call), self.label(call.track))
            time = units.duration(call.duration).rjust(_TIME_WIDTH)
            indent = "  " * call.level
            suspended = f" ({_suspended(call)})" if call.suspended else ""
            name = self._names[call.function]
            yield SafeText(f"{time}{indent}{name}{suspended}{self._end(call)}")

    @cache  # noqa: B019  # a listing lives as long as its trace is shown
    def label(self, track: int) -> SafeText:
        """Return a track's label, such as ``g[01]``: a letter for its kind, and its id."""
        one = self._trace.tracks[track]
        return SafeText(f"{_LETTERS[one.kind]}[{one.id:02d}]")

    def _announce(self, call: Call) -> Iterator[SafeText]:
        """Yield a line about the start of the call's track, before the track's first line."""
        if call.track in self._announced:
            return
        self._announced.add(call.track)
        track = self._trace.tracks[call.track]
        if track.starter < 0 and track.parent < 0 and not track.name:
            return
        words: list[str] = [self.label(call.track)]
        if track.name:
            words.append(track.name)
        if track.starter >= 0:
            starter = self._trace.functions[track.starter]
            words.append(f"started by {starter.name} {layout.place(starter.file, track.line)}")
        elif track.parent >= 0:
            words.append("started")
        if track.parent >= 0:
            words.append(f"on {self.label(track.parent)}")
        yield self._styled(" ".join(words), dim=True)

    def _event(self, entered: bool, call: Call) -> SafeText:
        before = f"{self.label(call.track)}:" + "\t" * call.level
        name = self._names[call.function]
        if entered:
            return SafeText(f"{before}->{name}")
        arrow = "--" if call.unfinished else "<-"
        time = units.duration(call.duration)
        suspended = f", {_suspended(call)}" if call.suspended else ""
        return SafeText(f"{before}{arrow}{name} {time}{suspended}{self._end(call)}")

    def _end(self, call: Call) -> SafeText:
        """Return how the call ended, if not by a normal return."""
        if call.unfinished:
            return self._styled(" unfinished", fg="yellow")
        text = self._trace.text(call.text_at, call.text_bytes) if call.text_bytes else ""
        text = " ".join(text.split()) + ("…" if call.text_cut else "")
        for has_ended_so, word in (
            (call.panic, self._panic),
            (call.error, "error"),
            (call.goexit, "Goexit"),
        ):
            if has_ended_so:
                return self._styled(f" {word}: {text}" if text else f" {word}", fg="red")
        return _RETURNED

    def _styled(self, text: str, *, fg: str | None = None, dim: bool = False) -> SafeText:
        return style(text, fg=fg, dim=dim or None) if self._colour else line(text)


def _suspended(call: Call) -> str:
    return f"{units.duration(call.suspended)} suspended"
