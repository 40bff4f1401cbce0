"""Single calls that the triage of a trace needs, listed in one walk over it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from functrace.analysis.chains import Chains
from functrace.analysis.fold import Listing, calls_of_each
from functrace.analysis.triage import never_ended, slow
from functrace.analysis.triage.failed_calls import FailedCalls
from functrace.tracefile import Trace

MAX_LISTED_CALLS = 200_000
"""calls of each kind that are listed, so that they take some 100 MB and a few seconds at most"""
_MIN_LISTED_CALLS = 1000
"""failed calls of each trace, even if those of the traces before it reach the limit"""


@dataclass(frozen=True, eq=False)
class ListedCalls:
    """Single calls of a trace."""

    failed: FailedCalls
    last: never_ended.LastCalls
    slow: slow.SlowCalls

    @property
    def chains(self) -> Chains:
        """Chains of all calls of the trace."""
        return self.failed.calls.chains


def list_calls(traces: Iterable[Trace]) -> list[ListedCalls]:
    """Return the calls of each trace, up to a limit on the failed calls of all traces."""
    found: list[ListedCalls] = []
    remaining = MAX_LISTED_CALLS
    for trace in traces:
        limit = max(remaining, _MIN_LISTED_CALLS)
        listings = (
            Listing(limit=limit, failed_only=True, include_callers=True),
            *never_ended.listings(trace, MAX_LISTED_CALLS),
            slow.listing(MAX_LISTED_CALLS),
        )
        failed, last_part, at_end, long = calls_of_each(trace, listings)
        last = never_ended.last_calls(trace, last_part, at_end)
        found.append(ListedCalls(FailedCalls(failed), last, slow.slow_calls(long)))
        remaining -= len(failed)
    return found
