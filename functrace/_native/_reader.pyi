"""The compiled trace reader, functrace/_native/reader/.

Arrays come as (address, bytes, size of an item), or None; whoever calls keeps them alive. Rows are
returned as bytearrays for numpy.frombuffer, laid out as functrace._native.row_types defines.
"""

from typing import TypeAlias

Array: TypeAlias = tuple[int, int, int] | None
Source: TypeAlias = tuple[Array, int, Array, Array, Array, Array, int, int, bool]
Listing: TypeAlias = tuple[Array, Array, int, int, int, int, int, int, int, int]
Listed: TypeAlias = tuple[bytearray, int, bytearray]
Column: TypeAlias = tuple[Array, Array, int, int]

VERSION: int

def layout() -> list[tuple[str, str, int, int, int]]:
    """Return struct, field, size of the struct, offset and size of the field, for every field."""

def chunks(data: Array, at: int, overwritten: bool, /) -> tuple[bytearray, int, int]:
    """Return the chunks from an offset on, and the numbers of gaps and truncated chunks."""

def pieces(
    data: Array, start: int, chunks: Array, /
) -> tuple[bytearray, bytearray, int, int, int, int, int, int, int]:
    """Return the pieces and track records in chunks, then the counts of tracefile.scan.Pieces."""

def fold(
    source: Source,
    selected_tracks: Array,
    histogram_of: Array,
    direction_of: Array,
    origin_numbers: Array,
    origin_ids: Array,
    since: int,
    until: int,
    node_limit: int,
    starts_are_observed: int,
    listings: tuple[Listing, ...],
    bounds: Array,
    ns_per_tick: float,
    /,
) -> tuple[bytearray, bytearray, list[Listed], bytearray, bytearray, tuple[int, ...]]:
    """Return nodes, blocks, listings, origins of nodes, requests, and analysis.request.Counters.

    A listing that is asked for has the fields of analysis.request.RowFilter; one that is returned
    has rows, whether some are missing, and by function the longest duration that was omitted.
    """

def guard(data: Array, /) -> None:
    """Let a mapped file that is truncated read as zeros, instead of ending the process (SIGBUS).

    The mapping must exist until the process ends.
    """

def truncated() -> int:
    """Return the number of guarded mappings that were read beyond the end of their file."""

class Events:
    """A walk over a trace that returns a block of rows at a time.

    Args:
        source: the trace.
        caller: by track, the call in which its chain goes on; filled in as the walk proceeds.
        whole: calls, not entries and exits.
        owner: what the arrays belong to, kept alive.
    """

    def __new__(cls, source: Source, caller: Array, whole: bool, owner: object, /) -> Events: ...
    def next(self, count: int, /) -> bytearray:
        """Return about that many rows; none at the end."""

