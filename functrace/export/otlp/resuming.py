"""Resume tokens for interrupted exports.

Spans have the same order on every export. So a token contains the number of spans that need not be
sent again, and a fingerprint of the traces and options.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b

from functrace.errors import FunctraceError, UsageError
from functrace.export.otlp.frames import Span
from functrace.export.otlp.ids import Identity
from functrace.export.otlp.options import Options
from functrace.tracefile import Trace


def word(traces: Sequence[Trace], options: Options, done: int) -> str:
    """Return the token with which export() skips the first `done` spans."""
    return f"{_fingerprint(traces, options)}-{done}"


def done_before(traces: Sequence[Trace], options: Options, told: str | None) -> int:
    """Return the number of spans to skip.

    Raises:
        UsageError: the token is malformed.
        FunctraceError: the token is for other traces or options.
    """
    if told is None:
        return 0
    fingerprint, _, done = told.partition("-")
    if not done.isdecimal():
        raise UsageError(f"{told} is not what a stopped export has told")
    if fingerprint != _fingerprint(traces, options):
        raise FunctraceError(
            "the traces or the options are others than those of the stopped export; "
            "without --resume all spans are sent, with the ids that they had before"
        )
    return int(done)


class Skip:
    """Filter that skips the first `count` spans across several traces."""

    def __init__(self, count: int) -> None:
        self._left = count

    def rest(self, found: Iterable[Span]) -> Iterator[Span]:
        """Yield the spans of a trace that are not skipped."""
        for span in found:
            if self._left:
                self._left -= 1
            else:
                yield span


def _fingerprint(traces: Sequence[Trace], options: Options) -> str:
    told: list[object] = [options.rate, options.errors, options.min_duration_ns]
    for trace in traces:
        roots = None if options.roots is None else sorted(options.roots(trace))
        told += [Identity(trace).instance, trace.events, trace.span, roots]
    return blake2b(repr(told).encode(), digest_size=4).hexdigest()
