"""The traces that a server shows, with what was found in them so far."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from functools import cached_property

from functrace.analysis import Chains, fold
from functrace.analysis.columns import Int32s
from functrace.analysis.merge import merge_functions
from functrace.analysis.requests import has_requests
from functrace.analysis.requests.joined import Joined, joined
from functrace.analysis.requests.services import ServiceGraph, service_graph
from functrace.analysis.triage import Triage, triage
from functrace.errors import UsageError
from functrace.tracefile import Function, Trace
from functrace.tracefile.programs import host_name, service_name
from functrace.view.once import Once
from functrace.view.page_limit import few_pages
from functrace.view.timeline import Timeline
from functrace.view.track_numbers import TrackNumbers
from functrace.view.track_order import display_order
from functrace.view.window import TrackFigures

_MAX_RESULTS = 32


class Session:
    """Traces that are shown together on one axis of time.

    Times of the page are nanoseconds since ``origin_ns``, the start of the earliest trace. Tracks
    and functions of all traces are numbered through.

    Args:
        traces: the traces.
        arguments: what the user named them by, for commands.
        is_live: whether they are copies of traces that programs still write.
        before: session with the copy before; tracks keep their numbers.

    Attributes:
        traces: the traces.
        arguments: what the user named them by, for commands.
        is_live: whether they are copies of traces that programs still write.
        revision: number of the copy, from 0 on.
        results: the latest results of analyses that depend on parameters.
    """

    def __init__(
        self,
        traces: Sequence[Trace],
        arguments: Sequence[str],
        *,
        is_live: bool = False,
        before: Session | None = None,
    ) -> None:
        self.traces = tuple(traces)
        self.arguments = tuple(arguments)
        self.is_live = is_live
        self.revision: int = before.revision + 1 if before else 0
        self.results = Once(_MAX_RESULTS)
        self._kept = Once()
        self.services = tuple(map(service_name, self.traces))
        self._numbers: TrackNumbers = TrackNumbers(self.traces, before._numbers if before else None)

    @property
    def origin_ns(self) -> int:
        """Start of the earliest trace: nanoseconds since 1970-01-01 UTC."""
        return min(self._starts)

    @property
    def duration_ns(self) -> int:
        """Time of the last event."""
        return max(self.offset_ns(index) + trace.span[1] for index, trace in enumerate(self.traces))

    def offset_ns(self, trace: int) -> int:
        """Return the time of the start of a trace."""
        return self._starts[trace] - self.origin_ns

    @cached_property
    def _starts(self) -> tuple[int, ...]:
        """Start of each trace by the clock of the first one, as far as requests relate them."""
        starts = tuple(trace.started for trace in self.traces)
        if len(set(map(host_name, self.traces))) == 1 or not has_requests(self.traces):
            return starts
        offsets = self.joined.offsets
        return tuple(start + offsets[index].value for index, start in enumerate(starts))

    @property
    def joined(self) -> Joined:
        """Requests of all traces."""
        return self._kept.get("joined", lambda: joined(self.traces))

    def chains(self, trace: int) -> Chains:
        """Return the call chains of a trace."""
        return self._kept.get(("chains", trace), lambda: self._fold(trace))

    def _fold(self, trace: int) -> Chains:
        if self._kept.has_begun("triage"):
            found = self.triage.forest.chains[trace]
            if found.trace is self.traces[trace]:  # without chains that other processes continue
                return found
        with few_pages([self.traces[trace]]):
            return fold(self.traces[trace])

    def timeline(self, trace: int) -> Timeline:
        """Return the timeline of a trace."""
        return self._kept.get(("timeline", trace), lambda: Timeline.open(self.traces[trace]))

    @property
    def triage(self) -> Triage:
        """Findings in all traces."""
        return self._kept.get("triage", self._triage)

    def _triage(self) -> Triage:
        with few_pages(self.traces):
            return triage(self.traces)

    @property
    def service_graph(self) -> ServiceGraph:
        """Graph of the services."""
        return self._kept.get("services", lambda: service_graph(self.traces))

    def track_figures(self, trace: int) -> TrackFigures:
        """Return the figures of the tracks of a trace."""
        return self._kept.get(("tracks", trace), self.timeline(trace).tracks)

    def track_order(self, trace: int) -> list[int]:
        """Return the tracks of a trace in their order on the page."""
        parent = self.traces[trace].tracks.parent
        return self._kept.get(("order", trace), lambda: display_order(parent))

    def has_chains(self, trace: int) -> bool:
        """Return whether the call chains of a trace are known without waiting."""
        return self._kept.is_known(("chains", trace))

    def has_timeline(self, trace: int) -> bool:
        """Return whether the timeline of a trace is prepared."""
        return self._kept.is_known(("timeline", trace))

    def track_id(self, trace: int, track: int) -> int:
        """Return the number of a track among those of all traces."""
        return self._numbers.number(trace, track)

    def track_of(self, number: int) -> tuple[int, int]:
        """Return the trace and the index of the track with this number.

        Raises:
            UsageError: there is no such track.
        """
        place = self._numbers.place(number)
        if place is None:
            raise UsageError(f"there is no track {number}")
        return place

    @cached_property
    def _merged(self) -> tuple[tuple[Function, ...], list[Int32s]]:
        return merge_functions(self.traces)

    @property
    def functions(self) -> tuple[Function, ...]:
        """Functions of all traces."""
        return self._merged[0]

    @property
    def function_of(self) -> list[Int32s]:
        """Indices in ``functions`` of the functions of each trace."""
        return self._merged[1]

    def command(self, *words: str) -> str:
        """Return a command about all traces."""
        paths = (f"./{each}" if each.startswith("-") else each for each in self.arguments)
        return shlex.join(["functrace", *words, *paths])
