"""Resume tokens for interrupted exports.

Spans have the same order on every export. So a token contains the number of spans that need not be
sent again, and a fingerprint of the traces and options.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b

from functrace.errors import FunctraceError, UsageError
from functrace.export.otlp.call_selection import Options
from functrace.export.otlp.frames import Span
from functrace.export.otlp.ids import Identity
from functrace.tracefile import Trace


def resume_token(traces: Sequence[Trace], options: Options, done: int) -> str:
    """Return the token that makes export() skip the first `done` spans."""
    return f"{_fingerprint(traces, options)}-{done}"


def count_done(traces: Sequence[Trace], options: Options, token: str | None) -> int:
    """Return the number of spans to skip.

    Raises:
        UsageError: the token is malformed.
        FunctraceError: the token is for other traces or options.
    """
    if token is None:
        return 0
    fingerprint, _, done = token.partition("-")
    if not done.isdecimal():
        raise UsageError(f"--resume {token}: not a word from the message of an interrupted export")
    if fingerprint != _fingerprint(traces, options):
        raise FunctraceError(
            "the traces or options differ from those of the interrupted export; "
            "without --resume, all spans are sent, with the same ids as before"
        )
    return int(done)


class SkipFilter:
    """Filter that skips the first `count` spans across several traces."""

    def __init__(self, count: int) -> None:
        self._left = count

    def apply(self, spans: Iterable[Span]) -> Iterator[Span]:
        """Yield the spans of a trace that are not skipped."""
        for span in spans:
            if self._left:
                self._left -= 1
            else:
                yield span


def _fingerprint(traces: Sequence[Trace], options: Options) -> str:
    facts: list[object] = [options.rate, options.errors, options.min_duration_ns]
    for trace in traces:
        roots = None if options.roots is None else sorted(options.roots(trace))
        facts += [Identity(trace).instance, trace.events, trace.span, roots]
    return blake2b(repr(facts).encode(), digest_size=4).hexdigest()
