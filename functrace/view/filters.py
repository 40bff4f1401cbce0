"""Filters that most answers share: which calls of which traces count."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from functrace.analysis import Selection
from functrace.analysis.function_filter import shown_functions
from functrace.tracefile import Trace
from functrace.view.function_names import globs
from functrace.view.query import MAX_NS, Query
from functrace.view.session import Session

_UNITS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1000}


@dataclass(frozen=True)
class Part:
    """The part of one trace that a filter selects. Times count from the start of the trace."""

    index: int
    trace: Trace
    from_ns: int
    """start of the window, at least 0"""
    to_ns: int | None
    tracks: frozenset[int] | None
    """indices of tracks, None: all"""
    functions: frozenset[int] | None
    """indices of functions, None: all"""

    @property
    def selection(self) -> Selection:
        """The window and tracks, as analyses take them."""
        return Selection(self.from_ns or None, self.to_ns, self.tracks)


@dataclass(frozen=True)
class Filter:
    """Calls that count. Times count from the origin of the session; None means no restriction."""

    from_ns: int | None = None
    to_ns: int | None = None
    tracks: frozenset[int] | None = None
    """numbers of tracks"""
    service: str = ""
    errors: bool = False
    min_duration_ns: int = 0
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    @classmethod
    def parse(cls, session: Session, query: Query, prefix: str = "") -> Filter:
        """Return the filter that parameters describe.

        Raises:
            UsageError: a parameter is invalid.
        """
        tracks = query.numbers(prefix + "tracks")
        return cls(
            from_ns=query.optional_number(prefix + "from"),
            to_ns=query.optional_number(prefix + "to"),
            tracks=None if tracks is None else frozenset(tracks),
            service=query.text(prefix + "service"),
            errors=query.flag(prefix + "errors"),
            min_duration_ns=query.number(prefix + "min_duration", 0),
            include=globs(session, query.text(prefix + "include"), "include"),
            exclude=globs(session, query.text(prefix + "exclude"), "exclude"),
        )

    @property
    def is_everything(self) -> bool:
        """Whether all calls count."""
        return self == Filter()

    @property
    def is_range(self) -> bool:
        """Whether calls count only as far as they are inside a window of time."""
        return bool(self.from_ns) or self.to_ns is not None

    @property
    def has_call_conditions(self) -> bool:
        """Whether calls are selected by more than their window and track."""
        return bool(self.errors or self.min_duration_ns or self.include or self.exclude)

    def parts(self, session: Session) -> list[Part]:
        """Return the selected part of each trace that has one."""
        found = []
        for index, trace in enumerate(session.traces):
            offset = session.offset_ns(index)
            tracks = self._tracks_of(session, index)
            is_before = self.to_ns is not None and self.to_ns < offset
            if (tracks is not None and not tracks) or is_before or not self._has(session, index):
                continue
            functions = shown_functions(trace, self.include, self.exclude)
            found.append(
                Part(
                    index,
                    trace,
                    min(max((self.from_ns or 0) - offset, 0), MAX_NS),
                    None if self.to_ns is None else min(self.to_ns - offset, MAX_NS),
                    tracks,
                    None if functions is None else frozenset(functions),
                )
            )
        return found

    def _has(self, session: Session, index: int) -> bool:
        return not self.service or session.services[index] == self.service

    def _tracks_of(self, session: Session, index: int) -> frozenset[int] | None:
        if self.tracks is None:
            return None
        places = map(session.track_of, self.tracks)
        return frozenset(track for trace, track in places if trace == index)

    def replay_command(self, session: Session, *words: str) -> str:
        """Return the command that shows the same calls; one for each trace, since times differ."""
        if self.is_everything:
            return session.command("replay", *words)
        parts = self.parts(session)
        return "; ".join(shlex.join(self._replay_words(part, words)) for part in parts)

    def _replay_words(self, part: Part, words: tuple[str, ...]) -> Iterator[str]:
        yield from ("functrace", "replay", *words)
        yield from self.call_options
        for track in sorted(part.tracks or ()):
            yield from ("--track", str(part.trace.tracks[track].id))
        if part.from_ns:
            yield from ("--from", moment(part.from_ns))
        if part.to_ns is not None:
            yield from ("--until", moment(part.to_ns + 1))
        path = str(part.trace.path)
        yield f"./{path}" if path.startswith("-") else path

    @property
    def call_options(self) -> list[str]:
        """Options of verbs that select the same calls by more than their window and track."""
        options = ["--errors"] if self.errors else []
        if self.min_duration_ns:
            options += ["--min-duration", moment(self.min_duration_ns)]
        options += [word for glob in self.include for word in ("--include", glob)]
        return options + [word for glob in self.exclude for word in ("--exclude", glob)]


def moment(nanoseconds: int) -> str:
    """Return a time as options take it, without rounding."""
    for unit, size in _UNITS.items():
        if not nanoseconds % size:
            return f"{nanoseconds // size}{unit}"
    return f"{nanoseconds}ns"
