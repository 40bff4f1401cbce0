"""Trace file reader; docs/trace-format.md describes the format."""

from functrace.tracefile.demotions import Demotion
from functrace.tracefile.facts import Function
from functrace.tracefile.files import find_trace_files, is_trace_argument, open_trace_file
from functrace.tracefile.reader import Trace, open_trace
from functrace.tracefile.ring_copy import copy_ring
from functrace.tracefile.rings import find_ring, find_rings
from functrace.tracefile.tracks import Track, Tracks

__all__ = [
    "Demotion",
    "Function",
    "Trace",
    "Track",
    "Tracks",
    "copy_ring",
    "find_ring",
    "find_rings",
    "find_trace_files",
    "is_trace_argument",
    "open_trace",
    "open_trace_file",
]