class Feed:
    """A trace that grows: fed new words of its chunks, it lists or folds calls.

    Args:
        start: ticks at the trace's start.
        calls, tracks: limits on retained calls and tracks, for tracks that begin later.
        words: words processed between evictions of old calls and tracks.
        chains: limit on chains, into which calls are folded; 0: calls are listed as they begin and
            end.
    """

    def __new__(cls, start: int, calls: int, tracks: int, words: int, chains: int, /) -> Feed: ...
    def functions(self, function_of: Array, is_request: Array, /) -> None:
        """Set the function of each number, and whether each function stands for requests (0 or 1).

        Functions only ever get more.
        """
    def begin(self, base: int, sequence: int, /) -> int:
        """Begin a chunk of events, and return its number here."""
    def read(self, chunk: int, words: bytes, payloads: bytes, /) -> tuple[int, int, bool]:
        """Feed what is new in a chunk, up to the first zero.

        payloads are the same bytes, read later. Returns the number of words, the ticks of the last
        event or -1, and whether a record is damaged.
        """
    def miss(self, chunk: int, is_sure: bool, /) -> None:
        """Note that a chunk was overwritten, maybe with words that were not read."""
    def end_chunk(self, chunk: int, /) -> None:
        """Give up a chunk's number: no more words come in it."""
    def miss_chunks(self) -> None:
        """Note that whole chunks were overwritten before they were seen."""
    def advance(self, until: int, /) -> None:
        """Walk the words up to some ticks."""
    def end(self, time: int, /) -> None:
        """End the calls that are open: nothing more comes."""
    def open_calls(self) -> bytearray:
        """Return the calls that are open, outer before inner on each track, as rows of BEGUN."""
    def drain(
        self,
    ) -> tuple[bytearray, bytearray, bytearray, bytearray, bytearray, bytearray, bytearray]:
        """Return what has come since the last time.

        Tracks, calls that began, calls that ended, request records of calls that began, statuses of
        calls that ended, the ids of calls that are not referred to any more (8 bytes each), and the
        texts that rows refer to. Nothing from a feed that folds.
        """
    def window(
        self,
    ) -> tuple[bytearray, bytearray, bytearray, bytearray, bytearray, bytearray, int]:
        """Return what was folded since the last time.

        New chains, figures and blocks of calls that ended, failures and their texts, open calls,
        and the number of tracks that have some.

        Raises:
            ValueError: the feed lists calls.
        """
    def roll(self, bounds: Array, ns_per_tick: float, /) -> None:
        """Count the calls that end from now on also by the chain and the window in which they end.

        bounds: ticks; each window begins with one and ends before the next one. What was counted
        so before is dropped.

        Raises:
            ValueError: the feed lists calls, or the bounds are not ascending.
        """
    def rollup(self) -> tuple[bytearray, bytearray]:
        """Return the rows that were counted by window since the last time, and their blocks.

        The owner of a block is a row; its durations are nanoseconds.
        """

class IndexBuilder:
    """A walk over a range of tracks that builds their part of an index.

    Args:
        source: the trace.
        first, last: tracks from `first` to before `last`.
        strip_words: a strip has about as many words.
        bin_shift: a bin of the overview has 2 to the power of it ticks.
        owner: what the arrays belong to, kept alive.
    """

    def __new__(
        cls,
        source: Source,
        first: int,
        last: int,
        strip_words: int,
        bin_shift: int,
        owner: object,
        /,
    ) -> IndexBuilder: ...
    def advance(self, words: int, /) -> tuple[bool, int]:
        """Walk about that many words. Return whether all were, and how many were so far."""
    def arrays(self) -> tuple[bytearray, ...]:
        """Return the arrays of functrace.view.index.TraceIndex, once all words were walked."""

class Index:
    """An index, and the trace that it belongs to, for queries by any threads.

    Raises:
        ValueError: a row refers to what is not there.
    """

    def __new__(
        cls,
        source: Source,
        tracks: Array,
        strips: Array,
        parts: Array,
        crossings: Array,
        summaries: Array,
        owner: object,
        /,
    ) -> Index: ...
    def window(
        self,
        tracks: Array,
        since: int,
        until: int,
        pixel: int,
        depths: int,
        max_strips: int,
        max_slices: int,
        /,
    ) -> tuple[bytearray, int, int]:
        """Return rows of SLICE, the duration of which no call is merged, and strips read."""
    def calls(
        self,
        tracks: Array,
        functions: Array,
        since: int,
        until: int,
        min_duration: int,
        failed_only: bool,
        order: int,
        descending: bool,
        limit: int,
        max_strips: int,
        /,
    ) -> tuple[bytearray, int, bool, int]:
        """Return rows of LISTED_CALL, how many calls match, whether that is all, strips read."""

def pack(columns: list[Column], rows: int, /) -> bytes:
    """Return rows of the cells of each column, one after the other.

    A column is its cells, the bytes of each that count (None: all), the width of a cell, and the
    distance between two rows' cells (0: all rows have the same).
    """

def varints(values: Array, /) -> tuple[bytearray, bytearray]:
    """Return the varint of each number in a cell of 10 bytes, and the size of each."""
