"""Reads trace files: docs/trace-format.md says what is in them."""

from functrace.trace.facts import Function
from functrace.trace.reader import Trace, open_trace
from functrace.trace.tracks import Track, Tracks

__all__ = ["Function", "Trace", "Track", "Tracks", "open_trace"]
