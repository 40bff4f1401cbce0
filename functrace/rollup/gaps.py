"""Gaps in the windows of a trace: functions that were not recorded, and calls that were lost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from functrace import units
from functrace.tracefile import Demotion
from functrace.tracefile.chain_follower import ChainFollower
from functrace.tracefile.facts import encodable

_MAX_WINDOWS = 1440  # latest windows for which gaps are noted


def demoted_functions(spans: Iterable[Demotion], begin_ns: int, end_ns: int) -> frozenset[str]:
    """Return the functions that were demoted in a part of the time from the start of the trace."""
    return frozenset(
        encodable(span.function)
        for span in spans
        if span.begin < end_ns and (span.end is None or span.end > begin_ns)
    )


class FollowedGaps:
    """Gaps in the windows of a trace that is being followed.

    Args:
        follower: the follower, which has read nothing yet.
        width_ns: length of a window.
    """

    def __init__(self, follower: ChainFollower, width_ns: int) -> None:
        self._follower = follower
        self._width = width_ns
        self._started = follower.header.started
        self._missing: defaultdict[int, set[str]] = defaultdict(set)
        self._lost, self._overwritten = follower.lost, -1
        self._seen_ns = 0

    def note_losses(self, counted_ns: int, age_ns: int) -> None:
        """Note what was lost since the last call for the windows of that time.

        Args:
            counted_ns: nanoseconds since 1970, up to which calls are counted by window.
            age_ns: time since the start of the trace.
        """
        now_ns = self._started + age_ns
        sentences = list(self._losses())
        if sentences:
            seen_ns = self._started + min(self._seen_ns, age_ns)
            for start in self._latest(seen_ns, now_ns):
                self._missing[start].update(sentences)
        for start in self._latest(counted_ns, now_ns):
            self._missing[start].add("calls were not counted: too many windows passed at a time")
        self._seen_ns = age_ns

    def windows(self, begin_ns: int, end_ns: int) -> set[int]:
        """Return the starts of the windows with gaps that begin before a time.

        Args:
            begin_ns: nanoseconds since 1970, from which windows have not been returned.
            end_ns: the time, nanoseconds since 1970.
        """
        spans = self._follower.demotions
        found = {start for start in self._missing if start < end_ns}
        for start in self._latest(begin_ns, end_ns - 1) if spans else ():
            if self.demoted(start, spans):
                found.add(start)
        return found

    def demoted(self, start: int, spans: Iterable[Demotion]) -> frozenset[str]:
        """Return the functions of spans that were demoted in a window."""
        begin = start - self._started
        return demoted_functions(spans, begin, begin + self._width)

    def pop_missing(self, start: int) -> set[str]:
        """Return the sentences about what is missing from a window, and forget them."""
        return self._missing.pop(start, set())

    def _losses(self) -> Iterator[str]:
        """Yield what was lost since the last call."""
        follower = self._follower
        lost, overwritten = follower.lost - self._lost, follower.overwritten - self._overwritten
        if lost > 0:
            yield f"{units.several(lost, 'event')} lost"
        if overwritten > 0 and self._overwritten >= 0:
            count = units.several(overwritten, "entry or exit", "entries and exits")
            yield f"{count} overwritten before functrace watch read them"
        self._lost, self._overwritten = follower.lost, follower.overwritten

    def _latest(self, begin_ns: int, end_ns: int) -> Iterator[int]:
        """Yield the starts of the latest windows from one time to another."""
        first, last = begin_ns // self._width, end_ns // self._width
        for place in range(max(first, last - _MAX_WINDOWS), last + 1):
            yield place * self._width
