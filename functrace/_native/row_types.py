"""Row types of the compiled reader, with the layouts of the structs in _native/reader/.

Times are ticks after the start of the trace. functrace._native.engine checks the layouts on load.
"""

from __future__ import annotations

import numpy as np

CHUNK = np.dtype(
    [
        ("offset", "<u8"),
        ("sequence", "<u8"),
        ("track", "<u8"),
        ("base", "<u8"),
        ("size", "<u4"),
        ("kind", "<u4"),
        ("open", "<u4"),
        ("padding", "<u4"),
    ]
)

# Consecutive words of one track, which has `open` open calls where they begin. Flags of a piece:
COUNTED = 1  # open is known
LISTS = 2  # it lists its open calls
STARTS = 4  # the track begins here
GAP = 8  # words of the track before it are missing
TIMED = 16  # first is the earliest time in it, not its base
PIECE = np.dtype(
    [
        ("track", "<u8"),
        ("offset", "<u8"),
        ("base", "<u8"),
        ("first", "<i8"),
        ("words", "<u4"),
        ("open", "<u4"),
        ("run", "<u4"),
        ("flags", "<u4"),
    ]
)

TRACK_RECORD = np.dtype(
    [
        ("id", "<u8"),
        ("parent", "<u8"),
        ("start", "<i8"),
        ("name", "<u8"),
        ("name_length", "<u4"),
        ("kind", "<u4"),
        ("starter", "<u4"),
        ("line", "<u4"),
    ]
)

# In place of a parent: -1 for none; the parent track, or the track's own record, was overwritten.
PARENT_IS_LOST = -2
TRACK = np.dtype([("start", "<i8"), ("parent", "<i4"), ("starter", "<i4")])

# Call flags.
ERROR = 1
PANIC = 2
GOEXIT = 4
UNFINISHED = 8
CUT = 16
END_UNKNOWN = 32  # only while a trace is followed: the exit was overwritten

BUCKETS = 32

NODE = np.dtype(
    [
        ("calls", "<i8"),
        ("total", "<i8"),
        ("self", "<i8"),
        ("suspended", "<i8"),
        ("min", "<i8"),
        ("max", "<i8"),
        ("errors", "<i8"),
        ("panics", "<i8"),
        ("unfinished", "<i8"),
        ("partial", "<i8"),
        ("slowest_start", "<i8"),
        ("failed_start", "<i8"),
        ("failed_text", "<i8"),
        ("last", "<i8"),
        ("max_in_caller", "<i8"),
        ("caller_calls", "<i8"),
        ("parent", "<i4"),
        ("function", "<i4"),
        ("slowest_track", "<i4"),
        ("failed_track", "<i4"),
        ("histogram", "<i4"),
        ("failed_length", "<u2"),
        ("started", "u1"),
        ("recursive", "u1"),
        ("window", "<i4"),
        ("padding", "<i4"),
    ]
)

# An inbound call's own node, and the origin of these calls.
NODE_ORIGIN = np.dtype([("node", "<i4"), ("origin", "<u4")])

# Histogram buckets for durations of one power of two. owner: a function, or ~node for a node; a
# chain of a feed.
BLOCK = np.dtype([("owner", "<i4"), ("exponent", "<i4"), ("counts", "<u4", BUCKETS)])

ROW = np.dtype(
    [
        ("start", "<i8"),
        ("duration", "<i8"),
        ("suspended", "<i8"),
        ("text", "<i8"),
        ("text_length", "<u4"),
        ("flags", "<u4"),
        ("node", "<i4"),
        ("function", "<i4"),
        ("track", "<i4"),
        ("depth", "<i4"),
        ("parent", "<i4"),
        ("padding", "<i4"),
    ]
)

