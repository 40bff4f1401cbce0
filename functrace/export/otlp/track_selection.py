"""Selection of the tracks to scan for an export."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from functrace.analysis import Listing, Selection
from functrace.analysis.stream import by_track
from functrace.export.otlp.call_selection import Options
from functrace.tracefile import Trace


class TrackSelection:
    """Tracks with calls that match the options, and their ancestors.

    Args:
        trace: the trace.
        options: selection of calls.
        has_requests: whether the first call of a track may belong to a request of its parent.
        only: tracks that suffice, with their ancestors, if calls are not selected individually.
    """

    def __init__(
        self,
        trace: Trace,
        options: Options,
        has_requests: bool = False,
        only: Collection[int] | None = None,
    ) -> None:
        self._selected: set[int] | None = None
        """selected tracks; None: all"""
        self._ancestors: set[int] = set()
        if options.selects_calls:
            self._selected = _with_calls(trace, _listings(options))
            self._ancestors = _add_ancestors(trace, self._selected)
            if has_requests:
                self._ancestors |= {t for t in self._selected if trace.tracks.parent[t] >= 0}
        elif only is not None:
            self._selected = set(only)
            _add_ancestors(trace, self._selected)

    def __contains__(self, track: int) -> bool:
        """Return whether a track is selected."""
        return self._selected is None or track in self._selected

    def passes(self, options: Options) -> Iterator[tuple[Collection[int] | None, Listing]]:
        """Yield groups of selected tracks, parents before children, with the calls to list.

        All calls of an ancestor are listed, as each may be a parent call. Of other tracks only
        matching calls and their callers are listed, if one listing can express that.
        """
        if self._selected is None:
            yield None, Listing()
            return
        listings = _listings(options)
        few = listings[0] if len(listings) == 1 else Listing()
        yield self._ancestors, Listing()
        yield self._selected - self._ancestors, few


def _listings(options: Options) -> list[Listing]:
    """Return the listings of calls that match the options, with their callers on the same track."""
    listings = [Listing(failed_only=True, include_callers=True)] if options.errors else []
    listings += (
        []
        if options.min_duration_ns is None
        else [Listing(min_duration_ns=options.min_duration_ns)]
    )
    return listings


def _with_calls(trace: Trace, listings: list[Listing]) -> set[int]:
    return {
        track
        for listing in listings
        for block in by_track(trace, Selection(), listing)
        for track, _ in block.tracks
    }


def _add_ancestors(trace: Trace, tracks: set[int]) -> set[int]:
    """Add the ancestors of the tracks to `tracks`, and return the ancestors."""
    parents = trace.tracks.parent
    ancestors = set()
    for track in list(tracks):
        parent = int(parents[track])
        while parent >= 0 and parent not in ancestors:
            ancestors.add(parent)
            parent = int(parents[parent])
    tracks |= ancestors
    return ancestors
