"""Descriptions of damage and anomalies found in a trace."""

from __future__ import annotations

from functrace.analysis.request import Counters
from functrace.tracefile.reader import Trace
from functrace.tracefile.sentences import sentences


def damage(trace: Trace, counters: Counters) -> tuple[str, ...]:
    """Describe the unreadable parts of a trace and the anomalies in its calls."""
    counts = [
        (
            counters.unknown,
            "1 event refers to an unknown function",
            "events refer to unknown functions",
        ),
        (counters.orphans, "1 exit has no entry", "exits have no entry"),
        (
            counters.skipped,
            "1 call has no exit although its caller has one",
            "calls have no exit although their callers have one",
        ),
        (
            counters.backwards,
            "1 timestamp is earlier than the one before it",
            "timestamps are earlier than the ones before them",
        ),
        (
            counters.differing,
            "1 chunk lists open calls that differ from those before it",
            "chunks list open calls that differ from those before them",
        ),
        (
            counters.hidden,
            "1 open call is missing from chains and counts: its entry was overwritten",
            "open calls are missing from chains and counts: their entries were overwritten",
        ),
        (
            counters.overflow,
            "1 call exceeds the limit on distinct chains: its callers are omitted",
            "calls exceed the limit on distinct chains: their callers are omitted",
        ),
    ]
    return (*trace.damage, *sentences(counts))