# An inbound or outbound call. If its entry was overwritten, function, node and call are -1, and
# start and end are the record's time. ancestor: of an outbound call, the row of the inbound call
# inside which it was made according to the tracks, or -1.
REQUEST = np.dtype(
    [
        ("number", "<u8"),
        ("inbound", "<u8"),
        ("span_id", "<u8"),
        ("ft_process", "<u8"),
        ("ft_number", "<u8"),
        ("trace_id", "V16"),
        ("start", "<i8"),
        ("end", "<i8"),
        ("call", "<i8"),
        ("track", "<i4"),
        ("function", "<i4"),
        ("node", "<i4"),
        ("route", "<i4"),
        ("status", "<i4"),
        ("ancestor", "<i4"),
        ("flags", "<u4"),
        ("direction", "u1"),
        ("protocol", "u1"),
        ("failed", "u1"),
        ("unfinished", "u1"),
    ]
)

# Event kinds.
ENTERED = 1
LEFT = 2
SUSPENDED = 3
RESUMED = 4
LOST = 5

EVENT = np.dtype(
    [
        ("time", "<i8"),
        ("text", "<i8"),
        ("text_length", "<u4"),
        ("flags", "<u4"),
        ("function", "<i4"),
        ("track", "<i4"),
        ("kind", "<i4"),
        ("padding", "<i4"),
    ]
)

CALL = np.dtype(
    [
        ("call", "<i8"),
        ("parent", "<i8"),
        ("start", "<i8"),
        ("duration", "<i8"),
        ("self", "<i8"),
        ("suspended", "<i8"),
        ("text", "<i8"),
        ("text_length", "<u4"),
        ("flags", "<u4"),
        ("function", "<i4"),
        ("track", "<i4"),
        ("depth", "<i4"),
        ("padding", "<i4"),
    ]
)

# A call that began. outer: for the first call of a track, its parent call on outer_track, or -1.
BEGUN = np.dtype(
    [
        ("call", "<i8"),
        ("parent", "<i8"),
        ("start", "<i8"),
        ("outer", "<i8"),
        ("function", "<i4"),
        ("track", "<i4"),
        ("outer_track", "<i4"),
        ("padding", "<i4"),
    ]
)

# A track that was found, described or evicted.
FED_TRACK = np.dtype(
    [
        ("id", "<u8"),
        ("start", "<i8"),
        ("text", "<i8"),
        ("text_length", "<u4"),
        ("track", "<i4"),
        ("kind", "<i4"),
        ("evicted", "<i4"),
    ]
)

# The value of the status record of a call that ended.
FED_STATUS = np.dtype([("call", "<i8"), ("value", "<u8")])

# Chains of a feed that folds calls. The first is that of all chains beyond the limit.
CHAIN = np.dtype([("parent", "<i4"), ("function", "<i4"), ("started", "<i4")])

CHAIN_FIGURES = np.dtype(
    [
        ("calls", "<i8"),
        ("failed", "<i8"),
        ("panicked", "<i8"),
        ("unfinished", "<i8"),
        ("total", "<i8"),
        ("max", "<i8"),
        ("chain", "<i4"),
        ("table", "<i4"),
    ]
)

# text: an offset, or -1 for the texts beyond the limit. window: that of a rollup, or -1.
CHAIN_FAILURE = np.dtype(
    [
        ("calls", "<i8"),
        ("text", "<i8"),
        ("text_length", "<u4"),
        ("chain", "<i4"),
        ("panicked", "<i4"),
        ("window", "<i4"),
    ]
)

CHAIN_OPEN = np.dtype(
    [
        ("start", "<i8"),
        ("calls", "<i8"),
        ("chain", "<i4"),
        ("track", "<i4"),
        ("suspended", "<i4"),
        ("padding", "<i4"),
    ]
)

# Calls of a chain that ended in a window of a rollup. min is -1 and max 0 without a finished call.
# The starts are those of the longest call and of the first failed one, or -1; the tracks are their
# ids. The owner of a block is the index of a row.
ROLLUP_ROW = np.dtype(
    [
        ("calls", "<i8"),
        ("failed", "<i8"),
        ("panicked", "<i8"),
        ("unfinished", "<i8"),
        ("total", "<i8"),
        ("self", "<i8"),
        ("suspended", "<i8"),
        ("min", "<i8"),
        ("max", "<i8"),
        ("slowest_start", "<i8"),
        ("failed_start", "<i8"),
        ("slowest_track", "<u8"),
        ("failed_track", "<u8"),
        ("chain", "<i4"),
        ("window", "<i4"),
        ("table", "<i4"),
        ("padding", "<i4"),
    ]
)

