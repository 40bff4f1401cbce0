"""Trace file reader; docs/trace-format.md describes the format."""

from functrace.tracefile.facts import Function
from functrace.tracefile.files import find_trace_files
from functrace.tracefile.reader import Trace, open_trace
from functrace.tracefile.tracks import Track, Tracks

__all__ = ["Function", "Trace", "Track", "Tracks", "find_trace_files", "open_trace"]
