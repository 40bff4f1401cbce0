"""Trace file reader; docs/trace-format.md describes the format."""

from functrace.trace.facts import Function
from functrace.trace.reader import Trace, open_trace
from functrace.trace.tracks import Track, Tracks

__all__ = ["Function", "Trace", "Track", "Tracks", "open_trace"]
