"""Which tracks are gone through, and how thoroughly."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from functrace.analysis import Listing, Selection
from functrace.analysis.stream import by_track
from functrace.export.otlp.options import Options
from functrace.trace import Trace


class Worth:
    """The tracks with calls that are sent for their own sake, and those that started these."""

    def __init__(self, trace: Trace, options: Options) -> None:
        self._chosen: set[int] | None = None
        """None: all"""
        self._above: set[int] = set()
        if options.chosen:
            self._chosen = _with_calls(trace, _listings(options))
            self._above = _add_above(trace, self._chosen)

    def __contains__(self, track: int) -> bool:
        """Whether it is one of them."""
        return self._chosen is None or track in self._chosen

    def passes(self, options: Options) -> Iterator[tuple[Collection[int] | None, Listing]]:
        """All of these tracks, a parent before its children: which are next, and which calls.

        Of a track that started others any call may be that which these go on in; of the rest few.
        """
        if self._chosen is None:
            yield None, Listing()
            return
        listings = _listings(options)
        few = listings[0] if len(listings) == 1 else Listing()
        yield self._above, Listing()
        yield self._chosen - self._above, few


def _listings(options: Options) -> list[Listing]:
    """Calls that are sent for their own sake, and those above them on their track."""
    listings = [Listing(failed_only=True, around=True)] if options.errors else []
    listings += [] if options.slow is None else [Listing(least=options.slow)]
    return listings


def _with_calls(trace: Trace, listings: list[Listing]) -> set[int]:
    return {
        track
        for listing in listings
        for block in by_track(trace, Selection(), listing)
        for track, _ in block.tracks
    }


def _add_above(trace: Trace, tracks: set[int]) -> set[int]:
    """Add the tracks that started these, and return them."""
    parents = trace.tracks.parent
    above = set()
    for track in list(tracks):
        parent = int(parents[track])
        while parent >= 0 and parent not in above:
            above.add(parent)
            parent = int(parents[parent])
    tracks |= above
    return above
