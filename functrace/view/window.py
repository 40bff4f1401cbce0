"""What a timeline draws: slices of tracks in a window, bins over a whole trace, pages of calls."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from functrace.analysis.columns import Int32s, Int64s

# Flags of a slice.
FAILED = 1
PANICKED = 2
UNFINISHED = 4
MERGED = 8  # several calls that are too narrow to be drawn on their own
SUSPENDED = 16  # its track was suspended for a part of it

SliceFlags = npt.NDArray[np.uint8]
CallFlags = npt.NDArray[np.uint32]


@dataclass(frozen=True, eq=False)
class Row:
    """Slices of one depth of a track, by start. Times are nanoseconds after the trace's start.

    A slice is a call, or several calls that are narrower than the resolution of the window. Such a
    slice reaches from the first call's start to the last one's end, and has the flags of any of
    them.
    """

    depth: int
    start: Int64s
    duration: Int64s
    function: Int32s
    """index of a function; of a merged slice, the one with most time in it"""
    flags: SliceFlags
    calls: Int64s


@dataclass(frozen=True, eq=False)
class TrackWindow:
    """Slices of a track in a window, by depth; a depth without slices has no row."""

    track: int
    rows: list[Row]


@dataclass(frozen=True, eq=False)
class Window:
    """Slices of tracks that overlap a window of time. Times are nanoseconds."""

    from_ns: int
    to_ns: int
    resolution_ns: int
    """calls of at least this duration are never merged"""
    tracks: list[TrackWindow]

    @property
    def slices(self) -> int:
        """Number of slices."""
        return sum(len(row.start) for track in self.tracks for row in track.rows)


@dataclass(frozen=True, eq=False)
class TrackFigures:
    """Figures of the calls of each track, by track index. Times are nanoseconds.

    A track without calls begins and ends at its start.
    """

    start: Int64s
    """start of the track or of its first call, whichever is earlier"""
    end: Int64s
    """end of its last call"""
    calls: Int64s
    failed: Int64s
    depth: Int32s
    """number of calls that enclose one another, at most"""


@dataclass(frozen=True, eq=False)
class Overview:
    """Calls that start, failed calls that start, and active tracks in each of equal bins.

    A track is active from its start to the end of its last call.
    """

    bin_ns: float
    calls: Int64s
    failed: Int64s
    tracks: Int64s


@dataclass(frozen=True, eq=False)
class CallPage:
    """A part of a list of calls. Times are nanoseconds after the trace's start."""

    total: int
    """number of calls in the whole list"""
    is_exact: bool
    """whether there are no more calls than `total`"""
    track: Int32s
    start: Int64s
    duration: Int64s
    self: Int64s
    """duration without callees on the same track and without suspended time"""
    suspended: Int64s
    function: Int32s
    parent_function: Int32s
    """function of the caller on the same track, or -1"""
    depth: Int32s
    """number of enclosing calls on the same track"""
    flags: CallFlags
    """ERROR, PANIC, GOEXIT, UNFINISHED and CUT of functrace._native.row_types"""
    text_at: Int64s
    """position of the error's text, for Trace.text"""
    text_bytes: Int64s

    def __len__(self) -> int:
        """Return the number of calls on the page."""
        return len(self.start)

    def take(self, places: Int64s) -> CallPage:
        """Return a page of only the calls at these places, in their order."""
        columns = (field.name for field in fields(self) if field.name not in ("total", "is_exact"))
        return replace(self, **{name: getattr(self, name)[places] for name in columns})