OVERVIEW_BINS = 1 << 14

# The index of a trace; functrace/_native/reader/index.h describes it.
INDEXED_TRACK = np.dtype(
    [
        ("start", "<i8"),
        ("end", "<i8"),
        ("calls", "<i8"),
        ("failed", "<i8"),
        ("strip", "<i8"),
        ("part", "<i8"),
        ("strips", "<u4"),
        ("depth", "<u4"),
    ]
)

STRIP = np.dtype(
    [
        ("time", "<i8"),
        ("piece", "<i8"),
        ("word", "<u8"),
        ("base", "<u8"),
        ("words", "<u8"),
        ("open", "<i8"),
        ("crossing", "<i8"),
        ("hidden", "<u4"),
        ("hidden_index", "<u4"),
        ("suspended", "<u4"),
        ("padding", "<u4"),
    ]
)

PART = np.dtype(
    [
        ("first", "<i8"),
        ("last", "<i8"),
        ("max_duration", "<i8"),
        ("functions", "<u8"),
        ("summary", "<i8"),
        ("summaries", "<u4"),
        ("padding", "<u4"),
        ("calls", "<i8"),
        ("failed", "<i8"),
    ]
)

SUMMARY = np.dtype(
    [
        ("start", "<i8"),
        ("duration", "<i8"),
        ("weight", "<f4"),
        ("function", "<i4"),
        ("calls", "<u4"),
        ("depth", "<u2"),
        ("flags", "<u2"),
    ]
)

CROSSING = np.dtype(
    [
        ("start", "<i8"),
        ("duration", "<i8"),
        ("self", "<i8"),
        ("suspended", "<i8"),
        ("text", "<i8"),
        ("parent", "<i8"),
        ("text_length", "<u4"),
        ("flags", "<u4"),
        ("function", "<i4"),
        ("depth", "<u4"),
        ("last_strip", "<u4"),
        ("padding", "<u4"),
    ]
)

# Slices of a window; flags are those of functrace.view.window.
SLICE = np.dtype(
    [
        ("start", "<i8"),
        ("duration", "<i8"),
        ("calls", "<i8"),
        ("weight", "<f4"),
        ("function", "<i4"),
        ("track", "<u4"),
        ("depth", "<u4"),
        ("flags", "<u4"),
        ("padding", "<u4"),
    ]
)

LISTED_CALL = np.dtype(
    [
        ("start", "<i8"),
        ("duration", "<i8"),
        ("self", "<i8"),
        ("suspended", "<i8"),
        ("text", "<i8"),
        ("text_length", "<u4"),
        ("flags", "<u4"),
        ("function", "<i4"),
        ("parent", "<i4"),
        ("track", "<i4"),
        ("depth", "<u4"),
    ]
)

LAYOUTS = {
    "chunk": CHUNK,
    "piece": PIECE,
    "track_record": TRACK_RECORD,
    "track": TRACK,
    "node": NODE,
    "node_origin": NODE_ORIGIN,
    "block": BLOCK,
    "row": ROW,
    "request": REQUEST,
    "event": EVENT,
    "call": CALL,
    "begun": BEGUN,
    "fed_track": FED_TRACK,
    "fed_status": FED_STATUS,
    "chain": CHAIN,
    "chain_figures": CHAIN_FIGURES,
    "chain_failure": CHAIN_FAILURE,
    "chain_open": CHAIN_OPEN,
    "rollup_row": ROLLUP_ROW,
    "indexed_track": INDEXED_TRACK,
    "strip": STRIP,
    "part": PART,
    "summary": SUMMARY,
    "crossing": CROSSING,
    "slice": SLICE,
    "listed_call": LISTED_CALL,
}
