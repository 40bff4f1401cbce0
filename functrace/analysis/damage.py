"""Descriptions of damage and anomalies found in a trace."""

from __future__ import annotations

from functrace.analysis.request import Counters
from functrace.tracefile.damage import sentences
from functrace.tracefile.reader import Trace

_BEYOND = "beyond the number of chains that are told apart"


def damage(trace: Trace, counters: Counters) -> tuple[str, ...]:
    """Describe the unreadable parts of a trace and the anomalies in its calls."""
    counts = [
        (counters.unknown, "1 event is of an unknown function", "events are of unknown functions"),
        (counters.orphans, "1 exit without its entry", "exits without their entry"),
        (
            counters.skipped,
            "1 call has no exit, but the one around it has",
            "calls have no exit, but those around them have",
        ),
        (counters.backwards, "1 time goes backwards", "times go backwards"),
        (
            counters.differing,
            "1 chunk begins with other calls open than were",
            "chunks begin with other calls open than were",
        ),
        (
            counters.hidden,
            "1 open call is missing from chains and counts: its entry was overwritten",
            "open calls are missing from chains and counts: their entries were overwritten",
        ),
        (
            counters.overflow,
            f"1 call is {_BEYOND}: its chain begins at itself",
            f"calls are {_BEYOND}: their chains begin at themselves",
        ),
    ]
    return (*trace.damage, *sentences(counts))
